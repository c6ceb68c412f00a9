"""Which rows count: one kind of observer, named rules for timing and attempts, and a count of what they leave out."""

import numpy as np
import pandas as pd
import pytest

from rapidvision import analysis
from rapidvision.analysis.comparison import compare
from rapidvision.analysis.fits import regression
from rapidvision.analysis.reporting.basis.fig2b_panel import fig2b
from rapidvision.analysis.reporting.build import report
from rapidvision.analysis.table.accuracy import cells
from rapidvision.analysis.table.exclusions import Rules, exclude
from rapidvision.analysis.table.first_lines import opening
from rapidvision.analysis.table.statistic_registry import STATISTICS
from rapidvision.analysis.table.statistics import columns_of
from rapidvision.analysis.table.trials import Trials, read_trials
from rapidvision.cli import main
from rapidvision.errors import InputError
from tests.analysis.conftest import as_csv, network_rows


def mixed(trials, kind="human", share=2):
    """Half of the participants are of another kind."""
    who = sorted(set(trials.frame["participant_id"]))[::share]
    other = trials.frame["participant_id"].isin(who)
    frame = trials.frame.assign(observer_kind=np.where(other, kind, trials.frame["observer_kind"]))
    return Trials(frame, name="mixed.csv")


@pytest.mark.parametrize(
    "work",
    [
        cells,
        opening,
        lambda t: exclude(t, Rules()),
        lambda t: analysis.level_tests(t, n_resamples=20, seed=1),
        lambda t: fig2b(t, n_resamples=20, seed=1),
        lambda t: analysis.fit_psychometric(t, n_resamples=20, n_bootstrap=20, seed=1),
        lambda t: analysis.chance(t, n_resamples=20, seed=1),
        regression.fit_mixed,
        lambda t: compare(t, t, seed=1),
        lambda t: report(t, "never-written", n_resamples=20, seed=1),
        *(lambda t, name=name: columns_of(t, name) for name in STATISTICS),
    ],
)
@pytest.mark.parametrize("kind", ["human", "pilot"])
def test_kinds_of_observers_never_mix(trials, work, kind):
    with pytest.raises(InputError, match=rf"{kind} 1,920 trials.*never analysed together.*--observers human"):
        work(mixed(trials, kind))


def test_the_kind_that_is_chosen_is_the_only_one_that_counts(trials):
    both = mixed(trials)
    people, made = cells(both.select(observers="human")), cells(both.select(observers="simulated"))
    assert not set(people.participants) & set(made.participants)
    assert len(people.participants) + len(made.participants) == 48
    alone = cells(both.keep((both.frame["observer_kind"] == "human").to_numpy(), "people"))
    assert people.halves.tolist() == alone.halves.tolist()
    assert "observers: simulated" in made.notes
    assert "observers: human" not in people.notes
    with pytest.raises(InputError, match="no observer of the kind pilot; there are human 1,920 trials"):
        cells(both.select(observers="pilot"))


def test_networks_are_no_participants_unless_asked(trials):
    nets = Trials(network_rows(trials).assign(observer_kind="model"), name="models.csv")
    with pytest.raises(InputError, match="only networks answered here"):
        cells(nets)
    assert len(cells(nets.select(observers="model")).participants) == 48
    together = Trials(pd.concat([trials.frame, nets.frame], ignore_index=True))
    with pytest.raises(InputError, match="model 3,840 trials"):
        cells(together)


def test_the_command_line_chooses_the_kind(trials, tmp_path, capsys):
    path = as_csv(mixed(trials).frame, tmp_path / "t.csv")
    for words in (
        ["bins", "--n-resamples", "20"],
        ["chance", "--n-resamples", "20"],
        ["curve", "--n-resamples", "20"],
        ["fig2b", "--out", str(tmp_path), "--n-resamples", "20"],
    ):
        assert main(["analyse", words[0], str(path), *words[1:], "--seed", "1"]) == 2
        assert "--observers human" in capsys.readouterr().err
        assert main(["analyse", words[0], str(path), *words[1:], "--seed", "1", "--observers", "simulated"]) == 0
        assert "observers: simulated" in capsys.readouterr().out


