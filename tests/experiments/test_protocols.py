"""Every preset and five tasks of a laboratory's kind, run on a virtual screen: boundaries, replays, cuts, the table."""

import contextlib
import functools

import pytest

from rapidvision.cli import main
from rapidvision.errors import Aborted
from rapidvision.experiments.design.planning import Planner, make_study
from rapidvision.experiments.engine.participants import Observers, Participant
from rapidvision.experiments.engine.scripted import RIGHT_BELOW, WRONG_BELOW, number_of, scripted
from rapidvision.experiments.engine.session import Session
from rapidvision.experiments.engine.state import State, outcome_of
from rapidvision.experiments.engine.virtual import MemoryJournal, VirtualScreen
from rapidvision.experiments.interfaces import AnswerData, Event, Press, TrialData
from rapidvision.experiments.recording.answers import answers_of
from rapidvision.experiments.recording.quality import boundaries_of, ends_trial, quality_of
from rapidvision.experiments.recording.rows import rows_of
from rapidvision.formats.trials_table import read_table
from rapidvision.plan import Ask
from rapidvision.screen import refreshes
from rapidvision.task.tracks import QuestTrack
from rapidvision.trials import columns_of
from tests.experiments.sets import PROTOCOLS, protocol_of

WHO = {"observer": "simulated", "observer_kind": "simulated", "session_id": "s", "participant_id": "p"}
RATES = (60, 75, 120, 144, 240)


@pytest.fixture(scope="module")
def plan_of(set_of):
    """A function: the name of a protocol and a slot -> a plan of its first group."""

    @functools.cache
    def find(name, slot=0):
        planner = Planner(set_of(name), protocol_of(name))
        return planner.plan(next(iter(planner.conditions.groups)), slot)

    return find


class Nervous:
    """An input port that adds escapes to another one's inputs."""

    def __init__(self, person, clock, at):
        self.person, self.clock, self.at = person, clock, sorted(at)

    def poll(self):
        new = list(self.person.poll())
        while self.at and self.at[0] <= self.clock():
            new.append(Press("escape", self.at.pop(0)))
        return new


def run(plan, *, past=(), hz=60.0, seed=3, escapes=(), script=True, observers=None):
    """Run what is left of a plan; return the whole journal and the screen."""
    screen, journal = VirtualScreen(hz), MemoryJournal()
    if script:
        person = scripted(plan, seed=seed, clock=lambda: screen.now_s)
    else:
        person = Participant(plan, observers or Observers(), seed=seed, clock=lambda: screen.now_s)
    screen.see = person.see
    session = Session(plan, screen, Nervous(person, lambda: screen.now_s, escapes), journal, past=past)
    person.choose = session.state.choose
    with contextlib.suppress(Aborted):
        session.run()
    return [*past, *journal.entries], screen


def numbers(entries):
    return [entry.trial for entry in entries if isinstance(entry, TrialData)]


def answers(entries):
    return [(a.question, a.trial, a.block) for a in entries if isinstance(a, AnswerData)]


def expected(plan, entries):
    """Trials that the session has, practice rounds that fell away left out."""
    state = State(plan, entries)
    gone = {step.trial.trial for step in state.remaining() if hasattr(step, "trial")}
    return {trial.trial for trial in plan.trials("main")} - gone


@pytest.mark.parametrize("name", PROTOCOLS)
def test_every_task_runs_to_its_end_with_the_columns_that_it_declares(plan_of, name):
    plan = plan_of(name)
    entries, _ = run(plan, script=False)
    state = State(plan, entries)
    assert entries[-1].what == "finished"
    assert not state.differs
    assert state.finished
    assert {trial.trial for trial in plan.trials("main")} <= set(state.done)
    rows = rows_of(plan, entries, **WHO)
    assert [row.trial for row in rows] == sorted(state.done)
    declared = [column.name for column in columns_of(plan.protocol)]
    assert all(list(row.more) == declared for row in rows)
    assert all(row.timing_ok for row in rows)
    assert quality_of(plan, entries).flags == {}
    given = {(a.trial, a.question): a for a in entries if isinstance(a, AnswerData) and a.trial is not None}
    for row in rows:
        for question in plan.protocol.questions:
            if question.ask == "trial":
                answer = given.pop((row.trial, question.name), None)
                assert row.more[question.name] == question.typed(answer and answer.value)
                assert row.more[f"{question.name}_ms"] == (answer and answer.response_ms)
    assert not given
    asked = [step for step in plan.steps if isinstance(step, Ask)]
    assert [(a.question, a.block) for a in answers_of(plan, entries, **WHO)] == [(a.question, a.block) for a in asked]


