"""``archive.json``: what an archive of a study holds, file by file."""

import msgspec

from rapidvision.formats.manifest import ImageCredit
from rapidvision.system.files import Provenance

#: Name of the record inside an archive.
RECORD = "archive.json"
ARCHIVE_VERSION = 1


class ArchivedFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file of an archive.

    Attributes
    ----------
    path : str
        Inside the archive, with forward slashes.
    sha256 : str
        Hash of its bytes.
    n_bytes : int
        Its size.
    """

    path: str
    sha256: str
    n_bytes: int


class ArchiveRecord(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``archive.json``.

    Attributes
    ----------
    archive_version : int
        Version of this file's form.
    study_id : str
        The study's name.
    stimulus_set_digest : str
        Digest of the set that the plans were made for.
    with_images : bool
        Whether the stimuli themselves are in the archive, or the recipe that makes them again.
    files : tuple of ArchivedFile
        Every other file, in the order of their paths.
    n_trials : dict
        Path of each trials table → its rows.
    n_participants : dict
        Path of each trials table → its participants.
    left_out : tuple of str
        What of the study is not in the archive, a sentence each.
    licences : tuple of ImageCredit
        Origin and terms of every image.
    provenance : Provenance or None
        Versions of the program and of the packages that the numbers depend on.
    checksum : str
        SHA-256 over all the above.
    """

    archive_version: int = ARCHIVE_VERSION
    study_id: str
    stimulus_set_digest: str
    with_images: bool
    files: tuple[ArchivedFile, ...]
    n_trials: dict[str, int] = {}
    n_participants: dict[str, int] = {}
    left_out: tuple[str, ...] = ()
    licences: tuple[ImageCredit, ...] = ()
    provenance: Provenance | None = None
    checksum: str = ""
