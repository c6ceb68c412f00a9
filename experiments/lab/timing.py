"""A session's timing: what was shown for how long, which refreshes were late, and how fine response times are."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from rapidvision.plan import Plan
from rapidvision.screen import refreshes

from ..interfaces import TrialData
from ..recording.journal import Entry
from ..recording.quality import Quality, quality_of
from .photodiode import DiodeTrial

_PHASES = ("fixation", "stimulus", "blank")


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """The timing of one session.

    Attributes
    ----------
    n_trials : int
        Completed trials.
    refresh_hz : float
        Measured rate.
    wanted_ms : float
        Stimulus duration by the half-frame rule at that rate.
    shown_ms : dict
        Duration in ms, to a tenth → trials.
    off_by_refreshes : dict
        Refreshes too long (or short) → trials; only ``0`` where all is well.
    worst_error_ms : float
        Largest deviation from the planned duration among trials without a late refresh.
    late_refreshes : dict
        fixation, stimulus and blank → refreshes that came late; and ``of``, all refreshes.
    response_step_ms : float or None
        Smallest difference between two response times: the keyboard's resolution shows here.
    response_lock : float or None
        How far response times cluster within the refresh period, 0 (not at all) … 1 (stamped once per refresh).
    flags : dict
        What was unusual → trials.
    quality : Quality
        How much is void or flagged.
    diode : dict
        From a photodiode: mean, sd and largest of onset lag and duration error in ms.
    """

    n_trials: int
    refresh_hz: float
    wanted_ms: float
    shown_ms: dict[str, int]
    off_by_refreshes: dict[str, int]
    worst_error_ms: float | None
    late_refreshes: dict[str, int]
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
        See there. Trials that a response ended are left out of the durations.
    """
    trials = [entry for entry in entries if isinstance(entry, TrialData)]
    timing = plan.protocol.timing
    hz = float(np.median([data.refresh_hz for data in trials]))
    n_wanted = refreshes(timing.stimulus_ms, hz)
    whole = [
        data
        for data in trials
        if not (timing.response_ends_trial and data.response_ms is not None and data.response_ms < timing.stimulus_ms)
    ]
    clean = [abs(data.stimulus_ms - timing.stimulus_ms) for data in whole if data.late_refreshes == (0, 0, 0)]
    times = np.sort([data.response_ms for data in trials if data.response_ms is not None])
    steps = np.diff(times)
    late = np.sum([data.late_refreshes for data in trials], axis=0)
    return Timing(
        n_trials=len(trials),
        refresh_hz=hz,
        wanted_ms=n_wanted * 1000 / hz,
        shown_ms=_counts(f"{data.stimulus_ms:.1f}" for data in whole),
        off_by_refreshes=_counts(str(round(data.stimulus_ms * hz / 1000) - n_wanted) for data in whole),
        worst_error_ms=max(clean) if clean else None,
        late_refreshes={
            **dict(zip(_PHASES, late.tolist(), strict=True)),
            "of": sum(len(data.flips_s) for data in trials),
        },
        response_step_ms=float(steps[steps > 0].min()) if (steps > 0).any() else None,
        response_lock=_lock(times, hz),
        flags=_counts(flag.split(" ")[0] for data in trials for flag in data.flags),
        quality=quality_of(plan, entries),
        diode=_diode(diode),
    )


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
    late = timing.late_refreshes
    n_late = sum(late[phase] for phase in _PHASES)
    exact = timing.off_by_refreshes.get("0", 0)
    n_whole = sum(timing.off_by_refreshes.values())
    lines = [
        f"trials                {timing.n_trials} at {timing.refresh_hz:.3f} Hz",
        f"stimulus shown        {exact} of {n_whole} for {timing.wanted_ms:.1f} ms; all: "
        + ", ".join(f"{ms} ms x {n}" for ms, n in timing.shown_ms.items()),
        "error, clean trials   "
        + ("none were clean" if timing.worst_error_ms is None else f"at most {timing.worst_error_ms:.3f} ms"),
        f"late refreshes        {n_late} of {late['of']}: " + ", ".join(f"{k} {late[k]}" for k in _PHASES),
    ]
    if timing.response_step_ms is not None:
        lines.append(f"response times        smallest step {timing.response_step_ms:.3f} ms")
    if timing.response_lock is not None:
        verdict = "stamped once per refresh" if timing.response_lock > 0.9 else "not tied to refreshes"
        lines.append(f"  cluster by refresh  {timing.response_lock:.2f} (0 not at all, 1 wholly): {verdict}")
    lines.append("flags                 " + (", ".join(f"{k} {n}" for k, n in timing.flags.items()) or "none"))
    lines.append(f"{'ATTENTION' if timing.quality.warns else 'void or flagged':<22}{timing.quality.sentence()}")
    lines += [f"photodiode            {name} {value:.3f}" for name, value in timing.diode.items()]
    return "\n".join(lines)
