"""One way to read images and importance maps: the right numbers come out, or an error that names the file.

Stimuli, training and the game read their images here. The rules:

================================  ==============================================  =====================================
what the file holds               image (:func:`load_rgb`)                      map (:func:`load_map`)
================================  ==============================================  =====================================
palette                           its colours                                     its grey levels; colours are refused
alpha channel                     dropped if opaque, else refused                 dropped if constant, else refused
grey, 12 or 16 bits               scaled to 8 bits by the largest possible level  levels as stored
colour, 16 bits per channel       the high byte of each channel                   refused
floats                            refused                                         as stored
32-bit whole numbers              refused                                         as stored
colour profile                    converted to sRGB                               ignored
CMYK, Lab, HSV                    refused                                         refused
camera's orientation              applied                                         applied
two-image JPEG (MPO)              the first image                                 the first image
animation, several pages          refused                                         refused
NaN, infinite, negative values    -                                               refused
``.npy``, ``.npz`` of one array   refused                                         as stored
================================  ==============================================  =====================================

The content decides on the format, never the suffix. A file that ends early, whose checksum fails (PNG, npz) or whose
end mark is missing (JPEG, GIF) is refused. A JPEG, BMP, TIFF or GIF carries no checksum: a changed byte inside its
pixels cannot be found from the file alone.
"""

import io
import warnings
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.system import files

from .colour_profiles import to_srgb
from .completeness import check_complete

#: Suffixes of image files, in lower case; files are compared in lower case.
IMAGE_SUFFIXES = (
    *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".tif", ".tiff", ".bmp", ".gif", ".webp"),
    *(".pgm", ".ppm", ".pnm"),
)
#: Suffixes of map files: images and NumPy arrays.
MAP_SUFFIXES = (*IMAGE_SUFFIXES, ".npy", ".npz")
#: Images with more pixels are refused before they are decoded.
MOST_PX = 100_000_000

_FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "GIF", "WEBP", "PPM")
_INKS = ("CMYK", "LAB", "HSV")
_ALPHA = ("RGBA", "LA", "PA", "La", "RGBa")
_ORIENTATION, _SIDEWAYS = 274, (5, 6, 7, 8)
_WHITE_IS_ZERO = 0
_SIGNED = 2
_TIFF_BITS, _TIFF_PHOTOMETRIC, _TIFF_SAMPLE_FORMAT = 258, 262, 339


def load_rgb(source: Path | str | bytes, *, name: str | None = None) -> NDArray[np.uint8]:
    """Read an image as opaque 8-bit sRGB, upright.

    Parameters
    ----------
    source : path-like or bytes
        The file, or what it holds.
    name : str, optional
        What to call it in messages; the path unless given.

    Returns
    -------
    ndarray of uint8, shape (height, width, 3)
        Coded sRGB, 0 … 255, read-only.

    Raises
    ------
    InputError
        When the file is missing, incomplete, damaged, animated, too large, not opaque, or of numbers that do not say
        what white is; the message names the file and the remedy.

    Examples
    --------
    >>> from rapidvision.images.png import png_bytes
    >>> load_rgb(png_bytes(np.array([[0, 51385]], np.uint16)), name="deep.png").tolist()
    [[[0, 0, 0], [200, 200, 200]]]
    """
    data, name = _read(source, name)
    stored = _decoded(data, name)
    return np.asarray(to_srgb(_opaque(stored, name), stored.info, name=name), np.uint8)


def size_of(source: Path | str | bytes, *, name: str | None = None) -> tuple[int, int]:
    """Return width and height of an image, upright, and refuse what :func:`load_rgb` refuses.

    A JPEG is decoded at an eighth of its size, which reads every byte and is several times as quick.

    Examples
    --------
    >>> from rapidvision.images.png import png_bytes
    >>> size_of(png_bytes(np.zeros((2, 3), np.uint8)), name="small.png")
    (3, 2)
    """
    data, name = _read(source, name)
    stored = _decoded(data, name, quick=True)
    to_srgb(_opaque(stored, name), stored.info, name=name)
    return stored.size


