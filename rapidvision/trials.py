"""Trials: what an input means, and the one table that every observer fills."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

import msgspec

from rapidvision.protocol import Protocol
from rapidvision.task.response import Scalar
from rapidvision.task.trial import SessionPhase

SCHEMA_VERSION = 3

Status = Literal["ok", "late", "none", "early", "aborted"]
ObserverKind = Literal["human", "pilot", "simulated", "model"]
#: Every kind of observer; rows of different kinds are never analysed together unless the user asks for it.
OBSERVER_KINDS: tuple[ObserverKind, ...] = ("human", "pilot", "simulated", "model")
#: The response of a trial without any, where no option stands for not responding.
NO_RESPONSE = "none"


class TrialRecord(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row of the trials table.

    The meaning of each column is in :data:`COLUMNS`. Columns that depend on the protocol (factors, answers, durations
    of phases) are in `more`, column -> value; :func:`columns_of` describes them.
    """

    schema_version: int = SCHEMA_VERSION
    study_id: str
    session_id: str
    participant_id: str
    observer: str
    observer_kind: ObserverKind
    group: str
    slot: int | None
    phase: SessionPhase
    block: int
    trial: int
    image_id: str | None
    stimulus_sha256: str | None
    category: str | None
    target: bool | None
    map_source: str
    level_index: int
    level_label: str
    reveal_fraction: float | None
    revealed_px: int | None
    correct_response: str | None
    response: str | None
    input: str | None
    correct: bool | None
    response_ms: float | None
    status: Status
    late_refreshes: int | None
    refresh_hz: float | None
    timing_ok: bool | None = None
    attempt: int = 1
    flags: str | None = None
    decision_value: float | None = None
    ignored: str | None = None
    utc: str | None = None
    more: dict[str, Scalar | None] = {}


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the trials table: its name, type, unit, meaning and allowed values."""

    name: str
    dtype: Literal["int", "float", "bool", "str"]
    unit: str
    meaning: str
    nullable: bool = False
    allowed: tuple[str, ...] = ()


COLUMNS: tuple[Column, ...] = (
    Column("schema_version", "int", "", "Version of this table's form"),
    Column("study_id", "str", "", "Name of the study, from the protocol"),
    Column("session_id", "str", "", "One participant's one session"),
    Column("participant_id", "str", "", "The participant, under a code that says nothing about the person"),
    Column("observer", "str", "", "human, simulated, or the id of a network"),
    Column(
        "observer_kind",
        "str",
        "",
        "human; pilot: a person in a pilot or rehearsal; simulated; model: a network",
        allowed=OBSERVER_KINDS,
    ),
    Column("group", "str", "", "Group of participants: whose maps they saw"),
    Column("slot", "int", "", "Number of the plan that the session followed; empty without a plan", nullable=True),
    Column("phase", "str", "", "practice or main; practice is never analysed", allowed=("practice", "main")),
    Column("block", "int", "", "Block from 0; practice is -1"),
    Column("trial", "int", "", "Number within the session from 0, practice included"),
    Column("image_id", "str", "", "The image; empty where unknown", nullable=True),
    Column(
        "stimulus_sha256", "str", "", "Hash of the stimulus file that was shown; empty where unknown", nullable=True
    ),
    Column("category", "str", "", "What the image shows; empty where unknown", nullable=True),
    Column(
        "target", "bool", "", "Whether the category is a target; empty where only `correct` was recorded", nullable=True
    ),
    Column("map_source", "str", "", "Whose map revealed the image"),
    Column("level_index", "int", "", "Reveal level from 0; the intact image comes last"),
    Column(
        "level_label", "str", "", "Per cent of the features, or full; in imported tables the level as it was written"
    ),
    Column(
        "reveal_fraction",
        "float",
        "1",
        "Share of the features; empty for the intact image and where levels are no per cent",
        nullable=True,
    ),
    Column("revealed_px", "int", "px", "Pixels of the image that could be seen; empty where unknown", nullable=True),
    Column("correct_response", "str", "", "The option that is right; empty where nothing is scored", nullable=True),
    Column(
        "response",
        "str",
        "",
        "The option that was chosen, `none` for no response; empty where only `correct` was recorded",
        nullable=True,
    ),
    Column(
        "input",
        "str",
        "",
        "The key, button or area of that response, late ones too: `s`, `button:2`, `area:bear`",
        nullable=True,
    ),
    Column(
        "correct", "bool", "", "Whether the response is the right one, in time or not; empty without one", nullable=True
    ),
    Column(
        "response_ms",
        "float",
        "ms",
        "Time of the input from time zero (the onset of the phase that `opens` names), late ones too",
        nullable=True,
    ),
    Column(
        "status",
        "str",
        "",
        "ok: in time; early: faster than the anticipation limit; late: past the response limit; none; aborted",
        allowed=("ok", "late", "none", "early", "aborted"),
    ),
    Column("late_refreshes", "int", "", "Refreshes that came late during the trial", nullable=True),
    Column("refresh_hz", "float", "Hz", "Measured refresh rate", nullable=True),
    Column(
        "timing_ok",
        "bool",
        "",
        "Whether the measured presentation kept the planned durations; empty where it was not measured",
        nullable=True,
    ),
    Column("attempt", "int", "", "1, or more when the trial was interrupted after its image had come up"),
    Column(
        "flags", "str", "", "What was unusual, names separated by blanks; empty when there was nothing", nullable=True
    ),
    Column("decision_value", "float", "", "A network's signed evidence for target", nullable=True),
    Column(
        "ignored",
        "str",
        "",
        "What a network cannot see of the protocol, names separated by blanks: durations, masks, cues, factors",
        nullable=True,
    ),
    Column("utc", "str", "", "When the trial ended, ISO 8601", nullable=True),
)

#: Columns of the second image of a pair, and of the set.
SECOND = ("image_id", "category", "level_index", "level_label")


def columns_of(protocol: Protocol) -> tuple[Column, ...]:
    """Return the columns that a protocol adds to the table: second image, factors, answers, durations of phases.

    Parameters
    ----------
    protocol : Protocol
        The task.

    Returns
    -------
    tuple of Column
        In the order of the table, behind :data:`COLUMNS`; all may be empty.

    Examples
    --------
    >>> from rapidvision.formats.protocol_file import preset
    >>> [column.name for column in columns_of(preset("confidence"))][:2]
    ['confidence', 'confidence_ms']
    """
    return tuple(_added(protocol))


def _added(protocol: Protocol) -> Iterator[Column]:
    if protocol.design.pair:
        for name in SECOND:
            dtype: Literal["int", "str"] = "int" if name == "level_index" else "str"
            yield Column(f"second_{name}", dtype, "", f"`{name}` of the second image", nullable=True)
        yield Column("factor_pair", "str", "", "Whether the two images are the same", True, ("same", "different"))
    for factor in protocol.design.factors:
        if factor.name not in ("map_source", "level"):
            meaning = f"The factor {factor.name}, which varies {factor.vary}"
            yield Column(f"factor_{factor.name}", _dtype(factor.values), "", meaning, nullable=True)
    for question in protocol.questions:
        if question.ask == "trial":
            asked = question.text or question.name
            yield Column(question.name, question.dtype, "", f"Answer to: {asked}", True, question.options)
            yield Column(f"{question.name}_ms", "float", "ms", f"Time of that answer: {question.name}", nullable=True)
    for phase in protocol.phases:
        yield Column(f"{phase.id}_planned_ms", "int", "ms", f"Planned duration of the phase {phase.id}", nullable=True)
        yield Column(f"{phase.id}_ms", "float", "ms", f"How long the phase {phase.id} was shown", nullable=True)


def _dtype(values: Iterable[Scalar]) -> Literal["int", "float", "bool", "str"]:
    kinds = {type(value) for value in values}
    if kinds == {bool}:
        return "bool"
    if kinds == {int}:
        return "int"
    return "float" if kinds and kinds <= {int, float} else "str"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an input means: the option, whether it is correct, and the status."""

    response: str
    correct: bool | None
    status: Status

    @property
    def right(self) -> bool:
        """Correct and in time, as feedback, practice criteria and adaptive rules count it."""
        return self.correct is True and self.status in ("ok", "early")


