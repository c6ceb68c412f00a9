"""timm's architectures with random weights, also beside a torchvision that was built for another PyTorch."""

import importlib

import pytest
import torch

_KEPT = []


def import_timm():
    """timm, or a skip with the reason; it imports torchvision for a few operators that these networks never call."""
    try:
        return importlib.import_module("timm")
    except ModuleNotFoundError as error:
        pytest.skip(f"{error.name} is not installed")
    except RuntimeError:  # "operator torchvision::nms does not exist"
        library = torch.library.Library("torchvision", "DEF")
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        for name in ("roi_align", "roi_pool", "ps_roi_align", "ps_roi_pool", "deform_conv2d"):
            library.define(f"{name}(Tensor input, Tensor rois) -> Tensor")
        _KEPT.append(library)
        return importlib.import_module("timm")


def create(name, **options):
    torch.manual_seed(0)
    return import_timm().create_model(name, pretrained=False, **options).eval()
