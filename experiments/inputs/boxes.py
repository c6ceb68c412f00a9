"""Response boxes on a serial line: ``button:1``, ``button:2``, ... with a record of how late their stamps may be.

A box without a clock is stamped when its byte arrives, by a thread that waits for nothing else. A Cedrus pad sends its
own timer with each press; that timer is set to zero at a known time before the session and again in breaks, so that
the drift between both clocks stays small. What was found goes into the journal.
"""

import importlib
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from rapidvision.errors import InputError, MissingExtra, did_you_mean

from ..clock import Clock
from ..interfaces import Press
from .xid import ASK_MODE, ASK_MODEL, ASK_PRODUCT, MODE, RESET_TIMER, SET_MODE, ButtonEvent, XidReader

#: Bits that a byte takes on the line: a start bit, eight of data, a stop bit.
_BITS_PER_BYTE = 10
_N_COMPARISONS = 8
_ANSWER_S = 1.0


class BoxRecord(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """How a box is stamped, for the journal.

    Attributes
    ----------
    port : str
        As it was asked for, such as ``cedrus:/dev/ttyUSB0``.
    model : str
        What the box says that it is.
    stamped : {"arrival", "box"}
        By the computer when the bytes arrive, or by the box's own timer.
    offset_s : float or None
        Zero of the box's timer on the screen's clock; None without a timer.
    unsure_ms : float
        How uncertain a stamp is: half of the round trip, or the time that a byte takes on the line.
    round_trip_ms : float or None
        Shortest time from a question to its answer, in ms; None where a box answers nothing.
    """

    port: str
    model: str = ""
    stamped: str = "arrival"
    offset_s: float | None = None
    unsure_ms: float = 0.0
    round_trip_ms: float | None = None


class Box:
    """A box whose bytes are read by a thread of their own.

    Parameters
    ----------
    port : str
        For messages and the record.
    line : object
        An open line of pyserial.
    clock : Clock
        The screen's.

    Attributes
    ----------
    record : BoxRecord
        How it is stamped.
    """

    def __init__(self, port: str, line: Any, clock: Clock) -> None:
        self._line, self._clock = line, clock
        self.record = BoxRecord(port=port, unsure_ms=1000 * _BITS_PER_BYTE / line.baudrate)
        self._presses: deque[Press] = deque()
        self._notes: deque[str] = deque()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)

    def start(self) -> None:
        """Begin to listen; what the line held before is left out."""
        self._line.reset_input_buffer()
        self._line.timeout = 0.1
        self._thread.start()

    def poll(self) -> Sequence[Press]:
        """Return what happened since the last call, in the order of arrival."""
        new = []
        while self._presses:
            new.append(self._presses.popleft())
        return new

    def notes(self) -> list[str]:
        """Return what was unusual since the last call."""
        new = []
        while self._notes:
            new.append(self._notes.popleft())
        return new

    def close(self) -> None:
        """Stop listening and close the line."""
        self._closed.set()
        if self._thread.is_alive():
            self._thread.join()
        self._line.close()

    def hear(self, data: bytes, now_s: float) -> list[Press]:
        """Return the presses in bytes that arrived at a time."""
        raise NotImplementedError

    def _read(self) -> None:
        while not self._closed.is_set():
            try:
                data = self._line.read(1)
                now_s = self._clock.now()
                data += self._line.read(self._line.in_waiting) if data else b""
            except Exception as error:  # the cable is gone; the session is not
                if not self._closed.is_set():
                    self._notes.append(f"box_failed {type(error).__name__}: {' '.join(str(error).split())[:120]}")
                return
            self._presses.extend(self.hear(data, now_s))


class DigitBox(Box):
    """A box that sends the digit of a button when it goes down: ``1`` to ``9``; releases are not told."""

    def hear(self, data: bytes, now_s: float) -> list[Press]:
        """Return a press and, because none will come, its release, for each digit."""
        buttons = [f"button:{byte - 48}" for byte in data if 49 <= byte <= 57]
        return [Press(button, now_s, down) for button in buttons for down in (True, False)]


class StateBox(Box):
    """A box that sends a byte with the state of its buttons when one changes: bit 0 is button 1, 1 is down."""

    _state = 0

    def hear(self, data: bytes, now_s: float) -> list[Press]:
        """Return what changed."""
        found = []
        for byte in data:
            changed, self._state = self._state ^ byte, byte
            found += [Press(f"button:{n + 1}", now_s, bool(byte >> n & 1)) for n in range(8) if changed >> n & 1]
        return found


