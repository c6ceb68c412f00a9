"""Protocols drawn at random: plan, virtual session, replayed journal and table are held against each other."""

import contextlib
import os
from collections import Counter

import msgspec
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from rapidvision import recipes
from rapidvision.errors import Aborted, InputError
from rapidvision.experiments.design.fit import check_fit
from rapidvision.experiments.design.planning import Planner
from rapidvision.experiments.engine.participants import Observers, Participant
from rapidvision.experiments.engine.session import Session
from rapidvision.experiments.engine.state import State
from rapidvision.experiments.engine.virtual import MemoryJournal, VirtualScreen
from rapidvision.experiments.interfaces import AnswerData, Event, Press, TrialData
from rapidvision.experiments.recording.journal import decode, encode
from rapidvision.experiments.recording.quality import boundaries_of, ends_trial
from rapidvision.experiments.recording.rows import rows_of
from rapidvision.plan import Plan
from rapidvision.protocol import Protocol

WHO = {"observer": "simulated", "observer_kind": "simulated", "session_id": "s", "participant_id": "p"}
EXAMPLES = int(os.environ.get("RAPIDVISION_EXAMPLES", "60"))
ms = st.integers(20, 300)
durations = st.one_of(ms, st.tuples(ms, ms).map(sorted).map(list))
#: What was drawn; the last test asks whether it was enough.
tried = Counter()


@st.composite
def factors_of(draw, blocks):
    """Factors and fixed columns of a design."""
    factors, fixed = [], {}
    source = draw(st.sampled_from(["between", "within", "fixed", "block"]))
    if source == "fixed" or (source == "block" and blocks < 4):
        fixed["map_source"] = "clickme"
    else:
        factors.append({"name": "map_source", "vary": source, "values": ["clickme", "salicon"]})
    level = draw(st.sampled_from(["within", "fixed", "few"]))
    if level == "fixed":
        fixed["level"] = draw(st.integers(0, 11))
    else:
        factors.append({"name": "level"} | ({"values": [3, 7, 11]} if level == "few" else {}))
    if draw(st.booleans()):
        factors.append(
            {"name": "exposure", "values": draw(st.lists(ms, min_size=2, max_size=4, unique=True).map(sorted))}
        )
    if draw(st.booleans()):
        factors.append({"name": "cue", "values": ["left", "right"]})
    if draw(st.booleans()):
        factors.append({"name": "family", "values": ["noise", "none", "phase-scrambled"]})
    return factors, fixed


@st.composite
def phases_of(draw, names, pair):
    """Phases around one or two images."""
    shown = "exposure" if "exposure" in names else draw(durations)
    phases = [{"kind": "fixation", "duration_ms": draw(durations)}]
    if "cue" in names:
        phases.append({"kind": "cue", "text": "look {cue}", "duration_ms": draw(ms)})
    if draw(st.booleans()):
        phases.append({"kind": "mask", "name": "forward", "mask": "checkerboard", "duration_ms": draw(ms)})
    if pair:
        phases.append({"kind": "stimulus", "name": "one", "image": "first", "duration_ms": draw(ms)})
        phases.append({"kind": "blank", "name": "between", "duration_ms": draw(durations)})
    phases.append({"kind": "stimulus", "duration_ms": shown} | ({"image": "second"} if pair else {}))
    if "family" in names:
        phases.append({"kind": "mask", "mask": "family", "duration_ms": draw(ms)})
    wait = draw(st.one_of(st.just("response"), st.integers(300, 600)))
    return [*phases, {"kind": "blank", "name": "wait", "duration_ms": wait}]


@st.composite
def responses(draw, names, pair):
    """Options of one of five styles, or none."""
    style = draw(
        st.sampled_from(["yes", "go", "none", *(["pair"] if pair else []), *(["cue"] if "cue" in names else [])])
    )
    options = {
        "yes": [
            {"name": "yes", "matches": [True], "keys": ["y"]},
            {"name": "no", "matches": [False], "keys": ["n"], "buttons": [2]},
        ],
        "go": [{"name": "go", "matches": [True], "keys": ["space"]}, {"name": "stay", "matches": [False]}],
        "pair": [{"name": "same", "keys": ["s"]}, {"name": "different", "keys": ["d"]}],
        "cue": [{"name": "left", "keys": ["q"], "area": True}, {"name": "right", "keys": ["p"], "area": True}],
    }.get(style)
    if options is None:
        return None
    counts = draw(st.sampled_from(["first", "last"]))
    return {
        "options": options,
        "correct": style if style in ("pair", "cue") else "target",
        "opens": draw(st.sampled_from(["stimulus", "wait"])),
        "limit_ms": draw(st.integers(200, 300)),
        "counts": counts,
        "ends_trial": counts == "first" and style != "go" and draw(st.booleans()),
        "press": draw(st.sampled_from(["down", "up"])) if style == "go" else "down",
    }


