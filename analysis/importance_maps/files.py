"""Maps from files: a folder of grey PNG files, or an ``.npz``."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError


def read_maps(path: Path | str) -> dict[str, NDArray[Any]]:
    """Read maps by picture from a folder of PNG files or from an ``.npz``.

    Raises
    ------
    InputError
        When there are none, or a file is no grey picture.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"{path}: no such file or folder; maps come as a folder of PNG files or as an .npz")
    if path.is_dir():
        found = {file.stem: _grey(file) for file in sorted(path.glob("*.png"), key=Path.as_posix)}
        if not found:
            raise InputError(f"{path}: no maps here; a map is a grey IMAGE_ID.png")
        return found
    if path.suffix != ".npz":
        raise InputError(f"{path}: maps come as a folder of PNG files or as an .npz")
    try:
        with np.load(path, allow_pickle=False) as data:
            return {name: data[name] for name in data.files}
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as .npz ({error})") from error


def _grey(file: Path) -> NDArray[np.float32]:
    from PIL import Image

    with Image.open(file) as picture:
        if picture.mode not in ("L", "I;16", "I"):
            raise InputError(f"{file}: a picture of mode {picture.mode}; a map is 8- or 16-bit grey")
        return np.asarray(picture, dtype=np.float32)


def read_stacks(path: Path | str) -> dict[str, NDArray[Any]]:
    """Read one stack of participants' maps per image, each of shape (participants, height, width)."""
    stacks = read_maps(path)
    flat = [image for image, stack in stacks.items() if stack.ndim != 3]
    if flat:
        raise InputError(
            f"{path}: {flat[0]} has {stacks[flat[0]].ndim} dimensions; reliability needs participants x height x width"
        )
    return stacks


def read_single_maps(path: Path | str) -> dict[str, NDArray[Any]]:
    """Read one map per image; maps of several participants are averaged."""
    stacks = read_maps(path)
    out = {image: stack.mean(axis=0) if stack.ndim == 3 else stack for image, stack in stacks.items()}
    constant = [image for image, one in out.items() if one.ndim != 2 or np.ptp(one) == 0]
    if constant:
        raise InputError(f"{path}: {constant[0]} is no map (constant, or not two-dimensional); leave it out")
    return out