def load_map(source: Path | str | bytes, *, name: str | None = None) -> NDArray[np.float64]:
    """Read an importance map or a mask as numbers.

    Parameters
    ----------
    source : path-like or bytes
        An image, or a NumPy file of one array.
    name : str, optional
        What to call it in messages; the path unless given.

    Returns
    -------
    ndarray of float64, shape (height, width)
        Finite and ≥ 0, at the file's own scale: 0 … 255 from 1 to 8 bits, 0 … 65535 from 16 bits, floats as stored.

    Raises
    ------
    InputError
        When the file is missing, incomplete, damaged, coloured, or holds values that are no importance.

    Examples
    --------
    >>> from rapidvision.images.png import png_bytes
    >>> load_map(png_bytes(np.array([[0, 51385]], np.uint16)), name="deep.png").tolist()
    [[0.0, 51385.0]]
    """
    data, name = _read(source, name)
    array = _numpy_array(data, name) if data[:6] == b"\x93NUMPY" or data[:4] == b"PK\3\4" else _grey(data, name)
    if array.ndim == 3 and 1 in (array.shape[0], array.shape[2]):
        array = array.reshape(array.shape[1:] if array.shape[0] == 1 else array.shape[:2])
    if array.ndim != 2 or array.size == 0:
        raise InputError(f"{name}: shape {array.shape}; a map has two dimensions, height and width")
    if array.dtype.kind not in "buif":
        raise InputError(f"{name}: values of type {array.dtype}; a map is made of numbers")
    values = array.astype(np.float64)
    for bad, kind in ((~np.isfinite(values), "not finite"), (values < 0, "negative")):
        if bad.any():
            raise InputError(f"{name}: {np.count_nonzero(bad)} of {values.size} values are {kind}; repair the map")
    return values


def _read(source: Path | str | bytes, name: str | None) -> tuple[bytes, str]:
    if isinstance(source, bytes):
        return source, name or "image"
    return files.read_bytes(source), name or str(source)


class _Stored(NamedTuple):
    """A decoded image, upright, in the mode in which the file holds it."""

    image: Any
    info: dict[str, Any]
    n_bits: int
    reduced: bool  # 16 bits per channel became 8
    size: tuple[int, int]


