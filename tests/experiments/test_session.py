"""Whole sessions on a virtual clock: every step in order, escape, resume, feedback."""

import contextlib
from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapidvision.errors import Aborted
from rapidvision.experiments.engine.participants import Observers, Participant
from rapidvision.experiments.engine.session import Session
from rapidvision.experiments.engine.state import State, postpone
from rapidvision.experiments.engine.virtual import MemoryJournal, VirtualScreen
from rapidvision.experiments.interfaces import Event, Frame, Press, TrialData
from rapidvision.plan import Page, Run


class Escaping:
    """A participant who presses escape at given moments and otherwise takes part."""

    def __init__(self, inner, clock, *, at=(), stop=False):
        self.inner, self.clock, self.at, self.stop = inner, clock, sorted(at), stop
        self.due = []

    def see(self, frame, time_s):
        if self.stop and frame.kind == "text" and frame.content == self.inner.plan.texts["paused"]:
            self.inner._due.clear()
            self.due.append(Press("escape", time_s + 0.2))
            return
        self.inner.see(frame, time_s)

    def poll(self):
        new = list(self.inner.poll())
        while self.at and self.at[0] <= self.clock():
            new.append(Press("escape", self.at.pop(0)))
        if self.due and self.due[0].time_s <= self.clock():
            new.append(self.due.pop(0))
        return new


def take_part(plan, *, past=(), at=(), stop=False, shown=None):
    screen, journal = VirtualScreen(60), MemoryJournal()
    inner = Participant(plan, Observers(), seed=1, clock=lambda: screen.now_s)
    keys = Escaping(inner, lambda: screen.now_s, at=at, stop=stop)

    def see(frame, time_s):
        if shown is not None:
            shown.append((frame, time_s))
        keys.see(frame, time_s)

    screen.see = see
    with contextlib.suppress(Aborted):
        Session(plan, screen, keys, journal, past=past).run()
    return journal.entries


def trials_in(entries):
    return [entry for entry in entries if isinstance(entry, TrialData)]


def test_a_session_runs_every_trial_once_in_order(plans):
    entries = take_part(plans[0])
    assert [d.trial for d in trials_in(entries)] == list(range(88))
    assert entries[-1].what == "finished"


def test_the_texts_come_in_the_plan_s_order_with_accuracy_filled_in(plans):
    shown = []
    take_part(plans[0], shown=shown)
    words = [p.content for p, _ in shown if p.kind == "text"]
    texts = plans[0].texts
    assert words[:3] == [texts["welcome"], texts["inputs"], texts["practice"]]
    accuracies = [w for w in words if w.startswith("Block ")]
    assert [w.split(":")[0] for w in accuracies] == [f"Block {b} of 5" for b in range(1, 6)]
    assert all("{" not in w for w in words)
    assert words.count(texts["break"]) == 4
    assert words[-1] == texts["end"]


def test_practice_answers_get_feedback_and_main_ones_do_not(plans):
    shown = []
    entries = take_part(plans[0], shown=shown)
    texts = plans[0].texts
    n_feedback = sum(p.content in (texts["correct"], texts["wrong"]) for p, _ in shown)
    in_time = [d for d in trials_in(entries)[:8] if d.response_ms is not None and d.response_ms <= 550]
    assert n_feedback == len(in_time) > 0


def test_the_options_must_all_be_tried(plans):
    screen, pressed = VirtualScreen(60), []
    plan = plans[0]

    class OneKey:
        def poll(self):
            pressed.append(screen.now_s)
            if len(pressed) > 300:
                raise KeyboardInterrupt
            return [Press(next(iter(plan.inputs)), screen.now_s)]

    with pytest.raises(KeyboardInterrupt):
        Session(plan, screen, OneKey(), MemoryJournal()).run()
    assert screen._last == Frame("text", plan.texts["inputs"])


def test_a_key_pressed_before_a_text_came_up_does_not_skip_it(plans):
    screen = VirtualScreen(60)
    plan = plans[0]
    stale = [Press("s", -1.0)]

    class Stale:
        calls = 0

        def poll(self):
            Stale.calls += 1
            if Stale.calls > 100:
                raise KeyboardInterrupt
            return [stale.pop()] if stale and Stale.calls == 2 else []

    with pytest.raises(KeyboardInterrupt):
        Session(plan, screen, Stale(), MemoryJournal()).run()
    assert screen._last.content == plan.texts["welcome"]


@settings(max_examples=40, deadline=None)
@given(gaps=st.lists(st.floats(1.0, 80), max_size=4))
def test_a_pause_anywhere_loses_no_trial_and_repeats_none(plans, gaps):
    # Escapes less than a second apart would mean to stop.
    entries = take_part(plans[3], at=list(accumulate(gaps)))
    done = [d.trial for d in trials_in(entries)]
    assert sorted(done) == list(range(88))
    seen = [e.trial for e in entries if isinstance(e, Event) and e.what == "interrupted" and e.seen]
    for number in set(seen):
        data = next(d for d in trials_in(entries) if d.trial == number)
        assert data.attempt == 1 + seen.count(number)


def test_an_interrupted_trial_that_was_seen_comes_again_at_the_end_of_its_block(plans):
    first = trials_in(take_part(plans[0]))
    onset = first[20].zero_s
    entries = take_part(plans[0], at=[onset + 0.1])
    order = [d.trial for d in trials_in(entries)]
    assert order.index(20) == 8 + 15  # the last of block 0, which has trials 8 … 23
    assert next(d for d in trials_in(entries) if d.trial == 20).attempt == 2


