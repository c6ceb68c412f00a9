"""Maps from files: reliability of participants' maps, and agreement of two sources."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.formats.map_stacks import read_stacks
from rapidvision.map_agreement.reliability import Reliability, SourceAgreement, agreement, reliability
from rapidvision.protocol import N_RELABELLINGS


def maps(
    first: Path | str, second: Path | str | None = None, *, m: int = N_RELABELLINGS, seed: int | None = None
) -> Reliability | SourceAgreement:
    """Reliability of one set of participants' maps, or agreement of two sources.

    Parameters
    ----------
    first : path-like
        With `second`: a folder of ``IMAGE_ID.png`` (8- or 16-bit grey) or an ``.npz`` with one map per picture. Alone:
        an ``.npz`` whose arrays have shape (participants, height, width), one per picture.
    second : path-like, optional
        The other source, in either form.
    m, seed
        Randomizations, and their seed (drawn when absent).

    Returns
    -------
    Reliability or SourceAgreement
        With intervals, exact null and test.

    Raises
    ------
    InputError
        When a file cannot be read or shapes do not fit.
    """
    if second is None:
        stacks = read_maps(first)
        flat = [image for image, stack in stacks.items() if stack.ndim != 3]
        if flat:
            raise InputError(
                f"{first}: {flat[0]} has {stacks[flat[0]].ndim} dimensions; reliability needs participants x height x width"
            )
        return reliability(stacks, m=m, seed=seed)
    one, two = (_single(read_maps(path), path) for path in (first, second))
    shared = sorted(set(one) & set(two))
    for image in shared:
        if one[image].shape != two[image].shape:
            raise InputError(
                f"{image}: shapes {one[image].shape} and {two[image].shape}; bring both sources to one size"
            )
    return agreement({image: one[image] for image in shared}, {image: two[image] for image in shared}, m=m, seed=seed)


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
    return read_stacks(path)


def _grey(file: Path) -> NDArray[np.float32]:
    from PIL import Image

    with Image.open(file) as picture:
        if picture.mode not in ("L", "I;16", "I"):
            raise InputError(f"{file}: a picture of mode {picture.mode}; a map is 8- or 16-bit grey")
        return np.asarray(picture, dtype=np.float32)


def _single(stacks: Mapping[str, NDArray[Any]], path: Path | str) -> dict[str, NDArray[Any]]:
    """One map per picture; participants' maps are averaged."""
    out = {image: stack.mean(axis=0) if stack.ndim == 3 else stack for image, stack in stacks.items()}
    constant = [image for image, one in out.items() if one.ndim != 2 or np.ptp(one) == 0]
    if constant:
        raise InputError(f"{path}: {constant[0]} is no map (constant, or not two-dimensional); leave it out")
    return out
