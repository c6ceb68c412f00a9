"""Pictures to look at: files, or the intact pictures of a stimulus set."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import CheckFailed, InputError
from rapidvision.files import sha256_file
from rapidvision.manifest import read_set


def pictures_of(
    paths: Sequence[Path] = (), *, stimulus_set: Path | None = None, n: int = 8
) -> dict[str, NDArray[np.uint8]]:
    """Read pictures by name.

    Parameters
    ----------
    paths : sequence of Path
        Picture files.
    stimulus_set : Path, optional
        Take `n` intact pictures of the main phase from this set instead, spread evenly over it.
    n : int, default 8
        How many of them.

    Returns
    -------
    dict
        Name → uint8 (height, width, 3).
    """
    from PIL import Image

    if bool(paths) == (stimulus_set is not None):
        raise InputError("pictures: give either picture files or a stimulus set")
    chosen = {path.stem: path for path in paths}
    if stimulus_set is not None:
        found = read_set(stimulus_set)
        intact = {row.image_id: row for row in found.stimuli if row.reveal_fraction is None and row.phase == "main"}
        rows = list(intact.values())
        if not 1 <= n <= len(rows):
            raise InputError(f"pictures: {n} asked for, {found.folder} has 1 to {len(rows)} intact ones")
        rows = [rows[at] for at in np.linspace(0, len(rows) - 1, n).round().astype(int)]
        for row in rows:
            if sha256_file(found.folder / row.path) != row.sha256:
                raise CheckFailed(f"{found.folder / row.path}: changed; build the stimulus set again")
        chosen = {row.image_id: found.folder / row.path for row in rows}
    pictures = {}
    for name, path in chosen.items():
        try:
            pictures[name] = np.asarray(Image.open(path).convert("RGB"))
        except OSError as error:
            raise InputError(f"{path}: not a picture that can be read ({error})") from error
    return pictures
