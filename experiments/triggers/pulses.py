"""Codes as pulses of a stated width: each one returns to zero, and a code that comes too early waits for its turn."""

import threading
import time
from collections import deque
from collections.abc import Callable

from ..clock import now_s

#: How long a pulse stays on the lines unless another width is asked for; on fast displays half a refresh at most.
PULSE_S = 0.005
#: How long the lines stay at zero between two pulses, at least; an amplifier must see them fall.
GAP_S = 0.001
#: How often zero is tried when the port refuses it.
_TRIES = 3


class Pulses:
    """A port whose lines hold a value: a code, and zero again when its time is over.

    Parameters
    ----------
    put : callable
        Sets the lines to a value from 0 to 255.
    width_s : float, optional
        How long a code stays; by default 5 ms, or half a refresh where that is shorter.

    Attributes
    ----------
    width_s : float
        How long a code stays.
    n_delayed : int
        Codes that had to wait.

    Notes
    -----
    A code is put by the caller, right after the flip, when the lines are free. Otherwise it waits until the pulse before
    has fallen for 1 ms; how long it waited is noted. A thread of its own takes codes off, so that the caller never waits.
    """

    def __init__(self, put: Callable[[int], object], *, width_s: float | None = None) -> None:
        self._put, self._stated = put, width_s is not None
        self.width_s = PULSE_S if width_s is None else width_s
        self.n_delayed = 0
        self._wake = threading.Condition()
        self._waiting: deque[tuple[int, float]] = deque()
        self._high = self._closed = False
        self._since = self._free = float("-inf")
        self._trouble: Exception | None = None
        self._notes: list[str] = []
        now_s()  # which clock ticks finest is measured with its first use
        put(0)
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def send(self, code: int) -> None:
        """Put the code on the lines, now or as soon as they are free; trouble with the one before is raised afterwards."""
        with self._wake:
            now = now_s()
            if self._high or self._waiting or now < self._free:
                self._waiting.append((code, now))
            else:
                self._raise(code)
            self._wake.notify()
            trouble, self._trouble = self._trouble, None
        if trouble is not None:
            raise trouble

    def use_period(self, period_s: float) -> None:
        """Keep pulses shorter than half a refresh, where no width was stated."""
        if not self._stated:
            self.width_s = min(PULSE_S, period_s / 2)

    def notes(self) -> list[str]:
        """Return which codes had to wait since the last call, and how long."""
        with self._wake:
            notes, self._notes = self._notes, []
        return notes

    def close(self) -> None:
        """Send what waits, take the last code off and stop."""
        with self._wake:
            self._closed = True
            self._wake.notify()
        self._thread.join()

    def _raise(self, code: int) -> None:
        self._put(code)
        self._high, self._since = True, now_s()

    def _work(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._high or self._waiting or self._closed)
                if not self._high and not self._waiting:
                    return
                high = self._high
                due = self._since + self.width_s if high else self._free
            time.sleep(max(0.0, due - now_s()))
            with self._wake:
                if high:
                    self._lower()
                else:
                    self._next()

    def _lower(self) -> None:
        for _ in range(_TRIES):
            try:
                self._put(0)
                break
            except Exception as error:
                self._trouble = error
        else:
            self._waiting.clear()  # the port is gone: what waits cannot go out, and the next code tries again
        self._high, self._free = False, now_s() + GAP_S

    def _next(self) -> None:
        code, asked = self._waiting.popleft()
        try:
            self._raise(code)
        except Exception as error:
            self._trouble = error
            return
        self.n_delayed += 1
        self._notes.append(f"trigger_delayed {1000 * (self._since - asked):.1f} ms, code {code}")
