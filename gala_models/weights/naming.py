"""Parameters under other people's names: timm's pre-activation networks, and the authors' TensorFlow variables.

===========================================  =====================================  ===========================================
ours                                         timm (``resnetv2_50``)                 TensorFlow (``gala_tpu``, resnet_v2_model)
===========================================  =====================================  ===========================================
``conv1.weight``                             ``stem.conv.weight``                   ``conv2d/kernel``
``layer3.1.conv2.weight``                    ``stages.2.blocks.1.conv2.weight``     ``conv2d_N/kernel``, N in building order
``layer3.0.downsample.0.weight``             ``stages.2.blocks.0.downsample.conv``  ``conv2d_N/kernel``, before the block's own
``layer3.1.bn2.weight``, ``.bias``           ``stages.2.blocks.1.norm2.…``          ``batch_normalization_N/gamma``, ``/beta``
``….running_mean``, ``….running_var``        the same                               ``…/moving_mean``, ``…/moving_variance``
``bn_last.weight``                           ``norm.weight``                        the last ``batch_normalization_N/gamma``
``fc.weight``, ``fc.bias``                   ``head.fc.weight``, ``.bias``          ``dense/kernel``, ``dense/bias``
``layer3.1.gala.local_shrink.weight``        -                                      ``block_layer3_1_ATTENTION_intermediate/kernel``
``layer3.1.gala.local_extra.weight``         -                                      ``block_layer3_1_ATTENTION_intermediate_0/kernel``
``layer3.1.gala.local_collapse.weight``      -                                      ``block_layer3_1_ATTENTION_output/kernel``
``layer3.1.gala.global_shrink.weight``       -                                      ``block_layer3_1_ATTENTION_intermediate/weights``
``layer3.1.gala.global_expand.weight``       -                                      ``block_layer3_1_ATTENTION_output/weights``
``layer3.1.gala.alpha``, ``.m``              -                                      ``alpha_block_layer3_1``, ``beta_block_layer3_1``
===========================================  =====================================  ===========================================

Biases follow their weights (``/bias``, or ``/biases`` beside ``/weights``). TensorFlow numbers layers without a name in the
order in which they were built, and stores kernels as height x width x in x out.
"""

import re
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from ..layers.resnet import Block, ResNet

_NORM = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"}
_GALA = {
    "local_shrink": ("intermediate", "kernel", "bias"),
    "local_extra": ("intermediate_0", "kernel", "bias"),
    "local_collapse": ("output", "kernel", "bias"),
    "global_shrink": ("intermediate", "weights", "biases"),
    "global_expand": ("output", "weights", "biases"),
}
#: Variables of a TensorFlow checkpoint that belong to the optimizer, not to the network.
_TRAINING_ONLY = re.compile(r"(^global_step$|/(Momentum|ExponentialMovingAverage|Adam(_1)?)$|^(beta1|beta2)_power$)")


def timm_name(name: str) -> str:
    """Name of one of our parameters in timm's pre-activation networks.

    Examples
    --------
    >>> timm_name("layer3.0.downsample.0.weight"), timm_name("layer1.2.bn1.running_var")
    ('stages.2.blocks.0.downsample.conv.weight', 'stages.0.blocks.2.norm1.running_var')
    """
    stage = re.fullmatch(r"layer(\d)\.(\d+)\.(.+)", name)
    if stage is None:
        return {"conv1": "stem.conv", "bn_last": "norm", "fc": "head.fc"}[name.split(".")[0]] + "." + name.split(".")[1]
    inner = re.sub(r"^bn(\d)", r"norm\1", stage[3]).replace("downsample.0", "downsample.conv")
    return f"stages.{int(stage[1]) - 1}.blocks.{stage[2]}.{inner}"


