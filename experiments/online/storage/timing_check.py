"""Whether a trial was shown as planned: the anchored rule of the engine, held against what the browser measured."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rapidvision.plan import Plan
from rapidvision.screen import refreshes
from rapidvision.task.trial import Trial, TrialPhase

if TYPE_CHECKING:
    from .trial_report import Measurement, PhaseReport


def timing_ok(plan: Plan, trial: Trial, measurement: "Measurement") -> bool | None:
    """Whether every boundary behind an image came as planned, to half a refresh, on a page that stayed as it was.

    Parameters
    ----------
    plan, trial : Plan, Trial
        What was asked; of an adaptive trial, with the chosen value put in.
    measurement : Measurement
        What the browser says.

    Returns
    -------
    bool or None
        None when the refreshes were not watched and nothing else counts against it.
    """
    quality, hz = measurement.quality, measurement.refresh_hz
    if measurement.aborted or hz is None or not measurement.phases:
        return False
    if quality.hidden or quality.fullscreen_lost or quality.resized:
        return False
    rule = plan.protocol.response
    cut = measurement.response_ms is not None and rule is not None and rule.ends_trial
    if not cut and len(measurement.phases) < len(trial.phases):
        return False
    if not _as_planned(trial.phases, measurement.phases, hz, cut=cut):
        return False
    return True if quality.seen in ("observed", "presented") else None


def _as_planned(planned: Sequence[TrialPhase], shown: "Sequence[PhaseReport]", hz: float, *, cut: bool) -> bool:
    """Whether each phase from an image on ended at the refresh that the anchored rule gives; a response may cut one."""
    anchor_ms: float | None = None
    since_ms = 0
    for number, (phase, seen) in enumerate(zip(planned, shown, strict=False)):
        if phase.kind == "stimulus":
            anchor_ms, since_ms = seen.onset_ms, 0
        if phase.duration_ms is None:
            anchor_ms = None
        last = number == len(shown) - 1
        if anchor_ms is None or (last and phase.kind == "blank"):
            continue
        since_ms += phase.duration_ms or 0
        off_ms = seen.onset_ms + seen.shown_ms - anchor_ms - refreshes(since_ms, hz) * 1000 / hz
        if off_ms >= 500 / hz or (off_ms <= -500 / hz and not (cut and last)):
            return False
    return True
