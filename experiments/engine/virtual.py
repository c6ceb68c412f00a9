"""A screen on a virtual clock: a whole session in milliseconds, with refreshes late where a test wants them."""

from collections.abc import Callable, Mapping

from ..interfaces import Entry, Frame
from ..triggers.marks import Marks

See = Callable[[Frame, float], object]


class VirtualScreen:
    """A display that refreshes exactly, except where told.

    Parameters
    ----------
    refresh_hz : float
        Refresh rate.
    late : mapping, optional
        Number of a flip → how many refreshes it comes late.
    see : callable, optional
        Told of each new frame and the time at which it came up: the participant's eyes.
    start_s : float
        First time on the clock.

    Attributes
    ----------
    now_s : float
        The clock.
    see : callable or None
        As given; may be set later.
    shown : list of (Frame, float)
        Each new frame with the time at which it came up.
    marks : list of (int, float)
        Triggers and the flips that they went out with.

    Examples
    --------
    >>> screen = VirtualScreen(60)
    >>> round(screen.flip(Frame("blank")), 4)
    0.0167
    """

    def __init__(
        self,
        refresh_hz: float = 60.0,
        *,
        late: Mapping[int, int] | None = None,
        see: See | None = None,
        start_s: float = 0.0,
    ) -> None:
        self.period_s = 1 / refresh_hz
        self.start_s = self.now_s = start_s
        self.shown: list[tuple[Frame, float]] = []
        self.marks: list[tuple[int, float]] = []
        self.flips = 0
        self._refresh = 0
        self._late = late or {}
        self.see = see
        self._last: Frame | None = None
        self._marks = Marks()

    def flip(self, frame: Frame) -> float:
        """Advance to the next refresh, or a later one."""
        self.flips += 1
        self._refresh += 1
        if self.flips in self._late:
            self._refresh += self._late[self.flips]
        now = self.now_s = self.start_s + self._refresh * self.period_s
        if frame is not self._last and frame != self._last:
            self._last = frame
            self.shown.append((frame, now))
            if self.see is not None:
                self.see(frame, now)
        code = self._marks.due()
        if code is not None:
            self.marks.append((code, now))
        return now

    def mark(self, code: int) -> None:
        """Send a trigger with the next flip, a press's with the next one that has no other."""
        self._marks.add(code)

    def notes(self) -> list[str]:
        """Nothing unusual happens here."""
        return []


class MemoryJournal:
    """A journal that forgets everything when the program ends; for simulations."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def append(self, entry: Entry) -> None:
        """Keep the entry."""
        self.entries.append(entry)
