"""The stimulus set: a folder of images and a manifest that traces each one to its source, level and hash."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec

from rapidvision.certificate.record import CanvasCertificate
from rapidvision.errors import InputError
from rapidvision.formats.folder_kind import instead_of_a_set
from rapidvision.formats.manifest_rows import Stimulus as Stimulus  # a set is read with its rows
from rapidvision.formats.manifest_rows import check_rows, ordered, read_rows, rows_digest, write_rows
from rapidvision.integrity import inventory
from rapidvision.integrity.seal import check_seal, seal_of
from rapidvision.system import files, json_text

SET_VERSION = 1
DESCRIPTION = "stimulus_set.json"
MANIFEST = "manifest.csv"
#: In its place in a set that is stored otherwise than as PNG files.
PACKED = "packed_set.json"


class ImageCredit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where an image comes from and on what terms.

    Attributes
    ----------
    image_id : str
        The image.
    sha256 : str
        Hash of the source file.
    credit, licence : str
        Who made it, and the terms; empty where unknown.
    """

    image_id: str
    sha256: str
    credit: str = ""
    licence: str = ""


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
        Side of the images in pixels.
    level_labels : tuple of str
        In order of `level_index`, the intact image last.
    map_sources : tuple of str
        In order of the recipe.
    recipe : dict
        The resolved recipe.
    algorithms : dict
        Name → version of each algorithm whose output is stored.
    images : tuple of ImageCredit
        One per image.
    quality : dict
        Figures of the set: clipped share, contrast, captured importance, ledger of differences between sources …
    certificate : CanvasCertificate or None
        What canvases and the lowest level alone tell of the category; None in sets of other programs.
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
    certificate: CanvasCertificate | None = None
    digest: str = ""
    provenance: files.Provenance | None = None
    tables: dict[str, str] = {}
    checksum: str = ""


@dataclass(frozen=True, slots=True)
class Exemplar:
    """One image that can be asked about: its id, category, whether it is a target, and its phase."""

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
        Sorted by phase, image, source and level.

    Examples
    --------
    >>> import tempfile
    >>> import rapidvision as rv
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     stimulus_set = rv.stimuli.build("bundled", out=folder + "/set")
    ...     len(stimulus_set.exemplars()), len(stimulus_set.digest)
    (80, 64)
    """

    folder: Path
    description: SetDescription
    stimuli: tuple[Stimulus, ...]

    @property
    def digest(self) -> str:
        """SHA-256 over the rows; equal sets have equal digests, also from different computers."""
        return self.description.digest

    def exemplars(self, phase: str = "main") -> tuple[Exemplar, ...]:
        """The images of a phase in the order of the manifest, each once."""
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
        images = {row.path: row.sha256 for row in self.stimuli}
        inventory.check(self.folder, images | self.description.tables, but=(DESCRIPTION,))


def write_set(
    folder: Path | str, description: SetDescription, stimuli: Iterable[Stimulus], *, tables: Iterable[str] = ()
) -> StimulusSet:
    """Write manifest and description into `folder`, where the image files already are.

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
    folder, rows = Path(folder), ordered(stimuli)
    check_rows(rows, name=str(folder / MANIFEST))
    write_rows(folder / MANIFEST, rows)
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
    ...     rv.read_set(folder + "/set").digest == stimulus_set.digest
    True
    """
    folder = Path(folder)
    path = folder / DESCRIPTION
    if not path.is_file() and (folder / PACKED).is_file():
        raise InputError(
            f"{folder}: a packed stimulus set; write its PNG files first: "
            f"`rapidvision stimuli expand {folder} --out SET` (built --format recipe: with --root IMAGES)"
        )
    if not path.is_file():
        raise InputError(f"{folder}: no stimulus set here ({DESCRIPTION} is missing); {instead_of_a_set(folder)}")
    try:
        description = json_text.decode(files.read_bytes(path), SetDescription, name=str(path))
    except msgspec.DecodeError as error:
        raise InputError(f"{path}: {error}") from error
    if description.set_version != SET_VERSION:
        raise InputError(f"{folder}: set version {description.set_version}, this RapidVision reads {SET_VERSION}")
    check_seal(description, where=str(path))
    rows = read_rows(folder / MANIFEST)
    if rows_digest(rows) != description.digest:
        raise InputError(f"{folder}: {MANIFEST} was changed after the set was built (digest differs); build it again")
    return StimulusSet(folder, description, tuple(rows))
