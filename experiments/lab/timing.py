"""A session's timing: how long each phase was shown, which refreshes were late, and how fine response times are."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from rapidvision.plan import Plan
from rapidvision.screen import refreshes
from rapidvision.task.trial import Trial

from ..interfaces import TrialData
from ..recording.journal import Entry
from ..recording.quality import Quality, boundaries_of, quality_of, response_step_ms
from .photodiode import DiodeTrial

#: More durations than this are reported by their range.
_MOST_DURATIONS = 6


class PhaseTiming(msgspec.Struct, frozen=True, kw_only=True):
    """The timing of one phase over a session.

    Attributes
    ----------
    planned_ms : tuple of int
        Shortest and longest planned duration; empty where it stands until the response.
    shown_ms : dict
        Duration in ms, to a tenth -> trials.
    off_by_refreshes : dict
        Refreshes by which its end came too late (or early), from its anchor -> trials; only ``0`` where all is well.
        Trials in which a response cut it, and phases that stand until the response, are left out.
    worst_error_ms : float or None
        Largest distance of its end from the planned time, among trials without a late refresh in it; at most half a
        refresh where all is well.
    late_refreshes : int
        Refreshes of it that came late.
    """

    planned_ms: tuple[int, ...]
    shown_ms: dict[str, int]
    off_by_refreshes: dict[str, int]
    worst_error_ms: float | None
    late_refreshes: int


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """The timing of one session.

    Attributes
    ----------
    n_trials : int
        Completed trials.
    refresh_hz : float
        Measured rate.
    phases : dict
        Phase -> its timing, in the order of a trial.
    n_refreshes : int
        All refreshes of completed trials.
    response_step_ms : float or None
        Smallest difference between two response times: the resolution of the inputs shows here.
    response_lock : float or None
        How far response times cluster within the refresh period, 0 (not at all) to 1 (stamped once per refresh).
    flags : dict
        What was unusual -> trials.
    quality : Quality
        How much is void or flagged.
    diode : dict
        From a photodiode: mean, sd and largest of onset lag and duration error in ms.
    """

    n_trials: int
    refresh_hz: float
    phases: dict[str, PhaseTiming]
    n_refreshes: int
    response_step_ms: float | None
    response_lock: float | None
    flags: dict[str, int]
    quality: Quality
    diode: dict[str, float] = {}


def timing_of(plan: Plan, entries: Sequence[Entry], *, diode: Sequence[DiodeTrial] = ()) -> Timing:
    """Summarize the timing of a session's completed trials.

    Parameters
    ----------
    plan : Plan
        What was planned.
    entries : sequence of Entry
        What the journal holds; at least one completed trial.
    diode : sequence of DiodeTrial
        What a photodiode saw.

    Returns
    -------
    Timing
        See there.
    """
    trials = [entry for entry in entries if isinstance(entry, TrialData)]
    hz = float(np.median([data.refresh_hz for data in trials]))
    times = np.sort([data.response_ms for data in trials if data.response_ms is not None])
    return Timing(
        n_trials=len(trials),
        refresh_hz=hz,
        phases=_phases(plan, trials),
        n_refreshes=sum(len(data.flips_s) for data in trials),
        response_step_ms=response_step_ms(trials),
        response_lock=_lock(times, hz),
        flags=_counts(flag.split(" ")[0] for data in trials for flag in data.flags),
        quality=quality_of(plan, entries),
        diode=_diode(diode),
    )


def _phases(plan: Plan, trials: Sequence[TrialData]) -> dict[str, PhaseTiming]:
    response, planned = plan.protocol.response, {trial.trial: trial for trial in plan.trials()}
    ends_trial = response is not None and response.ends_trial
    ends = [boundaries_of(planned[data.trial], data, ends_trial=ends_trial) for data in trials]
    found = {}
    for name in dict.fromkeys(phase.id for phase in plan.protocol.phases):
        shown = [phase for data in trials if (phase := data.phase(name)) is not None]
        mine = [
            (data, each)
            for data, own in zip(trials, ends, strict=True)
            for each in own
            if each.phase == name and not each.cut
        ]
        clean = [
            abs(each.shown_ms - each.planned_ms)
            for data, each in mine
            if (phase := data.phase(name)) is not None and not phase.late_refreshes
        ]
        wanted = [_duration(planned[data.trial], data, name) for data, _ in mine]
        found[name] = PhaseTiming(
            planned_ms=(min(wanted), max(wanted)) if wanted else (),
            shown_ms=_counts(f"{phase.shown_ms:.1f}" for phase in shown),
            off_by_refreshes=_counts(
                str(round(each.shown_ms * data.refresh_hz / 1000) - refreshes(each.planned_ms, data.refresh_hz))
                for data, each in mine
            ),
            worst_error_ms=max(clean) if clean else None,
            late_refreshes=sum(phase.late_refreshes for phase in shown),
        )
    return found


def _duration(trial: Trial, data: TrialData, name: str) -> int:
    """Return the planned duration of a phase, with the value of an adaptive factor that was shown."""
    trial = trial.chosen(next((choice for choice in trial.choices if choice.value == data.chosen), None))
    return next(phase.duration_ms for phase in trial.phases if phase.name == name) or 0


def _counts(words: Any) -> dict[str, int]:
    return dict(sorted(Counter(words).items()))


def _lock(times_ms: Any, hz: float) -> float | None:
    if len(times_ms) < 10:
        return None
    phase = 2 * math.pi * np.asarray(times_ms) * hz / 1000
    return float(np.hypot(np.cos(phase).mean(), np.sin(phase).mean()))


def _diode(trials: Sequence[DiodeTrial]) -> dict[str, float]:
    if not trials:
        return {}
    out = {}
    for name in ("onset_lag_ms", "duration_error_ms"):
        values = np.array([getattr(trial, name) for trial in trials])
        out[f"{name}_mean"] = float(values.mean())
        out[f"{name}_sd"] = float(values.std())
        out[f"{name}_largest"] = float(values[np.abs(values).argmax()])
    return out


def report(timing: Timing) -> str:
    """Return the timing as text."""
    n_late = sum(phase.late_refreshes for phase in timing.phases.values())
    lines = [f"trials                {timing.n_trials} at {timing.refresh_hz:.3f} Hz"]
    lines += [_line(name, phase) for name, phase in timing.phases.items()]
    lines.append(
        f"late refreshes        {n_late} of {timing.n_refreshes}: "
        + ", ".join(f"{name} {phase.late_refreshes}" for name, phase in timing.phases.items())
    )
    if timing.response_step_ms is not None:
        lines.append(f"response times        smallest step {timing.response_step_ms:.3f} ms")
    if timing.response_lock is not None:
        verdict = "stamped once per refresh" if timing.response_lock > 0.9 else "not tied to refreshes"
        lines.append(f"  cluster by refresh  {timing.response_lock:.2f} (0 not at all, 1 wholly): {verdict}")
    lines.append("flags                 " + (", ".join(f"{k} {n}" for k, n in timing.flags.items()) or "none"))
    lines.append(f"{'ATTENTION' if timing.quality.warns else 'void or flagged':<22}{timing.quality.sentence()}")
    lines += [f"photodiode            {name} {value:.3f}" for name, value in timing.diode.items()]
    return "\n".join(lines)


def _line(name: str, phase: PhaseTiming) -> str:
    n_exact, n = phase.off_by_refreshes.get("0", 0), sum(phase.off_by_refreshes.values())
    words = []
    if phase.planned_ms:
        planned = " to ".join(str(ms) for ms in dict.fromkeys(phase.planned_ms))
        worst = "none was clean" if phase.worst_error_ms is None else f"at most {phase.worst_error_ms:.3f} ms off"
        words.append(f"{n_exact} of {n} end as planned ({planned} ms), {worst}")
    shown = phase.shown_ms
    if 0 < len(shown) <= _MOST_DURATIONS:
        words.append("shown " + ", ".join(f"{ms} ms x {count}" for ms, count in shown.items()))
    elif shown:
        words.append(f"shown {min(map(float, shown))} to {max(map(float, shown))} ms")
    return f"{name:<22}" + ("; ".join(words) or "never shown")