def from_timm(state: Mapping[str, Tensor], model: ResNet) -> dict[str, Tensor]:
    """Return a checkpoint of timm's ``resnetv2`` under our names; what is not recognized keeps its own."""
    out = dict(state)
    for name in model.state_dict():
        theirs = timm_name(name)
        if theirs in out:
            out[name] = out.pop(theirs)
    if "fc.weight" in out and out["fc.weight"].ndim == 4:  # a 1 x 1 convolution there
        out["fc.weight"] = out["fc.weight"].flatten(1)
    return out


def tensorflow_names(model: ResNet) -> dict[str, str]:
    """Our name → TensorFlow's, for a pre-activation bottleneck network of the authors' code.

    Examples
    --------
    >>> from rapidvision.gala_models.layers.resnet import build
    >>> names = tensorflow_names(build("gala-tpu-resnet50"))
    >>> names["layer1.0.downsample.0.weight"], names["layer1.0.conv1.weight"], names["layer4.2.conv3.weight"]
    ('conv2d_1/kernel', 'conv2d_2/kernel', 'conv2d_52/kernel')
    >>> names["layer3.5.gala.m"], names["bn_last.weight"]
    ('beta_block_layer3_5', 'batch_normalization_48/gamma')
    """
    convolutions, norms, out = _numbered("conv2d"), _numbered("batch_normalization"), {}

    def norm(name: str) -> None:
        scope = next(norms)
        out.update({f"{name}.{ours}": f"{scope}/{theirs}" for ours, theirs in _NORM.items()})

    out["conv1.weight"] = f"{next(convolutions)}/kernel"
    for stage, blocks in enumerate(model.stages(), 1):
        for number, block in enumerate(blocks):
            if not isinstance(block, Block):
                continue
            path = f"layer{stage}.{number}"
            if block.gala is not None:
                out.update(_gala_names(f"{path}.gala", f"block_layer{stage}_{number}"))
            norm(f"{path}.bn1")
            if block.downsample is not None:
                out[f"{path}.downsample.0.weight"] = f"{next(convolutions)}/kernel"
            out[f"{path}.conv1.weight"] = f"{next(convolutions)}/kernel"
            for layer in range(2, block.n_convolutions + 1):
                norm(f"{path}.bn{layer}")
                out[f"{path}.conv{layer}.weight"] = f"{next(convolutions)}/kernel"
    norm("bn_last")
    return {**out, "fc.weight": "dense/kernel", "fc.bias": "dense/bias"}


def from_tensorflow(state: Mapping[str, Tensor], model: ResNet) -> dict[str, Tensor]:
    """Return variables of a TensorFlow checkpoint under our names and in our layout; optimizer slots are left out."""
    out = {name: value for name, value in state.items() if not _TRAINING_ONLY.search(name)}
    shapes = {name: value.shape for name, value in model.state_dict().items()}
    for name, theirs in tensorflow_names(model).items():
        if name in shapes and theirs in out:
            value = out.pop(theirs)
            per_channel = name.endswith((".alpha", ".m"))
            out[name] = value.float().reshape(1, -1, 1, 1) if per_channel else _layout(value, len(shapes[name]))
    return out


def _numbered(scope: str) -> Iterator[str]:
    yield scope
    number = 0
    while True:
        number += 1
        yield f"{scope}_{number}"


def _gala_names(path: str, block: str) -> dict[str, str]:
    out = {f"{path}.alpha": f"alpha_{block}", f"{path}.m": f"beta_{block}"}
    for ours, (scope, weight, bias) in _GALA.items():
        out[f"{path}.{ours}.weight"] = f"{block}_ATTENTION_{scope}/{weight}"
        out[f"{path}.{ours}.bias"] = f"{block}_ATTENTION_{scope}/{bias}"
    return out


def _layout(value: Tensor, n_dimensions: int) -> Tensor:
    """Height x width x in x out becomes out x in x height x width; in x out becomes out x in (x 1 x 1)."""
    if value.ndim == 4:
        value = value.permute(3, 2, 0, 1)
    elif value.ndim == 2:
        value = value.T
        value = value[:, :, None, None] if n_dimensions == 4 else value
    return value.to(torch.float32).contiguous()
