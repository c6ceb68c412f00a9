"""Pages: a key counts only once they were up for a while, the last one finishes, and trouble is told to the experimenter."""

from contextlib import suppress

import pytest

from rapidvision.errors import Aborted
from rapidvision.experiments.engine.participants import Observers, Participant
from rapidvision.experiments.engine.session import Session
from rapidvision.experiments.engine.virtual import MemoryJournal, VirtualScreen
from rapidvision.experiments.interfaces import Event, Press, TrialData
from rapidvision.experiments.recording.quality import quality_of
from rapidvision.formats.protocol_file import preset

PAGE_MS = preset("paper").breaks.page_ms


class Person:
    """A simulated participant who presses more keys at given times after given pages."""

    def __init__(self, plan, screen, extra=lambda frame: ()):
        self.inner = Participant(plan, Observers(no_answer=0.0), seed=1, clock=lambda: screen.now_s)
        self.screen, self.extra, self.due, self.shown = screen, extra, [], []

    def see(self, frame, time_s):
        self.shown.append([frame, time_s, None])
        if len(self.shown) > 1:
            self.shown[-2][2] = time_s
        more = [Press(key, time_s + s) for key, s in self.extra(frame)]
        self.due = sorted([*self.due, *more], key=lambda press: press.time_s)
        if not any(press.input == "escape" for press in more):
            self.inner.see(frame, time_s)

    def poll(self):
        now = [press for press in self.due if press.time_s <= self.screen.now_s]
        self.due = self.due[len(now) :]
        return [*now, *self.inner.poll()]


def run(plan, extra=lambda frame: (), *, screen=None, past=(), opening=""):
    screen, journal = screen or VirtualScreen(60), MemoryJournal()
    person = Person(plan, screen, extra)
    screen.see = person.see
    with suppress(Aborted):
        Session(plan, screen, person, journal, past=past, opening=opening).run()
    return journal.entries, person.shown


def pages(shown, start):
    return [(end - begin) * 1000 for p, begin, end in shown if p.kind == "text" and p.content.startswith(start) and end]


@pytest.mark.parametrize("ms", [20, 200, 450])
def test_a_press_soon_after_a_page_came_up_does_not_take_it_away(plans, ms):
    _, shown = run(plans[0], lambda p: [("s", ms / 1000)] if p.kind == "text" else ())
    for start in ("Block", "Take", plans[0].texts["welcome"], plans[0].texts["inputs"]):
        assert pages(shown, start)
        assert min(pages(shown, start)) >= PAGE_MS


def test_a_press_after_that_time_does(plans):
    _, shown = run(plans[0], lambda p: [("s", (PAGE_MS + 20) / 1000)] if p.content.startswith("Block") else ())
    assert max(pages(shown, "Block")) < PAGE_MS + 60


@pytest.mark.parametrize("n_escapes", [1, 2])
def test_escape_on_the_page_of_thanks_means_finished(plans, n_escapes):
    end = plans[0].texts["end"]
    entries, _ = run(
        plans[0], lambda p: [("escape", 0.1 * n) for n in range(1, n_escapes + 1)] if p.content == end else ()
    )
    assert entries[-1].what == "finished"
    assert sum(isinstance(entry, TrialData) for entry in entries) == 88


def test_stopping_after_the_last_trial_means_finished(plans):
    last, paused = "Block 5", plans[0].texts["paused"]
    entries, _ = run(plans[0], lambda p: [("escape", 0.7)] if p.content.startswith(last) or p.content == paused else ())
    assert [entry.what for entry in entries if isinstance(entry, Event)] == ["paused", "finished"]


def test_stopping_before_the_last_trial_still_means_aborted(plans):
    last, paused = "Block 4", plans[0].texts["paused"]
    entries, _ = run(plans[0], lambda p: [("escape", 0.7)] if p.content.startswith(last) or p.content == paused else ())
    assert entries[-1].what == "aborted"


def test_a_resumed_session_says_first_whose_it_is_and_escape_leaves_it_unchanged(plans):
    opening = "Session p02-clickme-0000"
    past = [entry for entry in run(plans[0])[0] if isinstance(entry, TrialData)][:11]
    entries, shown = run(plans[0], past=past, opening=opening)
    assert shown[0][0].content == opening
    assert sum(isinstance(entry, TrialData) for entry in entries) == 77
    entries, _ = run(plans[0], lambda p: [("escape", 0.1)] if p.content == opening else (), past=past, opening=opening)
    assert [entry.what for entry in entries] == ["aborted"]


def test_a_key_that_is_read_otherwise_than_it_is_labelled_shows_on_the_page(plans):
    texts = plans[0].texts
    _, shown = run(plans[0], lambda p: [("q", 0.55)] if p.content == texts["inputs"] else ())
    words = [p.content for p, *_ in shown if p.content.startswith(texts["inputs"])]
    assert words[-1].endswith(f"Q ?   ({' '.join(key.upper() for key in plans[0].inputs)})")


class Noisy(VirtualScreen):
    """A screen that notes something in one trial of every `every`."""

    def __init__(self, note, every):
        super().__init__(60)
        self.note, self.every, self.calls = note, every, 0

    def notes(self):
        self.calls += 1  # before and after each trial
        return [self.note] if self.calls % (2 * self.every) == 0 else []


@pytest.mark.parametrize(("every", "told"), [(10, True), (16, True), (23, False), (88, False)])
def test_more_than_five_per_cent_of_flagged_trials_are_on_the_last_page(plans, every, told):
    entries, shown = run(plans[0], screen=Noisy("focus_lost", every))
    flagged = sum("focus_lost" in e.flags for e in entries if isinstance(e, TrialData))
    assert (flagged > 0.05 * 88) == told
    assert shown[-1][0].content.startswith("For the experimenter") == told
    if told:
        assert f"{flagged} flagged of 88 trials" in shown[-1][0].content


def test_what_the_participant_did_is_no_trouble(plans):
    entries, shown = run(plans[0], screen=Noisy("early_press", 2))
    assert quality_of(plans[0], entries).n_flagged == 0
    assert not shown[-1][0].content.startswith("For the experimenter")
