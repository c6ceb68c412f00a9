"""Mouse and touch: where the pointer was comes from the window, when from psychtoolbox, which stamps the event itself.

The window hands its events over once per refresh, without a time of their own. Psychtoolbox's queue holds the same
presses with the time at which the system told of them, without a place. Both come in the same order; a press of the
window is given the oldest stamp that lies between the hand-over before and its own. Where psychtoolbox cannot watch
pointers (on macOS) a press is stamped at the hand-over, late by up to a refresh, and that is recorded. A touch is heard as
the press of the first button that the system makes of it.
"""

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from rapidvision.errors import MissingExtra

from ..clock import Conversion
from ..interfaces import Press

#: The press of a pointer that is on no option; pages that any key leaves take it.
CLICK = "click"
#: A stamp may lie this much before the hand-over that should have told of it.
_EARLIER_S = 0.05
#: How long a press waits for its stamp.
_PATIENCE_S = 0.05


class Told(NamedTuple):
    """A press or release as the window told of it: on which input, and when it was handed over."""

    input: str
    down: bool
    before_s: float
    handed_s: float


class PointerPort:
    """The pointer as an input port.

    Parameters
    ----------
    input_at : callable
        Returns the input at a place of the window: ``area:<option>`` or :data:`CLICK`.
    dispatch : callable
        Lets the window hand over what it has.
    now : callable
        The screen's clock.
    stamps : PointerStamps, optional
        Psychtoolbox's; presses are stamped at the hand-over without it.

    Attributes
    ----------
    stamped : {"event", "refresh"}
        By the event itself, or by the hand-over, late by up to a refresh.
    """

    def __init__(
        self,
        input_at: Callable[[float, float], str],
        *,
        dispatch: Callable[[], object],
        now: Callable[[], float],
        stamps: "PointerStamps | None" = None,
    ) -> None:
        self._input_at, self._dispatch, self._now, self._stamps = input_at, dispatch, now, stamps
        self.stamped = "refresh" if stamps is None else "event"
        self._told: deque[Told] = deque()
        self._times: deque[tuple[float, bool]] = deque()
        self._last_s = now()
        self._pressed = ""
        self._notes: list[str] = []

    def tell(self, x: float, y: float, *, down: bool) -> None:
        """Take a press or release of the first button in, as the window's handlers tell of it."""
        if down:
            self._pressed = self._input_at(x, y)
        if self._pressed:  # a release belongs to what was pressed, wherever the pointer has come to
            self._told.append(Told(self._pressed, down, self._last_s, self._now()))
        if not down:
            self._pressed = ""

    def poll(self) -> Sequence[Press]:
        """Return the presses since the last call, each once its stamp is known."""
        if self._stamps is not None:
            self._times.extend(self._stamps.poll())
        self._dispatch()
        now_s = self._now()
        if self._stamps is not None and self._told:
            self._times.extend(self._stamps.poll())
        found = []
        while self._told:
            told = self._told[0]
            time_s = told.handed_s if self._stamps is None else self._stamp(told)
            if time_s is None:
                if now_s - told.handed_s < _PATIENCE_S:
                    break
                time_s = told.handed_s
                self._notes.append(f"press_time_uncertain {1000 * (told.handed_s - told.before_s):.1f} ms")
            self._told.popleft()
            found.append(Press(told.input, time_s, told.down))
        self._last_s = now_s
        return found

    def _stamp(self, told: Told) -> float | None:
        while self._times and (self._times[0][0] < told.before_s - _EARLIER_S or self._times[0][1] is not told.down):
            self._times.popleft()  # a click beside the window
        if self._times and self._times[0][0] <= told.handed_s + _PATIENCE_S:
            return min(self._times.popleft()[0], told.handed_s)
        return None

    def notes(self) -> list[str]:
        """Return what was unusual since the last call."""
        notes, self._notes = self._notes, []
        return notes

    def close(self) -> None:
        """Stop the queue."""
        if self._stamps is not None:
            self._stamps.close()


class PointerStamps:
    """Times of the first button's presses and releases, from psychtoolbox's queue of a pointer.

    Parameters
    ----------
    conversion : Conversion
        From psychtoolbox's clock to the screen's.
    call : callable, optional
        psychtoolbox's ``PsychHID``.

    Raises
    ------
    MissingExtra
        When psychtoolbox does not load or sees no pointer here.
    """

    def __init__(self, conversion: Conversion, *, call: Callable[..., Any] | None = None) -> None:
        self._call, self._conversion = call or _psychhid(), conversion
        try:
            self._index = int(self._call("Devices", 1)[0]["index"])
            self._call("KbQueueCreate", self._index, None, 0, 1000, 0, None)
            self._call("KbQueueStart", self._index)
        except Exception as error:  # psychtoolbox raises what its system gives it
            raise MissingExtra(f"psychtoolbox does not see a pointer here ({error})") from error

    def poll(self) -> list[tuple[float, bool]]:
        """Return (time in s on the screen's clock, whether it went down) of each new event of the first button."""
        found = []
        while self._call("KbQueueFlush", self._index, 1):
            event, _ = self._call("KbQueueGetEvent", self._index, 0)
            if event and int(event["Keycode"]) == 1:
                found.append((self._conversion.convert(float(event["Time"])), bool(event["Pressed"])))
        return found

    def close(self) -> None:
        """Stop the queue and release it."""
        with suppress(Exception):
            self._call("KbQueueStop", self._index)
        with suppress(Exception):
            self._call("KbQueueRelease", self._index)


def _psychhid() -> Callable[..., Any]:
    try:
        import psychtoolbox
    except (ImportError, OSError) as error:
        raise MissingExtra(f"stamps of the mouse need psychtoolbox, which does not load ({error})") from error
    call: Callable[..., Any] = psychtoolbox.PsychHID
    return call
