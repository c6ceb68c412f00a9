"""Power from a pilot: the pilot's truth comes back, false positives keep alpha, and what cannot reject is said."""

import json

import numpy as np
import pytest

from rapidvision import analysis
from rapidvision.analysis.inference.permutation import randomization_test
from rapidvision.analysis.relabelling.permutations import label_block
from rapidvision.analysis.relabelling.random_bits import stream_key
from rapidvision.analysis.sample_size import experiment
from rapidvision.analysis.sample_size.pilot_model import pilot_model
from rapidvision.analysis.table.columns import mean_columns
from rapidvision.cli import main
from rapidvision.errors import InputError
from tests.analysis.conftest import as_csv
from tests.analysis.measured_tables import LEVELS, betas, rows_of, table, two_conditions

QUICK = {"n_experiments": 40, "n_resamples": 199, "seed": 1}


def overdispersed(rng, *, n, share, rho, t):
    """Two groups of beta-binomial participants, each with its own spread."""
    level = np.repeat(np.arange(4), t)
    frames = []
    for group, size, p, spread in zip("ab", n, share, rho, strict=True):
        for person, own in enumerate(betas(rng, size, p, spread, (4,))):
            frames.append(rows_of(f"{group}{person:03d}", group, level, rng.random(len(level)) < own[level]))
    return table(*frames)


def test_the_model_of_a_pilot_has_its_means_and_spreads(seed):
    rng = np.random.default_rng(seed)
    model = pilot_model(overdispersed(rng, n=(150, 150), share=(0.8, 0.65), rho=(0.3, 0.05), t=12))
    assert model.share[0] == pytest.approx(0.8, abs=0.06)
    assert model.share[1] == pytest.approx(0.65, abs=0.04)
    assert model.spread == pytest.approx([0.3, 0.05], abs=0.04)
    assert model.same_condition < 0.15
    assert model.n_trials.tolist() == [12] * len(LEVELS)
    a, b = model.draw((4000, 500), rng)
    assert (a / 12).mean(axis=0) == pytest.approx(model.share[0], abs=0.02)
    assert b.shape == (500, 4)
    inside = 0.3 * 0.8 * 0.2 + 0.7 * 0.8 * 0.2 / 12
    assert (a / 12).var(axis=0).mean() == pytest.approx(inside, rel=0.15)


def test_participants_who_are_good_at_one_level_are_good_at_others(seed):
    rng = np.random.default_rng(seed)
    pilot = two_conditions(
        rng, n=80, shares=([0.6, 0.7, 0.8, 0.9], [0.55, 0.6, 0.7, 0.8]), within=True, t=20, spread=1.0
    )
    model = pilot_model(pilot, by="factor_view")
    assert model.design == "within"
    assert model.same_condition > 0.7
    assert model.same_person > 0.6
    a, b = model.draw((2000, 2000), rng)
    real = pilot.people()
    mean = real.assign(right=real["correct"] == True).pivot_table(  # noqa: E712 (None is neither)
        index="participant_id", columns=["factor_view", "level_index"], values="right"
    )
    theirs = np.corrcoef(mean["a"].mean(axis=1), mean["b"].mean(axis=1))[0, 1]
    assert np.corrcoef(a.mean(axis=1), b.mean(axis=1))[0, 1] == pytest.approx(theirs, abs=0.15)


@pytest.mark.parametrize("within", [True, False])
@pytest.mark.parametrize("test", ["levels", "equivalence"])
def test_power_grows_with_participants(seed, within, test):
    rng = np.random.default_rng(seed)
    pilot = two_conditions(rng, n=16, shares=(0.85, 0.7), within=within)
    words = {"effect": 0.0, "bound": 0.15} if test == "equivalence" else {"effect": 1.0}
    found = analysis.pilot_power(pilot, [4, 80], by="factor_view", test=test, **words, **QUICK)
    few, many = found.table["power"]
    assert few < 0.5 < 0.8 < many
    assert (found.table["low"] <= found.table["power"]).all()
    assert (found.table["power"] <= found.table["high"]).all()
    assert len(found.per_level) == 2 * 4


def test_without_a_difference_power_is_alpha(seed):
    rng = np.random.default_rng(seed)
    pilot = overdispersed(rng, n=(20, 60), share=(0.8, 0.8), rho=(0.35, 0.02), t=7)
    found = analysis.pilot_power(pilot, [(12, 48)], effect=0.0, n_experiments=200, n_resamples=299, seed=1)
    assert found.table["low"].iloc[0] <= 0.05
    assert found.table["power"].iloc[0] <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 200)


@pytest.mark.parametrize("within", [True, False])
def test_a_threshold_difference_has_power(seed, within):
    rng = np.random.default_rng(seed)
    pilot = two_conditions(rng, n=12, shares=([0.55, 0.75, 0.9, 0.95], [0.5, 0.55, 0.75, 0.95]), within=within)
    words = {"by": "factor_view", "test": "threshold", "n_experiments": 10, "n_resamples": 99, "seed": 1}
    found = analysis.pilot_power(pilot.guessing(0.5), [20], **words)
    none = analysis.pilot_power(pilot.guessing(0.5), [20], effect=0.0, **words)
    assert found.table["power"].iloc[0] >= 0.8
    assert none.table["power"].iloc[0] <= 0.4
    assert found.per_level.empty


def test_the_same_seed_gives_the_same_power_and_sizes_do_not_matter_to_each_other(seed):
    pilot = two_conditions(np.random.default_rng(seed), n=8, shares=(0.8, 0.65), within=False)
    both = analysis.pilot_power(pilot, [(6, 12), 10], **QUICK).table
    one = analysis.pilot_power(pilot, [10], **QUICK).table
    assert both.iloc[1].tolist() == one.iloc[0].tolist()


