"""A folder with one map per picture: 8- or 16-bit pictures, ``.npy`` or ``.npz``, named after the picture."""

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.system import files

from ...recipe import MapSource
from .base import DenseMap, dense

SUFFIXES = (".png", ".npy", ".npz", ".tif", ".tiff", ".jpg", ".jpeg", ".bmp", ".pgm")


class FolderReader:
    """Maps that lie in a folder as ``<image_id><suffix>``.

    Parameters
    ----------
    folder : Path
        The folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def _path(self, image_id: str) -> Path | None:
        return next((path for suffix in SUFFIXES if (path := self.folder / f"{image_id}{suffix}").is_file()), None)

    def has(self, image_id: str) -> bool:
        """Whether a file with that name exists."""
        return self._path(image_id) is not None

    def read(self, image_id: str) -> DenseMap:
        """Read the map of a picture."""
        path = self._path(image_id)
        if path is None:
            raise InputError(f"{self.folder}: no map for {image_id}; a file {image_id}.png is looked for")
        return dense(read_array(path), where=str(path))


def open_folder(path: Path, source: MapSource) -> FolderReader:
    """Open a folder of maps.

    Raises
    ------
    InputError
        When there is no such folder; a missing or unusable map is refused when it is read.
    """
    if not path.is_dir():
        raise InputError(f'{path}: not a folder; reader = "{source.reader}" wants one with a map per picture')
    return FolderReader(path)


def read_array(path: Path) -> NDArray[np.generic]:
    """Read one map file as numbers: grey levels of a picture, or the only array of an ``.npy`` or ``.npz``."""
    data = files.read_bytes(path)
    if path.suffix in (".npy", ".npz"):
        return _numpy_array(data, str(path))
    return grey_values(data, where=str(path))


def grey_values(data: bytes, *, where: str) -> NDArray[np.generic]:
    """Decode a greyscale picture at its own depth; a colour picture whose channels differ is refused.

    Parameters
    ----------
    data : bytes
        A picture file.
    where : str
        Names it in messages.

    Returns
    -------
    ndarray, shape (height, width)
        Levels as they are stored.

    Raises
    ------
    InputError
        When it is damaged, or has colours.
    """
    import warnings

    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(io.BytesIO(data))
            if image.width * image.height > 100_000_000:
                raise InputError(f"{where}: {image.width} x {image.height} pixels; too large for a map")
            image.load()
            array = np.asarray(image if image.mode[0] in "LIF1" and image.mode != "LA" else image.convert("RGB"))
    except InputError:
        raise
    except UnidentifiedImageError as error:  # its text has an address in memory
        raise InputError(f"{where}: of no picture format that Pillow knows; is the file complete?") from error
    except Exception as error:  # Pillow's decoders raise almost anything on damaged files
        raise InputError(f"{where}: not a readable picture ({str(error)[:120]}); is the file complete?") from error
    if array.ndim == 3:
        if np.any(array != array[..., :1]):
            raise InputError(f"{where}: a map in colours; save importance as grey levels")
        array = array[..., 0]
    return array


def _numpy_array(data: bytes, where: str) -> NDArray[np.generic]:
    try:
        loaded = np.load(io.BytesIO(data), allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return loaded
        if len(loaded.files) != 1:
            raise InputError(f'{where}: {len(loaded.files)} arrays; a map file holds one (reader = "npz" reads many)')
        return np.asarray(loaded[loaded.files[0]])
    except InputError:
        raise
    except Exception as error:  # zip, header and value errors of many kinds
        raise InputError(f"{where}: not a NumPy file of numbers ({str(error)[:120]})") from error
