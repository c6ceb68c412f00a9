"""Triggers on their way to a port: one code per flip, and trouble with the port never disturbs a session."""

from collections import deque
from contextlib import suppress

from ..interfaces import RESPONSE_CODE
from .ports import PULSE_S, Pulsed, TriggerPort, one_line


class Marks:
    """Codes that wait for their flip: one per flip, those that belong to a flip before those of a press.

    Examples
    --------
    >>> marks = Marks()
    >>> marks.add(3); marks.add(2)  # a press was heard, and the image goes with the next flip
    >>> marks.due(), marks.due(), marks.due()
    (2, 3, None)
    """

    def __init__(self) -> None:
        self._flips: deque[int] = deque()
        self._presses: deque[int] = deque()

    def add(self, code: int) -> None:
        """Let a code wait; 0 is none."""
        if code:
            (self._presses if code == RESPONSE_CODE else self._flips).append(code)

    def due(self) -> int | None:
        """Return the code that goes out with this flip."""
        return self._flips.popleft() if self._flips else self._presses.popleft() if self._presses else None


class Guarded:
    """A trigger port that may fail: each code is tried, and what failed is counted and noted.

    Parameters
    ----------
    port : TriggerPort
        The real one.
    """

    def __init__(self, port: TriggerPort) -> None:
        self._port: TriggerPort = port
        self._sent = self._failed = 0
        self._why = ""

    def send(self, code: int) -> None:
        """Send the code, or remember why that failed; the next code is tried all the same."""
        self._sent += 1
        try:
            self._port.send(code)
        except Exception as error:
            self._failed += 1
            self._why = f"{type(error).__name__}: {one_line(error)}"

    def use_period(self, period_s: float) -> None:
        """Keep pulses shorter than half a refresh."""
        if isinstance(self._port, Pulsed):
            self._port.width_s = min(PULSE_S, period_s / 2)

    def close(self) -> None:
        """Close the port, whatever state it is in."""
        with suppress(Exception):
            self._port.close()

    def notes(self) -> list[str]:
        """Return how many codes failed since the last call, and why."""
        notes = [f"trigger_failed {self._failed} of {self._sent}, {self._why}"] if self._failed else []
        self._sent = self._failed = 0
        return notes
