"""The clock of a session: the steady one that ticks finest, and stamps of other clocks converted to it.

Durations are differences of one steady clock, which no setting of the computer's time moves. Psychtoolbox stamps keys
with the wall clock on Linux; those stamps are converted by the offset between both clocks at that moment. The wall clock
itself is a label for the reader and times nothing: :func:`wall_s` and :func:`utc_now` are for what other processes and
people read.
"""

import functools
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

#: A clock that moves by more than this against the steady one, beyond what both can resolve, was set.
STEP_S = 0.001
#: How long a clock is watched for its smallest step; Windows' slowest one ticks every 15.6 ms.
_WATCH_S = 0.05


class Clock(NamedTuple):
    """A clock and how fine it is.

    Attributes
    ----------
    name : str
        Such as ``perf_counter``.
    now : callable
        Returns seconds.
    resolution_s : float
        Smallest step that was seen, in seconds.
    """

    name: str
    now: Callable[[], float]
    resolution_s: float


def resolution(now: Callable[[], float], *, watch: Callable[[], float] = time.perf_counter) -> float:
    """Return the smallest step that a clock was seen to make, in seconds.

    Parameters
    ----------
    now : callable
        The clock, in seconds.
    watch : callable
        Another clock, which limits the time spent to 50 ms.

    Returns
    -------
    float
        In seconds; infinite for a clock that did not move.

    Examples
    --------
    >>> ticks = iter([0, 0, 15.6, 15.6, 31.2, 31.2])
    >>> resolution(lambda: next(ticks), watch=iter([0, 0, 0, 0, 0, 1]).__next__)
    15.6
    """
    end, last, smallest, seen = watch() + _WATCH_S, now(), float("inf"), 0
    while seen < 1000 and watch() < end:
        this = now()
        if this > last:
            smallest, seen = min(smallest, this - last), seen + 1
        last = this
    return smallest


def steady(candidates: Sequence[tuple[str, Callable[[], float]]] | None = None) -> Clock:
    """Return the steady clock of the finest measured resolution.

    Parameters
    ----------
    candidates : sequence of (str, callable), optional
        Clocks that never go back; Python's ``perf_counter`` and ``monotonic`` by default. The first one wins a tie.

    Returns
    -------
    Clock
        With its measured resolution.

    Examples
    --------
    >>> steady().resolution_s < 0.001
    True
    """
    if candidates is None:
        candidates = (("perf_counter", time.perf_counter), ("monotonic", time.monotonic))
    clocks = [Clock(name, now, resolution(now)) for name, now in candidates]
    return min(clocks, key=lambda clock: clock.resolution_s)


@functools.cache
def _own() -> Clock:
    return steady()


def now_s() -> float:
    """Return the time on this process's steady clock, in seconds from any beginning; only differences mean something.

    Examples
    --------
    >>> before = now_s()
    >>> now_s() >= before
    True
    """
    return _own().now()


def wall_s() -> float:
    """Return the wall clock in seconds since 1970: a label, or what two processes must agree on; it may be set at any time."""
    return time.time()


def utc_now() -> datetime:
    """Return the wall clock as a moment of UTC: a label, or what is compared with a date that a person wrote."""
    return datetime.now(UTC)


class Conversion:
    """Converts another clock's stamps to the steady clock, and notices when that clock is set.

    Parameters
    ----------
    other : callable
        The other clock, in seconds.
    clock : Clock
        The steady one.
    other_resolution_s : float, optional
        Smallest step of the other clock; measured by default.

    Notes
    -----
    The offset is looked at with every call of :meth:`look`, once per refresh in a session. A stamp that was made since
    the look before may carry the old or the new offset; the one that puts it between both looks is the right one. Where
    a step is so small that both do, the stamp is uncertain by the step, which is noted.
    """

    def __init__(self, other: Callable[[], float], clock: Clock, *, other_resolution_s: float | None = None) -> None:
        self._other, self._clock = other, clock
        own = resolution(other) if other_resolution_s is None else other_resolution_s
        self._blur_s = clock.resolution_s + own
        self._before_s = self._now_s = float("-inf")
        self._offset_s, _ = self._offset()
        self._old_offset_s: float | None = None
        self._notes: list[str] = []
        self.look()

    def _offset(self) -> tuple[float, float]:
        """Return other minus steady from the tightest of three pairs of readings, and how uncertain it is."""
        best = (0.0, float("inf"))
        for _ in range(3):
            before = self._clock.now()
            other = self._other()
            after = self._clock.now()
            if after - before < best[1]:
                best = (other - (before + after) / 2, after - before)
            if after - before < STEP_S / 10:
                break
        return best[0], best[1] / 2 + self._blur_s

    def look(self) -> None:
        """Compare both clocks; to be called before stamps are converted."""
        offset_s, unsure_s = self._offset()
        step_s = offset_s - self._offset_s
        self._before_s, self._now_s = self._now_s, self._clock.now()
        if abs(step_s) > STEP_S + unsure_s:
            self._old_offset_s = self._offset_s
            self._notes.append(f"clock_step {1000 * step_s:.1f} ms")
        else:
            self._old_offset_s = None
        if self._old_offset_s is not None or unsure_s < STEP_S + self._blur_s:
            self._offset_s = offset_s  # follows a clock that is slewed; a look that took long is left out

    def convert(self, stamp_s: float) -> float:
        """Return when a stamp of the other clock was made, on the steady clock, in seconds."""
        new = stamp_s - self._offset_s
        if self._old_offset_s is None:
            return new
        old = stamp_s - self._old_offset_s
        fits = [self._before_s - STEP_S <= at <= self._now_s + STEP_S for at in (old, new)]
        if all(fits):
            self._notes.append(f"press_time_uncertain {1000 * abs(new - old):.1f} ms")
        return old if fits[0] and not fits[1] else new

    def notes(self) -> list[str]:
        """Return the steps and the uncertain stamps since the last call."""
        notes, self._notes = self._notes, []
        return notes
