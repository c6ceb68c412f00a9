"""Comparing an archive with what its record says."""

import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from rapidvision.archive.record import ARCHIVE_VERSION, RECORD, ArchiveRecord
from rapidvision.errors import CheckFailed, InputError
from rapidvision.integrity import inventory
from rapidvision.integrity.seal import seal_of
from rapidvision.system import files, json_text
from rapidvision.system.progress import progress

_MOST_NAMED = 10


def verify_archive(path: Path | str, *, quiet: bool = True) -> ArchiveRecord:
    """Compare every file of an archive with ``archive.json``.

    Parameters
    ----------
    path : path-like
        A folder or zip file that :func:`~rapidvision.archive.write.write_archive` wrote.
    quiet : bool, optional
        Show no progress.

    Returns
    -------
    ArchiveRecord
        The record, when everything agrees.

    Raises
    ------
    InputError
        When there is no archive, or its version is another one.
    CheckFailed
        Names the changed, missing and added files (the first ten of them).

    Examples
    --------
    >>> from rapidvision.archive.verify import verify_archive
    >>> from rapidvision.archive.write import write_archive
    >>> written = write_archive("study", "archive")
    >>> verify_archive("archive") == written
    True
    """
    path = Path(path)
    with _opened(path) as (names, read):
        if RECORD not in names:
            raise InputError(
                f"{path}: no archive of a study ({RECORD} is missing); `rapidvision study archive` makes one"
            )
        try:
            record = json_text.decode(read(RECORD), ArchiveRecord, name=f"{path}: {RECORD}")
        except msgspec.DecodeError as error:
            raise InputError(
                f"{path}: {RECORD} cannot be read ({error}); get the archive again from its source"
            ) from None
        if record.archive_version != ARCHIVE_VERSION:
            raise InputError(
                f"{path}: archive version {record.archive_version}, this RapidVision reads {ARCHIVE_VERSION}; use the "
                "version that wrote it"
            )
        wrong = [] if record.checksum == seal_of(record) else [f"{RECORD} (changed)"]
        expected = {file.path for file in record.files}
        with progress("verify", len(record.files), quiet=quiet) as advance:
            for file in record.files:
                if file.path not in names:
                    wrong.append(f"{file.path} (missing)")
                elif files.sha256(read(file.path)) != file.sha256:
                    wrong.append(f"{file.path} (changed)")
                advance(1)
        wrong += [f"{name} (added)" for name in names if name not in expected and name != RECORD]
    if wrong:
        more = f" and {len(wrong) - _MOST_NAMED} more" if len(wrong) > _MOST_NAMED else ""
        raise CheckFailed(f"{path}: {', '.join(wrong[:_MOST_NAMED])}{more}; get the archive again from its source")
    return record


@contextmanager
def _opened(path: Path) -> Iterator[tuple[list[str], Callable[[str], bytes]]]:
    if path.is_dir():
        yield inventory.paths_of(path), lambda name: files.read_bytes(path / name)
        return
    try:
        archive = zipfile.ZipFile(path)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file or folder") from None
    except zipfile.BadZipFile as error:
        raise InputError(f"{path}: not a zip file, or cut off ({error}); get it again from its source") from None
    with archive:
        yield (
            sorted(name for name in archive.namelist() if not name.endswith("/")),
            lambda name: _bytes(archive, name, path),
        )


def _bytes(archive: zipfile.ZipFile, name: str, path: Path) -> bytes:
    try:
        return archive.read(name)
    except (zipfile.BadZipFile, zlib.error) as error:
        raise CheckFailed(f"{path}: {name} is damaged ({error}); get the archive again from its source") from None