@pytest.mark.parametrize("name", PROTOCOLS)
def test_a_scripted_participant_gets_what_its_rule_says_at_any_refresh_rate(plan_of, name):
    plan = plan_of(name, 1)
    tables = [rows_of(plan, run(plan, hz=hz)[0], **WHO) for hz in (60, 144)]
    assert len({tuple((r.trial, r.response, r.correct, r.status) for r in rows) for rows in tables}) == 1
    response = plan.protocol.response
    for row in tables[0] if response else ():
        number, names = number_of(3, row.trial), [option.name for option in response.options]
        right = names.index(row.correct_response)
        wanted = names[right if number < RIGHT_BELOW else (right + 1) % len(names)]
        wanted = wanted if number < WRONG_BELOW else response.withheld or "none"
        assert (row.response, row.correct) == (wanted, None if wanted == "none" else wanted == row.correct_response)
        assert row.status == ("none" if wanted == "none" else "ok")


@pytest.mark.parametrize("hz", RATES)
@pytest.mark.parametrize("name", PROTOCOLS)
def test_every_boundary_is_within_half_a_refresh_of_its_target_and_on_the_screen_when_the_journal_says(
    plan_of, name, hz
):
    plan = plan_of(name)
    entries, screen = run(plan, hz=hz)
    trials, ends = {trial.trial: trial for trial in plan.trials()}, ends_trial(plan)
    times = {(frame.trial, frame.phase): time_s for frame, time_s in screen.shown if frame.phase}
    n_boundaries = 0
    for data in (entry for entry in entries if isinstance(entry, TrialData)):
        for found in boundaries_of(trials[data.trial], data, ends_trial=ends):
            if not found.cut:
                assert abs(found.shown_ms - found.planned_ms) <= 500 / hz + 1e-6, (data.trial, found)
                assert round(found.shown_ms * hz / 1000) == refreshes(found.planned_ms, hz)
                n_boundaries += 1
        for phase in data.phases:
            assert times[data.trial, phase.name] - data.zero_s == pytest.approx(phase.onset_ms / 1000, abs=1e-9)
    assert n_boundaries > len(numbers(entries))


