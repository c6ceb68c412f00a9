"""The stimulus set: a folder of pictures and a manifest that traces each one to its source, level and hash."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import msgspec

from rapidvision.errors import InputError
from rapidvision.formats.folder_kind import instead_of_a_set
from rapidvision.formats.image_credit import ImageCredit
from rapidvision.integrity import inventory
from rapidvision.integrity.seal import check_seal, seal_of
from rapidvision.system import files
from rapidvision.text import csv_text

SET_VERSION = 1
DESCRIPTION = "stimulus_set.json"
MANIFEST = "manifest.csv"
#: In its place in a set that is stored otherwise than as PNG files.
PACKED = "packed_set.json"


class Stimulus(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row of the manifest: one picture × map source × level.

    The intact picture has one row per map source, all naming the same file, so that
    ``(image_id, map_source, level_index)`` always finds exactly one row.

    Attributes
    ----------
    stimulus_id : str
        ``{image_id}.{map_source}.{level_label}``; unique.
    phase : {"practice", "main"}
        Practice pictures never appear in the main phase.
    image_id, category : str
        The picture and what it shows.
    target : bool
        Whether the category is a target.
    map_source : str
        Whose map reveals it.
    level_index : int
        From 0; the intact picture comes last.
    level_label : str
        Per cent of the features, or ``full``.
    reveal_fraction : float or None
        Share of the features; None for the intact picture.
    revealed_px : int
        Pixels of the picture that can be seen.
    image_fraction : float
        The same as a share of the picture, 0 … 1.
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


class SetDescription(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``stimulus_set.json``: what the set is and how to make it again.

    Attributes
    ----------
    set_version : int
        Version of this file's form.
    name : str
        Name of the set.
    seed : int
        Every random decision follows from it.
    image_px : int
        Side of the pictures in pixels.
    level_labels : tuple of str
        In order of `level_index`, the intact picture last.
    map_sources : tuple of str
        In order of the recipe.
    recipe : dict
        The resolved recipe.
    algorithms : dict
        Name → version of each algorithm whose output is stored.
    images : tuple of ImageCredit
        One per picture.
    quality : dict
        Figures of the set: clipped share, contrast, captured importance …
    digest : str
        SHA-256 over the manifest's rows; the set's name for plans and sessions.
    provenance : Provenance or None
        What made it.
    tables : dict
        Path → SHA-256 of every file of the set that no row names.
    checksum : str
        SHA-256 over all the above.
    """

    set_version: int = SET_VERSION
    name: str
    seed: int
    image_px: int
    level_labels: tuple[str, ...]
    map_sources: tuple[str, ...]
    recipe: dict[str, Any] = {}
    algorithms: dict[str, str] = {}
    images: tuple[ImageCredit, ...] = ()
    quality: dict[str, Any] = {}
    digest: str = ""
    provenance: files.Provenance | None = None
    tables: dict[str, str] = {}
    checksum: str = ""


COLUMNS = tuple(field.name for field in msgspec.structs.fields(Stimulus))


@dataclass(frozen=True, slots=True)
class Exemplar:
    """One picture that can be asked about: its id, category, whether it is a target, and its phase."""

    image_id: str
    category: str
    target: bool
    phase: Literal["practice", "main"]


@dataclass(frozen=True, slots=True)
class StimulusSet:
    """A stimulus set in memory: the description and its rows.

    Parameters
    ----------
    folder : Path
        Where the files are.
    description : SetDescription
        What the set is.
    stimuli : tuple of Stimulus
        Sorted by phase, picture, source and level.
    """

    folder: Path
    description: SetDescription
    stimuli: tuple[Stimulus, ...]

    @property
    def digest(self) -> str:
        """SHA-256 over the rows; equal sets have equal digests, also from different computers."""
        return self.description.digest

    def exemplars(self, phase: str = "main") -> tuple[Exemplar, ...]:
        """The pictures of a phase in the order of the manifest, each once."""
        found = {
            row.image_id: Exemplar(row.image_id, row.category, row.target, row.phase)
            for row in self.stimuli
            if row.phase == phase
        }
        return tuple(found.values())

    def index(self) -> dict[tuple[str, str, int], Stimulus]:
        """``(image_id, map_source, level_index)`` → row."""
        return {(row.image_id, row.map_source, row.level_index): row for row in self.stimuli}

    def verify(self) -> None:
        """Hash every file of the set, and look for files that were added; hidden files do not count.

        Raises
        ------
        CheckFailed
            Names every changed, missing and added file (the first ten of them).
        """
        pictures = {row.path: row.sha256 for row in self.stimuli}
        inventory.check(self.folder, pictures | self.description.tables, but=(DESCRIPTION,))