@st.composite
def protocols(draw):
    """A protocol as plain data; most are valid."""
    pair = draw(st.sampled_from([None, None, {"same": "category"}, {"same": "image", "share_same": 0.25}]))
    images, repetitions = draw(st.sampled_from([16, 32])), draw(st.sampled_from([1, 1, 2]))
    blocks = draw(st.sampled_from([1, 2, 4]))
    factors, fixed = draw(factors_of(blocks))
    names = [factor["name"] for factor in factors]
    response, phases = draw(responses(names, pair)), draw(phases_of(names, pair))
    questions = []
    if response is None:
        phases[-1]["duration_ms"] = 100
        questions.append({"name": "label", "kind": "text", "correct": "category"})
    elif draw(st.booleans()):
        asked = {"when": draw(st.sampled_from(["always", "answered"])), "practice": draw(st.booleans())}
        questions.append({"name": "sure", "kind": "rating", "options": ["1", "2", "3"]} | asked)
    if draw(st.booleans()):
        ask = draw(st.sampled_from(["start", "block", "end"]))
        questions.append({"name": "years", "kind": "number", "range": [18, 99], "ask": ask})
    rounds = [{"n_trials": 0}, {"n_trials": 4}]
    if response is not None:
        rounds += [
            {"n_trials": 4, "criterion": 0.9, "max_rounds": 3},
            {"n_trials": 4, "criterion": 0.95, "max_rounds": 2, "failed": "stop"},
        ]
    made = {
        "name": "random",
        "seed": draw(st.integers(0, 2**40)),
        "phases": phases,
        "questions": questions,
        "design": {
            "images": images,
            "repetitions": repetitions,
            "blocks": blocks,
            "balanced_blocks": draw(st.booleans()),
            "factors": factors,
            "fixed": fixed,
        }
        | ({"pair": pair} if pair else {}),
        "practice": draw(st.sampled_from(rounds)),
        "feedback": {
            "practice": draw(st.sampled_from(["none", "wrong", "all"])),
            "show_ms": 50,
            "too_slow_ms": draw(st.sampled_from([0, 100])),
        },
        "breaks": {
            "every_blocks": draw(st.sampled_from([1, 2])),
            "rest_ms": draw(st.sampled_from([0, 700])),
            "unlock": draw(st.sampled_from(["participant", "experimenter"])),
        },
    }
    over = [name for name in names if name in ("level", "exposure")]
    if over and response and not pair and draw(st.booleans()):
        grids = {
            "threshold": {"first": 0.01, "last": 1.0, "steps": 8, "log": True},
            "slope": {"first": 2.0, "last": 4.0, "steps": 2},
        }
        per = [factor["name"] for factor in factors if factor["name"] == "map_source" and factor["vary"] == "within"]
        method = draw(st.sampled_from(["quest+", "staircase"]))
        made["adaptive"] = {"over": draw(st.sampled_from(over)), "method": method, "per": per, "quest": grids}
    return made | ({"response": response} if response else {})


class Nervous:
    """An input port that adds escapes to a participant's inputs."""

    def __init__(self, person, clock, at):
        self.person, self.clock, self.at = person, clock, sorted(at)

    def poll(self):
        new = list(self.person.poll())
        while self.at and self.at[0] <= self.clock():
            new.append(Press("escape", self.at.pop(0)))
        return new


def run(plan, *, seed, hz, past=(), escapes=(), late=None):
    screen, journal = VirtualScreen(hz, late=late), MemoryJournal()
    person = Participant(plan, Observers(no_answer=0.1), seed=seed, clock=lambda: screen.now_s)
    screen.see = person.see
    session = Session(plan, screen, Nervous(person, lambda: screen.now_s, escapes), journal, past=past)
    person.choose = session.state.choose
    with contextlib.suppress(Aborted):
        session.run()
    return [*past, *journal.entries], screen


