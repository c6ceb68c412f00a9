"""Residual networks that can carry attention, with torchvision's and timm's parameter names.

Post-activation networks (He et al., 2016a) load those libraries' checkpoints as they are; for pre-activation networks
(He et al., 2016b) timm has other names, which :mod:`rapidvision.gala_models.weights.naming` translates.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rapidvision.errors import InputError
from rapidvision.seeds import key64

from ..registries import ARCHITECTURES
from .architecture import Architecture, named
from .gala import GALA, scaled_normal_
from .se import SqueezeExcite


@dataclass(frozen=True, slots=True)
class Family:
    """Residual networks of one depth; called with an :class:`Architecture`, it builds one.

    Attributes
    ----------
    bottleneck : bool
        Whether blocks are bottlenecks.
    n_blocks : tuple of int
        Blocks per stage.
    width : int
        Channels of the first stage.
    compact : bool
        A stem of one 3 x 3 convolution without pooling, for small images.
    """

    bottleneck: bool
    n_blocks: tuple[int, int, int, int]
    width: int
    compact: bool = False

    def __call__(self, architecture: Architecture) -> "ResNet":
        """Build the network, with weights that :func:`build` then draws."""
        return ResNet(architecture, self)


resnet18 = Family(bottleneck=False, n_blocks=(2, 2, 2, 2), width=64)
resnet34 = Family(bottleneck=False, n_blocks=(3, 4, 6, 3), width=64)
resnet50 = Family(bottleneck=True, n_blocks=(3, 4, 6, 3), width=64)
resnet101 = Family(bottleneck=True, n_blocks=(3, 4, 23, 3), width=64)
compact = Family(bottleneck=False, n_blocks=(1, 1, 2, 1), width=16, compact=True)


class Block(nn.Module):
    """A residual block, basic or bottleneck, post- or pre-activation, with attention at the end of its dense path.

    Parameters
    ----------
    n_in, width : int
        Channels that come in, and channels of the inner convolutions.
    stride : int
        Of the 3 x 3 convolution.
    bottleneck : bool
        1 x 1, 3 x 3, 1 x 1 with four times the channels at the end, or 3 x 3, 3 x 3.
    architecture : Architecture
        For attention and activation order.
    attended : bool
        Whether this block carries attention.
    """

    conv1: nn.Conv2d
    conv2: nn.Conv2d
    conv3: nn.Conv2d
    bn1: nn.BatchNorm2d
    bn2: nn.BatchNorm2d
    bn3: nn.BatchNorm2d

    def __init__(
        self, n_in: int, width: int, stride: int, *, bottleneck: bool, architecture: Architecture, attended: bool
    ) -> None:
        super().__init__()
        n_out = width * 4 if bottleneck else width
        self.bottleneck, self.preactivation = bottleneck, architecture.preactivation
        if bottleneck:
            widths = [(n_in, width, 1, 1), (width, width, 3, stride), (width, n_out, 1, 1)]
        else:
            widths = [(n_in, width, 3, stride), (width, n_out, 3, 1)]
        for number, (before, after, kernel_px, step) in enumerate(widths, 1):
            convolution = nn.Conv2d(before, after, kernel_px, step, kernel_px // 2, bias=False)
            self.add_module(f"conv{number}", convolution)
            self.add_module(f"bn{number}", nn.BatchNorm2d(before if self.preactivation else after))
        self.n_convolutions = len(widths)
        self.relu = nn.ReLU(inplace=not self.preactivation)
        self.downsample: nn.Sequential | None = None
        if stride != 1 or n_in != n_out:
            shortcut: list[nn.Module] = [nn.Conv2d(n_in, n_out, 1, stride, bias=False)]
            self.downsample = nn.Sequential(*shortcut, *([] if self.preactivation else [nn.BatchNorm2d(n_out)]))
        self.se = SqueezeExcite(n_out, architecture.reduction) if attended and architecture.attention == "se" else None
        self.apply_to = architecture.gala.apply_to
        carries = attended and architecture.attention == "gala"
        self.gala = GALA(n_in if self.apply_to == "input" else n_out, architecture.gala) if carries else None

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's output, shape (batch, n_out, height / stride, width / stride)."""
        if self.gala is not None and self.apply_to == "input":
            x = self.gala(x)
        return self._pre(x) if self.preactivation else self._post(x)

    def attend(self, u: Tensor) -> Tensor:
        """Scale the end of the dense path, where this block has attention there."""
        if self.se is not None:
            u = self.se(u)
        if self.gala is not None and self.apply_to == "output":
            u = self.gala(u)
        return u

    def _post(self, x: Tensor) -> Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        u: Tensor = self.relu(self.bn1(self.conv1(x)))
        u = self.bn2(self.conv2(u))
        if self.bottleneck:
            u = self.bn3(self.conv3(self.relu(u)))
        out: Tensor = self.relu(self.attend(u) + shortcut)
        return out

    def _pre(self, x: Tensor) -> Tensor:
        u: Tensor = self.relu(self.bn1(x))
        shortcut = x if self.downsample is None else self.downsample(u)
        u = self.conv2(self.relu(self.bn2(self.conv1(u))))
        if self.bottleneck:
            u = self.conv3(self.relu(self.bn3(u)))
        return self.attend(u) + shortcut


