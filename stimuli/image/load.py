"""Images in: a file becomes an opaque 8-bit sRGB square, or is refused with a reason."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.images.load import load_rgb
from rapidvision.system import files

#: Rec. 709 luma of coded sRGB values.
LUMA = np.array([0.2126, 0.7152, 0.0722])


@dataclass(frozen=True, slots=True)
class Geometry:
    """How a source image becomes a square: scaled to `scaled_px`, then cut out at `offset_px`.

    Maps and recorded points of the image take the same way.

    Attributes
    ----------
    source_px, scaled_px : (int, int)
        Width and height before and after scaling.
    offset_px : (int, int)
        Column and row of the square's first pixel in the scaled image; below 0 where the square has margins.
    side_px : int
        Side of the square.
    """

    source_px: tuple[int, int]
    scaled_px: tuple[int, int]
    offset_px: tuple[int, int]
    side_px: int

    @classmethod
    def of(cls, source_px: tuple[int, int], side_px: int, *, fit: str, upscale: bool, where: str) -> "Geometry":
        """Choose scale and cut for an image of `source_px` (width, height).

        Raises
        ------
        InputError
            When the image would have to be enlarged and `upscale` is false.

        Examples
        --------
        >>> Geometry.of((800, 600), 256, fit="crop", upscale=False, where="a.jpg")
        Geometry(source_px=(800, 600), scaled_px=(341, 256), offset_px=(42, 0), side_px=256)
        """
        width, height = source_px
        if (max if fit == "pad" else min)(source_px) < side_px and not upscale:
            raise InputError(
                f"{where}: {width} x {height} pixels, smaller than {side_px}; use a smaller image_px or upscale = true"
            )
        if fit == "pad":
            scale = side_px / max(source_px)
            scaled = max(1, round(width * scale)), max(1, round(height * scale))
            return cls(source_px, scaled, ((scaled[0] - side_px) // 2, (scaled[1] - side_px) // 2), side_px)
        if fit == "stretch":
            return cls(source_px, (side_px, side_px), (0, 0), side_px)
        scale = side_px / min(source_px)
        scaled = max(side_px, round(width * scale)), max(side_px, round(height * scale))
        return cls(source_px, scaled, ((scaled[0] - side_px) // 2, (scaled[1] - side_px) // 2), side_px)

    def cut(self, array: NDArray[Any], *, margin: NDArray[Any] | float = 0) -> NDArray[Any]:
        """Cut the square out of an array of shape (scaled height, scaled width, …); `margin` fills what is around it."""
        left, top = self.offset_px
        if left < 0 or top < 0:
            out = np.empty((self.side_px, self.side_px, *array.shape[2:]), array.dtype)
            out[...] = margin
            out[-top : array.shape[0] - top, -left : array.shape[1] - left] = array
            return out
        return array[top : top + self.side_px, left : left + self.side_px]


@dataclass(frozen=True, slots=True, eq=False)
class LoadedImage:
    """An image ready for use.

    Attributes
    ----------
    pixels : ndarray of uint8, shape (side, side, 3)
        Opaque coded sRGB.
    geometry : Geometry
        How it was made from the source.
    sha256 : str
        Hash of the source file.
    """

    pixels: NDArray[np.uint8]
    geometry: Geometry
    sha256: str


#: Reads the image at a path, as a recipe wants it.
ImageReader = Callable[[str], LoadedImage]


def load(
    path: Path | str, side_px: int, *, fit: str = "crop", upscale: bool = False, greyscale: bool = False
) -> LoadedImage:
    """Read an image file.

    Parameters
    ----------
    path : path-like
        An image; :func:`rapidvision.images.load.load_rgb` says what is converted and what is refused.
    side_px : int
        Side of the square that comes out.
    fit : {"crop", "pad", "stretch"}
        Cut the middle square out, show the whole image with margins of its mean colour, or change the proportions.
    upscale : bool
        Whether a smaller image may be enlarged.
    greyscale : bool
        Take the colour out (Rec. 709 luma).

    Returns
    -------
    Image
        Pixels, geometry and hash.

    Raises
    ------
    InputError
        When the file is one that :func:`rapidvision.images.load.load_rgb` refuses, or is too small.
    """
    return decode(files.read_bytes(path), side_px, where=str(path), fit=fit, upscale=upscale, greyscale=greyscale)


#: Finished images that are remembered between two passes over a set; 170 of 256 pixels.
MOST_REMEMBERED_BYTES = 32 * 2**20


def remembering(read: ImageReader, *, most_bytes: int = MOST_REMEMBERED_BYTES) -> ImageReader:
    """Return `read` with a memory: what it returned first is not read again, until `most_bytes` are full.

    Matching passes over a set two or three times. The images of a laboratory's set are decoded once; of a release,
    which would fill the memory, the first are.

    Examples
    --------
    >>> asked = []
    >>> grey = LoadedImage(np.zeros((2, 2, 3), np.uint8), Geometry((2, 2), (2, 2), (0, 0), 2), "")
    >>> read = remembering(lambda path: asked.append(path) or grey, most_bytes=12)
    >>> _ = [read(path) for path in ("a", "b", "a", "b")]
    >>> asked
    ['a', 'b', 'b']
    """
    kept: dict[str, LoadedImage] = {}
    free_bytes = most_bytes

    def remembered(path: str) -> LoadedImage:
        nonlocal free_bytes
        if path in kept:
            return kept[path]
        image = read(path)
        if image.pixels.nbytes <= free_bytes:
            image.pixels.setflags(write=False)
            kept[path] = image
            free_bytes -= image.pixels.nbytes
        return image

    return remembered


def decode(
    data: bytes, side_px: int, *, where: str, fit: str = "crop", upscale: bool = False, greyscale: bool = False
) -> LoadedImage:
    """Do the same as :func:`load` for the bytes of a file; `where` names it in messages."""
    from PIL import Image

    rgb = Image.fromarray(load_rgb(data, name=where))
    geometry = Geometry.of(rgb.size, side_px, fit=fit, upscale=upscale, where=where)
    if rgb.size != geometry.scaled_px:
        rgb = rgb.resize(geometry.scaled_px, Image.Resampling.BICUBIC)
    scaled = np.asarray(rgb, np.uint8)
    margin = np.rint(scaled.mean(axis=(0, 1))) if fit == "pad" else 0
    pixels = np.ascontiguousarray(geometry.cut(scaled, margin=margin))
    if greyscale:
        pixels = np.repeat(np.rint(pixels @ LUMA).astype(np.uint8)[..., None], 3, axis=2)
    return LoadedImage(pixels, geometry, files.sha256(data))