@pytest.mark.parametrize("within", [True, False])
def test_what_can_never_reject_is_said(seed, within):
    pilot = two_conditions(np.random.default_rng(seed), n=6, shares=(0.8, 0.6), within=within)
    found = analysis.pilot_power(pilot, [5], by="factor_view", n_experiments=5, n_resamples=99, seed=1)
    warned = [note for note in found.notes if note.startswith("warning: ")]
    assert any("can never reach p <= 0.05" in note for note in warned)
    if within:
        assert found.table["power"].tolist() == [0]


@pytest.mark.parametrize(
    ("words", "match"),
    [
        ({"n": [1]}, "at least 2 of each condition"),
        ({"n": []}, "no number of participants"),
        ({"n": [5], "test": "treshold"}, "Did you mean"),
        ({"n": [5], "alpha": 0.7}, "alpha: got 0.7"),
        ({"n": [5], "bound": 0.0}, "bound: got 0"),
        ({"n": [5], "n_experiments": 0}, "n_experiments: got 0"),
    ],
)
def test_a_power_that_cannot_be_simulated_is_refused(trials, words, match):
    with pytest.raises(InputError, match=match):
        analysis.pilot_power(trials, **words)


def test_unequal_sizes_within_participants_and_small_pilots_are_refused(seed):
    rng = np.random.default_rng(seed)
    both = two_conditions(rng, n=5, shares=(0.8, 0.6), within=True)
    with pytest.raises(InputError, match="so give one number"):
        analysis.pilot_power(both, [(5, 10)], by="factor_view", **QUICK)
    with pytest.raises(InputError, match="at least 3 of each"):
        analysis.pilot_power(two_conditions(rng, n=2, shares=(0.8, 0.6), within=False), [5], **QUICK)


VERBS = {
    "effects": ["--bound", "0.1"],
    "sensitivity": ["--n-resamples", "99"],
    "times": ["--quantiles", "0.5"],
    "conditional-accuracy": ["--n-parts", "3"],
    "learning": ["--n-resamples", "99"],
    "speed-accuracy": ["--n-resamples", "99", "--late", "wrong"],
    "images": ["--n-resamples", "99"],
    "confusion": [],
    "consistency": ["--n-bootstrap", "20"],
    "split-half": ["--n-splits", "3"],
}


@pytest.fixture(scope="module")
def small(tmp_path_factory, seed):
    design = analysis.Design(n_per_group=4, n_levels=2, n_images=48, thresholds=(1.0, 1.8))
    return as_csv(design.simulate(seed=seed).frame, tmp_path_factory.mktemp("small") / "trials.csv")


@pytest.mark.parametrize("verb", VERBS)
def test_every_measure_is_a_verb_with_tables(small, verb, tmp_path, capsys):
    out = tmp_path / "tables"
    words = ["analyse", verb, str(small), *VERBS[verb], "--out", str(out), "--quiet"]
    seeded = ["--seed", "1"] if verb not in ("effects", "times", "conditional-accuracy", "confusion") else []
    assert main([*words, *seeded]) == 0
    printed = capsys.readouterr().out
    assert "observers: simulated" in printed
    assert (out / f"{verb}.csv").read_text(encoding="utf-8").count("\n") > 1
    assert main([*words, *seeded, "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert verb in data
    assert "notes" in data


def test_power_from_a_pilot_is_a_verb(small, tmp_path, capsys):
    words = ["analyse", "power", "--from-pilot", str(small), "--n-per-group", "4", "8", "--n-experiments", "10"]
    words += ["--n-resamples", "99", "--seed", "1", "--quiet", "--out", str(tmp_path)]
    assert main([*words, "--n-second", "8", "16"]) == 0
    assert "times 1 are taken for the true ones" in capsys.readouterr().out
    assert (tmp_path / "power.csv").read_text(encoding="utf-8").startswith("n_first,n_second,power,low,high,seed\n4,8,")
    assert (tmp_path / "pilot_power.svg").exists()
    assert main([*words, "--n-second", "8"]) == 2
    assert "1 numbers for 2 of --n-per-group" in capsys.readouterr().err


def test_a_simulated_experiment_is_tested_as_its_table_would_be():
    """Groups whose spreads differ are relabelled with the difference over the pooled spread, others with the plain one."""
    rng, first = np.random.default_rng(5), np.arange(24) < 12
    blocks = [label_block(stream_key(1, "calibrate"), 0, 24, 12)[:, :999]]
    for wide, kind in ((0.35, "pooled"), (0.02, "raw")):
        weights = np.where(first, 1 / wide - 1, 49)[:, None]
        right = rng.binomial(20, rng.beta(0.8 * weights, 0.2 * weights, (24, 4)))
        columns = mean_columns(right, np.full((24, 4), 20))
        one = experiment.tested(columns, first, blocks, seed=3)
        table = randomization_test(columns, first, n_resamples=999, seed=3, exact=False)
        assert one.spread == kind
        # other relabellings where the plain difference is relabelled
        assert one.p == pytest.approx(table.p, abs=0 if kind == "pooled" else 0.1)
        assert one.p_max == pytest.approx(np.nanmin(table.p_max_t), abs=0 if kind == "pooled" else 0.1)
        other = randomization_test(columns, first, n_resamples=999, seed=3, exact=False, spread="raw")
        assert (kind == "pooled") != np.array_equal(other.p, table.p)
