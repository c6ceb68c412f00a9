"""Folders: which files of a folder or an archive hold trials, and what a file's name says."""

import io
import re
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rapidvision.errors import InputError

#: Endings of files that are read in a folder; a final ``.gz`` does not count.
SUFFIXES = (".csv", ".tsv", ".txt", ".json", ".jsonl", ".dat", ".db", ".sqlite", ".jrzip", ".parquet")
#: Files of a folder that describe the study and hold no trials.
_OTHERS = re.compile(
    r"(readme|license|changes|changelog|dataset_description|participants|requirements|mapping)(\.|$)|.*-columns\.json$|"
    r".*_(sessions|scans|channels|electrodes|coordsystem)\.tsv$|.*_(eeg|bold|beh|events|meg)\.json$",
    re.IGNORECASE,
)
_ENTITIES = re.compile(r"(sub|ses|task|run|acq)-([A-Za-z0-9]+)")
_PART = re.compile(r"\{([A-Za-z_]\w*)\}")


def files_of(paths: Iterable[Path | str]) -> tuple[list[Path], list[str]]:
    """Return the files of trials that paths name; folders are searched, with the folders in them.

    In a folder of BIDS (``sub-…/…_events.tsv``) only the events are read.

    Returns
    -------
    files : list of Path
        Sorted by name.
    notes : list of str
        How many other files the folders hold.

    Raises
    ------
    InputError
        When a folder holds none.
    """
    found: list[Path] = []
    notes = []
    for path in map(Path, paths):
        if not path.is_dir():
            found.append(path)
            continue
        there = sorted(
            (one for one in path.rglob("*") if one.is_file() and not _hidden(one.relative_to(path))), key=str
        )
        tables = [
            one
            for one in there
            if Path(one.name.removesuffix(".gz")).suffix.lower() in SUFFIXES and not _OTHERS.fullmatch(one.name)
        ]
        tables = [one for one in tables if not _OTHERS.match(one.name)]
        events = [one for one in tables if one.name.removesuffix(".gz").endswith("_events.tsv")]
        tables = events or tables
        if not tables:
            raise InputError(f"{path}: a folder without tables; files with trials end in {', '.join(SUFFIXES)}")
        found += tables
        if left := [one for one in there if one not in set(tables) and one.name != "mapping.toml"]:
            some = ", ".join(one.name for one in left[:4]) + (f" and {len(left) - 4} more" if len(left) > 4 else "")
            notes.append(f"{path.name}: read {len(tables)} files; {len(left)} others are no tables of trials ({some})")
    return found, notes


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def name_cells(path: Path, pattern: str) -> dict[str, Any]:
    """Return what a file's name says: its stem, entities of BIDS, and the parts of a pattern.

    Raises
    ------
    InputError
        When the name does not fit the pattern.

    Examples
    --------
    >>> name_cells(Path("data/P01_parts.csv"), "{participant}_{condition}.csv")
    {'@file': 'P01_parts', 'participant': 'P01', 'condition': 'parts'}
    """
    name = path.name.removesuffix(".gz")
    found: dict[str, Any] = {"@file": Path(name).stem}
    entities = dict(_ENTITIES.findall(name))
    if "sub" in entities:
        found |= {"@sub": entities["sub"], "@task": entities.get("task", "")}
        found["@session"] = "-".join(entities[key] for key in ("sub", "ses", "task", "run") if key in entities)
    if not pattern:
        return found
    names = _PART.findall(pattern)
    if not names or len(set(names)) < len(names):
        raise InputError(
            f'name_pattern: got "{pattern}"; parts in braces are needed, each once: {{participant}}_{{cond}}.csv'
        )
    parts = _PART.split(pattern)
    expression = "".join(f"(?P<{part}>[^/]+?)" if at % 2 else re.escape(part) for at, part in enumerate(parts))
    whole = "/".join([*path.parts[-1 - pattern.count("/") : -1], name])
    fitting = re.fullmatch(expression, whole) or re.fullmatch(expression, whole.rpartition(".")[0])
    if fitting is None:
        raise InputError(
            f'{path}: the name does not fit the pattern "{pattern}"; rename the file, or change the pattern'
        )
    return found | fitting.groupdict()


def archive_members(path: Path, data: bytes) -> Sequence[tuple[str, bytes]]:
    """Return the text files of a zip archive, such as JATOS exports; none where it is a spreadsheet or damaged."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = sorted(archive.namelist())
            if "[Content_Types].xml" in names:
                return ()
            jatos = [name for name in names if re.search(r"comp-result[^/]*/data\.txt$", name)]
            tables = [
                name for name in names if Path(name).suffix.lower() in SUFFIXES and not name.startswith("__MACOSX")
            ]
            chosen = jatos or [
                name for name in tables if not _OTHERS.match(Path(name).name) and Path(name).name != "metadata.json"
            ]
            return [(name, archive.read(name)) for name in chosen]
    except zipfile.BadZipFile:
        return ()  # refused as a spreadsheet or archive
    except (OSError, RuntimeError) as error:
        raise InputError(f"{path}: an archive that cannot be unpacked ({error}); export it again") from error
