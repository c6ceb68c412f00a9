"""Simulated participants are what their file says, and always the same ones."""

import numpy as np
import pytest

from rapidvision.cli import main
from rapidvision.errors import InputError, RecipeError
from rapidvision.experiments.engine.participants import Observers, Sight
from rapidvision.experiments.engine.simulate import refuse_to_replace_people, simulate_session, simulate_study
from rapidvision.experiments.interfaces import Event, TrialData
from rapidvision.experiments.recording.rows import rows_of
from rapidvision.formats.trials_table import read_table, write_table
from rapidvision.recipes import dump, parse


@pytest.fixture(scope="session")
def rows(plans, seed):
    return simulate_study(plans, Observers(), seed=seed)


def test_everybody_takes_every_trial_once(rows):
    assert len(rows) == 120 * 88
    assert len({(r.session_id, r.trial) for r in rows}) == len(rows)
    main_rows = [r for r in rows if r.phase == "main"]
    assert len({(r.participant_id, r.image_id) for r in main_rows}) == 120 * 80


def test_the_same_seed_gives_the_same_table_and_another_one_another(plans):
    few = plans[:3]
    assert simulate_study(few, Observers(), seed=4) == simulate_study(few, Observers(), seed=4)
    assert simulate_study(few, Observers(), seed=4) != simulate_study(few, Observers(), seed=5)
    assert simulate_study(few[1:], Observers(), seed=4) == simulate_study(few, Observers(), seed=4)[88:]


@pytest.mark.parametrize("source", ["clickme", "salicon"])
def test_accuracy_at_each_level_is_what_the_observers_file_says(rows, source):
    observers = Observers()
    shifts = np.random.default_rng(0).normal(0, observers.threshold_sd, 500)
    for level in range(12):
        some = [r for r in rows if r.phase == "main" and r.group == source and r.level_index == level]
        answered = [r.correct for r in some if r.correct is not None]
        fraction = some[0].reveal_fraction
        expected = np.mean([observers.accuracy(source, fraction, shift=s) for s in shifts])
        error = np.sqrt(expected * (1 - expected) / len(answered))
        assert abs(np.mean(answered) - expected) < 4.5 * error + 0.005, (level, np.mean(answered), expected)


def test_thresholds_are_recovered_from_answers(plans, seed):
    """A logistic fit by maximum likelihood finds the threshold that went in."""
    observers = Observers(
        sources={"clickme": Sight(threshold=0.05, slope=6), "salicon": Sight(threshold=0.3, slope=6)},
        threshold_sd=0.0,
        lapse=0.0,
        no_answer=0.0,
    )
    rows = simulate_study(plans, observers, seed=seed)
    for source, truth in (("clickme", 0.05), ("salicon", 0.3)):
        some = [r for r in rows if r.group == source and r.reveal_fraction is not None and r.phase == "main"]
        x = np.log10([r.reveal_fraction for r in some])
        y = np.array([r.correct for r in some])
        grid = np.linspace(-2, 0, 401)
        p = 0.5 + 0.5 / (1 + np.exp(-6 * (x[None] - grid[:, None])))
        likelihood = np.where(y, np.log(p), np.log1p(-p)).sum(1)
        assert grid[likelihood.argmax()] == pytest.approx(np.log10(truth), abs=0.06)


def test_response_times_late_and_missing_answers_have_their_shares(rows):
    observers = Observers()
    times = np.array([r.response_ms for r in rows if r.response_ms is not None])
    assert times.min() > observers.response_shift_ms
    assert np.median(times) == pytest.approx(observers.response_shift_ms + observers.response_median_ms, abs=25)
    assert np.mean([r.status == "late" for r in rows]) == pytest.approx(0.05, abs=0.03)
    assert np.mean([r.status == "none" for r in rows]) == pytest.approx(0.01, abs=0.005)


def test_guessers_are_at_chance_and_press_the_key_they_prefer(plans):
    rows = simulate_study(plans[:20], Observers(guessers=1.0, key_bias=0.8), seed=1)
    answered = [r for r in rows if r.correct is not None]
    assert np.mean([r.correct for r in answered]) == pytest.approx(0.5, abs=0.04)
    assert np.mean([r.input == "s" for r in answered]) == pytest.approx(0.8, abs=0.03)


