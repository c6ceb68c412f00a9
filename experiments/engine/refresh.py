"""Refreshes from time stamps: the grid that they lie on, their rate, and what is wrong with them."""

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from rapidvision.errors import InputError

#: A flip that returns later than this is noted.
_NOTE_LAG_S = 0.002


class Grid:
    """Moves each flip's time stamp back to the refresh that it belongs to.

    A flip returns late when the system lets the program wait, hardly ever early; so a stamp belongs to the last refresh
    before it. The grid follows stamps on both sides slowly: a single one, however wrong, does not move it.

    Parameters
    ----------
    period_s : float
        Time between refreshes.
    at_s : float, optional
        Time of one refresh, best from many stamps (:attr:`Refresh.at_s`); the first stamp by default.
    later_s, earlier_s : float
        How far the grid may move per flip, either way.

    Attributes
    ----------
    lag_s : float
        How late the last stamp was.

    Examples
    --------
    >>> grid = Grid(0.010)
    >>> [round(grid.snap(t), 4) for t in (1.0, 1.0103, 1.0261, 1.030)]
    [1.0, 1.01, 1.02, 1.03]
    """

    def __init__(
        self, period_s: float, *, at_s: float | None = None, later_s: float = 1e-5, earlier_s: float = 1e-4
    ) -> None:
        self.period_s, self._later_s, self._earlier_s = period_s, later_s, earlier_s
        self._last = at_s
        self.lag_s = 0.0
        self._lags: list[float] = []
        self._unsynchronised = 0

    def snap(self, time_s: float) -> float:
        """Return the time of the refresh that `time_s` belongs to."""
        if self._last is None:
            self._last = time_s
            return time_s
        # A stamp up to a quarter period early still belongs to the next refresh: clocks jitter.
        steps = int((time_s - self._last) / self.period_s + 0.25)
        if steps < 1:
            self._unsynchronised += 1
            steps = 0 if time_s - self._last < self.period_s / 2 else 1
        at = self._last + steps * self.period_s
        self.lag_s = time_s - at
        if self.lag_s > _NOTE_LAG_S:
            self._lags.append(self.lag_s)
        self._last = at + max(-self._earlier_s, min(self.lag_s, self._later_s))
        return self._last

    def notes(self) -> list[str]:
        """Return what was unusual since the last call: flips that returned late, or did not wait for a refresh."""
        notes = []
        if self._lags:
            notes.append(f"flip_returned_late {len(self._lags)}, at most {1000 * max(self._lags):.1f} ms")
        if self._unsynchronised:  # less than three quarters of a period after the one before
            notes.append(f"unsynchronised_flips {self._unsynchronised}")
        self._lags, self._unsynchronised = [], 0
        return notes


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

    def wait(self, drawn_s: float) -> float:
        """Wait for the first refresh after an image was drawn and return the time."""
        at = drawn_s + self._period_s if self._next_s is None else self._next_s
        while at < drawn_s:
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
    at_s : float
        Time of one refresh, by the regression.
    """

    hz: float
    missed: int
    jitter_ms: float
    spread: float
    n: int
    at_s: float = 0.0


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
        at_s=float(start + intercept),
    )
