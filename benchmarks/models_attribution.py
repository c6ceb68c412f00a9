"""Figures of attributions: against captum, on other people's architectures, and on photographs as stored."""

import json

import numpy as np
import torch
from torch import nn

from benchmarks import attribute_photographs
from benchmarks.harness import STATED, NotMeasured, Suite, at_least, at_most
from benchmarks.human_maps import SOURCES
from rapidvision.gala_models.attribution.evidence import shown
from rapidvision.gala_models.attribution.maps import attributions
from rapidvision.gala_models.observer.networks import load

suite = Suite()


def images(side, n=2):
    return np.random.Generator(np.random.PCG64(0)).integers(0, 256, (n, side, side, 3), dtype=np.uint8)


@suite.figure("Grad-CAM against captum's, largest difference of maps in 0 to 1", unit="", bar=at_most(1e-5))
def grad_cam_difference():
    try:
        from captum.attr import LayerGradCam
    except ImportError as error:
        raise NotMeasured("captum is not installed") from error
    torch.manual_seed(0)
    layers = [nn.Conv2d(3, 16, 5, 2), nn.ReLU(), nn.Conv2d(16, 16, 3, 2), nn.ReLU()]
    model = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 2)).eval()
    network = load(model, readout="binary", size_px=64)
    seen = shown(network, images(64, 8))
    theirs = LayerGradCam(seen.evidence, model[2]).attribute(seen.x, target=0, relu_attributions=True)
    ours = attributions(network, images(64, 8), method="grad-cam", layer="2")
    return float(np.abs(ours - seen.on_images(theirs[:, 0]).numpy()).max())


def architectures(method):
    """How many of ten timm architectures give maps of the images (an empty one too), or refuse by a typed error."""
    from rapidvision.errors import InputError
    from tests.gala_models.test_attached import TIMM
    from tests.gala_models.timm_networks import create

    n = 0
    for name, (options, side, *_) in TIMM.items():
        network = load(create(name, num_classes=2, **options), name=name, readout="binary", size_px=side)
        try:
            found = attributions(network, images(side), method=method)
        except InputError:
            n += method == "rollout"
            continue
        n += found.shape == (2, side, side) and bool(np.isfinite(found).all()) and found.max() in (0, 1)
    return n


for _method in ("grad-cam", "activity", "rollout"):
    suite.figure(f"ten timm architectures, {_method}: maps, or a typed refusal", unit="of 10", bar=at_least(10))(
        lambda method=_method: architectures(method)
    )


def content():
    path = attribute_photographs.STORED
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def figures_of_stored(network, source, method):
    @suite.figure(
        f"stored run of {content().get('date', 'no date')}, {network}, {source}, {method}", unit="rho", bar=STATED
    )
    def _():
        found = content().get("maps", {}).get(f"{network}/{source}/{method}")
        if found is None:
            raise NotMeasured("not in the stored run; python -m benchmarks.attribute_photographs measures it")
        return float(np.nanmean(np.array(found["rho"], float)))


for _source in SOURCES:
    for _method in ("centre", "mean of others", "halves"):
        figures_of_stored("-", _source, _method)
    for _network, _method in attribute_photographs.RUNS:
        figures_of_stored(_network, _source, _method)