def test_drop_outs_stop_before_the_end_and_keep_what_they_did(plans):
    entries = [simulate_session(plan, Observers(drop_outs=1.0), seed=2) for plan in plans[:10]]
    lengths = [sum(isinstance(e, TrialData) for e in one) for one in entries]
    assert all(n < 88 for n in lengths)
    assert len(set(lengths)) > 3
    for one in entries:
        assert [e.what for e in one if isinstance(e, Event)] == ["interrupted", "paused", "aborted"]
    rows = rows_of(
        plans[0], entries[0], observer="simulated", observer_kind="simulated", session_id="s", participant_id="p"
    )
    assert [r.status for r in rows][-1] == "aborted"
    assert len(rows) == lengths[0] + 1


def test_late_refreshes_are_counted_and_leave_durations_alone(plans):
    rows = simulate_study(plans[:5], Observers(late_refreshes=0.01, refresh_hz=85), seed=1)
    assert 5 * 88 * 0.01 * 80 < sum(r.late_refreshes for r in rows) < 5 * 88 * 0.01 * 400
    nominal = 34 * 1000 / 85
    assert np.mean([abs(r.more["stimulus_ms"] - nominal) < 1e-6 for r in rows]) > 0.97


def test_a_trial_in_which_the_clock_stepped_is_kept_and_flagged(plans):
    entries = [e for e in simulate_session(plans[0], Observers(), seed=1) if isinstance(e, TrialData)]
    entries[3].flags.append("clock_step -5000.0 ms")
    entries[4].flags += ["clock_step 2.0 ms", "press_time_uncertain 2.0 ms"]
    who = {"observer": "human", "observer_kind": "human", "session_id": "a", "participant_id": "a"}
    made = rows_of(plans[0], entries, **who)
    assert [row.flags for row in made[3:5]] == ["clock_step", "clock_step press_time_uncertain"]
    assert [row.timing_ok for row in made[3:5]] == [True, False]
    assert "aborted" not in {row.status for row in made}


def test_the_observers_file_round_trips_and_refuses_nonsense():
    assert parse(dump(Observers()), Observers) == Observers()
    with pytest.raises(RecipeError, match='unknown key "threshhold"'):
        parse("[sight]\nthreshhold = 0.1", Observers)
    for wrong in (
        "lapse = 1.2",
        "guessers = -0.1",
        "threshold_sd = -1.0",
        "response_median_ms = 0.0",
        "refresh_hz = 0.0",
    ):
        with pytest.raises(RecipeError, match=wrong.split()[0]):
            parse(wrong, Observers)
    with pytest.raises(RecipeError, match="threshold must lie between"):
        parse("[sources.clickme]\nthreshold = 0.0", Observers)


def test_simulated_trials_never_replace_a_person_s(rows, tmp_path):
    path = tmp_path / "trials.csv"
    refuse_to_replace_people(path)
    write_table(path, rows[:3])
    refuse_to_replace_people(path)
    import msgspec

    write_table(path, [msgspec.structs.replace(rows[0], observer="human", observer_kind="human")])
    with pytest.raises(InputError, match="holds trials of people"):
        refuse_to_replace_people(path)


def test_the_command_writes_the_table_and_what_made_it(study, capsys):
    assert main(["session", "simulate", str(study.folder), "--seed", "3"]) == 0
    assert "704 trials of 8 simulated participants" in capsys.readouterr().out
    assert len(read_table(study.simulated_path)) == 704
    assert not study.trials_path.exists()  # where the table of people goes
    first = study.simulated_path.read_bytes()
    assert '"seed": 3' in (study.folder / "simulated.simulation.json").read_text()
    assert main(["session", "simulate", str(study.folder), "--seed", "3", "--quiet"]) == 0
    assert study.simulated_path.read_bytes() == first


def test_the_command_describes_its_observers(study, tmp_path, capsys):
    assert main(["session", "simulate", str(study.folder), "--describe"]) == 0
    path = tmp_path / "observers.toml"
    path.write_text(capsys.readouterr().out.replace("guessers = 0.0", "guessers = 1.0"))
    out = tmp_path / "x.csv"
    assert (
        main(
            ["session", "simulate", str(study.folder), "--observers-file", str(path), "--seed", "1", "--out", str(out)]
        )
        == 0
    )
    assert np.mean([r.correct for r in read_table(out) if r.correct is not None]) < 0.6
