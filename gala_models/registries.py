"""Networks, readouts and attributions by name, built in and plugged in."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from rapidvision.plugins.registry import Registry

if TYPE_CHECKING:
    from torch import nn

_RESNET = "rapidvision.gala_models.layers.resnet"
_ATTRIBUTION = "rapidvision.gala_models.attribution"
_READOUTS = "rapidvision.gala_models.observer.readout"

#: Name → function that builds a network with fresh weights from a :class:`.layers.architecture.Architecture`; the names
#: are those that recipes write as ``family``.
ARCHITECTURES: "Registry[Callable[..., nn.Module]]" = Registry(
    "architecture",
    "rapidvision.architecture",
    {name: f"{_RESNET}:{name}" for name in ("resnet18", "resnet34", "resnet50", "resnet101", "compact")},
)

#: Name → function that takes nothing and returns a network; the architectures of the paper are built with fresh weights
#: by :func:`rapidvision.gala_models.layers.resnet.build`, and trained ones are files, so none is built in here.
NETWORKS: "Registry[Callable[[], nn.Module]]" = Registry("network", "rapidvision.network", {})

#: Name → function that takes nothing and returns a :class:`.observer.readout.Readout`.
READOUTS: Registry[Callable[[], Any]] = Registry(
    "readout",
    "rapidvision.readout",
    {
        "imagenet-animal": f"{_READOUTS}:imagenet_animal",
        "imagenet-animal-uncorrected": f"{_READOUTS}:imagenet_animal_uncorrected",
        "imagenet-categories": f"{_READOUTS}:imagenet_categories",
        "binary": f"{_READOUTS}:binary",
    },
)

#: Where a network looks; see :class:`.plugins.Attribution`.
ATTRIBUTIONS: Registry[Callable[..., Any]] = Registry(
    "attribution",
    "rapidvision.attribution",
    {
        "attention": "rapidvision.gala_models.observer.overlay:attention_of",
        "smoothgrad": f"{_ATTRIBUTION}.gradient_maps:smoothgrad_of",
        "activity": f"{_ATTRIBUTION}.grad_cam:activity_of",
        "grad-cam": f"{_ATTRIBUTION}.grad_cam:grad_cam_of",
        "guided-backprop": f"{_ATTRIBUTION}.by_captum:guided_backprop_of",
        "guided-grad-cam": f"{_ATTRIBUTION}.by_captum:guided_grad_cam_of",
        "integrated-gradients": f"{_ATTRIBUTION}.by_captum:integrated_gradients_of",
        "occlusion": f"{_ATTRIBUTION}.by_captum:occlusion_of",
        "rise": f"{_ATTRIBUTION}.rise:rise_of",
        "rollout": f"{_ATTRIBUTION}.rollout:rollout_of",
    },
)
