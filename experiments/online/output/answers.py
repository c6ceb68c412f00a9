"""Answers to questions on their way into tables: those after trials into its rows, the others into a table of their own."""

from collections.abc import Mapping, Sequence

from rapidvision.plan import Plan
from rapidvision.trials import ObserverKind

from ...interfaces import AnswerData
from ...recording.answers import AnswerRecord, answers_of
from ..storage.answer_writes import AnswerReport
from ..study.question_places import Place
from .guarded_csv import guarded, guarded_csv

#: Question -> (answer, its time in ms): what a row of the trials table takes.
Answers = dict[str, tuple[str | float | None, float | None]]


def answers_by_trial(reports: Mapping[int, AnswerReport], places: Mapping[int, Place]) -> dict[int, Answers]:
    """Return trial -> its answers, of one session's reports by number; no typed answer is a formula."""
    found: dict[int, Answers] = {}
    for number, report in reports.items():
        trial = places[number].trial
        if trial is not None:
            found.setdefault(trial, {})[report.question] = (guarded(report.value), report.response_ms)
    return found


def answer_records(
    plan: Plan,
    reports: Mapping[int, AnswerReport],
    places: Mapping[int, Place],
    *,
    observer_kind: ObserverKind,
    session_id: str,
    participant_id: str,
) -> list[AnswerRecord]:
    """Return a session's answers that belong to no trial, in the order of the plan; no typed answer is a formula."""
    entries = [
        AnswerData(
            question=report.question,
            value=guarded(report.value),
            response_ms=report.response_ms,
            trial=places[number].trial,
            block=places[number].block,
            utc=report.utc or "",
        )
        for number, report in sorted(reports.items())
    ]
    return answers_of(
        plan,
        entries,
        observer="simulated" if observer_kind == "simulated" else "human",
        observer_kind=observer_kind,
        session_id=session_id,
        participant_id=participant_id,
    )


def to_csv(records: Sequence[AnswerRecord]) -> str:
    """Return the answers' table as CSV text."""
    names = AnswerRecord.__struct_fields__
    return guarded_csv(names, [[getattr(record, name) for name in names] for record in records])