def replayed(entries):
    """The entries as they come back from a file."""
    return decode(b"".join(map(encode, entries)), name="journal")


@pytest.fixture(scope="module")
def images(set_of):
    return set_of("paper")


@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
@given(
    raw=protocols(),
    slot=st.integers(0, 30),
    seed=st.integers(0, 2**30),
    hz=st.sampled_from([60, 75, 144]),
    escapes=st.lists(st.floats(1, 60), max_size=4),
    where=st.floats(0, 1),
)
def test_a_journal_replays_to_the_session_that_wrote_it(images, raw, slot, seed, hz, escapes, where):
    tried["drawn"] += 1
    try:
        protocol = recipes.convert(raw, Protocol)
        check_fit(images, protocol)
    except InputError as error:
        tried[str(error).splitlines()[0][:80]] += 1
        assume(False)
    planner = Planner(images, protocol)
    groups = list(planner.conditions.groups)
    plan = planner.plan(groups[seed % len(groups)], slot)
    assert msgspec.json.decode(msgspec.json.encode(plan), type=Plan) == plan
    late = dict.fromkeys(range(50 + seed % 97, 4000, 101), 1) if seed % 2 else {}
    entries, screen = run(plan, seed=seed, hz=hz, escapes=escapes, late=late)
    last = entries[-1].what
    assert last in ("finished", "aborted")
    state = State(plan, replayed(entries))
    assert not state.differs
    assert rows_of(plan, replayed(entries), **WHO) == rows_of(plan, entries, **WHO)
    count(plan, entries, state)
    on_the_screen(entries, screen)
    if not late:
        boundaries(plan, entries, hz)
    done = [entry.trial for entry in entries if isinstance(entry, TrialData)]
    assert len(done) == len(set(done))
    if last == "finished":
        cut_and_resumed(plan, entries[: int(where * len(entries))], seed=seed, hz=hz)


def count(plan, entries, state):
    tried["valid"] += 1
    tried["stopped"] += state.stopped
    tried["adaptive"] += plan.protocol.adaptive is not None
    tried["pairs"] += plan.protocol.design.pair is not None
    tried["seen again"] += any(isinstance(entry, Event) and entry.seen for entry in entries)
    tried["questions"] += any(isinstance(entry, AnswerData) for entry in entries)
    tried["releases"] += plan.protocol.response is not None and plan.protocol.response.press == "up"
    tried["criterion"] += plan.protocol.practice.criterion is not None


def on_the_screen(entries, screen):
    """Each phase came up once, when the journal says, and the next one followed it at once."""
    times = {(frame.trial, frame.phase): time_s for frame, time_s in screen.shown if frame.phase}
    for data in (entry for entry in entries if isinstance(entry, TrialData)):
        for phase, following in zip(data.phases, data.phases[1:], strict=False):
            assert phase.onset_ms + phase.shown_ms == pytest.approx(following.onset_ms, abs=1e-6)
        for phase in data.phases:
            assert times[data.trial, phase.name] - data.zero_s == pytest.approx(phase.onset_ms / 1000, abs=1e-9)


def boundaries(plan, entries, hz):
    trials, ends = {trial.trial: trial for trial in plan.trials()}, ends_trial(plan)
    for data in (entry for entry in entries if isinstance(entry, TrialData)):
        for found in boundaries_of(trials[data.trial], data, ends_trial=ends):
            assert found.cut or abs(found.shown_ms - found.planned_ms) <= 500 / hz + 1e-6, found


def cut_and_resumed(plan, past, *, seed, hz):
    again, _ = run(plan, seed=seed, hz=hz, past=past)
    state = State(plan, again)
    done = [entry.trial for entry in again if isinstance(entry, TrialData)]
    assert len(done) == len(set(done))
    assert again[-1].what == "finished"
    assert not state.differs
    assert state.stopped or {trial.trial for trial in plan.trials("main")} <= set(done)
    asked = [(entry.question, entry.trial, entry.block) for entry in again if isinstance(entry, AnswerData)]
    assert len(asked) == len(set(asked))


def test_enough_was_drawn_of_everything():
    if tried["drawn"] < 50:
        pytest.skip("the test before did not run")
    for what in ("adaptive", "pairs", "seen again", "questions", "criterion"):
        assert tried[what] > 0, tried
    print(tried)
    assert tried["valid"] > 0.3 * tried["drawn"], tried
