"""``answers.csv``: the answers to questions that belong to a block or to the session, beside the trials table."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from rapidvision.plan import Plan
from rapidvision.text.typed_table import TypedTable
from rapidvision.trials import ObserverKind

from ..interfaces import AnswerData
from .journal import Entry

ANSWERS = "answers.csv"


class AnswerRecord(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row of ``answers.csv``.

    Attributes
    ----------
    study_id, session_id, participant_id, observer, observer_kind, group, slot
        Who answered, as in the trials table.
    question : str
        Name of the question in the protocol.
    ask : str
        When it was asked: ``block``, ``start`` or ``end``.
    block : int or None
        The block from 0; practice is -1. None for a question of the session.
    answer : str or None
        The option, the number or the words; None where the time ran out or it was left empty.
    response_ms : float
        From the question's first refresh.
    utc : str or None
        When.
    """

    study_id: str
    session_id: str
    participant_id: str
    observer: str
    observer_kind: ObserverKind
    group: str
    slot: int
    question: str
    ask: str
    block: int | None
    answer: str | None
    response_ms: float
    utc: str | None


TABLE = TypedTable(AnswerRecord, version=1, what="the answers of a study", remedy="export the study again")

MEANINGS = {
    "schema_version": "Version of this table's form",
    "study_id": "Name of the study, from the protocol",
    "session_id": "One participant's one session",
    "participant_id": "The participant, under a code that says nothing about the person",
    "observer": "human or simulated",
    "observer_kind": "human; pilot: a person in a pilot or rehearsal; simulated",
    "group": "Group of participants",
    "slot": "Number of the plan that the session followed",
    "question": "Name of the question in the protocol",
    "ask": "When it was asked: block, start or end",
    "block": "Block from 0; practice is -1; empty for a question of the session",
    "answer": "The option, the number or the words; empty where there is none",
    "response_ms": "From the question's first refresh, in milliseconds",
    "utc": "When, ISO 8601",
}


def answers_of(
    plan: Plan,
    entries: Sequence[Entry],
    *,
    observer: str,
    observer_kind: ObserverKind,
    session_id: str,
    participant_id: str,
) -> list[AnswerRecord]:
    """Return a session's answers to questions of blocks and of the session, in the order of the journal.

    Parameters
    ----------
    plan : Plan
        What was asked.
    entries : sequence of Entry
        The journal.
    observer, observer_kind, session_id, participant_id
        Who answered, as for :func:`rapidvision.experiments.recording.rows.rows_of`.

    Returns
    -------
    list of AnswerRecord
        Answers after trials are in the trials table instead.
    """
    return [
        AnswerRecord(
            study_id=plan.study_id,
            session_id=session_id,
            participant_id=participant_id,
            observer=observer,
            observer_kind=observer_kind,
            group=plan.group,
            slot=plan.slot,
            question=entry.question,
            ask=plan.protocol.question(entry.question).ask,
            block=entry.block,
            answer=_words(entry.value),
            response_ms=round(entry.response_ms, 3),
            utc=entry.utc or None,
        )
        for entry in entries
        if isinstance(entry, AnswerData) and entry.trial is None
    ]


def _words(value: str | float | None) -> str | None:
    return None if value is None else f"{value:g}" if isinstance(value, float) else value


def answers_path(table: Path) -> Path:
    """Return where the answers lie beside a trials table: ``answers.csv``, or ``<name>-answers.csv``.

    Examples
    --------
    >>> answers_path(Path("study/trials.csv")).name, answers_path(Path("study/pilots.csv")).name
    ('answers.csv', 'pilots-answers.csv')
    """
    return table.with_name(ANSWERS if table.stem == "trials" else f"{table.stem}-{ANSWERS}")


def write_answers(path: Path, answers: Sequence[AnswerRecord]) -> None:
    """Write the table, atomically; a study without such questions has none."""
    if answers:
        TABLE.write(path, answers)