def timed(trials, false=12, none=100):
    frame = trials.frame.copy()
    frame["timing_ok"] = [False] * false + [None] * none + [True] * (len(frame) - false - none)
    return Trials(frame, name="timed.csv")


@pytest.mark.parametrize(
    ("rule", "left", "says"),
    [
        ("all", 0, None),
        ("not-false", 12, "12 of 3,840 trials did not keep the planned durations and are left out (timing: not-false)"),
        ("verified", 112, "112 of 3,840 trials have no verified timing and are left out (timing: verified)"),
    ],
)
def test_timing_is_used_by_a_named_rule_and_counted(trials, rule, left, says):
    found = cells(timed(trials).select(timing=rule))
    assert found.n_shown.sum() == len(trials) - left
    assert (says in found.notes) if says else not any("timing" in note for note in found.notes)


def test_what_was_measured_to_be_wrong_is_left_out_by_default(trials):
    assert cells(timed(trials)).n_shown.sum() == len(trials) - 12


def test_a_second_attempt_counts_only_when_asked(trials):
    frame = trials.frame.copy()
    frame.loc[:4, "attempt"] = 2
    found = cells(Trials(frame))
    assert found.n_shown.sum() == len(trials) - 5
    assert any(note.startswith("5 of 3,840 trials are second or later attempts") for note in found.notes)
    assert cells(Trials(frame).select(attempts="all")).n_shown.sum() == len(trials)


def test_aborted_trials_are_counted(trials):
    frame = trials.frame.copy()
    frame.loc[:2, "status"] = "aborted"
    assert "3 of 3,840 trials were aborted and are left out" in cells(Trials(frame)).notes


@pytest.mark.parametrize(("many", "said"), [(192, False), (193, True)])
def test_more_than_one_trial_in_twenty_voided_or_flagged_is_said(trials, many, said):
    frame = trials.frame.copy()
    frame["flags"] = ["late_press both_keys"] * many + [None] * (len(frame) - many)
    notes = cells(Trials(frame).select(timing="all")).notes
    found = [note for note in notes if note.startswith("WARNING")]
    assert bool(found) == said
    if said:
        assert f"{many} of 3,840 trials (5.0%) were voided or flagged (late_press {many})" in found[0]


def test_a_participants_own_presses_are_no_trouble(trials):
    frame = trials.frame.copy()
    frame["flags"] = "early_press held_at_onset both_keys"
    assert not [note for note in cells(Trials(frame).select(timing="all")).notes if note.startswith("WARNING")]


def test_voided_trials_are_said_in_every_result(trials, tmp_path, capsys):
    frame = trials.frame.copy()
    frame.loc[: len(frame) // 10, "timing_ok"] = False
    path = as_csv(frame, tmp_path / "t.csv")
    for words in (
        ["bins", "--n-resamples", "20"],
        ["chance", "--n-resamples", "20"],
        ["curve", "--n-resamples", "20"],
        ["fig2b", "--n-resamples", "20", "--out", str(tmp_path)],
        ["report", "--n-resamples", "20", "--out", str(tmp_path / "r")],
    ):
        assert main(["analyse", words[0], str(path), *words[1:], "--seed", "1"]) == 0
        assert (
            "WARNING: 385 of 3,840 trials (10.0%) were voided or flagged (timing_ok false 385)"
            in capsys.readouterr().out
        )
    assert "WARNING: 385 of 3,840 trials" in (tmp_path / "r" / "report.html").read_text()


def test_rules_are_checked(trials, table_file):
    for rules, says in (
        ({"timing": "verfied"}, 'Did you mean "verified"'),
        ({"attempts": "last"}, "attempts"),
        ({"observers": "people"}, "observers"),
        ({"flags": "none"}, 'no rule "flags"'),
    ):
        with pytest.raises(InputError, match=says):
            read_trials(table_file).select(**rules)
