"""Importance maps by image in one ``.npz``: written by ``clickme export``, read by ``analyse maps`` and ``stimuli build``.

Each array is named after its image: one map (height, width), or the maps of several participants
(participants, height, width). The version stands in the archive's comment, which numpy passes over; a file without the
comment is one that users wrote, and is read all the same.
"""

import re
import zipfile
import zlib
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.system.npz import NpzWriter, open_npz

STACKS_VERSION = 1
_COMMENT = re.compile(rb"rapidvision maps (\d+)")


def open_stacks(path: Path | str) -> AbstractContextManager[NpzWriter]:
    """Open a file of maps for writing, one image at a time in memory; it appears whole or not at all.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with open_stacks(Path(folder) / "maps.npz") as out:
    ...         out.add("cat-01", np.eye(2, dtype=np.float32))
    ...     read_stacks(Path(folder) / "maps.npz")["cat-01"].tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    return open_npz(path, comment=f"rapidvision maps {STACKS_VERSION}".encode())


def read_stacks(path: Path | str) -> dict[str, NDArray[Any]]:
    """Read every array of a file of maps.

    Parameters
    ----------
    path : path-like
        An ``.npz`` of ours or of numpy.

    Returns
    -------
    dict
        Image id → array as stored, in the order of the file.

    Raises
    ------
    InputError
        When the file is missing, damaged, of another version, or holds Python objects.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            check_version(archive, path)
        with np.load(path, allow_pickle=False) as data:
            return {name: data[name] for name in data.files}
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(f"{path}: cannot be read as .npz ({error})") from error


def check_version(archive: zipfile.ZipFile, path: Path | str) -> None:
    """Refuse an archive that says it holds maps of another version.

    Raises
    ------
    InputError
        Names the file and both versions.
    """
    found = _COMMENT.fullmatch(archive.comment)
    if found and int(found[1]) != STACKS_VERSION:
        raise InputError(
            f"{path}: maps of version {int(found[1])}, this RapidVision reads {STACKS_VERSION}; "
            "write them again with `rapidvision clickme export`"
        )
