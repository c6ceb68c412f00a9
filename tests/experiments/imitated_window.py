"""A window and a keyboard on a virtual clock, so that ``session run`` is replayed in the tests' own process in milliseconds."""

import sys
import time
import types

from rapidvision.experiments.clock import Clock, resolution
from rapidvision.experiments.engine.participants import Observers, Participant
from rapidvision.experiments.engine.virtual import VirtualScreen
from rapidvision.experiments.interfaces import Press
from rapidvision.experiments.lab import psychopy_display
from rapidvision.experiments.triggers.marks import Guarded
from rapidvision.experiments.triggers.ports import NullPort


class Person:
    """A participant at the keyboard: answers, and does what a script says when something comes up.

    ``does`` maps what is shown, ``("stimulus", n)`` for the n-th image or ``("text", words)`` for a page that contains
    the words, to the keys that are then pressed.
    """

    def __init__(self, does=(), *, seed=1):
        self.does, self.seed, self.n_images = dict(does), seed, 0
        self.answers, self.extra, self.pages, self.now = None, [], [], None

    def begin(self, plan, now):
        self.answers, self.now = Participant(plan, Observers(), seed=self.seed, clock=now), now

    def see(self, frame, time_s):
        self.n_images += frame.kind == "stimulus"
        if frame.kind == "text":
            self.pages.append(frame.content)
        for (kind, what), keys in self.does.items():
            mine = what == self.n_images if kind == "stimulus" else kind == "text" and what in frame.content
            if frame.kind == kind and mine:
                self.extra += [Press(key, time_s + 0.6 + n / 100) for n, key in enumerate(keys)]
                return
        if self.answers is not None:
            self.answers.see(frame, time_s)
        elif frame.kind == "text":  # the experimenter's page before the session
            self.extra.append(Press("space", time_s + 0.6))

    def poll(self):
        due = [press for press in self.extra if press.time_s <= self.now()]
        self.extra = [press for press in self.extra if press.time_s > self.now()]
        return sorted([*(self.answers.poll() if self.answers else ()), *due], key=lambda press: press.time_s)


class Window(VirtualScreen):
    """What a session asks of PsychoPy's window; flips take no time, and the clock is the virtual one."""

    monitor_px = requested_px = (1920, 1080)
    scale = 1.0

    def __init__(self, person, *, hz=60.0, triggers=None, **_):
        super().__init__(hz)
        self.person, self.more_notes, person.now = person, [], self.now
        self.port = Guarded(triggers or NullPort())
        fine = min(resolution(time.perf_counter), resolution(time.monotonic))
        self.clock, self.conversion = Clock("virtual", self.now, fine), None
        self.see = person.see
        self.drawings = types.SimpleNamespace(load=self._load)

    def _load(self, plan, paths, *, side_px, icons):
        assert paths and all(path.is_file() for path in paths.values())
        self.person.begin(plan, self.now)

    def now(self):
        return self.now_s

    def rush(self):
        return True

    def use_refresh(self, measured):
        self.period_s = 1 / measured.hz
        self.port.use_period(self.period_s)

    def flip(self, frame):
        before = len(self.marks)
        now = super().flip(frame)
        for code, _ in self.marks[before:]:
            self.port.send(code)
        return now

    def notes(self):
        return self.port.notes() + [note for more in self.more_notes for note in more()]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.port.close()


class Keys:
    """The keyboard that the person presses."""

    products = ("imitated keyboard",)

    def __init__(self, person):
        self.person = person

    def poll(self):
        return self.person.poll()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


def imitate_window(monkeypatch, person, *, hz=60.0):
    """Let ``session run`` open the imitated window, at which `person` sits."""
    made = []

    def window(**options):
        made.append(Window(person, hz=hz, **options))
        return made[-1]

    monkeypatch.setattr(psychopy_display, "check_installed", lambda: {"psychopy": "imitated"})
    monkeypatch.setattr(psychopy_display, "PsychoPyScreen", window)
    monkeypatch.setattr(psychopy_display, "open_keys", lambda _: Keys(person))
    return made


def modules_hidden(monkeypatch, *names):
    """Let imports of modules fail."""
    for name in names:
        monkeypatch.setitem(sys.modules, name, None)
