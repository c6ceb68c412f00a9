"""What a browser may say about one trial, and what the server makes of it."""

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec

from rapidvision.observers import Answer, record
from rapidvision.plan import Plan
from rapidvision.screen import refreshes
from rapidvision.trials import ObserverKind, Status, Trial, TrialRecord, judge

from ..database.schema import IMPOSSIBLE_DURATION

Ms = Annotated[float, msgspec.Meta(ge=0, le=600_000)]
Clock = Annotated[float, msgspec.Meta(ge=-1e15, le=1e15)]
Count = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
Hertz = Annotated[float, msgspec.Meta(ge=1, le=1000)]
Short = Annotated[str, msgspec.Meta(max_length=60)]
Sha256 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
#: What ``Date.toISOString`` writes; nothing else, so that no spreadsheet finds a formula in it.
Utc = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z$")]
Presenter = Literal["compositor", "worker", "movie", "none"]


class Press(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One key event: its physical key, and when it happened and was handled, from stimulus onset."""

    code: Short
    at_ms: Clock
    handled_ms: Clock
    trusted: bool
    repeat: bool = False
    response_key: bool = False


class Quality(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What tells a good trial from a bad one, as the browser saw it.

    Attributes
    ----------
    presenter : {"compositor", "worker", "movie", "none"}
        What put the picture on the screen; ``none`` in fast simulations.
    onset_ms, offset_ms : float or None
        On the page's clock.
    seen : {"observed", "scheduled", "presented"}
        Whether the refreshes of onset and offset were watched, only planned (scheduled), or stamped by the browser at
        presentation (presented).
    n_refreshes : int or None
        How many refreshes the picture was up.
    calibration_ms : float
        Added to frame times to get presentation times; measured during the instructions.
    clock_ms : float
        Resolution of the page's clock.
    long_task_ms : float
        Time of long tasks that overlapped the trial.
    key_lag_ms : float or None
        From the press to its handler.
    presses : tuple of Press
        All key events of the trial, early and late ones too.
    hidden, fullscreen_lost, focus_lost, resized : bool
        What happened during the trial.
    device_pixel_ratio : float
        Of the screen, at the trial.
    reason : str
        Why a trial was aborted.
    """

    presenter: Presenter = "none"
    seen: Literal["observed", "scheduled", "presented", "none"] = "none"
    onset_ms: Clock | None = None
    offset_ms: Clock | None = None
    n_refreshes: Count | None = None
    calibration_ms: Annotated[float, msgspec.Meta(ge=-1000, le=1000)] = 0.0
    clock_ms: Annotated[float, msgspec.Meta(ge=0, le=1000)] = 0.0
    long_task_ms: Ms = 0.0
    key_lag_ms: Clock | None = None
    presses: Annotated[tuple[Press, ...], msgspec.Meta(max_length=40)] = ()
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
    stimulus_sha256 : str
        Of the picture that was shown; must be the plan's.
    key_pressed : str or None
        The first response key after the onset.
    response_ms : float or None
        Time of that press from the onset.
    fixation_ms, stimulus_ms_shown : float or None
        As shown.
    late_refreshes : int or None
        Counted where the presenter sees every refresh.
    refresh_hz : float or None
        Measured refresh rate.
    aborted : bool
        The trial was begun and not ended (reload, crash, withdrawal of full screen).
    utc : str or None
        When it ended, by the browser's clock.
    quality : Quality
        See there.
    """

    stimulus_sha256: Sha256
    key_pressed: Annotated[str, msgspec.Meta(max_length=20)] | None = None
    response_ms: Ms | None = None
    fixation_ms: Ms | None = None
    stimulus_ms_shown: Ms | None = None
    late_refreshes: Count | None = None
    refresh_hz: Hertz | None = None
    aborted: bool = False
    utc: Utc | None = None
    quality: Quality = Quality()


def why_refused(plan: Plan, trial: Trial, measurement: Measurement) -> str | None:
    """Say why a measurement cannot be this trial's, or None."""
    if measurement.stimulus_sha256 != trial.stimulus_sha256:
        return "another picture than the plan's"
    if measurement.key_pressed not in (None, plan.key_target, plan.key_distractor):
        return "a key that is no response key"
    if (measurement.key_pressed is None) != (measurement.response_ms is None):
        return "a key and its time go together"
    if measurement.aborted and measurement.key_pressed is not None:
        return "an aborted trial has no response"
    return None


def timing_ok(plan: Plan, measurement: Measurement) -> bool | None:
    """Whether the picture was up as planned, to half a refresh, on a visible page in the state the session began in.

    Returns
    -------
    bool or None
        None when the refreshes were not watched and nothing else counts against it.
    """
    quality, timing = measurement.quality, plan.protocol.timing
    shown, hz = measurement.stimulus_ms_shown, measurement.refresh_hz
    if measurement.aborted or shown is None or hz is None:
        return False
    if quality.hidden or quality.fullscreen_lost or quality.resized:
        return False
    planned_ms, half_ms = refreshes(timing.stimulus_ms, hz) * 1000 / hz, 500 / hz
    cut_short = timing.response_ends_trial and measurement.key_pressed is not None
    if not ((cut_short or shown > planned_ms - half_ms) and shown < planned_ms + half_ms):
        return False
    return True if quality.seen in ("observed", "presented") else None


def outcome(plan: Plan, trial: Trial, measurement: Measurement) -> tuple[Status, bool | None]:
    """Return a trial's status and whether it is correct, as its row will say."""
    pressed = measurement.key_pressed
    made = judge(
        target=trial.target,
        pressed_target=None if pressed is None else pressed == plan.key_target,
        response_ms=measurement.response_ms,
        limit_ms=plan.protocol.timing.response_limit_ms,
        anticipation_ms=plan.protocol.anticipation_ms,
    )
    return "aborted" if measurement.aborted else made.status, made.correct


def own_flags(measurement: Measurement) -> list[str]:
    """Return what was unusual about a trial by the browser's own word."""
    quality = measurement.quality
    flags = [name for name in ("hidden", "fullscreen_lost", "focus_lost", "resized") if getattr(quality, name)]
    if any(press.response_key and not press.trusted for press in quality.presses):
        flags.append("untrusted_key")  # a script pressed it, no keyboard
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
) -> TrialRecord:
    """Return the row of the trials table; `flags` are those that the server or the session adds to the browser's own."""
    pressed = measurement.key_pressed
    answer = Answer(None if pressed is None else pressed == plan.key_target, measurement.response_ms)
    made = record(
        plan,
        trial,
        answer,
        observer=observer,
        observer_kind=observer_kind,
        session_id=session_id,
        participant_id=participant_id,
        fixation_ms=measurement.fixation_ms,
        stimulus_ms_shown=measurement.stimulus_ms_shown,
        late_refreshes=measurement.late_refreshes,
        refresh_hz=measurement.refresh_hz,
        timing_ok=False if IMPOSSIBLE_DURATION in flags else timing_ok(plan, measurement),
        flags=[*dict.fromkeys((*flags, *own_flags(measurement)))],
        utc=measurement.utc,
    )
    return msgspec.structs.replace(made, status="aborted") if measurement.aborted else made
