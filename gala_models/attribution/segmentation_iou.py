"""How well attention finds objects: intersection over union with segmentations, at matched area (paper, Fig. 4)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.system import files, json_text

#: COCO's animal and vehicle categories, the ones that the paper kept.
ANIMALS_AND_VEHICLES = ("animal", "vehicle")
THRESHOLD = 0.5


def iou(selected: NDArray[np.float64] | NDArray[np.bool_], mask: NDArray[np.bool_]) -> float:
    """Intersection over union; 0 where both are empty.

    Parameters
    ----------
    selected : ndarray of bool, or of float between 0 and 1
        The share to which each pixel is selected, as :func:`matched` returns it.
    mask : ndarray of bool
        Where the object is; the same shape.

    Examples
    --------
    >>> iou(np.array([True, True, False]), np.array([False, True, True]))
    0.3333333333333333
    >>> iou(np.array([1.0, 0.5, 0.5]), np.array([True, True, False]))
    0.6
    """
    shares = selected.astype(np.float64)
    union = float(np.maximum(shares, mask).sum())
    return float(np.minimum(shares, mask).sum()) / union if union else 0.0


def matched(a: NDArray[np.float32], b: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Select the same number of pixels from two attention maps.

    Each is brought to 0 … 1; the smaller of the two counts above 0.5 says how many of the highest pixels each keeps.
    The paper says that both were "processed to have the same number of above-threshold activities", not how.

    Parameters
    ----------
    a, b : ndarray of float, shape (height, width)
        Attention of two networks to one image.

    Returns
    -------
    tuple of ndarray of float, between 0 and 1
        The share to which each pixel is selected: 1 or 0, and where pixels tie at the limit and not all of them fit, the
        same share of each. Both add up to the same number. The order of pixels decides nothing, so a flat map is not
        taken for one that points to where the object happens to be.

    Examples
    --------
    >>> flat, peak = np.ones((1, 4), np.float32), np.array([[0, 0, 0, 9]], np.float32)
    >>> flat[0, 0] = 0
    >>> [one.round(2).tolist() for one in matched(flat, peak)]
    [[[0.0, 0.33, 0.33, 0.33]], [[0.0, 0.0, 0.0, 1.0]]]
    """
    if a.shape != b.shape:
        raise InputError(f"matched area: maps of {a.shape} and {b.shape}; bring both to the image's size")
    scaled = [_unit(a), _unit(b)]
    count = min(int(np.count_nonzero(one > THRESHOLD)) for one in scaled)
    return _highest(scaled[0], count), _highest(scaled[1], count)


def _unit(values: NDArray[np.float32]) -> NDArray[np.float64]:
    if not np.isfinite(values).all():
        raise InputError(f"matched area: {np.count_nonzero(~np.isfinite(values))} values of a map are not finite")
    low, high = float(values.min()), float(values.max())
    return (values.astype(np.float64) - low) / ((high - low) or 1.0)


def _highest(values: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    if not count:
        return np.zeros(values.shape)
    limit = np.partition(values, values.size - count, axis=None)[values.size - count]
    above, level = values > limit, values == limit
    share = (count - int(np.count_nonzero(above))) / int(np.count_nonzero(level))
    return np.where(above, 1.0, share * level)


@dataclass(frozen=True, slots=True, eq=False)
class Segmented:
    """An image and where its animals and vehicles are.

    Attributes
    ----------
    image_id : str
    path : Path
        The image.
    mask : ndarray of bool, shape (height, width)
        Union of the objects.
    """

    image_id: str
    path: Path
    mask: NDArray[np.bool_]


class _Category(msgspec.Struct):
    id: int
    supercategory: str


class _Annotation(msgspec.Struct):
    image_id: int
    category_id: int
    segmentation: list[list[float]] | dict[str, object]


class _Image(msgspec.Struct):
    id: int
    file_name: str
    height: int
    width: int


class _Detection(msgspec.Struct):
    images: list[_Image]
    annotations: list[_Annotation]
    categories: list[_Category]


def read_coco(
    annotations: Path, images: Path, *, supercategories: Sequence[str] = ANIMALS_AND_VEHICLES
) -> list[Segmented]:
    """Read images and masks from COCO's detection format (polygons or run lengths).

    Parameters
    ----------
    annotations : Path
        The JSON.
    images : Path
        Folder of the images.
    supercategories : sequence of str
        Which objects count.

    Returns
    -------
    list of Segmented
        Those that have such an object.
    """
    try:
        content = json_text.decode(files.read_bytes(annotations), _Detection, name=str(annotations))
    except msgspec.DecodeError as error:
        raise InputError(f"{annotations}: not COCO's detection format ({error})") from error
    wanted = {category.id for category in content.categories if category.supercategory in supercategories}
    out = []
    for image in content.images:
        mask = np.zeros((image.height, image.width), bool)
        for one in content.annotations:
            if one.image_id == image.id and one.category_id in wanted:
                mask |= _mask(one.segmentation, image.height, image.width, where=f"{annotations}: {image.file_name}")
        if mask.any():
            out.append(Segmented(str(image.id), images / image.file_name, mask))
    return out


def _mask(
    segmentation: list[list[float]] | dict[str, object], height: int, width: int, *, where: str
) -> NDArray[np.bool_]:
    if isinstance(segmentation, dict):
        return run_lengths(segmentation.get("counts"), height, width, where=where)
    from PIL import Image, ImageDraw

    canvas = Image.new("1", (width, height))
    for polygon in segmentation:
        ImageDraw.Draw(canvas).polygon([float(value) for value in polygon], fill=1, outline=1)
    return np.asarray(canvas, bool)


def run_lengths(counts: object, height: int, width: int, *, where: str = "mask") -> NDArray[np.bool_]:
    """Read COCO's run lengths: down the columns, zeros first; a list of numbers or COCO's packed text.

    Examples
    --------
    >>> run_lengths([1, 2, 1], 2, 2).astype(int).tolist()
    [[0, 1], [1, 0]]
    """
    numbers = _unpacked(counts) if isinstance(counts, str) else counts
    if not isinstance(numbers, list) or sum(numbers) != height * width:
        raise InputError(f"{where}: run lengths do not fill {height} x {width} pixels")
    flat = np.repeat(np.arange(len(numbers)) % 2 == 1, numbers)
    return flat.reshape(width, height).T


def _unpacked(text: str) -> list[int]:
    """Numbers of COCO's text: 5 bits a character from the lowest, differences to two runs back."""
    numbers: list[int] = []
    value = shift = 0
    for character in text:
        code = ord(character) - 48
        value |= (code & 31) << shift
        shift += 5
        if code & 32:
            continue
        if code & 16:
            value -= 1 << shift
        numbers.append(value + (numbers[-2] if len(numbers) > 2 else 0))
        value = shift = 0
    return numbers