def rows_digest(stimuli: Iterable[Stimulus]) -> str:
    """SHA-256 over the rows in their canonical order; independent of the order in which they were made."""
    return files.canonical_digest(_ordered(stimuli))


def _ordered(stimuli: Iterable[Stimulus]) -> list[Stimulus]:
    return sorted(stimuli, key=lambda row: (row.phase, row.image_id, row.map_source, row.level_index))


def write_set(
    folder: Path | str, description: SetDescription, stimuli: Iterable[Stimulus], *, tables: Iterable[str] = ()
) -> StimulusSet:
    """Write manifest and description into `folder`, where the picture files already are.

    Parameters
    ----------
    folder : path-like
        The set's folder.
    description : SetDescription
        Its digest, hashes and checksum are computed here.
    stimuli : iterable of Stimulus
        The rows, in any order.
    tables : iterable of str
        Other files of the set, which are there already; every other file counts as added.

    Returns
    -------
    StimulusSet
        As it was written. The description comes last: a set without it is unfinished.
    """
    folder, rows = Path(folder), _ordered(stimuli)
    check_rows(rows, name=str(folder / MANIFEST))
    csv_text.write(folder / MANIFEST, COLUMNS, ([_cell(getattr(row, name)) for name in COLUMNS] for row in rows))
    hashes = {name: files.sha256_file(folder / name) for name in sorted({MANIFEST, *tables})}
    description = msgspec.structs.replace(description, digest=rows_digest(rows), tables=hashes)
    description = msgspec.structs.replace(description, checksum=seal_of(description))
    files.write_json(folder / DESCRIPTION, description)
    return StimulusSet(folder, description, tuple(rows))


def read_set(folder: Path | str) -> StimulusSet:
    """Read a stimulus set; the files themselves are checked by :meth:`StimulusSet.verify`.

    Parameters
    ----------
    folder : path-like
        Of a finished set of PNG files.

    Raises
    ------
    InputError
        When the folder holds no finished set, or manifest and description disagree.

    Examples
    --------
    >>> import tempfile
    >>> import rapidvision as rv
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     stimulus_set = rv.stimuli.build("bundled", out=folder + "/set")
    ...     read_set(folder + "/set").digest == stimulus_set.digest
    True
    """
    folder = Path(folder)
    if not (folder / DESCRIPTION).is_file() and (folder / PACKED).is_file():
        raise InputError(
            f"{folder}: a packed stimulus set; write its PNG files first: "
            f"`rapidvision stimuli expand {folder} --out SET` (built --format recipe: with --root PICTURES)"
        )
    if not (folder / DESCRIPTION).is_file():
        raise InputError(f"{folder}: no stimulus set here ({DESCRIPTION} is missing); {instead_of_a_set(folder)}")
    try:
        description = msgspec.json.decode(files.read_bytes(folder / DESCRIPTION), type=SetDescription)
    except msgspec.DecodeError as error:
        raise InputError(f"{folder / DESCRIPTION}: {error}") from error
    if description.set_version != SET_VERSION:
        raise InputError(f"{folder}: set version {description.set_version}, this RapidVision reads {SET_VERSION}")
    check_seal(description, where=str(folder / DESCRIPTION))
    rows = _read_rows(folder / MANIFEST)
    if rows_digest(rows) != description.digest:
        raise InputError(f"{folder}: {MANIFEST} was changed after the set was built (digest differs); build it again")
    return StimulusSet(folder, description, tuple(rows))


def check_rows(rows: Iterable[Stimulus], *, name: str) -> None:
    """Refuse rows that cannot be a set: repeated ids, paths that leave the folder, a picture in both phases."""
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
            raise InputError(
                f"{name}: {row.image_id} appears in two phases or categories; each picture has one of both"
            )


def _read_rows(path: Path) -> list[Stimulus]:
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
