"""Which network is built: settings of a network and of its attention, as recipes and files of weights store them."""

from typing import Literal

from rapidvision.errors import InputError, did_you_mean
from rapidvision.recipes import Recipe

from ..registries import ARCHITECTURES

Squash = Literal["tanh", "sigmoid"]


class GALAOptions(Recipe, frozen=True):
    """Every point where the paper's text and the authors' code (`gala_tpu`) differ, as a named switch.

    Attributes
    ----------
    reduction : int
        r of both bottlenecks; 4 in both.
    squash : {"tanh", "sigmoid"}
        ζ; the code used a sigmoid.
    global_relu : bool
        Whether a ReLU ends the global path, so that g ≥ 0; the code's did.
    local_kernel_px : int
        Side of one more convolution (with ReLU) between shrink and collapse, 0 for none; 5 in the code.
    apply_to : {"output", "input"}
        Whether the end of the dense path is attended ("final activity in a dense path") or the block's input, before
        the shortcut is taken, as in the code.
    """

    reduction: int = 4
    squash: Squash = "tanh"
    global_relu: bool = False
    local_kernel_px: int = 0
    apply_to: Literal["output", "input"] = "output"

    def __post_init__(self) -> None:
        if self.reduction < 1:
            raise ValueError(f"reduction must be >= 1, got {self.reduction}")
        if self.local_kernel_px < 0 or (self.local_kernel_px and self.local_kernel_px % 2 == 0):
            raise ValueError(f"local_kernel_px must be 0 or odd, got {self.local_kernel_px}")


PRESETS = {
    "paper": GALAOptions(),
    "gala_tpu": GALAOptions(squash="sigmoid", global_relu=True, local_kernel_px=5, apply_to="input"),
}


def preset(name: str) -> GALAOptions:
    """Return ``paper`` (the equations as printed) or ``gala_tpu`` (the authors' reference code).

    Examples
    --------
    >>> preset("gala_tpu").squash
    'sigmoid'
    """
    if name not in PRESETS:
        raise InputError(f'GALA: no preset "{name}". {did_you_mean(name, PRESETS)}')
    return PRESETS[name]


class Architecture(Recipe, frozen=True):
    """Which network: enough to build it, and part of every file of weights.

    Attributes
    ----------
    family : str
        ``resnet18``, ``resnet34``, ``resnet50``, ``resnet101``, ``compact`` (five basic blocks for 96 x 96 images), or the
        name of a plug-in, which gives the other fields the meaning that it wants.
    attention : {"none", "se", "gala"}
        What the blocks of `attention_stages` carry.
    attention_stages : tuple of int
        Stages 1 … 4. The paper's layers 24, 27, … 39 are the six last convolutions of stage 3.
    reduction : int
        Of squeeze-and-excitation; 16 in every stage gives the published SE-ResNet.
    gala : GALAOptions
        See there.
    preactivation : bool
        Batch norm and ReLU before each convolution. The paper's text says He et al. (2016) and finds no difference.
    stem_pool : {"symmetric", "tensorflow"}
        Where the first pooling pads: all around, or below and on the right only, as TensorFlow's networks do.
    n_classes : int
        Outputs.

    Examples
    --------
    >>> import rapidvision as rv
    >>> rv.models.Architecture(family="compact", attention="gala", n_classes=8).n_classes
    8
    """

    family: str = "resnet50"
    attention: Literal["none", "se", "gala"] = "none"
    attention_stages: tuple[int, ...] = (3,)
    reduction: int = 4
    gala: GALAOptions = GALAOptions()
    preactivation: bool = False
    stem_pool: Literal["symmetric", "tensorflow"] = "symmetric"
    n_classes: int = 1000

    def __post_init__(self) -> None:
        if self.family not in ARCHITECTURES:
            raise ValueError(f"family: {ARCHITECTURES.unknown(self.family)}")
        if not set(self.attention_stages) <= {1, 2, 3, 4}:
            raise ValueError(f"attention_stages must lie in 1 to 4, got {list(self.attention_stages)}")
        if self.n_classes < 1 or self.reduction < 1:
            raise ValueError("n_classes and reduction must be >= 1")


#: Networks of the paper by name, for ImageNet.
NETWORKS = {
    "resnet18": Architecture(family="resnet18"),
    "resnet34": Architecture(family="resnet34"),
    "resnet50": Architecture(),
    "resnet101": Architecture(family="resnet101"),
    "se-resnet50": Architecture(attention="se", attention_stages=(1, 2, 3, 4), reduction=16),
    "gala-resnet50": Architecture(attention="gala"),
    "resnetv2-50": Architecture(preactivation=True),
    "gala-tpu-resnet50": Architecture(
        attention="gala", gala=PRESETS["gala_tpu"], preactivation=True, stem_pool="tensorflow"
    ),
    "compact-resnet": Architecture(family="compact", n_classes=8),
    "compact-se": Architecture(family="compact", attention="se", n_classes=8),
    "compact-gala": Architecture(family="compact", attention="gala", n_classes=8),
}


def named(name: str) -> Architecture:
    """Return the architecture of a name: one of :data:`NETWORKS`, or a family with the default settings.

    Raises
    ------
    InputError
        When there is no such network.

    Examples
    --------
    >>> named("se-resnet50").reduction
    16
    """
    if name in NETWORKS:
        return NETWORKS[name]
    if name not in ARCHITECTURES:
        raise InputError(f'{ARCHITECTURES.kind}: got "{name}". {did_you_mean(name, architecture_names())}')
    return Architecture(family=name)


def architecture_names() -> tuple[str, ...]:
    """Every name that :func:`named` takes: the networks of the paper, then families, those of plug-ins included."""
    return tuple(dict.fromkeys([*NETWORKS, *ARCHITECTURES]))
