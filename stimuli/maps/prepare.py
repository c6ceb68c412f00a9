"""From what a reader returns to an importance map that lies exactly on the finished image."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.maps import ImportanceMap
from rapidvision.numerics.blur import Blur, blurred

from ..image.load import Geometry
from .readers.base import DenseMap, Points

#: A map whose proportions differ more from the image's is refused, never stretched.
LARGEST_ASPECT_MISMATCH = 0.02
#: A recording with more points outside its frame is refused: axes or frame are wrong.
LARGEST_OUTSIDE_FRACTION = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class PreparedMap:
    """An importance map and what was lost on the way.

    Attributes
    ----------
    map : ImportanceMap
        Shape (side, side).
    n_points, n_outside : int
        Recorded points, and how many of them lay outside the frame; 0 for dense maps.
    cut_fraction : float
        Share of the importance that the cut to a square removed.
    """

    map: ImportanceMap
    n_points: int = 0
    n_outside: int = 0
    cut_fraction: float = 0.0


def prepare(found: DenseMap | Points, geometry: Geometry, blur: Blur, *, image_id: str, source: str) -> PreparedMap:
    """Lay a map on the finished image.

    Parameters
    ----------
    found : DenseMap or Points
        From a reader.
    geometry : Geometry
        How the image was made; the map takes the same way.
    blur : Blur
        Applied after scaling and before cutting, so that points beyond the cut still count at its edge.
    image_id, source : str
        For messages and for the map.

    Returns
    -------
    PreparedMap
        The map and its losses.

    Raises
    ------
    InputError
        When the proportions differ, when more than a tenth of the points lie outside the frame, or when nothing
        is left in the square.
    """
    where = f"map of {image_id} from {source}"
    if found.where:
        where = f"{found.where} ({where})"
    n_points = n_outside = 0
    if isinstance(found, Points):
        whole, n_outside = rasterised(found, geometry, where=where)
        n_points = found.x_px.size
    else:
        whole = _scaled(found.values, geometry, where)
    whole = blurred(whole, blur)
    square = geometry.cut(whole)
    total = float(whole.sum())
    if not square.max() > 0:
        raise InputError(f"{where}: nothing is left inside the square that is cut from the image")
    lost = max(0.0, 1 - float(square.sum()) / total)
    made = ImportanceMap(square.astype(np.float32), image_id=image_id, source=source, n_observers=found.n_observers)
    return PreparedMap(made, n_points, n_outside, lost)


def rasterised(points: Points, geometry: Geometry, *, where: str) -> tuple[NDArray[np.float64], int]:
    """Count points per pixel of the scaled image; returns shape (scaled height, scaled width) and the number outside.

    The message guesses what is wrong: axes exchanged when x runs beyond the width but would fit the height.

    Parameters
    ----------
    points : Points
        x and y in pixels of their frame, counted from 0.
    geometry : Geometry
        How the image is scaled.
    where : str
        Names the recording in messages.

    Raises
    ------
    InputError
        When proportions differ by more than 2 %, or more than a tenth of the points lie outside the frame.
    """
    frame = points.frame_px or geometry.source_px
    _check_aspect(frame, geometry.source_px, where)
    x, y = np.asarray(points.x_px, np.float64), np.asarray(points.y_px, np.float64)
    inside = (x >= -0.5) & (x < frame[0] - 0.5) & (y >= -0.5) & (y < frame[1] - 0.5)
    n_outside = int(x.size - np.count_nonzero(inside))
    if x.size == 0 or n_outside > LARGEST_OUTSIDE_FRACTION * x.size:
        exchanged = x.size > 0 and np.mean((x < frame[1]) & (y < frame[0]) & (x >= -0.5) & (y >= -0.5)) > 0.99
        hint = "x and y look exchanged" if exchanged else "is frame_px that of the recording?"
        raise InputError(f"{where}: {n_outside} of {x.size} points lie outside {frame[0]} x {frame[1]} pixels; {hint}")
    width, height = geometry.scaled_px
    columns = np.minimum((x[inside] + 0.5) * (width / frame[0]), width - 1).astype(np.int64)
    rows = np.minimum((y[inside] + 0.5) * (height / frame[1]), height - 1).astype(np.int64)
    weights = None if points.weights is None else points.weights[inside]
    counts = np.bincount(rows * width + columns, weights, minlength=width * height)
    return counts.reshape(height, width).astype(np.float64), n_outside


def _scaled(values: NDArray[np.float32], geometry: Geometry, where: str) -> NDArray[np.float64]:
    from PIL import Image

    height, width = values.shape
    _check_aspect((width, height), geometry.source_px, where)
    if (width, height) == geometry.scaled_px:
        return values.astype(np.float64)
    image = Image.fromarray(np.ascontiguousarray(values, np.float32))
    return np.asarray(image.resize(geometry.scaled_px, Image.Resampling.BILINEAR)).astype(np.float64)


def _check_aspect(frame: tuple[int, int], source: tuple[int, int], where: str) -> None:
    mismatch = abs(frame[0] * source[1] / (frame[1] * source[0]) - 1)
    if mismatch > LARGEST_ASPECT_MISMATCH:
        turned = abs(frame[1] * source[1] / (frame[0] * source[0]) - 1) <= LARGEST_ASPECT_MISMATCH
        hint = "it looks turned by 90 degrees" if turned else "a map must have the image's proportions"
        raise InputError(f"{where}: {frame[0]} x {frame[1]} for an image of {source[0]} x {source[1]}; {hint}")
