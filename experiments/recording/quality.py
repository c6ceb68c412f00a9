"""What share of a session's trials was lost or is in doubt, and the sentence that says so wherever the session is named."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

import msgspec

from rapidvision.integrity.trial_flags import PARTICIPANT_FLAGS
from rapidvision.plan import Plan
from rapidvision.screen import refreshes
from rapidvision.task.trial import Trial

from ..interfaces import Event, TrialData
from .headers import Setup
from .journal import Entry

#: A session in which more trials than this share are void or flagged says so.
WARN_SHARE = 0.05
#: Flags of trials whose measured times cannot be relied upon.
UNSURE_FLAGS = frozenset({"press_time_uncertain", "unsynchronised_flips"})
#: Checks of the display without which measured durations say nothing.
TIMING_CHECKS = frozenset({"synchronised", "refresh rate", "missed refreshes", "jitter", "clock source", "display"})


def flag_name(flag: str) -> str:
    """Return a flag without what follows its name.

    Examples
    --------
    >>> flag_name("clock_step -5000.0 ms")
    'clock_step'
    """
    return flag.split(" ", 1)[0]


def flag_names(data: TrialData, setup: Setup | None = None) -> list[str]:
    """Return the names of a trial's flags, each once, with ``accepted:CHECK`` for each red check that was accepted."""
    accepted = [] if setup is None else [f"accepted:{check.replace(' ', '_')}" for check in setup.accepted]
    return list(dict.fromkeys([*map(flag_name, data.flags), *accepted]))


def timing_ok(trial: Trial, data: TrialData, *, ends_trial: bool = False, setup: Setup | None = None) -> bool:
    """Return whether every phase of a trial was shown as planned and its times can be relied upon.

    Parameters
    ----------
    trial : Trial
        What was planned.
    data : TrialData
        What was measured.
    ends_trial : bool
        Whether a response cuts what is left of the trial (``response.ends_trial``).
    setup : Setup, optional
        What the session ran on. With a red check of the display that was accepted nothing that was measured is sure.

    Returns
    -------
    bool
        False as well where the flips did not wait for the display or a press fell together with a small clock step.
    """
    sure = setup is None or TIMING_CHECKS.isdisjoint(setup.accepted)
    planned = as_planned(trial, data, ends_trial=ends_trial)
    return planned and sure and UNSURE_FLAGS.isdisjoint(map(flag_name, data.flags))


class Boundary(NamedTuple):
    """The end of a phase: planned and measured, from its anchor.

    Attributes
    ----------
    phase : str
        The phase that ends.
    planned_ms, shown_ms : float
        Time from the anchor: the trial's first refresh, the onset of a stimulus, or the end of a phase that stood until
        the response.
    cut : bool
        Whether the response may have cut it.
    """

    phase: str
    planned_ms: int
    shown_ms: float
    cut: bool

    def as_planned(self, refresh_hz: float) -> bool:
        """Whether it came at the refresh nearest its target; before it where the response cut the phase."""
        n_shown, n_planned = round(self.shown_ms * refresh_hz / 1000), refreshes(self.planned_ms, refresh_hz)
        return n_shown <= n_planned if self.cut else n_shown == n_planned


def boundaries_of(trial: Trial, data: TrialData, *, ends_trial: bool = False) -> list[Boundary]:
    """Return the end of every phase that has a planned duration and was shown.

    Parameters
    ----------
    trial, data, ends_trial
        As for :func:`timing_ok`.
    """
    trial = trial.chosen(next((choice for choice in trial.choices if choice.value == data.chosen), None))
    cut = data.phases[-1].name if ends_trial and data.input is not None and data.phases else ""
    found, anchor, since_ms = [], None, 0
    for phase in trial.phases:
        shown = data.phase(phase.name)
        if phase.duration_ms is None:
            anchor = None
        elif shown is not None:
            if anchor is None or phase.kind == "stimulus":
                anchor, since_ms = shown.onset_ms, 0
            since_ms += phase.duration_ms
            end = shown.onset_ms + shown.shown_ms - anchor
            found.append(Boundary(phase.name, since_ms, end, cut=phase.name == cut))
    return found


