"""Exact folding for inference: batch norm into the convolutions, and GALA's first layers onto a quarter of the channels.

At inference the attended activity u = conv3(x) is linear in the block's inner activity x, which has a quarter of its
channels. So both of GALA's shrinking layers can read x instead of u: V_shrink(W x + b) = (V_shrink W) x + V_shrink b.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rapidvision.errors import InputError

from .architecture import Architecture
from .fused import FixedConvolution, convolved_relu, convolved_sum_relu
from .resnet import Block, ResNet, pooled
from .se import SqueezeExcite


class FoldedBlock(nn.Module):
    """A post-activation block whose batch norms are gone; made by :func:`fold`. It may overwrite its input."""

    local_shrink: nn.Conv2d | None
    pooled_shrink: nn.Conv2d | None

    def __init__(self, block: Block) -> None:
        super().__init__()
        self.conv1, self.conv2 = joined(block.conv1, block.bn1), joined(block.conv2, block.bn2)
        self.conv3 = joined(block.conv3, block.bn3) if block.bottleneck else None
        self.downsample = None if block.downsample is None else _joined_pair(block.downsample)
        self.se, self.gala, self.apply_to = block.se, block.gala, block.apply_to
        last = self.conv3 or self.conv2
        self.pointwise = last.kernel_size == (1, 1)
        attended = block.gala if block.gala is not None and block.apply_to == "output" else None
        self.local_shrink, self.pooled_shrink = None, None
        if self.pointwise and attended is not None:
            self.local_shrink = _through(last, attended.local_shrink)
            self.pooled_shrink = _through(last, attended.global_shrink)
        elif self.pointwise and block.se is not None:
            self.pooled_shrink = _through(last, block.se.fc1)

    def forward(self, x: Tensor) -> Tensor:
        """Return what the block returns in evaluation mode."""
        if self.gala is not None and self.apply_to == "input":
            x = self.gala(x)
        shortcut = x if self.downsample is None else self.downsample(x)
        x, last = convolved_relu(self.conv1, x), self.conv2
        if self.conv3 is not None:
            x, last = convolved_relu(self.conv2, x), self.conv3
        if self.se is None and (self.gala is None or self.apply_to == "input"):
            return convolved_sum_relu(last, x, shortcut)
        return F.relu_(self._attended(last(x), x).add_(shortcut))

    def _attended(self, u: Tensor, x: Tensor) -> Tensor:
        if self.se is not None:
            return self._excited(u, x, self.se)
        if self.gala is None or self.apply_to == "input":
            return u
        if self.local_shrink is None or self.pooled_shrink is None:
            return self.gala(u)  # type: ignore[no-any-return]
        pooled = F.linear(x.mean((2, 3)), self.pooled_shrink.weight.flatten(1), self.pooled_shrink.bias)
        s = self.gala.local_path(convolved_relu(self.local_shrink, x))
        return self.gala.scale(u, self.gala.global_path(pooled), s)

    def _excited(self, u: Tensor, x: Tensor, se: SqueezeExcite) -> Tensor:
        if self.pooled_shrink is None:
            return se(u)  # type: ignore[no-any-return]
        hidden = F.relu_(F.linear(x.mean((2, 3)), self.pooled_shrink.weight.flatten(1), self.pooled_shrink.bias))
        gate = F.linear(hidden, se.fc2.weight.flatten(1), se.fc2.bias).sigmoid_()
        return u.mul_(gate[:, :, None, None])


class FoldedResNet(nn.Module):
    """A network for inference only; made by :func:`fold`."""

    layer1: nn.Sequential
    layer2: nn.Sequential
    layer3: nn.Sequential
    layer4: nn.Sequential

    def __init__(self, model: ResNet) -> None:
        super().__init__()
        if model.bn1 is None:
            raise InputError("fold: a pre-activation network has batch norms before its convolutions; they stay")
        self.architecture: Architecture = model.architecture
        self.conv1 = joined(model.conv1, model.bn1)
        for stage, blocks in enumerate(model.stages(), 1):
            folded = [FoldedBlock(block) for block in blocks if isinstance(block, Block)]
            self.add_module(f"layer{stage}", nn.Sequential(*folded))
        self.fc = model.fc

    def forward(self, x: Tensor) -> Tensor:
        """Return class scores, shape (batch, n_classes)."""
        x = convolved_relu(self.conv1, x)
        x = pooled(x, self.architecture)
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = stage(x)
        scores: Tensor = self.fc(x.mean((2, 3)))
        return scores


def fold(model: ResNet) -> FoldedResNet:
    """Return the network's twin for inference; the same function up to rounding, without a copy of the training graph.

    Parameters
    ----------
    model : ResNet
        Post-activation. It is not changed.

    Returns
    -------
    FoldedResNet
        Gives attention maps like the original. Must be called without gradients.

    Raises
    ------
    InputError
        For a pre-activation network.

    Examples
    --------
    >>> from rapidvision.gala_models.layers.resnet import build
    >>> network = build("compact-gala").eval()
    >>> x = torch.rand(2, 3, 96, 96)
    >>> with torch.inference_mode():
    ...     bool((fold(network)(x) - network(x)).abs().max() < 1e-3)
    True
    """
    import copy

    with torch.inference_mode(mode=False), torch.no_grad():  # weights made in inference mode do not tell of changes
        folded = FoldedResNet(copy.deepcopy(model).eval())
        for parameter in folded.parameters():
            parameter.requires_grad_(False)
        return folded.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def joined(convolution: nn.Conv2d, norm: nn.BatchNorm2d) -> nn.Conv2d:
    """Return one convolution that does what a convolution and its batch norm do in evaluation mode."""
    if norm.running_mean is None or norm.running_var is None:
        raise InputError("fold: a batch norm without running statistics cannot be folded")
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    weight = convolution.weight * scale[:, None, None, None]
    return _convolution(weight, norm.bias - norm.running_mean * scale, convolution)


def _joined_pair(pair: nn.Sequential) -> nn.Conv2d:
    convolution, norm = pair
    if not (isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d)):
        raise InputError("fold: a shortcut is a convolution and a batch norm")
    return joined(convolution, norm)


def _through(before: nn.Conv2d, after: nn.Conv2d) -> nn.Conv2d:
    """One 1 x 1 convolution for two in a row with nothing between them."""
    first, second = before.weight.flatten(1), after.weight.flatten(1)
    bias = after.bias
    if before.bias is not None and bias is not None:
        bias = second @ before.bias + bias
    return _convolution((second @ first)[:, :, None, None], bias, before)


def _convolution(weight: Tensor, bias: Tensor | None, like: nn.Conv2d) -> nn.Conv2d:
    kernel_px = (weight.shape[2], weight.shape[3])
    made = FixedConvolution(
        weight.shape[1],
        weight.shape[0],
        kernel_px,
        (like.stride[0], like.stride[1]),
        (kernel_px[0] // 2, kernel_px[1] // 2),
    ).to(weight)
    with torch.no_grad():
        made.weight.copy_(weight)
        if made.bias is not None and bias is not None:
            made.bias.copy_(bias)
    return made
