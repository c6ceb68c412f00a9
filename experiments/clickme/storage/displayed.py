"""Images as players see them: squares of the game's side, and what tells one image from another."""

from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from rapidvision.errors import InputError
from rapidvision.images.load import load_rgb
from rapidvision.images.png import png_bytes
from rapidvision.system import files

#: Images that stay in memory; one of 256 pixels takes 0.2 MB, its PNG half of that.
_KEPT = 256
#: The PNG travels once and is made while the player waits.
_EFFORT = 1
#: Images enlarged more than this, or cut to less than this share, are named at start.
LARGEST_ENLARGEMENT, LEAST_KEPT = 2.0, 0.5


class DisplayedImage(NamedTuple):
    """An image in the game.

    Attributes
    ----------
    pixels : ndarray of uint8, shape (side_px, side_px, 3)
        As players see it, sRGB, read-only: scaled to the shorter side, the middle square cut out.
    sha256 : str
        Hash of the file's decoded pixels before that: files that differ in packing alone have the same.
    width_px, height_px : int
        Of the original.
    """

    pixels: NDArray[np.uint8]
    sha256: str
    width_px: int
    height_px: int

    @property
    def square(self) -> tuple[float, float, float]:
        """Left and upper edge and side of the square that was cut out of the original, in its pixels."""
        side = min(self.width_px, self.height_px)
        return (self.width_px - side) / 2, (self.height_px - side) / 2, float(side)


def displayed_image(path: Path, side_px: int) -> DisplayedImage:
    """Return an image as the game shows it.

    Raises
    ------
    InputError
        When the file is no image that can be shown rightly; the message names the file.
    """
    return _displayed(path, side_px, *_state(path))


def image_sha256(path: Path) -> str:
    """Return the hash of an image's decoded pixels, as :func:`displayed_image` has it, without making its square.

    Raises
    ------
    InputError
        As there.
    """
    return _hash_of(load_rgb(path))


def _hash_of(whole: NDArray[np.uint8]) -> str:
    head = f"{whole.shape[0]}x{whole.shape[1]}:".encode()
    return files.sha256(head + np.ascontiguousarray(whole).tobytes())


def displayed_png(path: Path, side_px: int) -> bytes:
    """Return the same image as a PNG file, made once for all rounds."""
    return _png(path, side_px, *_state(path))


def _state(path: Path) -> tuple[int, int]:
    """Return what changes when a file is replaced: the time of its last change in ns, and its size in bytes."""
    try:
        found = path.stat()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    return found.st_mtime_ns, found.st_size


@lru_cache(maxsize=_KEPT)
def _displayed(path: Path, side_px: int, _changed_ns: int, _n_bytes: int) -> DisplayedImage:
    whole = load_rgb(path)
    sha256 = _hash_of(whole)
    if whole.shape[:2] == (side_px, side_px):
        square = whole.copy()
    else:
        fitted = ImageOps.fit(Image.fromarray(whole), (side_px, side_px), Image.Resampling.LANCZOS)
        square = np.asarray(fitted, dtype=np.uint8).copy()
    square.setflags(write=False)
    return DisplayedImage(square, sha256, whole.shape[1], whole.shape[0])


@lru_cache(maxsize=_KEPT)
def _png(path: Path, side_px: int, changed_ns: int, n_bytes: int) -> bytes:
    return png_bytes(_displayed(path, side_px, changed_ns, n_bytes).pixels, effort=_EFFORT)


def warning_about(path: Path, side_px: int) -> str:
    """Return what a player would find wrong with an image's size, or nothing; reads the file's head only.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Image.new("RGB", (2000, 60)).save(Path(folder) / "a.png")
    ...     warning_about(Path(folder) / "a.png", 256)
    '2000 x 60 pixels: enlarged 4.3 times, 97 % cut off'
    """
    try:
        with Image.open(path) as opened:
            short, long = sorted(opened.size)
            size = f"{opened.width} x {opened.height}"
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return ""  # named with its reason when it is dealt
    found = []
    if side_px > LARGEST_ENLARGEMENT * short:
        found.append(f"enlarged {side_px / short:.1f} times")
    if short < LEAST_KEPT * long:
        found.append(f"{100 * (1 - short / long):.0f} % cut off")
    return f"{size} pixels: {', '.join(found)}" if found else ""
