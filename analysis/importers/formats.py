"""Every importer by the name of its program."""

from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Literal

from rapidvision.errors import InputError, did_you_mean

from ..table.trials import Trials
from .bids import read_bids_events
from .model_vs_human import ANIMALS, read_model_vs_human
from .tabular import PSYCHOPY, Fields, read_jspsych, read_psiturk, read_psychopy

Format = Literal["psiturk", "jspsych", "psychopy", "mvh", "bids"]
FORMATS: tuple[Format, ...] = ("psiturk", "jspsych", "psychopy", "mvh", "bids")


def import_trials(
    program: Format,
    paths: Sequence[Path | str],
    *,
    columns: dict[str, str] | None = None,
    target_responses: Sequence[str] | None = None,
    conditions: Sequence[str] | None = None,
    animals: Sequence[str] = ANIMALS,
) -> Trials:
    """Read other programs' files as a trials table.

    Parameters
    ----------
    program : {"psiturk", "jspsych", "psychopy", "mvh", "bids"}
        Who wrote them.
    paths : sequence of path-like
        The files of one experiment; psiTurk and BIDS have one.
    columns : dict, optional
        Our field → their column, for psiTurk, jsPsych and PsychoPy; see :class:`~.tabular.Fields`.
    target_responses : sequence of str, optional
        Answers (or keys) that mean target, for these three.
    conditions : sequence of str, optional
        BIDS: only conditions that begin with one of these.
    animals : sequence of str
        model-vs-human: categories that are targets.

    Returns
    -------
    Trials
        Checked; its notes say what was left out.

    Raises
    ------
    InputError
        When the program or a field is unknown, or the files do not fit.
    """
    if program not in FORMATS:
        raise InputError(f'import: got "{program}". {did_you_mean(program, FORMATS)}')
    if program in ("psiturk", "bids") and len(paths) != 1:
        raise InputError(f"import {program}: got {len(paths)} files; one is needed")
    if program == "mvh":
        return read_model_vs_human(paths, animals=tuple(animals))
    if program == "bids":
        return read_bids_events(paths[0], conditions=conditions)
    names = _fields(PSYCHOPY if program == "psychopy" else Fields(), columns or {})
    if target_responses:
        names = replace(names, target_responses=tuple(target_responses))
    if program == "psiturk":
        return read_psiturk(paths[0], names)
    return (read_jspsych if program == "jspsych" else read_psychopy)(paths, names)


def _fields(base: Fields, columns: dict[str, str]) -> Fields:
    known = [one.name for one in fields(Fields) if one.type == "str" or one.type is str]
    for name in columns:
        if name not in known:
            raise InputError(f'import: no field "{name}". {did_you_mean(name, known)}')
    return replace(base, **columns)  # type: ignore[arg-type] # only fields of text are known
