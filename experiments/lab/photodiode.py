"""A photodiode's trace against the journal: when light really changed, and for how long.

Software cannot see the last steps to the glass: buffering in the driver, the panel's own delay, its response time. The
patch of ``--photodiode-px`` is black while an image or a mask is up and white otherwise; what a diode on it saw is read
here. A mask that follows its image at once is one dark interval with it. "A photo-diode was used to verify stimulus
timing was consistently accurate within 10ms."
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.plan import Plan
from rapidvision.text import csv_text

from ..interfaces import Event, TrialData
from ..recording.headers import Setup
from ..recording.journal import Entry

Floats = NDArray[np.float64]


class Trace(NamedTuple):
    """What a diode recorded: times in s, light in any unit, and the trigger line where one was recorded too."""

    time_s: Floats
    light: Floats
    trigger: Floats | None


class DiodeTrial(NamedTuple):
    """One dark interval of a trial as the diode saw it.

    Attributes
    ----------
    trial : int
        Its number.
    phases : str
        The phases that were up in it, such as ``stimulus`` or ``stimulus+mask``.
    onset_lag_ms : float
        Light after the software's onset. With a trigger line this is absolute; without one the median is taken off,
        because the two clocks have no common zero.
    duration_error_ms : float
        Duration of the light minus the duration that the software recorded.
    """

    trial: int
    phases: str
    onset_lag_ms: float
    duration_error_ms: float


class Shown(NamedTuple):
    """Images and masks that were up without a gap: trial (None where interrupted), onset, duration together, rate, names."""

    trial: int | None
    onset_s: float
    shown_ms: float | None
    refresh_hz: float | None
    phases: str = ""


class Compared(NamedTuple):
    """What a diode saw of a session.

    Attributes
    ----------
    trials : list of DiodeTrial
        What it saw of the trials.
    unseen : list of int
        Completed trials in which a dark interval is missing.
    strangers : int
        Dark intervals that belong to no image and no mask.
    strobes : bool
        Whether the display goes dark between refreshes; durations are then uncertain by one of them.
    """

    trials: list[DiodeTrial]
    unseen: list[int]
    strangers: int
    strobes: bool

    def report(self) -> str:
        """Return what was seen, as text."""
        counts = (
            f"{len(self.trials)} dark intervals of {len({seen.trial for seen in self.trials})} trials seen, missing in "
            f"{len(self.unseen)}, {self.strangers} of no image"
        )
        lines = [f"photodiode            {counts}"]
        if self.unseen:
            lines.append(f"  without light       trials {', '.join(map(str, self.unseen))}")
        if self.strobes:
            lines.append("  the display strobes: durations are uncertain by one refresh")
        return "\n".join(lines)


def read_trace(path: Path | str) -> Trace:
    """Read a trace as CSV with the columns ``time_s``, ``light`` and, if there is one, ``trigger``.

    Raises
    ------
    InputError
        When columns are missing, a cell is no number, or times do not increase; names the line.
    """
    rows = csv_text.read(path, ("time_s", "light"))
    wanted = [name for name in ("time_s", "light", "trigger") if rows and name in rows[0]]
    values = []
    for number, row in enumerate(rows, 2):
        try:
            values.append([float(row[name]) for name in wanted])
        except (TypeError, ValueError):
            raise InputError(f"{path}: line {number}: {row}; numbers are needed") from None
    table = np.array(values, dtype=np.float64).reshape(-1, len(wanted))
    if len(table) < 2 or not (np.diff(table[:, 0]) > 0).all():
        raise InputError(f"{path}: at least two samples with increasing times are needed")
    return Trace(table[:, 0], table[:, 1], table[:, 2] if len(wanted) == 3 else None)


def crossings(time_s: Floats, value: Floats) -> tuple[Floats, Floats]:
    """Return when a signal falls and when it rises through the middle of its range, between samples by a straight line.

    Raises
    ------
    InputError
        When the signal does not change.
    """
    # The middle one of three neighbours: a single wild sample must not set the range, a short pulse must.
    steady = np.sort(np.stack([value[:-2], value[1:-1], value[2:]]), axis=0)[1] if len(value) > 2 else value
    low, high = steady.min(), steady.max()
    if not high > low:
        raise InputError("the trace does not change; is the diode on the patch, and was --photodiode-px given?")
    middle = (low + high) / 2
    dark = value < middle
    at = np.flatnonzero(dark[1:] != dark[:-1])
    share = (middle - value[at]) / (value[at + 1] - value[at])
    times = time_s[at] + share * (time_s[at + 1] - time_s[at])
    falls = dark[at + 1]
    return times[falls], times[~falls]


def images_of(plan: Plan, entries: Sequence[Entry]) -> list[list[Shown]]:
    """Return what was dark on the patch, interrupted images too, by opening of the journal and in order of time.

    Parameters
    ----------
    plan : Plan
        Says which phases are images and masks.
    entries : sequence of Entry
        The journal.
    """
    kinds = {trial.trial: {phase.name: phase.kind for phase in trial.phases} for trial in plan.trials()}
    runs: list[list[Shown]] = [[]]
    for entry in entries:
        if isinstance(entry, Setup):
            runs.append([])
        elif isinstance(entry, TrialData):
            runs[-1] += _marks(entry, kinds[entry.trial])
        elif isinstance(entry, Event) and entry.onset_s is not None:
            runs[-1].append(Shown(None, entry.onset_s, None, None))
    return [sorted(run, key=lambda shown: shown.onset_s) for run in runs if run]


def _marks(data: TrialData, kinds: Mapping[str, str]) -> list[Shown]:
    found: list[Shown] = []
    joined = False
    for phase in data.phases:
        dark = kinds[phase.name] in ("stimulus", "mask")
        if dark and joined:
            last = found[-1]
            whole_ms = (last.shown_ms or 0.0) + phase.shown_ms
            found[-1] = last._replace(shown_ms=whole_ms, phases=f"{last.phases}+{phase.name}")
        elif dark:
            onset_s = data.zero_s + phase.onset_ms / 1000
            found.append(Shown(data.trial, onset_s, phase.shown_ms, data.refresh_hz, phase.name))
        joined = dark
    return found


def compare(trace: Trace, runs: Sequence[Sequence[Shown]]) -> Compared:
    """Match the dark intervals of a trace to the images and masks of a journal by their sequence in time.

    Parameters
    ----------
    trace : Trace
        From :func:`read_trace`.
    runs : sequence of sequences of Shown
        From :func:`images_of`; each run has a clock with a zero of its own.

    Returns
    -------
    Compared
        What was seen, trials in which something was not, and dark intervals that belong to no image.

    Raises
    ------
    InputError
        When fewer than half of them can be found in the trace.
    """
    images = [shown for run in runs for shown in run]
    onsets, ends, n_short = _dark(trace, images)
    found: list[DiodeTrial] = []
    unseen: dict[int, None] = {}
    first = n_matched = 0
    marks = None if trace.trigger is None else crossings(trace.time_s, trace.trigger)[1]
    for run in runs:
        software = np.array([shown.onset_s for shown in run])
        at = _match(software, onsets[first:])
        seen = np.flatnonzero(at >= 0)
        missing = [shown.trial for shown, place in zip(run, at, strict=True) if place < 0]
        unseen |= dict.fromkeys(trial for trial in missing if trial is not None)
        if not len(seen):
            continue
        places = at[seen] + first
        first, n_matched = int(places.max()) + 1, n_matched + len(seen)
        lags = _lags(software[seen], onsets[places], marks)
        for shown, lag, place in zip([run[int(i)] for i in seen], lags, places, strict=True):
            if shown.trial is not None and shown.shown_ms is not None:
                length_ms = float(1000 * (ends[place] - onsets[place]))
                found.append(DiodeTrial(shown.trial, shown.phases, float(1000 * lag), length_ms - shown.shown_ms))
    if 2 * n_matched < len(images):
        raise InputError(
            f"the trace has {len(onsets)} dark intervals and the journal {len(images)} images and masks, of which "
            f"{n_matched} fit in time; is it the trace of this session, recorded from its beginning?"
        )
    return Compared(found, list(unseen), len(onsets) - n_matched, n_short > 5 * len(images))


def _dark(trace: Trace, images: Sequence[Shown]) -> tuple[Floats, Floats, int]:
    """Return when the patch was dark for as long as an image, and how many shorter gaps there were.

    Displays that strobe are dark between any two refreshes; such gaps, and flicker, are no images.
    """
    falls, rises = crossings(trace.time_s, trace.light)
    rises = rises[rises > falls[0]] if len(falls) else rises
    n = min(len(falls), len(rises))
    lengths = rises[:n] - falls[:n]
    shortest = min((shown.shown_ms for shown in images if shown.shown_ms is not None), default=400.0)
    slowest = min((shown.refresh_hz for shown in images if shown.refresh_hz is not None), default=60.0)
    keep = lengths > max(0.005, min(1.5 / slowest, shortest / 2000))
    return falls[:n][keep], rises[:n][keep], int(n - keep.sum())


def _match(software: Floats, onsets: Floats) -> NDArray[np.intp]:
    """Return for each image the place of its dark interval, -1 for none.

    The clocks have no common zero and may drift apart by a ten-thousandth: an offset is tried from pairs of both
    sequences, the one under which most images have an interval near is refined by a straight line.
    """
    nothing = np.full(len(software), -1, dtype=np.intp)
    if not len(onsets):
        return nothing
    tolerance_s = min(0.15, 0.3 * float(np.diff(software).min())) if len(software) > 1 else np.inf
    best, best_key = nothing, (0, -np.inf)
    for anchor in np.unique(np.linspace(0, len(software) - 1, 12).astype(int)):
        for onset in onsets:
            line = np.array([0.0, onset - software[anchor]])
            for _ in range(3):
                at, distance = _nearest(software, onsets, line, tolerance_s)
                hit = at >= 0
                if hit.sum() < 3:
                    break
                line = np.polyfit(software[hit] - software[0], onsets[at[hit]] - software[hit], 1)
                line[0] = np.clip(line[0], -1e-3, 1e-3)
                line[1] = np.median(onsets[at[hit]] - software[hit] - line[0] * (software[hit] - software[0]))
            hit = at >= 0
            key = (int(hit.sum()), -float(distance[hit].sum()) if hit.any() else -np.inf)
            if key > best_key:
                best, best_key = at, key
    return best


def _nearest(software: Floats, onsets: Floats, line: Floats, tolerance_s: float) -> tuple[NDArray[np.intp], Floats]:
    wanted = software + line[0] * (software - software[0]) + line[1]
    right = np.clip(np.searchsorted(onsets, wanted), 1, max(1, len(onsets) - 1))
    places = right - 1 if len(onsets) == 1 else right - (wanted - onsets[right - 1] < onsets[right] - wanted)
    distance = np.abs(onsets[places] - wanted)
    places = np.where(distance <= tolerance_s, places, -1)
    _, first = np.unique(places, return_index=True)
    once = np.isin(np.arange(len(places)), first)
    return np.where(once, places, -1).astype(np.intp), distance


def _lags(software: Floats, onsets: Floats, marks: Floats | None) -> Floats:
    """Return how late the light was: after the nearest trigger, or around the median where there is none."""
    if marks is not None:
        return np.array([onset - marks[np.abs(marks - onset).argmin()] for onset in onsets])
    lags: Floats = onsets - software
    if len(lags) > 2:
        line = np.polynomial.Polynomial.fit(software - software[0], lags, 1)
        lags = lags - line(software - software[0])
    return lags - np.median(lags)
