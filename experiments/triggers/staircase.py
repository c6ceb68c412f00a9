"""A test of a trigger port: every line alone, all lines, then a session's codes; with a loop-back, what came back and when."""

import time
from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec
import numpy as np

from ..clock import now_s
from .ports import TriggerPort
from .pulses import Pulses

#: Each of the eight lines alone, then all of them: a recording shows a staircase.
STAIRCASE = (1, 2, 4, 8, 16, 32, 64, 128, 255)
#: How long a code that does not come back is waited for.
_WAIT_S = 0.5


class Loop(Protocol):
    """Something that returns the bytes that came back."""

    def received(self) -> bytes:
        """Return what has arrived since the last call."""
        ...


class StaircaseResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a test of a port found.

    Attributes
    ----------
    n_sent : int
        Codes.
    n_returned : int or None
        Codes that came back in their place; None without a loop-back.
    n_zeros : int or None
        Codes that returned to zero; None without a loop-back, or where the port sends no zeros.
    lag_ms, lag_sd_ms, lag_largest_ms : float or None
        From sending a code to its arrival.
    width_ms, width_sd_ms : float or None
        From a code's arrival to its zero's.
    """

    n_sent: int
    n_returned: int | None = None
    n_zeros: int | None = None
    lag_ms: float | None = None
    lag_sd_ms: float | None = None
    lag_largest_ms: float | None = None
    width_ms: float | None = None
    width_sd_ms: float | None = None

    @property
    def passed(self) -> bool:
        """Whether all that could be measured came back, in order and to zero."""
        return self.n_returned in (None, self.n_sent) and self.n_zeros in (None, self.n_sent)

    def sentence(self) -> str:
        """Return what was found, with counts and ms."""
        if self.n_returned is None:
            return f"{self.n_sent} codes sent; nothing was read back: look at the recording for a staircase"
        words = f"{self.n_returned} of {self.n_sent} codes came back in order"
        if self.n_zeros is not None:
            words += f", {self.n_zeros} returned to zero"
        if self.lag_ms is not None:
            words += f"; lag {self.lag_ms:.2f} ms (sd {self.lag_sd_ms:.2f}, largest {self.lag_largest_ms:.2f})"
        return words + ("" if self.width_ms is None else f"; width {self.width_ms:.2f} ms (sd {self.width_sd_ms:.2f})")


def run_staircase(
    port: TriggerPort,
    codes: Sequence[int] = STAIRCASE,
    *,
    every_s: float = 0.1,
    loop: Loop | None = None,
    tell: Callable[[int], object] = lambda _: None,
) -> StaircaseResult:
    """Send codes at an even pace and compare what comes back.

    Parameters
    ----------
    port : TriggerPort
        Where to.
    codes : sequence of int
        Which, from 1 to 255.
    every_s : float
        From one code to the next.
    loop : Loop, optional
        What reads the bytes that come back; the port itself where its ends are wired.
    tell : callable
        Told of each code before it goes out.

    Returns
    -------
    StaircaseResult
        Counts and times in ms.

    Raises
    ------
    OSError
        What the port raises; here nothing is hidden.
    """
    pulses = isinstance(port, Pulses)
    sent: list[tuple[int, float]] = []
    arrived: list[tuple[int, float]] = []
    begin = now_s()

    def hear(until_s: float) -> None:
        while now_s() < until_s:
            if loop is None:
                time.sleep(max(0.0, until_s - now_s()))
                return
            now = now_s()
            arrived.extend((byte, now) for byte in loop.received())
            time.sleep(0.0002)

    hear(begin)
    for number, code in enumerate(codes):
        tell(code)
        hear(begin + number * every_s)
        sent.append((code, now_s()))
        port.send(code)
    hear(now_s() + (every_s if loop is None else _WAIT_S))
    if loop is None:
        return StaircaseResult(n_sent=len(sent))
    return _compared(sent, arrived, pulses=pulses)


def _compared(sent: list[tuple[int, float]], arrived: list[tuple[int, float]], *, pulses: bool) -> StaircaseResult:
    places = [place for place, (byte, _) in enumerate(arrived) if byte]
    lags, widths, n_returned, n_zeros, at = [], [], 0, 0, 0
    for code, when in sent:
        found = next((k for k in range(at, len(places)) if arrived[places[k]][0] == code), None)
        if found is None:
            continue
        at, place = found + 1, places[found]
        n_returned += 1
        lags.append(1000 * (arrived[place][1] - when))
        if place + 1 < len(arrived) and arrived[place + 1][0] == 0:
            n_zeros += 1
            widths.append(1000 * (arrived[place + 1][1] - arrived[place][1]))
    return StaircaseResult(
        n_sent=len(sent),
        n_returned=n_returned,
        n_zeros=n_zeros if pulses else None,
        lag_ms=float(np.mean(lags)) if lags else None,
        lag_sd_ms=float(np.std(lags)) if lags else None,
        lag_largest_ms=float(np.max(lags)) if lags else None,
        width_ms=float(np.mean(widths)) if widths else None,
        width_sd_ms=float(np.std(widths)) if widths else None,
    )
