"""Maps from files: reliability of participants' maps, and agreement of two sources."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.formats.map_stacks import read_stacks
from rapidvision.images.listing import list_images
from rapidvision.images.load import MAP_SUFFIXES, load_map
from rapidvision.map_agreement.reliability import Reliability, reliability
from rapidvision.map_agreement.source_agreement import SourceAgreement, agreement
from rapidvision.protocol import N_RELABELLINGS


def maps(
    first: Path | str, second: Path | str | None = None, *, n_resamples: int = N_RELABELLINGS, seed: int | None = None
) -> Reliability | SourceAgreement:
    """Reliability of one set of participants' maps, or agreement of two sources.

    Parameters
    ----------
    first : path-like
        With `second`: a folder of maps named after their images (see :func:`read_maps`), or an ``.npz`` with one map per
        image. Alone: an ``.npz`` whose arrays have shape (participants, height, width), one per image.
    second : path-like, optional
        The other source, in either form.
    n_resamples : int
        Randomizations.
    seed : int, optional
        Their seed; drawn when absent.

    Returns
    -------
    Reliability or SourceAgreement
        With intervals, exact null and test; its notes count what was left out.

    Raises
    ------
    InputError
        When a file cannot be read or shapes do not fit.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> import rapidvision as rv
    >>> rng = np.random.default_rng(1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.savez(folder + "/people.npz", cat=rng.random((4, 6, 6)), dog=rng.random((4, 6, 6)))
    ...     rv.analysis.maps(folder + "/people.npz", seed=1).n_maps
    8
    """
    if second is None:
        stacks, notes = read_maps(first)
        flat = [image for image, stack in stacks.items() if stack.ndim != 3]
        if flat:
            raise InputError(
                f"{first}: {flat[0]} has {stacks[flat[0]].ndim} dimensions; reliability needs participants x height x width"
            )
        found = reliability(stacks, n_resamples=n_resamples, seed=seed)
        if alone := len(stacks) - len(found.images):
            notes = (*notes, f"{first}: left out {alone} of {len(stacks)} images with fewer than two usable maps")
        return replace(found, notes=notes)
    (one, notes), (two, more) = read_maps(first), read_maps(second)
    one, two = _single(one, first), _single(two, second)
    shared = sorted(set(one) & set(two))
    for path, own in ((first, one), (second, two)):
        if alone := len(own) - len(shared):
            more = (*more, f"{path}: left out {alone} of {len(own)} maps whose image the other source lacks")
    for image in shared:
        if one[image].shape != two[image].shape:
            raise InputError(
                f"{image}: shapes {one[image].shape} and {two[image].shape}; bring both sources to one size"
            )
    both = agreement(
        {image: one[image] for image in shared},
        {image: two[image] for image in shared},
        n_resamples=n_resamples,
        seed=seed,
    )
    return replace(both, notes=(*notes, *more))


def read_maps(path: Path | str) -> tuple[dict[str, NDArray[np.float64]], tuple[str, ...]]:
    """Read maps by image from a folder of map files or from an ``.npz``.

    Parameters
    ----------
    path : path-like
        A folder whose files are named after their images: any image or NumPy file that
        :func:`~rapidvision.images.load.load_map` reads, by its rules for palettes, 16 bits and alpha. Or an ``.npz`` with
        an array per image, shape (height, width) or (participants, height, width).

    Returns
    -------
    maps : dict of str to ndarray of float64
        Finite and ≥ 0.
    notes : tuple of str
        How many other files the folder holds.

    Raises
    ------
    InputError
        When there are none, two files have one name, or a file or array is no map; the message names it.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"{path}: no such file or folder; maps come as a folder of map files or as an .npz")
    if path.is_dir():
        listing = list_images(path, suffixes=MAP_SUFFIXES)
        if not listing.paths:
            raise InputError(f"{path}: no maps here; a map is a grey image named after its image, IMAGE_ID.png")
        notes = (f"{path}: left out {listing.left_out}",) if listing.left_out else ()
        return {file.stem: load_map(file) for file in listing.paths}, notes
    if path.suffix != ".npz":
        raise InputError(f"{path}: maps come as a folder of map files or as an .npz")
    return {name: _numbers(array, where=f"{path}: {name}") for name, array in read_stacks(path).items()}, ()


def _numbers(array: NDArray[Any], *, where: str) -> NDArray[np.float64]:
    """Return an array's values as importance: finite and ≥ 0."""
    if array.dtype.kind not in "buif":
        raise InputError(f"{where}: values of type {array.dtype}; a map is made of numbers")
    values = array.astype(np.float64)
    for bad, kind in ((~np.isfinite(values), "not finite"), (values < 0, "negative")):
        if bad.any():
            raise InputError(f"{where}: {np.count_nonzero(bad)} of {values.size} values are {kind}; repair the map")
    return values


def _single(stacks: Mapping[str, NDArray[Any]], path: Path | str) -> dict[str, NDArray[Any]]:
    """One map per image; participants' maps are averaged."""
    out = {image: stack.mean(axis=0) if stack.ndim == 3 else stack for image, stack in stacks.items()}
    constant = [image for image, one in out.items() if one.ndim != 2 or np.ptp(one) == 0]
    if constant:
        raise InputError(f"{path}: {constant[0]} is no map (constant, or not two-dimensional); leave it out")
    return out
