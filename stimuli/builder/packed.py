"""A set that is stored otherwise than as PNG files: what it says about itself."""

from dataclasses import dataclass
from pathlib import Path

import msgspec

from rapidvision.errors import InputError
from rapidvision.formats.manifest import PACKED, SetDescription
from rapidvision.integrity import inventory
from rapidvision.integrity.seal import check_seal
from rapidvision.system import files, json_text

from ..storage.forms import Form
from .task import StoredFile


class PackedDescription(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``packed_set.json``: a set in one of the forms ``tar``, ``series`` and ``recipe``.

    Attributes
    ----------
    packed_version : int
        Version of this file's form.
    form : str
        Storage form.
    description : SetDescription
        Of the set that it expands to; the digest is filled for ``tar`` only, because the other forms hold no PNG.
    files : tuple of StoredFile
        Every file with its hash.
    target : str
        Digest of what the images are matched to; empty where they are not.
    left_out : tuple of str
        Ids of the images that had no part in it, or in what canvases have in common.
    canvases : str
        Digest of what canvases have in common; empty where they have nothing.
    tables : dict
        Path → SHA-256 of every other file of the set.
    checksum : str
        SHA-256 over all the above.
    """

    packed_version: int = 1
    form: Form
    description: SetDescription
    files: tuple[StoredFile, ...]
    target: str = ""
    left_out: tuple[str, ...] = ()
    canvases: str = ""
    tables: dict[str, str] = {}
    checksum: str = ""


@dataclass(frozen=True, slots=True)
class PackedSet:
    """A packed set: where it is and what it is."""

    folder: Path
    description: PackedDescription

    def verify(self) -> None:
        """Hash every file of the set, and look for files that were added; CheckFailed names what is wrong."""
        packed = {one.path: one.sha256 for one in self.description.files}
        inventory.check(self.folder, packed | self.description.tables, but=(PACKED,))


def read_packed(folder: Path | str) -> PackedSet:
    """Read a packed set; its files are checked by :meth:`PackedSet.verify`.

    Raises
    ------
    InputError
        When the folder holds none, or its description is damaged.
    """
    path = Path(folder) / PACKED
    try:
        description = json_text.decode(files.read_bytes(path), PackedDescription, name=str(path))
    except msgspec.DecodeError as error:
        raise InputError(f"{path}: {error}") from error
    check_seal(description, where=str(path))
    return PackedSet(Path(folder), description)
