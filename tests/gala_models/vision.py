"""timm and torchvision where they can be imported: a torchvision built for another torch lacks operators that no network here uses."""

from functools import cache

import pytest
import torch

_OPERATORS = (
    *(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor" for name in ("nms", "qnms")),
    *(f"{name}(Tensor input, Tensor rois) -> Tensor" for name in ("roi_align", "roi_pool", "ps_roi_align", "ps_roi_pool")),
    "deform_conv2d(Tensor input, Tensor rois) -> Tensor",
)  # fmt: skip


@cache
def _operators():
    library = torch.library.Library("torchvision", "DEF")
    for schema in _OPERATORS:
        library.define(schema)
    return library


def timm():
    """Import timm, or skip the test."""
    pytest.importorskip("torchvision", exc_type=ImportError) if _imports() else _operators()
    return pytest.importorskip("timm")


def _imports():
    import importlib
    import sys

    try:
        importlib.import_module("torchvision")
    except RuntimeError:
        for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        return False
    except ImportError:
        return True
    return True
