"""From the frame of a recording to the image: display, margins, image, in one step.

A coordinate of the frame becomes one of the scaled image as ``(x + 0.5 - left) * scaled / placed``, with `left` the
image's left edge in the frame and `placed` its width there; maps that cover a frame take the same way.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError

from ..input_tables import Frame

#: A frame whose proportions differ more from the image's is refused where the image fills it, unless a cell explains it.
LARGEST_ASPECT_MISMATCH = 0.02

Size = tuple[int, int]


class Placement(NamedTuple):
    """Where an image lies in a frame: the frame's size, and the image's left and upper edge and its size there."""

    frame_px: Size
    left: float
    top: float
    width: float
    height: float


def placed(frame: Frame, size_px: Size, image_px: Size, *, where: str) -> Placement:
    """Return where an image lies in a frame.

    Parameters
    ----------
    frame : Frame
        From the recipe; its `size_px` is not looked at.
    size_px : (int, int)
        Width and height of the frame.
    image_px : (int, int)
        Width and height of the image.
    where : str
        Names the map in messages.

    Raises
    ------
    InputError
        When the image should fill the frame, and their proportions differ; when a square should be none.

    Examples
    --------
    >>> placed(Frame(place="letterbox"), (1680, 1050), (640, 480), where="a")
    Placement(frame_px=(1680, 1050), left=140, top=0, width=1400, height=1050)
    """
    (width, height), (image_width, image_height) = size_px, image_px
    place = frame.place or "whole"
    if place == "whole":
        check_aspect(size_px, image_px, where)
        return Placement(size_px, 0, 0, width, height)
    if place == "stretched":
        return Placement(size_px, 0, 0, width, height)
    if place == "letterbox":
        if width * image_height < height * image_width:
            shown = width, width * image_height // image_width
        else:
            shown = height * image_width // image_height, height
        return Placement(size_px, (width - shown[0]) // 2, (height - shown[1]) // 2, *shown)
    if place == "square":
        if width != height:
            raise InputError(f"{where}: {width} x {height}; a frame that is the image's middle square is a square")
        factor = width / ((frame.share or 1.0) * min(image_px))
    else:
        factor = frame.scale or 1.0
    wide, high = image_width * factor, image_height * factor
    right, down = frame.offset_px or (0.0, 0.0)
    if place == "at":
        return Placement(size_px, right, down, wide, high)
    return Placement(size_px, (width - wide) / 2 + right, (height - high) / 2 + down, wide, high)


def check_aspect(size_px: Size, image_px: Size, where: str) -> None:
    """Refuse a frame that has not the image's proportions; the size of one cell of a coarse map may explain a difference.

    Raises
    ------
    InputError
        Says both sizes, and whether it looks turned.
    """
    (width, height), (image_width, image_height) = size_px, image_px
    mismatch = abs(width * image_height / (height * image_width) - 1)
    off = min(abs(width * image_height / image_width - height), abs(height * image_width / image_height - width))
    if mismatch <= LARGEST_ASPECT_MISMATCH or (off < 1 and width != height):
        return
    turned = abs(height * image_height / (width * image_width) - 1) <= LARGEST_ASPECT_MISMATCH
    hint = "it looks turned by 90 degrees" if turned else "a map must have the image's proportions"
    if not turned:
        hint += ', or frame = {place = "stretched"}, "square" or "letterbox" says how the image lies in it'
    raise InputError(f"{where}: {width} x {height} for an image of {image_width} x {image_height}; {hint}")


def pixels_of(
    x: NDArray[np.float64], y: NDArray[np.float64], frame: Frame, size_px: Size, *, where: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return coordinates in pixels of the frame, 0 being the centre of its first pixel.

    Parameters
    ----------
    x, y : ndarray of float64, shape (n,)
        As recorded, axes and origin already right.
    frame : Frame
        Says unit, direction and middle.
    size_px : (int, int)
        Width and height of the frame.
    where : str
        Names the recording in messages.

    Raises
    ------
    InputError
        When coordinates are in degrees and the frame has no screen.

    Examples
    --------
    >>> pixels_of(np.array([0.25]), np.array([0.25]), Frame(unit="fraction", up=True), (640, 480), where="a")
    (array([159.5]), array([359.5]))
    """
    width, height = size_px
    if frame.unit == "deg":
        if frame.screen is None:
            raise InputError(f"{where}: in degrees, and frame has no screen; {_SCREEN}")
        to_px = frame.screen.distance_cm * frame.screen.width_px / frame.screen.width_cm
        x, y = to_px * np.tan(np.radians(x)), to_px * np.tan(np.radians(y))
    elif frame.unit == "fraction":
        x, y = x * width - 0.5, y * height - 0.5
    if frame.unit == "deg" or frame.middle:
        return x + (width - 1) / 2, (height - 1) / 2 - y if frame.up else y + (height - 1) / 2
    return x, height - 1 - y if frame.up else y


_SCREEN = "give frame.screen = {width_px = …, width_cm = …, distance_cm = …} of the recording"
