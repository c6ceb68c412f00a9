"""Adaptive rules: QUEST+ against the method's own package, staircases against their definition."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapidvision.task.adaptive import Adaptive, Grid, Quest, Staircase
from rapidvision.task.tracks import QuestTrack, StaircaseTrack, begin, grid_values
from tests.conftest import missing

VALUES = [10 ** (2 * i / 10) / 100 for i in range(11)]
RULE = Adaptive()


def answers(track, *, n, seed, threshold=0.1, slope=3.0):
    """Indices and answers of a simulated observer on a track."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(n):
        index = track.choose()
        right = bool(rng.random() < 0.98 - 0.48 * math.exp(-(10 ** (slope * math.log10(VALUES[index] / threshold)))))
        found.append((index, right))
        track = track.after(index, right)
    return found, track


def reference():
    """The package's own object with the same grids."""
    try:
        from questplus import QuestPlus
    except ImportError:
        missing("questplus is not installed")
    quest = RULE.quest
    return QuestPlus(
        stim_domain={"intensity": np.log10(VALUES)},
        param_domain={
            "threshold": np.log10(grid_values(quest.threshold)),
            "slope": grid_values(quest.slope),
            "lower_asymptote": [0.5],
            "lapse_rate": grid_values(quest.lapse),
        },
        outcome_domain={"response": ["right", "wrong"]},
        func="weibull",
        stim_scale="log10",
    )


@pytest.mark.parametrize("seed", range(3))
def test_quest_plus_has_the_choices_and_the_posterior_of_the_method_s_own_package(seed):
    package = reference()
    found, track = answers(QuestTrack.begin(RULE, VALUES, 0.5), n=60, seed=seed)
    for index, right in found:
        assert package.next_stim["intensity"] == pytest.approx(math.log10(VALUES[index]))
        package.update(stim=package.next_stim, outcome={"response": "right" if right else "wrong"})
    posterior = np.asarray(package.posterior.values).squeeze()
    assert posterior.shape == track.posterior.shape
    assert np.abs(posterior - track.posterior).max() < 1e-6
    estimate = package.param_estimate
    assert track.means(RULE) == pytest.approx(
        (estimate["threshold"], estimate["slope"], estimate["lapse_rate"]), abs=1e-6
    )


def test_a_track_is_never_changed_and_two_ways_to_it_are_one():
    start = QuestTrack.begin(RULE, VALUES, 0.5)
    before = start.posterior.copy()
    right, wrong = start.after(4, True), start.after(4, False)
    assert (start.posterior == before).all()
    assert np.abs(right.after(6, False).posterior - start.after(6, False).after(4, True).posterior).max() < 1e-15
    assert not (right.posterior == wrong.posterior).all()


def test_the_posterior_finds_the_threshold_that_went_in():
    errors = []
    for seed in range(20):
        _, track = answers(QuestTrack.begin(RULE, VALUES, 0.5), n=60, seed=seed)
        errors.append(track.means(RULE)[0] - math.log10(0.1))
    assert abs(np.mean(errors)) < 0.08
    assert np.std(errors) < 0.25


def test_a_guess_is_right_in_one_of_so_many_options_unless_the_rule_says_otherwise():
    lowest = [begin(RULE, VALUES, n).likelihood[1, 0, -1, -1, 0] for n in (2, 4, 16)]
    assert lowest == pytest.approx([1 / 2, 1 / 4, 1 / 16], abs=1e-6)
    told = Adaptive(quest=Quest(guess=0.1))
    assert begin(told, VALUES, 2).likelihood[1, 0, -1, -1, 0] == pytest.approx(0.1, abs=1e-6)


@pytest.mark.parametrize(
    ("grid", "values"),
    [
        (Grid(first=2, last=2), [2]),
        (Grid(first=0, last=1, steps=3), [0, 0.5, 1]),
        (Grid(first=1, last=100, steps=3, log=True), [1, 10, 100]),
    ],
)
def test_grids_have_their_values(grid, values):
    assert grid_values(grid).tolist() == pytest.approx(values)


@given(
    st.lists(st.booleans(), max_size=60),
    st.integers(2, 12),
    st.integers(1, 4),
    st.integers(1, 2),
    st.integers(1, 3),
    st.sampled_from(["easiest", "middle"]),
)
def test_a_staircase_moves_by_its_counts_and_stays_on_its_values(given_answers, n, down, up, step, start):
    rule = Staircase(start=start, down=down, up=up, step=step)
    track = begin(Adaptive(method="staircase", staircase=rule), [0.1] * n, 2)
    at, in_a_row = (n - 1 if start == "easiest" else n // 2), []
    for right in given_answers:
        assert track.choose() == at
        in_a_row = [*in_a_row, right] if not in_a_row or in_a_row[-1] == right else [right]
        if right and len(in_a_row) == down:
            at, in_a_row = max(0, at - step), []
        elif not right and len(in_a_row) == up:
            at, in_a_row = min(n - 1, at + step), []
        track = track.after(track.choose(), right)
    assert track.choose() == at


@settings(max_examples=20)
@given(st.integers(0, 2**30))
def test_a_two_down_one_up_staircase_settles_near_seventy_one_per_cent(seed):
    """Levitt (1971): two down, one up converges on the value that is answered correctly in .707 of the trials."""
    rng = np.random.default_rng(seed)
    track, share = StaircaseTrack.begin(Staircase(), 101), []
    for _ in range(3000):
        p = 0.5 + 0.5 * track.choose() / 100
        share.append(p)
        track = track.after(track.choose(), bool(rng.random() < p))
    assert abs(np.mean(share[200:]) - 0.707) < 0.03
