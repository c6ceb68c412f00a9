"""A virtual computer whose clocks can be set or tick coarsely: true time is counted in refreshes, keys are stamped by its wall clock."""

import math
import types
from contextlib import suppress

from rapidvision.errors import Aborted
from rapidvision.experiments.clock import Conversion, steady
from rapidvision.experiments.engine.participants import Observers, Participant
from rapidvision.experiments.engine.refresh import Grid
from rapidvision.experiments.engine.session import Session
from rapidvision.experiments.engine.virtual import MemoryJournal
from rapidvision.experiments.interfaces import Press, TrialData
from rapidvision.experiments.keyboard import QueueReader

#: Windows' slowest clock.
TICK_S = 0.015625
_NAMES = {39: "s", 46: "l", 10: "escape"}
_CODES = {name: code for code, name in _NAMES.items()}


class Computer:
    """True time, a wall clock that can be set, and steady clocks, one of which may tick in 15.6 ms.

    A thousand readings take a microsecond each, so that the clocks' resolutions can be measured.
    """

    def __init__(self, *, ticks=False):
        self.true_s, self.step_s = 1000.0, 0.0
        self.readings = 0
        slow = (lambda: math.floor(self.fine() / TICK_S) * TICK_S) if ticks else self.fine
        self.clock = steady([("monotonic", slow), ("perf_counter", self.fine)])
        self.conversion = Conversion(self.wall, self.clock, other_resolution_s=1e-6)

    def fine(self):
        self.readings += 1
        return self.true_s + 1e-6 * self.readings

    def wall(self):
        return 1.7e9 + self.fine() + self.step_s


class Screen:
    """A display of the computer: refreshes at 60 Hz of true time, stamped by its steady clock as the window's are.

    ``shown`` holds every frame and, in true refreshes, how long it stayed.
    """

    period_s = 1 / 60

    def __init__(self, computer, see, step=None):
        self.computer, self.see, self.step = computer, see, step
        self.n, self.shown, self.last, self.extra = 0, [], None, []
        self.base_s = computer.fine()
        self.grid = Grid(self.period_s, at_s=computer.clock.now())

    def flip(self, frame):
        self.n += 1
        at = self.computer
        at.true_s += max(0.0, self.base_s + self.n * self.period_s - at.fine())
        time_s = self.grid.snap(at.clock.now())
        if frame is not self.last:
            self.last = frame
            self.shown.append([frame, 0])
            self.see(frame, time_s)
        self.shown[-1][1] += 1
        if self.step is not None and self.step(frame, self.shown):
            at.step_s, self.step = self.step.seconds, None
        return time_s

    def mark(self, code):
        pass

    def notes(self):
        return self.computer.conversion.notes() + self.grid.notes()


class Step:
    """Set the wall clock by some seconds, three refreshes after the n-th frame of a kind came up."""

    def __init__(self, seconds, kind, nth):
        self.seconds, self.kind, self.nth = seconds, kind, nth

    def __call__(self, frame, shown):
        return (
            frame.kind == self.kind
            and shown[-1][1] == 3
            and sum(each.kind == self.kind for each, _ in shown) == self.nth
        )


class Queue:
    """Psychtoolbox's queue as the reader asks for it: the participant's presses, stamped by the wall clock."""

    def __init__(self, computer):
        self.computer, self.person, self.events = computer, None, []

    def get_keyboard_indices(self):
        return [0], ["virtual"], None

    def Keyboard(self, index):
        return types.SimpleNamespace(queue_start=lambda: None, flush=self.flush, queue_get_event=self.get)

    def flush(self, flush_type):
        at = self.computer
        for press in self.person.poll():
            ago_s = at.clock.now() - press.time_s
            self.events.append({"Keycode": _CODES[press.input], "Time": at.wall() - ago_s, "Pressed": press.down})
        return len(self.events)

    def get(self):
        return self.events.pop(0), len(self.events)


def take_part(plan, *, step=None, ticks=False, seed=1, longest_s=1200):
    """Run a whole session on such a computer; return its trials, everything in its journal, and what was shown how long."""
    computer, queue, journal = Computer(ticks=ticks), None, MemoryJournal()
    queue = Queue(computer)
    person = queue.person = Participant(plan, Observers(no_answer=0.0), seed=seed, clock=computer.clock.now)
    screen = Screen(computer, person.see, step)
    keys = QueueReader(_NAMES, hid=queue, conversion=computer.conversion)
    end = computer.true_s + longest_s

    class Watched:
        def poll(self):
            assert computer.true_s < end, f"still showing {screen.last}"
            return keys.poll()

    with suppress(Aborted):
        Session(plan, screen, Watched(), journal).run()
    return [e for e in journal.entries if isinstance(e, TrialData)], journal.entries, screen.shown


__all__ = ["TICK_S", "Computer", "Press", "Step", "take_part"]
