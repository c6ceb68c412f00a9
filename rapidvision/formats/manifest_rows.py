"""The rows of a stimulus set's manifest: one per image, map source and level."""

from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import msgspec

from rapidvision.errors import InputError
from rapidvision.system import files
from rapidvision.text import csv_text


class Stimulus(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row of the manifest: one image × map source × level.

    The intact image has one row per map source, all naming the same file, so that
    ``(image_id, map_source, level_index)`` always finds exactly one row.

    Attributes
    ----------
    stimulus_id : str
        ``{image_id}.{map_source}.{level_label}``; unique.
    phase : {"practice", "main"}
        Practice images never appear in the main phase.
    image_id, category : str
        The image and what it shows.
    target : bool
        Whether the category is a target.
    map_source : str
        Whose map reveals it.
    level_index : int
        From 0; the intact image comes last.
    level_label : str
        Per cent of the features, or ``full``.
    reveal_fraction : float or None
        Share of the features; None for the intact image.
    revealed_px : int
        Pixels of the image that can be seen.
    image_fraction : float
        The same as a share of the image, 0 … 1.
    shift_y_px, shift_x_px : int
        How far revealed pixels were moved to centre the region.
    path : str
        File within the set, with forward slashes.
    sha256 : str
        Hash of that file.
    """

    stimulus_id: str
    phase: Literal["practice", "main"] = "main"
    image_id: str
    category: str
    target: bool
    map_source: str
    level_index: int
    level_label: str
    reveal_fraction: float | None
    revealed_px: int
    image_fraction: float
    shift_y_px: int
    shift_x_px: int
    path: str
    sha256: str


COLUMNS = tuple(field.name for field in msgspec.structs.fields(Stimulus))


def rows_digest(stimuli: Iterable[Stimulus]) -> str:
    """SHA-256 over the rows in their canonical order; independent of the order in which they were made."""
    return files.canonical_digest(ordered(stimuli))


def ordered(stimuli: Iterable[Stimulus]) -> list[Stimulus]:
    """Rows in their canonical order: by phase, image, source and level."""
    return sorted(stimuli, key=lambda row: (row.phase, row.image_id, row.map_source, row.level_index))


def write_rows(path: Path, rows: Iterable[Stimulus]) -> None:
    """Write ``manifest.csv``."""
    csv_text.write(path, COLUMNS, ([_cell(getattr(row, name)) for name in COLUMNS] for row in rows))


def check_rows(rows: Iterable[Stimulus], *, name: str) -> None:
    """Refuse rows that cannot be a set: repeated ids, paths that leave the folder, an image in both phases."""
    seen: set[str] = set()
    phases: dict[str, tuple[str, str]] = {}
    for row in rows:
        if row.stimulus_id in seen:
            raise InputError(f"{name}: {row.stimulus_id} appears twice; every stimulus has one row")
        seen.add(row.stimulus_id)
        path = PurePosixPath(row.path)
        if path.is_absolute() or ".." in path.parts or "\\" in row.path:
            raise InputError(f"{name}: {row.stimulus_id} has the path {row.path}; it must stay inside the set")
        if phases.setdefault(row.image_id, (row.phase, row.category)) != (row.phase, row.category):
            raise InputError(f"{name}: {row.image_id} appears in two phases or categories; each image has one of both")


def read_rows(path: Path) -> list[Stimulus]:
    """Read ``manifest.csv``; InputError names the row that does not fit."""
    rows, out = csv_text.read(path, COLUMNS), []
    if rows and tuple(rows[0]) != COLUMNS:
        raise InputError(f"{path}: columns {list(rows[0])}; a manifest has {list(COLUMNS)}")
    for number, raw in enumerate(rows, 2):
        values: dict[str, Any] = {**raw, "target": {"true": True, "false": False}.get(raw["target"], raw["target"])}
        values["reveal_fraction"] = raw["reveal_fraction"] or None
        try:
            out.append(msgspec.convert(values, Stimulus, strict=False))
        except msgspec.ValidationError as error:
            raise InputError(f"{path}: row {number}: {error}") from error
    check_rows(out, name=str(path))
    return out


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, float) else str(value)
