"""The trials table of online sessions: from the server's database, or from the files that a bundle's sessions left."""

import argparse
import os
from collections import Counter
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any, Literal

import msgspec

from rapidvision import recipes
from rapidvision.errors import InputError, RecipeError, did_you_mean
from rapidvision.formats.trials_table import write_description, write_table
from rapidvision.study import Study
from rapidvision.system import json_text
from rapidvision.trials import TrialRecord

from ..database.schema import KINDS
from ..storage.answer_writes import AnswerReport, answers_by_trial, why_no_answer
from ..storage.open_database import DATABASE_VARIABLE, default_database, open_online_store
from ..storage.trial_report import Measurement, Sha256, Short, row, why_refused
from ..study.plans import ServedStudy, open_study
from ..study.requests import Device
from .export import HUMANS, session_counts, trial_records


class Result(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One session's file from a bundle; its recruitment ids stay in the file."""

    form: Literal[2]
    study_id: str
    plan_digest: Sha256
    session_id: Short
    participant_id: Short
    ids: dict[str, str]
    consent_sha256: Sha256
    device: Device
    observer_kind: Literal["human", "pilot", "simulated"] = "human"
    trials: dict[str, Measurement]
    answers: dict[str, AnswerReport] = {}


def write_trials_table(arguments: argparse.Namespace) -> str:
    """Write the table that the command asks for and return what to say about it."""
    folder = Path(arguments.study)
    served = open_study(folder, stimulus_set=arguments.set, verify=False)
    out = arguments.out or Study(served.folder).trials_path
    observers = tuple(arguments.observers)
    if arguments.results:
        found = from_files(served, arguments.results, observers=KINDS)
        sessions: dict[str, str] = {record.session_id: record.observer_kind for record in found}
        counts = dict(Counter(sessions.values()))
        records = [record for record in found if record.observer_kind in observers]
    else:
        records, counts = _from_database(served, observers, arguments)
    write_table(out, records)
    write_description(out, served.protocol)
    return "\n".join([f"{_summary(records)} in {out}", *_left_out(counts, observers), *_flagged(records)])


def observers_of(words: str) -> tuple[str, ...]:
    """Return the kinds of observers that a list with commas names.

    Raises
    ------
    InputError
        For a word that is no kind.

    Examples
    --------
    >>> observers_of("human,pilot")
    ('human', 'pilot')
    """
    named = tuple(word.strip() for word in words.split(","))
    for word in named:
        if word not in KINDS:
            raise InputError(f'observers: got "{word}". {did_you_mean(word, KINDS)}')
    return named


def _summary(records: list[TrialRecord]) -> str:
    return f"{len(records)} trials of {len({record.session_id for record in records})} sessions"


def _left_out(counts: dict[str, int], observers: tuple[str, ...]) -> list[str]:
    """What is not in the table, by kind of observer, and how to get it."""
    others = {kind: n for kind, n in counts.items() if kind not in observers}
    if not others:
        return []
    words = ", ".join(f"{n} {kind}" for kind, n in sorted(others.items()))
    return [f"left out   {words} (sessions); --observers {' '.join([*observers, *sorted(others)])} takes them in"]


def _flagged(records: list[TrialRecord]) -> list[str]:
    """How many trials carry each flag, and how many have bad timing."""
    flags = Counter(flag for record in records for flag in (record.flags or "").split())
    bad = sum(record.timing_ok is False for record in records)
    unwatched = sum(record.timing_ok is None for record in records)
    lines = [f"timing     {bad} trials not as planned, {unwatched} not watched, of {len(records)}"] if records else []
    if flags:
        lines.append("flags      " + ", ".join(f"{name} {n}" for name, n in sorted(flags.items())))
    return lines


def from_files(served: ServedStudy, paths: Iterable[Path], *, observers: Collection[str] = HUMANS) -> list[TrialRecord]:
    """Return the rows of result files, by session and trial.

    Parameters
    ----------
    served : ServedStudy
        Knows the plans.
    paths : iterable of Path
        One file per session.
    observers : collection of {"human", "pilot", "simulated"}
        Whose sessions; default: participants' only.

    Raises
    ------
    InputError
        Names the file that is no result of this study, appears twice, or has a trial that was not planned.
    """
    by_digest = {plan.digest: plan for plan in served.plans.values()}
    records: list[TrialRecord] = []
    seen: dict[str, Path] = {}
    for path in sorted(paths):
        result = _read(path)
        plan = by_digest.get(result.plan_digest)
        if plan is None:
            raise InputError(f"{path}: its plan is none of this study's; export it with the study it was made from")
        if result.session_id in seen:
            raise InputError(f"{path}: the same session as {seen[result.session_id]}; keep one of both")
        seen[result.session_id] = path
        if result.observer_kind not in observers:
            continue
        planned, places = served.trials(plan.group, plan.slot), served.places(plan.group, plan.slot)
        reports = {int(name): report for name, report in result.answers.items() if name.isdigit()}
        for number, report in reports.items():
            question = plan.protocol.question(places[number].question) if number in places else None
            refused = "no such question" if question is None else why_no_answer(question, report)
            if refused is not None:
                raise InputError(f"{path}: answer {number}: {refused}; the file was changed")
        answers = answers_by_trial(reports, places)
        for name, measured in sorted(result.trials.items(), key=lambda each: each[0].zfill(9)):
            trial = planned.get(int(name)) if name.isdigit() else None
            refused = "no such trial" if trial is None else why_refused(plan, trial, measured)
            if trial is None or refused is not None:
                raise InputError(f"{path}: trial {name}: {refused}; the file was changed")
            who: dict[str, Any] = {"session_id": result.session_id, "participant_id": result.participant_id}
            observer = "simulated" if result.observer_kind == "simulated" else "human"
            who |= {"questions": answers.get(trial.trial)}
            records.append(row(plan, trial, measured, observer=observer, observer_kind=result.observer_kind, **who))
    return records


def _read(path: Path) -> Result:
    try:
        return recipes.convert(json_text.read(path), Result, name=str(path))
    except RecipeError as error:
        raise InputError(f"{error}: not a session's result") from error


def _from_database(
    served: ServedStudy, observers: tuple[str, ...], arguments: argparse.Namespace
) -> tuple[list[TrialRecord], dict[str, int]]:
    """The rows, and how many sessions of each kind the database holds."""
    url = arguments.database_url or os.environ.get(DATABASE_VARIABLE, "") or default_database(served.folder)
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).is_file():
        raise InputError(f"{url}: no database here; serve the study first, or give the files of a bundle")
    store = open_online_store(url, served, reading=True)
    try:
        chosen = {"finished_only": arguments.finished_only, "observers": observers}
        records = store.read(lambda connection: trial_records(connection, served, **chosen))
        counts = store.read(lambda connection: session_counts(connection, served))
        return records, {kind: sum(states.values()) for kind, states in counts.items()}
    finally:
        store.close()