def test_an_interruption_during_fixation_repeats_the_trial_at_once(plans):
    first = trials_in(take_part(plans[0]))
    entries = take_part(plans[0], at=[first[20].zero_s - 0.2])
    assert [d.trial for d in trials_in(entries)] == list(range(88))
    assert all(d.attempt == 1 for d in trials_in(entries))


@settings(max_examples=30, deadline=None)
@given(stops=st.lists(st.floats(0.5, 200), min_size=1, max_size=4))
def test_stopping_and_resuming_anywhere_gives_every_trial_once(plans, stops):
    past = []
    for stop in stops:
        past += take_part(plans[5], past=past, at=[stop], stop=True)
    past += take_part(plans[5], past=past)
    done = [d.trial for d in trials_in(past)]
    assert sorted(done) == list(range(88))
    assert [e for e in past if isinstance(e, Event)][-1].what == "finished"


def some(n):
    """So many completed trials, as a journal has them."""
    return [
        TrialData(trial=number, attempt=1, phases=[], zero_s=0.0, input=None, response_ms=None, presses=[], flips_s=[],
                  flags=[], refresh_hz=60.0)
        for number in n
    ]  # fmt: skip


def seen(numbers):
    """Interruptions after the image had come up."""
    return [Event(what="interrupted", trial=number, seen=True) for number in numbers]


def test_a_resumed_session_opens_with_every_option_and_continues(plans):
    plan = plans[0]
    steps = State(plan, some(range(30))).remaining()
    assert steps[0] == Page(part="start", text_id="resume", leave="inputs", min_ms=plan.protocol.breaks.page_ms)
    assert isinstance(steps[1], Run)
    assert steps[1].trial.trial == 30
    assert [s.text_id for s in steps if isinstance(s, Page) and s.part != "main"] == ["resume", "end"]


def test_what_is_left_of_a_whole_session_is_the_end(plans):
    state = State(plans[0], some(range(88)))
    assert state.finished
    assert [step.text_id for step in state.remaining()] == ["resume", "block_accuracy", "end"]


def test_a_resumed_block_counts_earlier_trials_in_its_accuracy(plans):
    shown_whole, shown_parts = [], []
    whole = take_part(plans[0], shown=shown_whole)
    part = trials_in(whole)[:18]
    take_part(plans[0], past=part, shown=shown_parts)
    first = next(p.content for p, _ in shown_whole if p.content.startswith("Block 1"))
    assert first in [p.content for p, _ in shown_parts]


@given(done=st.sets(st.integers(0, 87)), interrupted=st.sets(st.integers(0, 87)))
def test_the_rest_of_a_plan_holds_every_undone_trial_once(plans, done, interrupted):
    steps = State(plans[0], [*some(done), *seen(interrupted)]).remaining()
    runs = [s.trial for s in steps if isinstance(s, Run)]
    assert sorted(t.trial for t in runs) == sorted(set(range(88)) - done)
    assert [t.block for t in runs] == sorted(t.block for t in runs)


def test_a_trial_that_was_interrupted_comes_at_the_end_of_its_block_where_no_page_stands_between_blocks(plans):
    import msgspec

    runs = tuple(step for step in plans[0].steps if isinstance(step, Run) and step.trial.block in (0, 1))
    plan = msgspec.structs.replace(plans[0], steps=runs)
    number = runs[3].trial.trial
    left = [step.trial for step in State(plan, seen([number])).remaining() if isinstance(step, Run)]
    assert [trial.block for trial in left] == [0] * 16 + [1] * 16
    assert left[15].trial == number


def test_a_postponed_trial_goes_behind_its_block_and_not_further(plans):
    steps = [s for s in plans[0].steps if isinstance(s, Run) and s.trial.block == 0]
    assert postpone(steps)[-1] is steps[0]
    alone = [steps[0], Page(part="end", text_id="end")]
    assert postpone(alone) == alone


def test_accuracy_counts_late_and_missing_answers_as_wrong(plans):
    plan = plans[0]
    trials = [trial for trial in plan.trials() if trial.block == 0][:4]
    entries = some(trial.trial for trial in trials)
    right = [next(key for key, name in plan.inputs.items() if name == trial.correct_response) for trial in trials]
    for data, (key, ms) in zip(entries, [(right[0], 300), (right[1], 551), (None, None), (right[3], 40)], strict=True):
        data.input, data.response_ms = key, ms
    assert State(plan, entries).accuracy(0) == 0.5
    assert State(plan).accuracy(0) == 0.0


def test_the_end_trigger_goes_out_and_trouble_between_trials_voids_no_trial(plans):
    class Noting(VirtualScreen):
        def __init__(self):
            super().__init__(60)
            self.pending = []

        def flip(self, frame):
            now = super().flip(frame)
            if frame.kind == "text" and frame.content == plans[0].texts["main"] and not self.pending:
                self.pending.append("clock_step 40.0 ms")
            return now

        def notes(self):
            notes, self.pending = self.pending, []
            return notes

    screen, journal = Noting(), MemoryJournal()
    person = Participant(plans[0], Observers(), seed=1, clock=lambda: screen.now_s)
    screen.see = person.see
    Session(plans[0], screen, person, journal).run()
    assert screen.marks[-1][0] == 5
    assert [e.detail for e in journal.entries if isinstance(e, Event) and e.what == "noted"] == ["clock_step 40.0 ms"]
    assert not any(flag.startswith("clock_step") for d in trials_in(journal.entries) for flag in d.flags)