def judge(
    *,
    response: str | None,
    correct_response: str | None,
    response_ms: float | None,
    limit_ms: float | None,
    early_ms: float,
    withheld: str | None = None,
) -> Outcome:
    """Judge one trial; every runner uses this rule, the browser by the same table of cases.

    Parameters
    ----------
    response : str or None
        Option that the input means; None when nothing was pressed.
    correct_response : str or None
        The option that is right; None where nothing is scored.
    response_ms : float or None
        Time of the input from time zero. None for observers without a clock, who are always in time.
    limit_ms : float or None
        Response limit, compared with the time of the input itself and never rounded to refreshes.
    early_ms : float
        Faster responses are ``early``.
    withheld : str, optional
        The option that is given by not responding; then a response after the limit is that option too.

    Returns
    -------
    Outcome
        A late or early response keeps its meaning and its correctness; the analysis decides what counts.

    Examples
    --------
    >>> judge(response="yes", correct_response="yes", response_ms=550.0, limit_ms=550, early_ms=100).status
    'ok'
    >>> judge(response="no", correct_response="yes", response_ms=550.1, limit_ms=550, early_ms=100)
    Outcome(response='no', correct=False, status='late')
    >>> judge(response=None, correct_response="no-go", response_ms=None, limit_ms=1000, early_ms=0, withheld="no-go")
    Outcome(response='no-go', correct=True, status='ok')
    """
    late = response_ms is not None and limit_ms is not None and response_ms > limit_ms
    if withheld is not None and (response is None or late):
        return Outcome(withheld, None if correct_response is None else withheld == correct_response, "ok")
    if response is None:
        return Outcome(NO_RESPONSE, None, "none")
    status: Status = "ok"
    if response_ms is not None:
        status = "late" if late else "early" if response_ms < early_ms else "ok"
    return Outcome(response, None if correct_response is None else response == correct_response, status)
