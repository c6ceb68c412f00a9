"""One image on its way from a source into a store."""

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError

from . import targets

MapFit: TypeAlias = Literal["same", "resized", "centre"]


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """One image on its way into a store.

    Attributes
    ----------
    image_id : str
        Its name.
    image : ndarray of uint8, shape (height, width, 3)
        Its pixels.
    label : int
        Its class, from 0.
    importance : ndarray of float32, shape (height, width), or None
        Its map, of the same size.
    unused : str
        Why a map that is there does not count, for the record of what was left out.
    damaged : str
        Why a map that is there cannot be read, with its file; stops the pack unless bad files are skipped.
    """

    image_id: str
    image: NDArray[np.uint8]
    label: int
    importance: NDArray[np.float32] | None = None
    unused: str = ""
    damaged: str = ""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An image that cannot be read.

    Attributes
    ----------
    image_id : str
        Its name.
    reason : str
        Names the file, what is wrong and what to do.
    """

    image_id: str
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Ready:
    """An image as the store will hold it.

    Attributes
    ----------
    image_id : str
        Its name.
    label : int
        Its class; 0 where it cannot be read.
    image : ndarray of uint8, shape (side, side, 3), or None
        None where it cannot be read.
    importance : ndarray of uint8, shape (side, side), or None
        Its map.
    wrong : str
        Why a map that is there cannot supervise.
    skipped : tuple of (str, str)
        What could not be read, and why.
    """

    image_id: str
    label: int = 0
    image: NDArray[np.uint8] | None = None
    importance: NDArray[np.uint8] | None = None
    wrong: str = ""
    skipped: tuple[tuple[str, str], ...] = ()


def prepared(example: Example | Unreadable, *, side_px: int, blur: str, map_fit: MapFit = "same") -> Ready:
    """Bring an image and its map to the form of the store; depends on nothing else, so any process can do it.

    Raises
    ------
    InputError
        When the image is not bytes (height, width, 3).
    """
    if isinstance(example, Unreadable):
        return Ready(example.image_id, skipped=((example.image_id, example.reason),))
    skipped = ((f"map of {example.image_id}", example.damaged),) if example.damaged else ()
    if map_fit != "same":
        example = replace(example, importance=on_image(example, map_fit))
    image, importance = fitted(example, side_px)
    wrong = (example.unused or None) if importance is None else targets.check_map(importance)
    if example.importance is not None:
        wrong = targets.check_map(example.importance, shape=example.image.shape[:2]) or wrong
    final = None
    if importance is not None and not wrong:
        soft = targets.blur(importance, blur) if blur != "none" else importance
        final = np.round(255 * (soft / soft.max())).astype(np.uint8)
    return Ready(example.image_id, example.label, image, final, wrong or "", skipped)


def on_image(example: Example, map_fit: MapFit) -> NDArray[np.float32] | None:
    """Bring a map that was made at another size onto its image.

    Parameters
    ----------
    example : Example
        The image and its map.
    map_fit : {"resized", "centre"}
        ``resized``: the map shows the whole image, scaled. ``centre``: it shows the square centre of the image, scaled,
        and nothing is known of the rest, which is 0.

    Returns
    -------
    ndarray of float32, shape (height, width), or None
        Of the image's size; a map that cannot be scaled is returned unchanged.

    Examples
    --------
    >>> image = np.zeros((2, 4, 3), np.uint8)
    >>> on_image(Example("a", image, 0, np.ones((1, 1), np.float32)), "centre").tolist()
    [[0.0, 1.0, 1.0, 0.0], [0.0, 1.0, 1.0, 0.0]]
    """
    from PIL import Image

    importance, (height, width) = example.importance, example.image.shape[:2]
    if importance is None or targets.check_map(importance) is not None:
        return importance
    side = min(height, width)
    size = (side, side) if map_fit == "centre" else (width, height)
    if map_fit == "centre" and importance.shape[0] != importance.shape[1]:
        return importance
    scaled = np.asarray(Image.fromarray(importance).resize(size, Image.Resampling.BILINEAR), np.float32)
    out = np.zeros((height, width), np.float32)
    top, left = (height - size[1]) // 2, (width - size[0]) // 2
    out[top : top + size[1], left : left + size[0]] = scaled
    return out


def fitted(example: Example, side_px: int) -> tuple[NDArray[np.uint8], NDArray[np.float32] | None]:
    """Bring the shorter side of an image and its map to `side_px` and cut out the centre; None for a map that cannot be used."""
    from PIL import Image

    image = example.image
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise InputError(
            f"{example.image_id}: {image.dtype} of shape {image.shape}; bytes (height, width, 3) are needed"
        )
    importance = example.importance
    if importance is not None and targets.check_map(importance, shape=image.shape[:2]):
        importance = None
    height, width = image.shape[:2]
    scale = side_px / min(height, width)
    size = (max(side_px, round(width * scale)), max(side_px, round(height * scale)))
    left, top = (size[0] - side_px) // 2, (size[1] - side_px) // 2
    window = np.s_[top : top + side_px, left : left + side_px]
    if size != (width, height):
        image = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BILINEAR))
        if importance is not None:
            importance = np.asarray(Image.fromarray(importance).resize(size, Image.Resampling.BILINEAR))
    return image[window], None if importance is None else importance[window].astype(np.float32)
