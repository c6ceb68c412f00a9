"""A photodiode's trace against the journal: when light really changed, and for how long.

Software cannot see the last steps to the glass: buffering in the driver, the panel's own delay, its response time. The
patch of ``--photodiode`` is black while a stimulus is up and white otherwise; what a diode on it saw is read here. "A
photo-diode was used to verify stimulus timing was consistently accurate within 10ms."
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.formats import csv_text

from ..engine.interfaces import TrialData

Floats = NDArray[np.float64]


class Trace(NamedTuple):
    """What a diode recorded: times in s, light in any unit, and the trigger line where one was recorded too."""

    time_s: Floats
    light: Floats
    trigger: Floats | None


class DiodeTrial(NamedTuple):
    """One trial as the diode saw it.

    Attributes
    ----------
    trial : int
        Its number.
    onset_lag_ms : float
        Light after the software's onset. With a trigger line this is absolute; without one the median is taken off,
        because the two clocks have no common zero.
    duration_error_ms : float
        Duration of the light minus the duration that the software recorded.
    """

    trial: int
    onset_lag_ms: float
    duration_error_ms: float


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
        raise InputError("the trace does not change; is the diode on the patch, and was --photodiode given?")
    middle = (low + high) / 2
    dark = value < middle
    at = np.flatnonzero(dark[1:] != dark[:-1])
    share = (middle - value[at]) / (value[at + 1] - value[at])
    times = time_s[at] + share * (time_s[at + 1] - time_s[at])
    falls = dark[at + 1]
    return times[falls], times[~falls]


def compare(trace: Trace, trials: Sequence[TrialData]) -> list[DiodeTrial]:
    """Match the dark intervals of a trace to the trials of a journal.

    Parameters
    ----------
    trace : Trace
        From :func:`read_trace`.
    trials : sequence of TrialData
        In the order in which they ran.

    Returns
    -------
    list of DiodeTrial
        One per trial.

    Raises
    ------
    InputError
        When the trace does not hold exactly one dark interval per trial.
    """
    falls, rises = crossings(trace.time_s, trace.light)
    rises = rises[rises > falls[0]] if len(falls) else rises
    n = min(len(falls), len(rises))
    # A flicker within the diode's settling time is no stimulus.
    keep = rises[:n] - falls[:n] > 0.005
    onsets, ends = falls[:n][keep], rises[:n][keep]
    if len(onsets) != len(trials):
        raise InputError(
            f"the trace has {len(onsets)} stimuli, the journal {len(trials)} trials; cut the trace to the session"
        )
    software = np.array([trial.onset_s for trial in trials])
    if trace.trigger is not None:
        _, marks = crossings(trace.time_s, trace.trigger)
        nearest = np.array([marks[np.abs(marks - onset).argmin()] for onset in onsets])
        lags = onsets - nearest
    else:
        offset = np.polynomial.Polynomial.fit(software - software[0], onsets - software, 1) if n > 2 else None
        drift = offset(software - software[0]) if offset is not None else onsets - software
        lags = onsets - software - drift
        lags -= np.median(lags)
    durations = (ends - onsets) * 1000
    return [
        DiodeTrial(trial.trial, float(1000 * lag), float(duration - trial.stimulus_ms))
        for trial, lag, duration in zip(trials, lags, durations, strict=True)
    ]
