"""Preparing importance maps to supervise attention: checks, blur, resizing, boxes, and the shuffled control."""

from typing import Literal

import numpy as np
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from rapidvision.errors import InputError, did_you_mean
from rapidvision.numerics.blur import Blur, blurred, gala_tpu_line, parse
from rapidvision.protocol import MAP_BLUR_PX

Annotation = Literal["maps", "boxes", "shuffled", "none"]
Resize = Literal["bicubic", "bilinear-corners"]

#: Side of the images for which the paper's kernel is MAP_BLUR_PX wide.
BLUR_AT_PX = 256


def check_map(values: NDArray[np.float32], *, shape: tuple[int, int] | None = None) -> str | None:
    """Say why a map cannot supervise, or None when it can.

    Parameters
    ----------
    values : ndarray, shape (height, width)
        The map.
    shape : tuple of int, optional
        Height and width of its image.

    Examples
    --------
    >>> check_map(np.zeros((2, 2), np.float32))
    'all zero'
    """
    if values.ndim != 2 or values.size == 0 or (shape is not None and values.shape != shape):
        return f"size {' x '.join(map(str, values.shape))}"
    if not np.isfinite(values).all():
        return "not finite"
    if values.min() < 0:
        return "negative"
    return "all zero" if values.max() == 0 else None


def kernel(name: str, size_px: int = MAP_BLUR_PX) -> NDArray[np.float64]:
    """Return a one-dimensional blur kernel, summing to 1, whose outer product with itself is the blur.

    Parameters
    ----------
    name : {"paper", "gala_tpu", "none"}
        ``paper``: flat; ``gala_tpu``: a Gaussian of σ = 28 px folded back at the borders of its 49 px box, as the authors'
        code computes it, and so all but flat.
    size_px : int
        Odd side of the kernel.

    Examples
    --------
    >>> folded = kernel("gala_tpu")
    >>> round(float(folded.min() / folded.max()) ** 2, 3)
    0.987
    """
    if size_px < 1 or size_px % 2 == 0:
        raise InputError(f"blur: a side of {size_px} px; it must be odd")
    if name == "none":
        return np.ones(1)
    if name == "gala_tpu":
        return gala_tpu_line(size_px)
    if name != "paper":
        raise InputError(f'blur: no kernel "{name}". {did_you_mean(name, ["paper", "gala_tpu", "none"])}')
    return np.full(size_px, 1 / size_px)


def blur(values: NDArray[np.float32], name: str = "paper", *, size_px: int | None = None) -> NDArray[np.float32]:
    """Blur a map as before training (paper, appendix "GALA-ResNet-50 training").

    Parameters
    ----------
    values : ndarray of float32, shape (height, width)
        The map.
    name : str
        As :func:`rapidvision.numerics.blur.parse` reads it; sizes are in pixels of a map with a side of 256 px, and in
        proportion for others.
    size_px : int, optional
        Side of the kernel of ``paper`` and ``gala_tpu``; 49 px at a side of 256 px by default, odd and in proportion.

    Returns
    -------
    ndarray of float32, shape (height, width)
        Outside the map there is nothing.
    """
    from scipy.ndimage import correlate1d

    kind, size = parse(name)
    if kind in ("gauss", "disc"):
        scaled = Blur(kind, size * max(values.shape) / BLUR_AT_PX)
        return blurred(values.astype(np.float64), scaled).astype(np.float32)
    if size_px is None:
        size_px = 2 * round((MAP_BLUR_PX * max(values.shape) / BLUR_AT_PX - 1) / 2) + 1
    weights = kernel(name, size_px)
    along = correlate1d(values.astype(np.float64), weights, axis=0, mode="constant")
    both: NDArray[np.float32] = correlate1d(along, weights, axis=1, mode="constant").astype(np.float32)
    return both


def bounding_box(values: NDArray[np.float32], *, threshold: float = 0.0) -> NDArray[np.float32]:
    """Return the rectangle that spans a map's extent ("bounding boxes" control): 1 inside, 0 outside.

    Parameters
    ----------
    values : ndarray, shape (height, width)
        A map that is not all zero.
    threshold : float, default 0
        Share of the maximum above which a pixel belongs to the extent. The paper is silent; blurred maps need more
        than 0.

    Examples
    --------
    >>> bounding_box(np.array([[0, 0, 0], [0, 2, 0], [0, 0, 1]], np.float32)).tolist()
    [[0.0, 0.0, 0.0], [0.0, 1.0, 1.0], [0.0, 1.0, 1.0]]
    """
    inside = values > threshold * values.max()
    rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    out = np.zeros_like(values, np.float32)
    if len(rows):
        out[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = 1
    return out


def resized(maps: Tensor, height: int, width: int, *, how: Resize = "bicubic") -> Tensor:
    """Bring maps to the size of a layer.

    Parameters
    ----------
    maps : Tensor, shape (batch, 1, height, width)
        Importance, ≥ 0.
    height, width : int
        Of the layer.
    how : {"bicubic", "bilinear-corners"}
        The paper's GPU way (antialiased here; overshoot below 0 is cut), or its TPU way with aligned corners.

    Returns
    -------
    Tensor, shape (batch, 1, height, width)
    """
    if how == "bicubic":
        return F.interpolate(maps, (height, width), mode="bicubic", align_corners=False, antialias=True).clamp_min(0)
    return F.interpolate(maps, (height, width), mode="bilinear", align_corners=True)
