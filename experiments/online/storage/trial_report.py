"""What a browser may say about one trial, and what the server makes of it."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

import msgspec

from rapidvision.observers import Answer, outcome_of, record
from rapidvision.plan import Plan
from rapidvision.task.response import Scalar
from rapidvision.task.trial import Trial
from rapidvision.trials import ObserverKind, Status, TrialRecord

from ..database.schema import IMPOSSIBLE_DURATION
from ..study.payload import file_of
from .timing_check import timing_ok

Ms = Annotated[float, msgspec.Meta(ge=0, le=600_000)]
Clock = Annotated[float, msgspec.Meta(ge=-1e15, le=1e15)]
Count = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
Hertz = Annotated[float, msgspec.Meta(ge=1, le=1000)]
Short = Annotated[str, msgspec.Meta(max_length=60)]
Sha256 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
#: What ``Date.toISOString`` writes; nothing else, so that no spreadsheet finds a formula in it.
Utc = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z$")]
Presenter = Literal["compositor", "worker", "movie", "none"]


#: Two responses this close together cannot be told apart by intention; the same time as in the lab.
BOTH_KEYS_MS = 5.0


class Press(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One event of a key or a pointer: what it was, and when it happened and was handled, from time zero.

    Attributes
    ----------
    code : str
        The physical key, or ``pointer``.
    input : str
        The response input that it is; empty for others.
    down : bool
        False when it was released.
    at_ms, handled_ms : float
        The event's own time, and when the page came to handle it.
    trusted : bool
        Whether the browser says that a person did it.
    repeat : bool
        Whether a held key repeated it.
    """

    code: Short
    input: Short = ""
    down: bool = True
    at_ms: Clock
    handled_ms: Clock
    trusted: bool
    repeat: bool = False


class PhaseReport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A phase as it was shown.

    Attributes
    ----------
    name : str
        Its name.
    onset_ms : float
        Its first refresh, from time zero.
    shown_ms : float
        From its first refresh to the next phase's.
    late_refreshes : int or None
        Counted where the presenter sees every refresh.
    """

    name: Short
    onset_ms: Clock
    shown_ms: Ms
    late_refreshes: Count | None = None


class Quality(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What tells a good trial from a bad one, as the browser saw it.

    Attributes
    ----------
    presenter : {"compositor", "worker", "movie", "none"}
        What put the phases on the screen; ``none`` in fast simulations.
    seen : {"observed", "scheduled", "presented"}
        Whether the refreshes of the boundaries were watched, only planned (scheduled), or stamped by the browser at
        presentation (presented).
    zero_ms : float or None
        Time zero on the page's clock.
    calibration_ms : float
        Added to frame times to get presentation times; measured during the instructions.
    clock_ms : float
        Resolution of the page's clock.
    long_task_ms : float
        Time of long tasks that overlapped the trial.
    input_lag_ms : float or None
        From the response to its handler.
    presses : tuple of Press
        All events of the trial, early and late ones too.
    held_at_onset : bool
        Whether a response key was down at time zero.
    hidden, fullscreen_lost, focus_lost, resized : bool
        What happened during the trial.
    device_pixel_ratio : float
        Of the screen, at the trial.
    reason : str
        Why a trial was aborted.
    """

    presenter: Presenter = "none"
    seen: Literal["observed", "scheduled", "presented", "none"] = "none"
    zero_ms: Clock | None = None
    calibration_ms: Annotated[float, msgspec.Meta(ge=-1000, le=1000)] = 0.0
    clock_ms: Annotated[float, msgspec.Meta(ge=0, le=1000)] = 0.0
    long_task_ms: Ms = 0.0
    input_lag_ms: Clock | None = None
    presses: Annotated[tuple[Press, ...], msgspec.Meta(max_length=40)] = ()
    held_at_onset: bool = False
    hidden: bool = False
    fullscreen_lost: bool = False
    focus_lost: bool = False
    resized: bool = False
    device_pixel_ratio: Annotated[float, msgspec.Meta(ge=0, le=100)] = 1.0
    reason: Short = ""


