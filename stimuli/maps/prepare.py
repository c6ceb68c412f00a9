"""From what a reader returns to an importance map that lies exactly on the finished image."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.maps import ImportanceMap
from rapidvision.numerics.blur import Blur, blurred

from ..image.load import Geometry
from ..input_tables import Frame
from .frame import Placement, pixels_of, placed
from .readers.base import DenseMap, Points

#: A recording with more points outside its frame is refused: axes or frame are wrong.
LARGEST_OUTSIDE_FRACTION = 0.1
#: Where the frame is larger than the image, as a display is: a recording with more points beside the image is refused.
LARGEST_BESIDE_FRACTION = 0.5
#: The frame of a source that declares none.
OWN_FRAME = Frame()


@dataclass(frozen=True, slots=True, eq=False)
class PreparedMap:
    """An importance map and what was lost on the way.

    Attributes
    ----------
    map : ImportanceMap
        Shape (side, side).
    n_points, n_outside : int
        Recorded points, and how many of them lay outside the image; 0 for dense maps.
    cut_fraction : float
        Share of the importance that the cut to a square removed.
    n_missing : int
        Samples without a position (blinks, lost samples), which are no points.
    """

    map: ImportanceMap
    n_points: int = 0
    n_outside: int = 0
    cut_fraction: float = 0.0
    n_missing: int = 0


def prepare(
    found: DenseMap | Points,
    geometry: Geometry,
    blur: Blur,
    *,
    image_id: str,
    source: str,
    frame: Frame = OWN_FRAME,
) -> PreparedMap:
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
    frame : Frame
        How the image lies in what the source recorded; the source's frame is the image if left out.

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
    n_points = n_outside = n_missing = 0
    if isinstance(found, Points):
        whole, n_outside = rasterised(found, geometry, where=where, frame=frame)
        n_points, n_missing = found.x_px.size, found.n_missing
    else:
        whole = _scaled(found.values, geometry, where, frame)
    whole = blurred(whole, blur)
    square = geometry.cut(whole)
    total = float(whole.sum())
    if not square.max() > 0:
        raise InputError(f"{where}: nothing is left inside the square that is cut from the image")
    lost = max(0.0, 1 - float(square.sum()) / total)
    made = ImportanceMap(square.astype(np.float32), image_id=image_id, source=source, n_observers=found.n_observers)
    return PreparedMap(made, n_points, n_outside, lost, n_missing)


def rasterised(
    points: Points, geometry: Geometry, *, where: str, frame: Frame = OWN_FRAME
) -> tuple[NDArray[np.float64], int]:
    """Count points per pixel of the scaled image; returns shape (scaled height, scaled width) and the number outside.

    The message guesses what is wrong: axes exchanged when x runs beyond the width but would fit the height.

    Parameters
    ----------
    points : Points
        x and y in the unit of the frame, counted from 0.
    geometry : Geometry
        How the image is scaled.
    where : str
        Names the recording in messages.
    frame : Frame
        How the image lies in the frame of the points.

    Raises
    ------
    InputError
        When the image should fill the frame and has other proportions, when more than a tenth of the points lie
        outside the frame, or more than half of them beside the image.
    """
    size = points.frame_px or geometry.source_px
    at = placed(frame, size, geometry.source_px, where=where)
    x, y = pixels_of(np.asarray(points.x_px, np.float64), np.asarray(points.y_px, np.float64), frame, size, where=where)
    inside = (x >= -0.5) & (x < size[0] - 0.5) & (y >= -0.5) & (y < size[1] - 0.5)
    n_outside = int(x.size - np.count_nonzero(inside))
    if x.size == 0 or n_outside > LARGEST_OUTSIDE_FRACTION * x.size:
        exchanged = x.size > 0 and np.mean((x < size[1]) & (y < size[0]) & (x >= -0.5) & (y >= -0.5)) > 0.99
        hint = "x and y look exchanged" if exchanged else "is frame.size_px that of the recording?"
        raise InputError(f"{where}: {n_outside} of {x.size} points lie outside {size[0]} x {size[1]} pixels; {hint}")
    width, height = geometry.scaled_px
    across = (x[inside] + 0.5 - at.left) * (width / at.width)
    down = (y[inside] + 0.5 - at.top) * (height / at.height)
    weights = None if points.weights is None else points.weights[inside]
    if _covers(at):
        across, down = np.minimum(across, width - 1), np.minimum(down, height - 1)
    else:
        on = (across >= 0) & (across < width) & (down >= 0) & (down < height)
        across, down, weights = across[on], down[on], None if weights is None else weights[on]
        n_outside = int(x.size - across.size)
        if n_outside > LARGEST_BESIDE_FRACTION * x.size:
            raise InputError(
                f"{where}: {n_outside} of {x.size} points lie beside the image, which takes {at.width:.0f} x "
                f"{at.height:.0f} pixels from {at.left:.0f}, {at.top:.0f} of a frame of {size[0]} x {size[1]}; "
                "is frame.place that of the recording?"
            )
    counts = np.bincount(down.astype(np.int64) * width + across.astype(np.int64), weights, minlength=width * height)
    return counts.reshape(height, width).astype(np.float64), n_outside


def _covers(at: Placement) -> bool:
    """Whether the image fills the frame exactly."""
    return (at.left, at.top, at.width, at.height) == (0, 0, *at.frame_px)


def _scaled(values: NDArray[np.float32], geometry: Geometry, where: str, frame: Frame) -> NDArray[np.float64]:
    """Lay a map that covers a frame on the scaled image; what the frame does not cover has no importance."""
    from PIL import Image

    height, width = values.shape
    size = frame.size_px or (width, height)
    if frame.size_px is not None and frame.place not in (None, "whole", "stretched"):
        _check_cells((width, height), size, where)
    at = placed(frame, size, geometry.source_px, where=where)
    if _covers(at) and (width, height) == geometry.scaled_px:
        return values.astype(np.float64)
    image = Image.fromarray(np.ascontiguousarray(values, np.float32))
    if _covers(at):
        return np.asarray(image.resize(geometry.scaled_px, Image.Resampling.BILINEAR)).astype(np.float64)
    cell = width / size[0], height / size[1]
    box = (
        max(0.0, at.left * cell[0]),
        max(0.0, at.top * cell[1]),
        min(float(width), (at.left + at.width) * cell[0]),
        min(float(height), (at.top + at.height) * cell[1]),
    )
    if not (box[0] < box[2] and box[1] < box[3]):
        raise InputError(
            f"{where}: the image lies outside the frame of {size[0]} x {size[1]}; is frame.offset_px right?"
        )
    whole, (scaled_width, scaled_height) = np.zeros(geometry.scaled_px[::-1]), geometry.scaled_px
    left = round((box[0] / cell[0] - at.left) * scaled_width / at.width)
    right = round((box[2] / cell[0] - at.left) * scaled_width / at.width)
    top = round((box[1] / cell[1] - at.top) * scaled_height / at.height)
    bottom = round((box[3] / cell[1] - at.top) * scaled_height / at.height)
    part = image.resize((max(1, right - left), max(1, bottom - top)), Image.Resampling.BILINEAR, box=box)
    laid = np.asarray(part).astype(np.float64)[: scaled_height - top, : scaled_width - left]
    whole[top : top + laid.shape[0], left : left + laid.shape[1]] = laid
    return whole


def _check_cells(cells: tuple[int, int], size: tuple[int, int], where: str) -> None:
    """Refuse a map whose cells would not be squares of its frame."""
    if abs(cells[0] * size[1] / (cells[1] * size[0]) - 1) > 0.02 and abs(cells[0] * size[1] / size[0] - cells[1]) >= 1:
        raise InputError(
            f"{where}: {cells[0]} x {cells[1]} cells for a frame of {size[0]} x {size[1]}; a map of a frame has its proportions"
        )
