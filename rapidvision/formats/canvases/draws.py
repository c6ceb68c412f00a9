"""``canvases.csv``: the stimuli of a set on further canvases; the builder writes it, the planner rotates over it."""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from rapidvision.errors import InputError
from rapidvision.formats.manifest import StimulusSet
from rapidvision.formats.manifest_rows import Stimulus
from rapidvision.text.typed_table import TypedTable

CANVASES = "canvases.csv"


class CanvasDraw(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One stimulus on another canvas.

    Attributes
    ----------
    stimulus_id : str
        The stimulus of the manifest that it takes the place of.
    draw : int
        Which canvas, from 1; that of the manifest is 0.
    path : str
        File within the set, with forward slashes.
    sha256 : str
        Hash of that file.
    """

    stimulus_id: str
    draw: int
    path: str
    sha256: str


TABLE = TypedTable(CanvasDraw, version=1, what="the further canvases of a stimulus set", remedy="build the set again")


def write_draws(folder: Path | str, draws: Iterable[CanvasDraw]) -> list[str]:
    """Write ``canvases.csv`` into a set's folder; without draws, remove that of an earlier build.

    Parameters
    ----------
    folder : path-like
        The set's folder, where the files are.
    draws : iterable of CanvasDraw
        In any order.

    Returns
    -------
    list of str
        The table and every file in it; empty without draws.
    """
    rows = sorted(draws, key=lambda one: (one.stimulus_id, one.draw))
    if not rows:
        (Path(folder) / CANVASES).unlink(missing_ok=True)
        return []
    TABLE.write(Path(folder) / CANVASES, rows)
    return [CANVASES, *(one.path for one in rows)]


def read_draws(folder: Path | str) -> dict[str, tuple[CanvasDraw, ...]]:
    """Read the further canvases of a set: stimulus id -> its draws, 1 first; empty where the set has none.

    Raises
    ------
    InputError
        When the table cannot be read, or a stimulus lacks a draw that another has.
    """
    path = Path(folder) / CANVASES
    found: dict[str, list[CanvasDraw]] = {}
    for one in TABLE.read(path) if path.is_file() else ():
        found.setdefault(one.stimulus_id, []).append(one)
    n_draws = max((len(some) for some in found.values()), default=0)
    for name, some in found.items():
        some.sort(key=lambda one: one.draw)
        if [one.draw for one in some] != list(range(1, n_draws + 1)):
            raise InputError(f"{path}: {name} has the draws {[one.draw for one in some]}; 1 to {n_draws} are needed")
    return {name: tuple(some) for name, some in found.items()}


def rows_by_path(found: StimulusSet) -> dict[str, Stimulus]:
    """Return the manifest's row of every file, those on further canvases with their own path and hash.

    Examples
    --------
    >>> import tempfile
    >>> import rapidvision as rv
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     stimulus_set = rv.stimuli.build("bundled", out=folder)
    ...     len(rows_by_path(stimulus_set)) == len({row.path for row in stimulus_set.stimuli})
    True
    """
    rows = {row.path: row for row in found.stimuli}
    by_id = {row.stimulus_id: row for row in found.stimuli}
    for name, some in read_draws(found.folder).items():
        if name in by_id:
            rows |= {one.path: msgspec.structs.replace(by_id[name], path=one.path, sha256=one.sha256) for one in some}
    return rows