def pooled(x: Tensor, architecture: Architecture) -> Tensor:
    """The stem's max pooling, 3 x 3 with a stride of 2; compact networks have none."""
    if architecture.family == "compact":
        return x
    if architecture.stem_pool == "tensorflow":
        x = F.pad(x, (x.shape[3] % 2, 1, x.shape[2] % 2, 1), value=float("-inf"))  # an even side lacks one pixel
        return F.max_pool2d(x, 3, 2)
    return F.max_pool2d(x, 3, 2, 1)


class ResNet(nn.Module):
    """A residual network for images, built from an :class:`Architecture`; make one with :func:`build`."""

    def __init__(self, architecture: Architecture, family: Family) -> None:
        super().__init__()
        self.architecture = architecture
        bottleneck, width = family.bottleneck, family.width
        self.compact = family.compact
        self.conv1 = nn.Conv2d(3, width, 3 if self.compact else 7, 2, 1 if self.compact else 3, bias=False)
        self.bn1 = None if architecture.preactivation else nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        n_in = width
        for stage, n in enumerate(family.n_blocks, 1):
            blocks = []
            for number in range(n):
                stride = 2 if number == 0 and stage > 1 else 1
                attended = stage in architecture.attention_stages
                stage_width = width * 2 ** (stage - 1)
                blocks.append(
                    Block(
                        n_in, stage_width, stride, bottleneck=bottleneck, architecture=architecture, attended=attended
                    )
                )
                n_in = stage_width * (4 if bottleneck else 1)
            self.add_module(f"layer{stage}", nn.Sequential(*blocks))
        self.bn_last = nn.BatchNorm2d(n_in) if architecture.preactivation else None
        self.n_features = n_in
        self.fc = nn.Linear(n_in, architecture.n_classes)

    def stages(self) -> tuple[nn.Sequential, ...]:
        """The four stages."""
        return (self.layer1, self.layer2, self.layer3, self.layer4)  # type: ignore[return-value]

    def stem(self, x: Tensor) -> Tensor:
        """Everything before the first stage."""
        x = self.conv1(x)
        if self.bn1 is not None:
            x = self.relu(self.bn1(x))
        return pooled(x, self.architecture)

    def features(self, x: Tensor) -> Tensor:
        """Pooled activity before the classifier, shape (batch, n_features)."""
        x = self.stem(x)
        for stage in self.stages():
            x = stage(x)
        if self.bn_last is not None:
            x = self.relu(self.bn_last(x))
        return x.mean((2, 3))

    def forward(self, x: Tensor) -> Tensor:
        """Return class scores (logits), shape (batch, n_classes), of images (batch, 3, height, width)."""
        scores: Tensor = self.fc(self.features(x))
        return scores


def build(architecture: Architecture | str, *, seed: int = 0) -> nn.Module:
    """Build a network with fresh weights, channels last.

    Parameters
    ----------
    architecture : Architecture or str
        Or its name: one of :data:`rapidvision.gala_models.NETWORKS`, or a family.
    seed : int, default 0
        The weights follow from it; those of this package's networks from the parameters' names too. PyTorch's global
        generator is left alone.

    Returns
    -------
    Module
        A :class:`ResNet`, or what a plug-in built. "From scratch, with weights drawn from a scaled normal distribution"
        (paper, appendix); a plug-in draws its own.

    Raises
    ------
    InputError
        When the name is unknown, or a plug-in returns something else than a module.

    Examples
    --------
    >>> network = build("compact-gala", seed=3)
    >>> tuple(network(torch.zeros(1, 3, 96, 96)).shape)
    (1, 8)
    """
    architecture = named(architecture) if isinstance(architecture, str) else architecture
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(key64(seed, "network") & (2**63 - 1))
        network = ARCHITECTURES.get(architecture.family)(architecture)
    if not isinstance(network, nn.Module):
        raise InputError(
            f"architecture {architecture.family}: returned {type(network).__name__}; a torch.nn.Module is needed"
        )
    if isinstance(network, ResNet):
        _draw_weights(network, seed)
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def _draw_weights(network: ResNet, seed: int) -> None:
    for name, module in network.named_modules():
        generator = torch.Generator().manual_seed(key64(seed, "weights", name) & (2**63 - 1))
        if isinstance(module, GALA | SqueezeExcite):
            module.reset_parameters(generator)
        elif isinstance(module, nn.Conv2d) and module.bias is None:
            scaled_normal_(module.weight, 2.0, generator=generator)
        elif isinstance(module, nn.Linear):
            scaled_normal_(module.weight, generator=generator)
            nn.init.zeros_(module.bias)


def gala_resnet50(*, seed: int = 0) -> ResNet:
    """Build the paper's GALA-ResNet-50 for ImageNet's 1,000 classes, with fresh weights.

    Parameters
    ----------
    seed : int, default 0
        Of the weights.

    Returns
    -------
    ResNet
        Images (batch, 3, height, width), float32, to class scores (batch, 1000). Trained weights come from a file:
        :func:`rapidvision.gala_models.load`.

    Examples
    --------
    >>> import rapidvision as rv
    >>> network = rv.models.gala_resnet50()
    >>> network.architecture.attention, network.fc.out_features
    ('gala', 1000)
    """
    network = build("gala-resnet50", seed=seed)
    assert isinstance(network, ResNet)
    return network


def n_parameters(module: nn.Module) -> int:
    """How many numbers a module learns.

    Examples
    --------
    >>> n_parameters(build("compact-resnet"))
    382552
    """
    return sum(parameter.numel() for parameter in module.parameters())
