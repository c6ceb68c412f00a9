"""Every program by its name, and the layout that a user's options make of its preset."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from rapidvision.errors import InputError, did_you_mean

from .engine import Imported, imported_from
from .source.files import read_sources, source_of
from .source.folders import files_of
from .source.layouts import Layout
from .source.presets import LAYOUTS, PROGRAMS, program_of
from .source.rows import Source

if TYPE_CHECKING:
    import pandas as pd

#: Fields of a layout that are data of the program, and no options.
_DATA = ("columns", "vocabulary", "signature", "trial_rows")
#: Options that change how files are split into rows.
READING = ("encoding", "delimiter", "table", "complete", "name_pattern", "missing")


def rows_of(
    source: "Sequence[Path | str] | Path | str | pd.DataFrame", options: Mapping[str, Any], *, name: str = "table"
) -> Source:
    """Read the rows of files, folders or a data frame, before any column is found.

    Raises
    ------
    InputError
        When there is no file, or it cannot be read.
    """
    if not isinstance(source, str | Path | Sequence):
        return source_of(source, name=name)
    paths = [source] if isinstance(source, str | Path) else list(source)
    found, notes = files_of(paths)
    layout = changed(LAYOUTS["csv"], {key: options[key] for key in READING if key in options})
    read = read_sources(found, layout)
    title = Path(paths[0]).name if len(paths) == 1 else read.name
    return replace(read, notes=(*notes, *read.notes), name=title)


def imported(
    program: str, source: Source, *, columns: Mapping[str, str], options: Mapping[str, Any]
) -> tuple[Imported, str]:
    """Turn rows into rows of the trials table, as a program writes them; ``auto`` recognises the program.

    Raises
    ------
    InputError
        When the program, a field or an option is unknown, or the files do not fit.

    Examples
    --------
    >>> rows = source_of(__import__("pandas").DataFrame({"subj": ["a"], "cond": ["x"], "acc": [1]}), name="mine")
    >>> found, program = imported("auto", rows, columns={}, options={})
    >>> program, found.records[0].correct
    ('csv', True)
    """
    if program not in PROGRAMS and program not in LAYOUTS:
        raise InputError(f'import: got "{program}". {did_you_mean(program, PROGRAMS)}')
    if program == "psiturk" and "@who" not in source.columns:
        raise InputError(f"{source.name}: not a psiTurk database, nor its trialdata.csv")
    if program == "auto":
        program = program_of(source.columns)
    if program == "mvh-16" and (options.get("targets") or options.get("distractors")):
        program = "mvh"
    if program == "bids" and "response_event" in source.columns:
        program = "go-no-go"
    return imported_from(source, changed(LAYOUTS[program], options), columns), program


def changed(layout: Layout, options: Mapping[str, Any]) -> Layout:
    """Return a layout with other options.

    Raises
    ------
    InputError
        When an option is unknown, or its value is.

    Examples
    --------
    >>> changed(LAYOUTS["csv"], {"level_unit": "dB"}).level_unit
    'dB'
    """
    known = {one.name: one.type for one in fields(Layout) if one.name not in _DATA}
    changes: dict[str, Any] = {}
    for name, value in options.items():
        if name not in known:
            raise InputError(f'import: no option "{name}". {did_you_mean(name, known)}')
        if value is None:
            continue
        allowed = get_args(known[name]) if "Literal" in str(known[name]) else ()
        if allowed and value not in allowed:
            raise InputError(f'{name}: got "{value}". {did_you_mean(str(value), allowed)}')
        if isinstance(getattr(layout, name), tuple):
            value = (value,) if isinstance(value, str) else tuple(value)
        changes[name] = value
    if "missing" in changes:
        changes["missing"] = (*layout.missing, *changes["missing"])
    for name in ("limit_ms", "anticipation_ms"):
        if name in changes and changes[name] <= 0:
            raise InputError(f"{name}: got {changes[name]:g}, more than 0 is needed; leave it out for no limit")
    if changes.get("anticipation_ms", 0) >= changes.get("limit_ms", math.inf):
        raise InputError("anticipation_ms must lie below limit_ms")
    return replace(layout, **changes)
