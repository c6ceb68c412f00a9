"""Images to look at: files, or the intact images of a stimulus set."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import CheckFailed, InputError
from rapidvision.formats.manifest import StimulusSet, read_set
from rapidvision.formats.manifest_rows import Stimulus
from rapidvision.images.load import load_rgb
from rapidvision.system.files import sha256_file


def images_of(
    paths: Sequence[Path] = (), *, stimulus_set: Path | None = None, n: int = 8
) -> dict[str, NDArray[np.uint8]]:
    """Read images by name.

    Parameters
    ----------
    paths : sequence of Path
        Image files.
    stimulus_set : Path, optional
        Take `n` intact images of the main phase from this set instead, spread evenly over it.
    n : int, default 8
        How many of them.

    Returns
    -------
    dict
        Name → uint8 (height, width, 3).
    """
    if bool(paths) == (stimulus_set is not None):
        raise InputError("images: give either image files or a stimulus set")
    chosen: dict[str, Path] = {}
    for path in paths:
        other = chosen.setdefault(path.stem, path)
        if other != path:
            raise InputError(f"images: {other} and {path} have one name; rename one of them")
    if stimulus_set is not None:
        found = read_set(stimulus_set)
        n_intact = len(intact_of(found))
        if not 1 <= n <= n_intact:
            raise InputError(f"images: {n} asked for, {found.folder} has 1 to {n_intact} intact ones")
        return intact_images(found, n)
    return {name: load_rgb(path) for name, path in chosen.items()}


def intact_of(found: StimulusSet) -> list[Stimulus]:
    """The intact images of the main phase, each once, in the set's order."""
    rows = [row for row in found.stimuli if row.reveal_fraction is None and row.phase == "main"]
    return list({row.image_id: row for row in rows}.values())


def intact_images(found: StimulusSet, n: int) -> dict[str, NDArray[np.uint8]]:
    """Read up to `n` intact images of a set, spread evenly over it; each is what its hash says."""
    rows = intact_of(found)
    places = np.linspace(0, max(0, len(rows) - 1), min(n, len(rows))).round().astype(int)
    images = {}
    for row in (rows[at] for at in places):
        if sha256_file(found.folder / row.path) != row.sha256:
            raise CheckFailed(f"{found.folder / row.path}: changed; build the stimulus set again")
        images[row.image_id] = load_rgb(found.folder / row.path)
    return images