@pytest.mark.parametrize("name", PROTOCOLS)
def test_a_session_stopped_after_any_entry_ends_with_every_trial_and_question_once(plan_of, name):
    plan = plan_of(name, 1)
    whole, _ = run(plan)
    for cut in range(0, len(whole), max(1, len(whole) // 12)):
        again, _ = run(plan, past=whole[:cut])
        assert again[-1].what == whole[-1].what
        assert len(numbers(again)) == len(set(numbers(again)))
        assert set(numbers(again)) == set(numbers(whole))
        assert not State(plan, again).differs
        assert len(answers(again)) == len(set(answers(again)))
        # A question that was cut off from its trial stays empty; nothing else is lost.
        missing = set(answers(whole)) - set(answers(again))
        assert {trial for _, trial, _ in missing} <= set(numbers(whole[:cut])[-1:])


@pytest.mark.parametrize("name", PROTOCOLS)
def test_escape_and_a_key_lose_no_trial(plan_of, name):
    plan = plan_of(name, 2)
    entries, _ = run(plan, escapes=[7.3, 16.2, 31.9, 40.05, 55.5, 77.7])
    assert [e.what for e in entries if isinstance(e, Event)].count("paused") == 6
    assert entries[-1].what == "finished"
    assert len(numbers(entries)) == len(set(numbers(entries)))
    assert {trial.trial for trial in plan.trials("main")} <= set(numbers(entries))
    assert not State(plan, entries).differs


def test_tracks_follow_the_answers_of_the_table(plan_of):
    """Live sessions and replays share their code, so the rule is held against a track that is fed from the table."""
    plan = plan_of("threshold")
    entries, _ = run(plan, script=False)
    table = {row.trial: row for row in rows_of(plan, entries, **WHO)}
    tracks = {}
    for number in numbers(entries):
        row, trial = table[number], next(t for t in plan.trials() if t.trial == number)
        if not trial.choices:
            continue
        fractions = [next(iter(choice.images.values())).reveal_fraction for choice in trial.choices]
        assert fractions == sorted(fractions)
        track = tracks.get(row.map_source) or QuestTrack.begin(plan.protocol.adaptive, fractions, 0.5)
        assert fractions[track.choose()] == row.reveal_fraction
        right = row.correct is True and row.status in ("ok", "early")
        tracks[row.map_source] = track.after(fractions.index(row.reveal_fraction), right)
    state = State(plan, entries)
    assert set(tracks) == {"clickme", "salicon"}
    for track in state.tracks.values():
        assert any((track.posterior == own.posterior).all() for own in tracks.values())


def test_a_server_knows_both_choices_that_may_follow_a_trial(plan_of):
    plan = plan_of("threshold")
    entries, _ = run(plan, script=False)
    state, main_trials = State(plan), list(plan.trials("main"))
    following = dict(zip([t.trial for t in main_trials], main_trials[1:], strict=False))
    for entry in entries:
        trial = state.trials.get(getattr(entry, "trial", None))
        if isinstance(entry, TrialData) and trial.choices and trial.trial in following:
            ahead = state.choices_after(trial, following[trial.trial])
            state.add(entry)
            assert state.choose(following[trial.trial]) in ahead
            assert len(ahead) == (2 if following[trial.trial].track == trial.track else 1)
        else:
            state.add(entry)


def test_a_journal_that_shows_another_value_than_the_rule_chooses_is_noticed(plan_of):
    plan = plan_of("threshold")
    entries, _ = run(plan)
    number = plan.trials("main")[3].trial
    other = next(entry for entry in entries if isinstance(entry, TrialData) and entry.trial == number)
    values = [choice.value for choice in plan.trials("main")[3].choices]
    other.chosen = values[0] if other.chosen != values[0] else values[-1]
    assert number in State(plan, entries).differs


class TestPracticeCriterion:
    """The task ``cue`` asks for .8, in at most three rounds, and stops where that is missed."""

    def rounds(self, entries, plan):
        done = set(numbers(entries))
        return sorted({trial.block for trial in plan.trials("practice") if trial.trial in done}, reverse=True)

    def test_rounds_behind_a_passed_one_fall_away(self, plan_of):
        plan = plan_of("cue")
        entries, _ = run(plan, script=False, observers=Observers(sources={}, lapse=0.0, no_answer=0.0))
        rounds = self.rounds(entries, plan)
        passed = [State(plan, entries).accuracy(block) >= 0.8 for block in rounds]
        assert passed == [False] * (len(rounds) - 1) + [True]
        assert State(plan, entries).finished

    def test_a_session_whose_last_round_misses_it_ends_and_stays_ended(self, plan_of):
        plan = plan_of("cue")
        guessing = Observers(guessers=1.0, no_answer=0.9)
        entries, screen = run(plan, script=False, observers=guessing)
        assert [e.what for e in entries if isinstance(e, Event)] == ["criterion_missed", "finished"]
        assert self.rounds(entries, plan) == [-1, -2, -3]
        assert not set(numbers(entries)) & {trial.trial for trial in plan.trials("main")}
        assert screen.shown[-2][0].content == plan.texts["practice_failed"]
        state = State(plan, entries)
        assert (state.stopped, state.finished) == (True, True)
        again, _ = run(plan, past=entries, script=False, observers=guessing)
        assert numbers(again) == numbers(entries)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_the_command_simulates_every_task(set_of, tmp_path, name, capsys):
    make_study(set_of(name), protocol_of(name), tmp_path / "study", n_slots=1)
    assert main(["session", "simulate", str(tmp_path / "study"), "--seed", "1"]) == 0
    rows = read_table(tmp_path / "study" / "simulated.csv")
    assert {row.study_id for row in rows} == {protocol_of(name).name}
    assert f"{len(rows)} trials" in capsys.readouterr().out
    assert (tmp_path / "study" / "simulated-columns.json").is_file()
    asked = any(question.ask != "trial" for question in protocol_of(name).questions)
    assert (tmp_path / "study" / "simulated-answers.csv").is_file() == asked


def test_the_right_option_is_lit_after_wrong_responses_where_the_protocol_wants_it(plan_of):
    plan = plan_of("sixteen-way")
    assert (plan.protocol.feedback.shows, plan.protocol.feedback.practice) == ("option", "wrong")
    entries, screen = run(plan, script=False, observers=Observers(guessers=1.0, no_answer=0.0))
    wrong = [trial for trial in plan.trials("practice") if _is_wrong(plan, entries, trial)]
    lit = [frame.content for frame, _ in screen.shown if frame.kind == "options" and frame.content]
    assert lit == [trial.correct_response for trial in wrong]
    assert len(lit) > 8
    said = {frame.content for frame, _ in screen.shown if frame.kind == "text"}
    assert not said & {plan.texts["correct"], plan.texts["wrong"]}


def _is_wrong(plan, entries, trial):
    data = next(entry for entry in entries if getattr(entry, "trial", None) == trial.trial and hasattr(entry, "input"))
    outcome = outcome_of(plan, trial, data)
    return outcome.status in ("ok", "early") and outcome.correct is False