def as_planned(trial: Trial, data: TrialData, *, ends_trial: bool = False) -> bool:
    """Return whether every phase ended at the refresh nearest its target, or at the response where that ends the trial."""
    found = boundaries_of(trial, data, ends_trial=ends_trial)
    missing = {phase.name for phase in trial.phases if phase.duration_ms is not None or phase.factor}
    missing -= {phase.name for phase in data.phases}
    cut = ends_trial and data.input is not None
    return all(boundary.as_planned(data.refresh_hz) for boundary in found) and (cut or not missing)


class Quality(msgspec.Struct, frozen=True, kw_only=True):
    """How much of a session is lost or in doubt.

    Attributes
    ----------
    n_trials : int
        Trials whose image was seen, completed or not.
    n_void : int
        Those that were never completed.
    n_flagged : int
        Completed ones that were not shown as planned or met trouble with the equipment.
    flags : dict
        Name of the trouble → trials; ``not_as_planned`` for durations that are off.
    """

    n_trials: int
    n_void: int
    n_flagged: int
    flags: dict[str, int]

    @property
    def warns(self) -> bool:
        """Whether more than 5 % are void or flagged, or a trigger failed."""
        bad = self.n_void + self.n_flagged > WARN_SHARE * self.n_trials
        return bad or "trigger_failed" in self.flags

    def sentence(self) -> str:
        """Return what is void and flagged, with counts and per cent."""
        share = 100 * (self.n_void + self.n_flagged) / self.n_trials if self.n_trials else 0.0
        words = f"{self.n_void} void and {self.n_flagged} flagged of {self.n_trials} trials ({share:.0f} %)"
        return words + (": " + ", ".join(f"{name} {n}" for name, n in self.flags.items()) if self.flags else "")


def ends_trial(plan: Plan) -> bool:
    """Whether a response cuts what is left of a trial."""
    return plan.protocol.response is not None and plan.protocol.response.ends_trial


def quality_of(plan: Plan, entries: Sequence[Entry]) -> Quality:
    """Return the quality of a session from its journal's entries, or from the trials and events of a running one."""
    completed = {entry.trial: entry for entry in entries if isinstance(entry, TrialData)}
    seen = {entry.trial for entry in entries if isinstance(entry, Event) and entry.seen} - set(completed)
    trials, ends = {trial.trial: trial for trial in plan.trials()}, ends_trial(plan)
    flags: Counter[str] = Counter()
    n_flagged = 0
    for data, setup in with_setups(entries):
        if completed[data.trial] is not data:
            continue
        trouble = {name for name in flag_names(data, setup) if name not in PARTICIPANT_FLAGS}
        if not as_planned(trials[data.trial], data, ends_trial=ends):
            trouble.add("not_as_planned")
        flags.update(trouble)
        n_flagged += bool(trouble)
    for entry in entries:  # trouble between trials belongs to none, but a trigger that fails there fails all the same
        if isinstance(entry, Event) and "trigger_failed" in entry.detail:
            flags["trigger_failed"] += 1
    return Quality(
        n_trials=len(completed) + len(seen), n_void=len(seen), n_flagged=n_flagged, flags=dict(sorted(flags.items()))
    )


def with_setups(entries: Iterable[Entry]) -> list[tuple[TrialData, Setup | None]]:
    """Return each completed trial with what the session ran on when it was run."""
    setup: Setup | None = None
    found = []
    for entry in entries:
        if isinstance(entry, Setup):
            setup = entry
        elif isinstance(entry, TrialData):
            found.append((entry, setup))
    return found


def response_step_ms(trials: Iterable[TrialData]) -> float | None:
    """Return the smallest difference between two response times, or None: the resolution of the inputs shows here."""
    times = sorted({data.response_ms for data in trials if data.response_ms is not None})
    return min((later - earlier for earlier, later in pairwise(times)), default=None)
