"""Every import by the name of its program."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, get_args

from rapidvision.errors import InputError, did_you_mean

from ..table.trials import Trials
from .engine import trials_from
from .source.files import read_psiturk, read_sources
from .source.layouts import LAYOUTS, Layout

#: Programs that the user can name.
PROGRAMS = ("csv", "jspsych", "psychopy", "psiturk", "mvh", "bids")


def import_trials(
    program: str, paths: Sequence[Path | str] | Path | str, *, columns: Mapping[str, str] | None = None, **options: Any
) -> Trials:
    r"""Read other programs' files as a trials table.

    Parameters
    ----------
    program : {"csv", "jspsych", "psychopy", "psiturk", "mvh", "bids"}
        Who wrote them; ``csv`` for any table with one row per trial, as text or JSON.
    paths : path-like or sequence of path-like
        The files of one experiment; psiTurk has one.
    columns : mapping of str to str, optional
        Our field → their column, for columns with other names; see :data:`~.layouts.FIELDS`. "" means: there is none.
    **options
        Fields of :class:`~.layouts.Layout`: `targets`, `distractors`, `missing`, `level_unit`, `time_unit`,
        `limit_ms` and others.

    Returns
    -------
    Trials
        Checked; its notes say what was recognised, folded and left out, with counts.

    Raises
    ------
    InputError
        When the program, a field or an option is unknown, or the files do not fit.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import rapidvision as rv
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "mine.csv"
    ...     _ = path.write_text("subj,cond,level,acc,rt\na,x,10,1,0.412\nb,y,10,0,0.6\n")
    ...     trials = rv.analysis.import_trials("csv", path)
    >>> trials.frame["correct"].tolist(), trials.frame["response_ms"].tolist(), set(trials.frame["status"])
    ([True, False], [412.0, 600.0], {'ok'})
    """
    if program not in PROGRAMS:
        raise InputError(f'import: got "{program}". {did_you_mean(program, PROGRAMS)}')
    files = [paths] if isinstance(paths, str | Path) else list(paths)
    if program == "psiturk" and len(files) != 1:
        raise InputError(f"import psiturk: got {len(files)} files; one database is needed")
    layout = _changed(LAYOUTS[program], options)
    source = read_psiturk(files[0], layout) if program == "psiturk" else read_sources(files, layout)
    if program == "bids" and "response_event" in source.columns:
        layout = _changed(LAYOUTS["go-no-go"], options)
    return trials_from(source, layout, dict(columns or {}))


def _changed(layout: Layout, options: Mapping[str, Any]) -> Layout:
    known = {one.name: one.type for one in fields(Layout) if one.name != "columns"}
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
