"""Triggers on their way to a port: one code per flip, and trouble with the port never disturbs a session."""

from collections import deque
from contextlib import suppress

from ..interfaces import RESPONSE_CODE
from .ports import TriggerPort, one_line
from .pulses import Pulses


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
        """Keep pulses shorter than half a refresh, where no width was stated."""
        if isinstance(self._port, Pulses):
            self._port.use_period(period_s)

    def close(self) -> None:
        """Close the port, whatever state it is in."""
        with suppress(Exception):
            self._port.close()

    def notes(self) -> list[str]:
        """Return how many codes failed since the last call and why, and which had to wait.

        A port that failed and can be opened again is: an adapter that was unplugged and plugged in works from the next
        trial on. This is called between trials, where nothing is timed.
        """
        notes = [f"trigger_failed {self._failed} of {self._sent}, {self._why}"] if self._failed else []
        if self._failed and hasattr(self._port, "reopen"):
            with suppress(Exception):  # it is tried again after the next trial
                self._port.reopen()
        self._sent = self._failed = 0
        return notes + (self._port.notes() if isinstance(self._port, Pulses) else [])
