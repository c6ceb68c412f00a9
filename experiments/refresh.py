"""Refreshes from time stamps: the grid that they lie on, their rate, and what is wrong with them."""

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from rapidvision.errors import InputError


class Grid:
    """Moves each flip's time stamp back to the refresh that it belongs to.

    A flip returns late when the system lets the program wait, never early; so a stamp belongs to the last refresh
    before it. The grid follows early stamps at once and late ones slowly.

    Parameters
    ----------
    period_s : float
        Time between refreshes.
    drift_s : float
        How far the grid may move later per flip.

    Attributes
    ----------
    lag_s : float
        How late the last stamp was.
    unsynchronised : int
        Flips that came less than half a period after the one before: they did not wait for a refresh.

    Examples
    --------
    >>> grid = Grid(0.010)
    >>> [round(grid.snap(t), 4) for t in (1.0, 1.0103, 1.0261, 1.030)]
    [1.0, 1.01, 1.02, 1.03]
    """

    def __init__(self, period_s: float, *, drift_s: float = 1e-5) -> None:
        self.period_s, self._drift_s = period_s, drift_s
        self._last: float | None = None
        self.lag_s = 0.0
        self.unsynchronised = 0

    def snap(self, time_s: float) -> float:
        """Return the time of the refresh that `time_s` belongs to."""
        if self._last is None:
            self._last = time_s
            return time_s
        # A stamp up to a quarter period early still belongs to the next refresh: clocks jitter.
        steps = int((time_s - self._last) / self.period_s + 0.25)
        if steps < 1:
            self.unsynchronised += 1
            steps = 0 if time_s - self._last < self.period_s / 2 else 1
        at = self._last + steps * self.period_s
        self.lag_s = time_s - at
        self._last = at + min(self.lag_s, self._drift_s)
        return self._last


class Pacer:
    """Imitated refreshes for displays without any, such as Xvfb: a named test mode, never for data.

    Parameters
    ----------
    period_s : float
        Time between refreshes.
    now : callable
        The clock, in seconds.
    sleep : callable
        Waits for some seconds; the last 0.6 ms are waited for by looking at the clock.
    """

    def __init__(
        self, period_s: float, *, now: Callable[[], float], sleep: Callable[[float], object] = time.sleep
    ) -> None:
        self._period_s, self._now, self._sleep = period_s, now, sleep
        self._next_s: float | None = None

    def wait(self, swapped_s: float) -> float:
        """Wait for the first refresh after a swap and return the time."""
        at = swapped_s + self._period_s if self._next_s is None else self._next_s
        while at < swapped_s:
            at += self._period_s
        while (rest := at - self._now()) > 0:
            if rest > 0.0007:
                self._sleep(rest - 0.0006)
        self._next_s = at + self._period_s
        return self._now()


class Refresh(NamedTuple):
    """What a run of flips says about a display.

    Attributes
    ----------
    hz : float
        Rate by regression of the stamps on the refresh number, missed refreshes taken into account.
    missed : int
        Refreshes without a flip.
    jitter_ms : float
        Standard deviation of the stamps around the regression line.
    spread : float
        Standard deviation of the intervals, those with missed refreshes left out, over their median.
    n : int
        Number of stamps.
    """

    hz: float
    missed: int
    jitter_ms: float
    spread: float
    n: int


def estimate(stamps_s: Sequence[float]) -> Refresh:
    """Estimate refresh rate, missed refreshes and jitter from the stamps of flips in a row.

    Parameters
    ----------
    stamps_s : sequence of float
        At least 20, in seconds, increasing.

    Returns
    -------
    Refresh
        See there.

    Raises
    ------
    InputError
        When there are too few stamps or they do not increase.

    Examples
    --------
    >>> measured = estimate([k / 75 for k in range(100) if k != 50])
    >>> round(measured.hz, 6), measured.missed
    (75.0, 1)
    """
    stamps = np.asarray(stamps_s, dtype=np.float64)
    steps = np.diff(stamps)
    if len(stamps) < 20 or not (steps > 0).all():
        raise InputError("refresh rate: cannot be measured, the display's time stamps are too few or do not increase")
    start, period = stamps[0], float(np.median(steps))
    good = np.ones(len(stamps), dtype=bool)
    index = np.rint((stamps - start) / period)
    for _ in range(6):
        period, intercept = np.polyfit(index[good], stamps[good] - start, 1)
        residual = stamps - start - index * period - intercept
        centre = np.median(residual)
        good = np.abs(residual - centre) <= 4.5 * np.median(np.abs(residual - centre)) + 1e-6
        index = np.rint((stamps - start - intercept) / period)
    single = steps[np.diff(index) == 1]
    return Refresh(
        hz=1 / float(period),
        missed=int(np.maximum(np.diff(index) - 1, 0).sum()),
        jitter_ms=float(residual.std()) * 1000,
        spread=float(single.std() / np.median(single)) if len(single) else 0.0,
        n=len(stamps),
    )