def _decoded(data: bytes, name: str, *, quick: bool = False) -> _Stored:
    from PIL import Image, ImageOps, UnidentifiedImageError

    if not data:
        raise InputError(f"{name}: the file is empty; get it again")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image: Any = Image.open(io.BytesIO(data), formats=_FORMATS)
            if image.width * image.height > MOST_PX:
                raise InputError(f"{name}: {image.width} x {image.height} pixels; make it smaller first")
            if image.format != "MPO" and getattr(image, "n_frames", 1) > 1:
                raise InputError(f"{name}: an animation of {image.n_frames} frames; save one frame as an image")
            check_complete(data, image, name=name)
            n_bits, reduced = _bits(image, name), image.mode[0] not in "IL" and ";16" in str(image.tile)
            size = image.size[:: -1 if image.getexif().get(_ORIENTATION, 1) in _SIDEWAYS else 1]
            if quick and image.format in ("JPEG", "MPO"):
                image.draft(image.mode, (image.width // 8, image.height // 8))
            image.load()
            return _Stored(ImageOps.exif_transpose(image), dict(image.info), n_bits, reduced, size)
    except InputError:
        raise
    except UnidentifiedImageError as error:  # its own text has an address in memory
        raise InputError(f"{name}: not an image of a format that is read ({', '.join(_FORMATS)})") from error
    except Exception as error:  # decoders raise almost anything on damaged files
        reason = str(error).split("\n")[0][:120] or type(error).__name__
        raise InputError(f"{name}: not a readable image ({reason}); is the file complete?") from error


def _bits(image: Any, name: str) -> int:
    """Bits per number of a grey image; TIFF files whose numbers Pillow would take for other ones are refused."""
    tags = getattr(image, "tag_v2", None)
    if tags is None:
        return 16 if image.mode[0] == "I" else 8
    n_bits = int(np.max(tags.get(_TIFF_BITS, 1)))
    if tags.get(_TIFF_PHOTOMETRIC) == _WHITE_IS_ZERO and n_bits > 8:
        raise InputError(f"{name}: a TIFF of {n_bits} bits in which 0 is white; save it with 0 as black")
    if image.mode == "L" and _SIGNED in np.atleast_1d(tags.get(_TIFF_SAMPLE_FORMAT, 1)):
        raise InputError(f"{name}: a TIFF of signed 8-bit numbers; save it with unsigned ones")
    return n_bits


def _refuse_inks(image: Any, name: str) -> None:
    if image.mode in _INKS:
        raise InputError(f"{name}: a {image.mode} image; convert it to sRGB in a program that knows its profile")


def _opaque(stored: _Stored, name: str) -> Any:
    """Return the image in mode L or RGB; transparency and numbers without a scale are refused."""
    image, key = stored.image, stored.info.get("transparency")
    _refuse_inks(image, name)
    if image.mode == "F" or stored.n_bits > 16:
        raise InputError(
            f"{name}: an image of {image.mode} numbers, which does not say what white is; "
            "save it with 8 or 16 bits per channel"
        )
    if image.mode[0] == "I":
        return _eight_bits(np.asarray(image), stored.n_bits, key, name)
    if key is not None and stored.reduced:
        raise InputError(f"{name}: 16 bits per channel with a transparent colour; save it with 8 bits and opaque")
    if key is not None or image.mode in _ALPHA:
        image = image.convert("RGBA")
        n_clear = int(np.count_nonzero(np.asarray(image.getchannel("A")) < 255))
        if n_clear:
            raise _transparent(name, n_clear)
    return image if image.mode == "L" else image.convert("L" if image.mode == "1" else "RGB")


def _eight_bits(levels: NDArray[Any], n_bits: int, transparent: int | None, name: str) -> Any:
    from PIL import Image

    most = 2**n_bits - 1
    if levels.min() < 0 or levels.max() > most:
        raise InputError(
            f"{name}: levels from {levels.min()} to {levels.max()} where 0 to {most} are possible; save it with 8 or 16 bits"
        )
    if transparent is not None and np.any(levels == transparent):
        raise _transparent(name, int(np.count_nonzero(levels == transparent)))
    return Image.fromarray(np.rint(levels * (255.0 / most)).astype(np.uint8))


def _transparent(name: str, n_px: int) -> InputError:
    return InputError(f"{name}: has transparent pixels ({n_px}); flatten it on the background that you want")


def _grey(data: bytes, name: str) -> NDArray[Any]:
    """Return the levels of a grey image as they are stored; whatever has colours is refused."""
    stored = _decoded(data, name)
    image = stored.image
    _refuse_inks(image, name)
    if stored.reduced:
        raise InputError(f"{name}: a map of several channels of 16 bits; save it as grey levels of 16 bits")
    if image.mode[0] in "IF":
        return np.asarray(image)
    if "transparency" in stored.info or image.mode in _ALPHA:
        image = image.convert("RGBA")
        low, high = image.getchannel("A").getextrema()
        if low != high:
            raise InputError(
                f"{name}: a map with an alpha channel from {low} to {high}; save importance as grey levels"
            )
    if image.mode in ("1", "L"):
        return np.asarray(image.convert("L"))
    channels = np.asarray(image.convert("RGB"))
    if np.any(channels != channels[..., :1]):
        raise InputError(f"{name}: a map in colours; save importance as grey levels")
    return channels[..., 0]


def _numpy_array(data: bytes, name: str) -> NDArray[Any]:
    try:
        if data[:2] == b"PK":
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                members = archive.namelist()
                if len(members) != 1:
                    raise InputError(f"{name}: {len(members)} arrays; a map file holds one")
                data = archive.read(members[0])  # whole, so that its checksum is compared
        file = io.BytesIO(data)
        array = np.lib.format.read_array(file, allow_pickle=False)
        if file.tell() != len(data):
            raise InputError(f"{name}: {len(data) - file.tell()} bytes more than its array; get the file again")
        return np.asarray(array)
    except InputError:
        raise
    except Exception as error:  # zip, header and value errors of many kinds
        raise InputError(f"{name}: not a NumPy file of numbers ({str(error)[:120]})") from error
