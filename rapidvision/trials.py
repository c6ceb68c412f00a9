"""Trials: what is asked, what came back, and the one table that every observer fills."""

from dataclasses import dataclass
from typing import Literal

import msgspec

SCHEMA_VERSION = 2

Phase = Literal["practice", "main"]
Response = Literal["target", "distractor", "none"]
Status = Literal["ok", "late", "none", "early", "aborted"]
ObserverKind = Literal["human", "pilot", "simulated", "model"]
#: Every kind of observer; rows of different kinds are never analysed together unless the user asks for it.
OBSERVER_KINDS: tuple[ObserverKind, ...] = ("human", "pilot", "simulated", "model")


class Trial(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One planned trial: everything that a runner needs, so that it decides and draws nothing.

    Attributes
    ----------
    trial : int
        Number within the session, from 0, practice included.
    block : int
        Block number from 0; practice is block -1.
    phase : {"practice", "main"}
        Practice trials are never analysed.
    image_id, category : str
        The picture and what it shows.
    target : bool
        Whether the category is a target (an animal, in the paper).
    map_source : str
        Whose map reveals the picture.
    level_index : int
        Reveal level, from 0; the intact picture comes last.
    level_label : str
        Per cent of the features, or ``full``.
    reveal_fraction : float or None
        Share of the features, 0 … 1; None for the intact picture.
    revealed_px : int
        Pixels of the picture that can be seen.
    path : str
        The stimulus file, relative to the stimulus set.
    stimulus_sha256 : str
        Its hash; runners verify it before the first trial.
    fixation_ms : int
        How long the fixation cross stands before this picture.
    """

    trial: int
    block: int
    phase: Phase
    image_id: str
    category: str
    target: bool
    map_source: str
    level_index: int
    level_label: str
    reveal_fraction: float | None
    revealed_px: int
    path: str
    stimulus_sha256: str
    fixation_ms: int


class TrialRecord(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row of the trials table. The meaning of each column is in :data:`COLUMNS`."""

    schema_version: int = SCHEMA_VERSION
    study_id: str
    session_id: str
    participant_id: str
    observer: str
    observer_kind: ObserverKind
    group: str
    slot: int | None
    phase: Phase
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
    key_target: str | None
    key_pressed: str | None
    response: Response | None
    correct: bool | None
    response_ms: float | None
    status: Status
    fixation_ms: float | None
    stimulus_ms_shown: float | None
    late_refreshes: int | None
    refresh_hz: float | None
    timing_ok: bool | None = None
    attempt: int = 1
    flags: str | None = None
    decision_value: float | None = None
    utc: str | None = None


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
    Column("image_id", "str", "", "The picture; empty where unknown", nullable=True),
    Column(
        "stimulus_sha256", "str", "", "Hash of the stimulus file that was shown; empty where unknown", nullable=True
    ),
    Column("category", "str", "", "What the picture shows; empty where unknown", nullable=True),
    Column(
        "target", "bool", "", "Whether the category is a target; empty where only `correct` was recorded", nullable=True
    ),
    Column("map_source", "str", "", "Whose map revealed the picture"),
    Column("level_index", "int", "", "Reveal level from 0; the intact picture comes last"),
    Column(
        "level_label", "str", "", "Per cent of the features, or full; in imported tables the level as it was written"
    ),
    Column(
        "reveal_fraction",
        "float",
        "1",
        "Share of the features; empty for the intact picture and where levels are no per cent",
        nullable=True,
    ),
    Column("revealed_px", "int", "px", "Pixels of the picture that could be seen; empty where unknown", nullable=True),
    Column("key_target", "str", "", "The key that means target in this session", nullable=True),
    Column("key_pressed", "str", "", "The first response key pressed after the onset, late ones too", nullable=True),
    Column(
        "response",
        "str",
        "",
        "What that key means; empty where only `correct` was recorded",
        nullable=True,
        allowed=("target", "distractor", "none"),
    ),
    Column(
        "correct", "bool", "", "Whether the response fits the picture, in time or not; empty without one", nullable=True
    ),
    Column("response_ms", "float", "ms", "Time of the press from stimulus onset, late ones too", nullable=True),
    Column(
        "status",
        "str",
        "",
        "ok: in time; early: faster than the anticipation limit; late: past the response limit; none; aborted",
        allowed=("ok", "late", "none", "early", "aborted"),
    ),
    Column("fixation_ms", "float", "ms", "Fixation as shown", nullable=True),
    Column("stimulus_ms_shown", "float", "ms", "How long the picture was up", nullable=True),
    Column("late_refreshes", "int", "", "Refreshes that came late during the trial", nullable=True),
    Column("refresh_hz", "float", "Hz", "Measured refresh rate", nullable=True),
    Column(
        "timing_ok",
        "bool",
        "",
        "Whether the measured presentation kept the planned durations; empty where it was not measured",
        nullable=True,
    ),
    Column("attempt", "int", "", "1, or more when the trial was interrupted after its picture had come up"),
    Column(
        "flags", "str", "", "What was unusual, names separated by blanks; empty when there was nothing", nullable=True
    ),
    Column("decision_value", "float", "", "A network's signed evidence for target", nullable=True),
    Column("utc", "str", "", "When the trial ended, ISO 8601", nullable=True),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a press means: response, correctness and status."""

    response: Response
    correct: bool | None
    status: Status


def judge(
    *, target: bool, pressed_target: bool | None, response_ms: float | None, limit_ms: float, anticipation_ms: float
) -> Outcome:
    """Judge one trial; every runner uses this rule, the browser by the same table of cases.

    Parameters
    ----------
    target : bool
        Whether the picture shows a target.
    pressed_target : bool or None
        Whether the first key after the onset means target; None when no key was pressed.
    response_ms : float or None
        Time of that press from the onset. None for observers without a clock, who are always in time.
    limit_ms : float
        Response limit, compared with the press time itself and never rounded to refreshes.
    anticipation_ms : float
        Faster presses are ``early``.

    Returns
    -------
    Outcome
        A late or early response keeps its meaning and its correctness; the analysis decides what counts.

    Examples
    --------
    >>> judge(target=True, pressed_target=True, response_ms=550.0, limit_ms=550, anticipation_ms=100).status
    'ok'
    >>> judge(target=True, pressed_target=False, response_ms=550.1, limit_ms=550, anticipation_ms=100)
    Outcome(response='distractor', correct=False, status='late')
    """
    if pressed_target is None:
        return Outcome("none", None, "none")
    status: Status = "ok"
    if response_ms is not None:
        status = "late" if response_ms > limit_ms else "early" if response_ms < anticipation_ms else "ok"
    return Outcome("target" if pressed_target else "distractor", pressed_target == target, status)
