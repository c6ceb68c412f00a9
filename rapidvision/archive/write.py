"""Writing an archive: a folder, or one zip file whose bytes follow from its contents."""

import shutil
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from rapidvision.archive.contents import Contents, contents_of
from rapidvision.archive.record import RECORD, ArchivedFile, ArchiveRecord
from rapidvision.errors import InputError
from rapidvision.integrity.seal import seal_of
from rapidvision.study import Study
from rapidvision.system import files
from rapidvision.system.progress import progress

#: Zip files store a time for each file; this one is the earliest that the form can hold.
_NO_TIME = (1980, 1, 1, 0, 0, 0)
_PACKAGES = ("numpy", "scipy", "scikit-image", "pandas", "matplotlib", "statsmodels", "pillow", "torch", "psychopy-lib")


def write_archive(
    study: Path | str,
    out: Path | str,
    *,
    tables: Sequence[Path | str] = (),
    results: Sequence[Path | str] = (),
    set_folder: Path | str | None = None,
    with_images: bool = False,
    quiet: bool = True,
) -> ArchiveRecord:
    """Write a study as a folder or a zip file that others can check.

    Parameters
    ----------
    study : path-like
        The study's folder.
    out : path-like
        What to write; a name that ends in ``.zip`` makes one file, any other a folder. It must not exist.
    tables : sequence of path-like, optional
        Trials tables; by default those that lie in the study's folder.
    results : sequence of path-like, optional
        Folders of reports and figures.
    set_folder : path-like, optional
        Where the stimulus set lies, if not where the study says.
    with_images : bool, optional
        Include the stimuli. Without, the archive holds the recipe and the hash of every stimulus.
    quiet : bool, optional
        Show no progress.

    Returns
    -------
    ArchiveRecord
        What ``archive.json`` says.

    Raises
    ------
    InputError
        When `out` exists, the study or its set cannot be read, sessions were not exported, or the results contain
        codes of participants.

    Examples
    --------
    >>> import rapidvision as rv
    >>> from rapidvision.archive.write import write_archive
    >>> record = write_archive("study", "study.zip")
    >>> record.study_id
    'rapidvision'
    """
    folder, out = Study(study), Path(out)
    if out.exists():
        raise InputError(f"{out}: exists; give a name that is free, an archive is never changed")
    description = folder.description()
    stimulus_set = folder.stimulus_set(set_folder)
    chosen = [Path(table) for table in tables] or _tables_of(folder)
    contents = contents_of(folder, stimulus_set, chosen, [Path(result) for result in results], with_images=with_images)
    record = ArchiveRecord(
        study_id=description.study_id,
        stimulus_set_digest=description.stimulus_set_digest,
        with_images=with_images,
        files=(),
        n_trials=contents.n_trials,
        n_participants=contents.n_participants,
        left_out=contents.left_out,
        licences=stimulus_set.description.images,
        provenance=files.provenance("study archive", packages=_PACKAGES),
    )
    begun = out.with_name(f".{out.name}.part")
    _remove(begun)
    out.parent.mkdir(parents=True, exist_ok=True)
    try:
        sealed = (_write_zip if out.suffix == ".zip" else _write_folder)(begun, contents, record, quiet)
        begun.replace(out)
    except BaseException:
        _remove(begun)
        raise
    return sealed


def _remove(begun: Path) -> None:
    if begun.is_dir():
        shutil.rmtree(begun)
    begun.unlink(missing_ok=True)


def _tables_of(study: Study) -> list[Path]:
    """Trials tables of the study's folder; sessions of people must have been exported."""
    if any(study.sessions_folder.glob("*.jsonl")) and not study.trials_path.is_file():
        raise InputError(
            f"{study.folder}: has sessions but no trials.csv; run `rapidvision session export {study.folder}` first"
        )
    return [path for path in sorted(study.folder.glob("*.csv"), key=Path.as_posix) if _is_trials_table(path)]


def _is_trials_table(path: Path) -> bool:
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        return file.readline().startswith("schema_version,study_id,session_id")


def _entries(contents: Contents) -> list[str]:
    return sorted([*contents.made, *contents.copied])


def _sealed(record: ArchiveRecord, listed: list[ArchivedFile]) -> ArchiveRecord:
    record = msgspec.structs.replace(record, files=tuple(listed))
    return msgspec.structs.replace(record, checksum=seal_of(record))


def _write_all(
    contents: Contents, record: ArchiveRecord, quiet: bool, put: Callable[[str, bytes], None]
) -> ArchiveRecord:
    names, listed = _entries(contents), []
    with progress("archive", len(names), quiet=quiet) as advance:
        for name in names:
            data = contents.made[name] if name in contents.made else files.read_bytes(contents.copied[name])
            put(name, data)
            listed.append(ArchivedFile(path=name, sha256=files.sha256(data), n_bytes=len(data)))
            advance(1)
    sealed = _sealed(record, listed)
    put(RECORD, msgspec.json.format(msgspec.json.encode(sealed), indent=2) + b"\n")
    return sealed


def _write_folder(out: Path, contents: Contents, record: ArchiveRecord, quiet: bool) -> ArchiveRecord:
    def put(name: str, data: bytes) -> None:
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write_bytes(path, data, durable=False)

    return _write_all(contents, record, quiet, put)


def _write_zip(out: Path, contents: Contents, record: ArchiveRecord, quiet: bool) -> ArchiveRecord:
    with zipfile.ZipFile(out, "w") as archive:

        def put(name: str, data: bytes) -> None:
            entry = zipfile.ZipInfo(name, _NO_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data, compresslevel=6)

        return _write_all(contents, record, quiet, put)