class CedrusBox(Box):
    """A Cedrus pad in its XID mode; presses carry the pad's own time.

    Raises
    ------
    InputError
        When nothing on the line answers as such a pad does.
    """

    def __init__(self, port: str, line: Any, clock: Clock) -> None:
        super().__init__(port, line, clock)
        line.timeout = _ANSWER_S
        answer = self._ask(ASK_MODE, len(MODE))
        if not answer.startswith(MODE[:-1]):
            raise InputError(
                f"box {port}: no Cedrus pad answers there (got {answer!r}, allowed is {MODE!r}); check the device, its speed "
                "and the switches of the pad"
            )
        if answer != MODE:
            self._send(SET_MODE)
        model = b"".join(self._ask(question, 1) for question in (ASK_PRODUCT, ASK_MODEL))
        self.record.model, self.record.stamped = f"XID product {model[:1].decode()}, model {model[1:].decode()}", "box"
        self._reader, self._answers = XidReader(), deque[float]()
        self._answered = threading.Event()

    def start(self) -> None:
        """Begin to listen, and compare the pad's clock with the computer's."""
        super().start()
        self.look()

    def look(self) -> None:
        """Set the pad's timer to zero at a known time: between the question and the answer that comes after it.

        The comparison is repeated; the one that stands is the last, and is repeated until it is about as tight as the
        tightest.
        """
        best_s = float("inf")
        for n in range(4 * _N_COMPARISONS):
            self._answered.clear()
            asked_s = self._clock.now()
            self._send(RESET_TIMER + ASK_MODE)
            if not self._answered.wait(_ANSWER_S):
                self._notes.append("box_silent")
                self.record.stamped = "arrival" if self.record.offset_s is None else "box"
                return
            trip_s = self._answers[-1] - asked_s
            best_s = min(best_s, trip_s)
            if n + 1 >= _N_COMPARISONS and trip_s <= 1.2 * best_s:
                break
        self.record.offset_s = asked_s + trip_s / 2
        self.record.unsure_ms, self.record.round_trip_ms = 500 * trip_s, 1000 * best_s

    def hear(self, data: bytes, now_s: float) -> list[Press]:
        """Return presses at the pad's own time; one that would lie in the future is set to its arrival and noted."""
        found = []
        for each in self._reader.feed(data):
            if isinstance(each, ButtonEvent):
                found.append(Press(f"button:{each.button}", self._time_of(each, now_s), each.down))
            else:
                self._answers.append(now_s)
                self._answered.set()
        return found

    def _time_of(self, event: ButtonEvent, now_s: float) -> float:
        if self.record.offset_s is None:
            return now_s
        at_s = self.record.offset_s + event.timer_ms / 1000
        early_ms = 1000 * (at_s - now_s)
        if early_ms > self.record.unsure_ms + 1:  # the timer ticks in ms
            self._notes.append(f"press_time_uncertain {early_ms:.1f} ms")
        return min(at_s, now_s)

    def _send(self, command: bytes) -> None:
        for byte in command:  # older pads lose bytes that follow each other at once
            self._line.write(bytes((byte,)))
            self._line.flush()
            time.sleep(0.001)

    def _ask(self, question: bytes, n: int) -> bytes:
        self._line.reset_input_buffer()
        self._send(question)
        return bytes(self._line.read(n))


#: Kind of port -> its box and the speed of its line in bits per second.
BOXES: dict[str, tuple[Callable[[str, Any, Clock], Box], int]] = {
    "serial": (DigitBox, 115_200),
    "serial-state": (StateBox, 115_200),
    "cedrus": (CedrusBox, 115_200),
}
#: Kinds of port whose boxes tell no releases.
TELL_NO_RELEASES = frozenset({"serial"})


def open_box(description: str, clock: Clock) -> Box:
    """Open a response box and begin to listen.

    Parameters
    ----------
    description : str
        ``serial:DEVICE``, ``serial-state:DEVICE`` or ``cedrus:DEVICE``, each with ``@SPEED`` in bits per second where it
        is not 115,200.
    clock : Clock
        The screen's.

    Raises
    ------
    InputError
        When the description cannot be read, the line cannot be opened or no pad answers; before the session.
    """
    kind, _, where = description.partition(":")
    device, _, speed = where.partition("@")
    if kind not in BOXES or not device or (speed and not speed.isdigit()):
        raise InputError(
            f'box: got "{description}"; allowed are serial:DEVICE, serial-state:DEVICE and cedrus:DEVICE, with @SPEED where '
            f"the line is not at 115200 bits per second. {did_you_mean(kind, BOXES)}"
        )
    make, usual = BOXES[kind]
    try:
        serial = importlib.import_module("serial")
    except ImportError as error:
        raise MissingExtra("a response box needs serial: pip install pyserial") from error
    try:
        line = serial.Serial(device, int(speed or usual), write_timeout=1)
    except (OSError, ValueError) as error:
        raise InputError(f"box {description}: cannot be opened ({error})") from error
    try:
        box = make(description, line, clock)
        box.start()
    except BaseException:
        line.close()
        raise
    return box