class Measurement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of a trial's write. What it means (correct, in time) is decided here, not in the browser.

    Attributes
    ----------
    files : tuple of str
        Hashes of the images and masks of the trial, in the order of its phases; must be the plan's.
    input : str or None
        The response: a key or an area, late ones too.
    response_ms : float or None
        Its time from time zero.
    phases : tuple of PhaseReport
        What was shown, in order; empty for aborted trials.
    refresh_hz : float or None
        Measured refresh rate.
    aborted : bool
        The trial was begun and not ended (reload, crash, withdrawal of full screen).
    utc : str or None
        When it ended, by the browser's clock.
    quality : Quality
        See there.
    """

    files: Annotated[tuple[Sha256, ...], msgspec.Meta(max_length=100)]
    input: Short | None = None
    response_ms: Ms | None = None
    phases: Annotated[tuple[PhaseReport, ...], msgspec.Meta(max_length=100)] = ()
    refresh_hz: Hertz | None = None
    aborted: bool = False
    utc: Utc | None = None
    quality: Quality = Quality()

    @property
    def late_refreshes(self) -> int | None:
        """Refreshes missed in the trial, where every one was seen."""
        counts = [phase.late_refreshes for phase in self.phases]
        return sum(n for n in counts if n is not None) if counts and None not in counts else None


def why_refused(plan: Plan, trial: Trial, measurement: Measurement) -> str | None:
    """Say why a measurement cannot be this trial's, or None; of an adaptive trial, with the chosen value put in."""
    planned = [file for phase in trial.phases if (file := file_of(trial, phase))]
    names = [phase.name for phase in trial.phases]
    if list(measurement.files) != planned:
        return "other images than the plan's"
    if [phase.name for phase in measurement.phases] != names[: len(measurement.phases)]:
        return "other phases than the plan's"
    if measurement.input is not None and measurement.input not in plan.inputs:
        return "a key that is no response key"
    if (measurement.input is None) != (measurement.response_ms is None):
        return "a key and its time go together"
    if measurement.aborted and measurement.input is not None:
        return "an aborted trial has no response"
    return None


def outcome(plan: Plan, trial: Trial, measurement: Measurement) -> tuple[Status, bool | None]:
    """Return a trial's status and whether it is correct, as its row will say; a response that is asked for is not here."""
    if measurement.aborted:
        return "aborted", None
    if plan.protocol.response is None:
        return "ok", None
    response = None if measurement.input is None else plan.inputs[measurement.input]
    made = outcome_of(plan, trial, response=response, response_ms=measurement.response_ms)
    return made.status, made.correct


def own_flags(measurement: Measurement) -> list[str]:
    """Return what was unusual about a trial by the browser's own word."""
    quality = measurement.quality
    names = ("hidden", "fullscreen_lost", "focus_lost", "resized", "held_at_onset")
    flags = [name for name in names if getattr(quality, name)]
    responses = [press for press in quality.presses if press.input and not press.repeat]
    if any(not press.trusted for press in responses):
        flags.append("untrusted_key")  # a script pressed it, no keyboard
    if any(press.down and press.at_ms < 0 for press in responses):
        flags.append("early_press")
    if measurement.response_ms is not None and any(
        press.down and press.input != measurement.input and 0 <= press.at_ms - measurement.response_ms <= BOTH_KEYS_MS
        for press in responses
    ):
        flags.append("both_keys")
    return flags


def row(
    plan: Plan,
    trial: Trial,
    measurement: Measurement,
    *,
    observer: str,
    observer_kind: ObserverKind,
    session_id: str,
    participant_id: str,
    flags: Sequence[str] = (),
    questions: Mapping[str, tuple[str | float | None, float | None]] | None = None,
    chosen: Scalar | None = None,
) -> TrialRecord:
    """Return the row of the trials table; `flags` are those that the server or the session adds to the browser's own.

    `questions` are the answers after the trial, `chosen` is the value of the adaptive factor.
    """
    response = None if measurement.input is None else plan.inputs[measurement.input]
    answer = Answer(response, measurement.response_ms, measurement.input, questions=questions or {})
    shown = trial if chosen is None else trial.chosen(next(each for each in trial.choices if each.value == chosen))
    return record(
        plan,
        trial,
        answer,
        observer=observer,
        observer_kind=observer_kind,
        session_id=session_id,
        participant_id=participant_id,
        phases_ms={phase.name: phase.shown_ms for phase in measurement.phases},
        late_refreshes=measurement.late_refreshes,
        refresh_hz=measurement.refresh_hz,
        timing_ok=False if IMPOSSIBLE_DURATION in flags else timing_ok(plan, shown, measurement),
        flags=[*dict.fromkeys((*flags, *own_flags(measurement)))],
        utc=measurement.utc,
        chosen=chosen,
        aborted=measurement.aborted,
    )
