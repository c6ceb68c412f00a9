"""Result files of a bundle's sessions, and those that participants saved: one JSON file per session."""

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Literal

import msgspec

from rapidvision import recipes
from rapidvision.errors import InputError, RecipeError
from rapidvision.plan import Plan
from rapidvision.system import json_text
from rapidvision.trials import TrialRecord

from ...recording.answers import AnswerRecord
from ..storage.answer_writes import AnswerReport, why_no_answer
from ..storage.trial_report import Measurement, Sha256, Short, row, why_refused
from ..study.plans import ServedStudy
from ..study.requests import Device
from .answers import answer_records, answers_by_trial
from .export import HUMANS


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


def from_files(
    served: ServedStudy, paths: Iterable[Path], *, observers: Collection[str] = HUMANS
) -> tuple[list[TrialRecord], list[AnswerRecord]]:
    """Return the rows of result files, by session and trial, and the answers that belong to no trial.

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
    answers: list[AnswerRecord] = []
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
        records += _rows(path, result, plan, served)
        who = {"session_id": result.session_id, "participant_id": result.participant_id}
        reports, places = _reports(path, result, plan, served), served.places(plan.group, plan.slot)
        answers += answer_records(plan, reports, places, observer_kind=result.observer_kind, **who)
    return records, answers


def _rows(path: Path, result: Result, plan: Plan, served: ServedStudy) -> list[TrialRecord]:
    planned, places = served.trials(plan.group, plan.slot), served.places(plan.group, plan.slot)
    given = answers_by_trial(_reports(path, result, plan, served), places)
    rows = []
    for name, measured in sorted(result.trials.items(), key=lambda each: each[0].zfill(9)):
        trial = planned.get(int(name)) if name.isdigit() else None
        refused = "no such trial" if trial is None else why_refused(plan, trial, measured)
        if trial is None or refused is not None:
            raise InputError(f"{path}: trial {name}: {refused}; the file was changed")
        made = row(
            plan,
            trial,
            measured,
            observer="simulated" if result.observer_kind == "simulated" else "human",
            observer_kind=result.observer_kind,
            session_id=result.session_id,
            participant_id=result.participant_id,
            questions=given.get(trial.trial),
        )
        rows.append(made)
    return rows


def _reports(path: Path, result: Result, plan: Plan, served: ServedStudy) -> dict[int, AnswerReport]:
    """The answers by number, each held against its place in the plan."""
    places = served.places(plan.group, plan.slot)
    for name, report in result.answers.items():
        place = places.get(int(name)) if name.isdigit() else None
        refused = why_no_answer(plan.protocol.question(place.question), report) if place else "no such question"
        if refused is not None:
            raise InputError(f"{path}: answer {name}: {refused}; the file was changed")
    return {int(name): report for name, report in result.answers.items()}


def _read(path: Path) -> Result:
    try:
        return recipes.convert(json_text.read(path), Result, name=str(path))
    except RecipeError as error:
        raise InputError(f"{error}: not a session's result") from error
