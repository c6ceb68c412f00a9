"""What is told beside a result, and that ordinary designs are analysed: no p is refused, no warning is quiet."""

import json

import numpy as np
import pandas as pd
import pytest

from rapidvision import analysis
from rapidvision.analysis.inference.cautions import hopeless_corrections, spread_ratio, spread_warning
from rapidvision.analysis.inference.ceiling import ceiling
from rapidvision.analysis.inference.permutation import randomization_test
from rapidvision.analysis.sample_size.simulation import Design, simulate
from rapidvision.analysis.table.columns import mean_columns
from rapidvision.analysis.table.trials import Trials
from rapidvision.cli import main
from rapidvision.errors import InputError
from tests.analysis.conftest import as_csv


def beta_binomial(rng, n, p, rho, trials, levels):
    return rng.binomial(trials, rng.beta(p * (1 / rho - 1), (1 - p) * (1 / rho - 1), (n, levels)))


def study(rng, sizes, *, trials, late, levels=("10", "40", "full"), p=(0.55, 0.8, 0.95), rho=0.1):
    """A trials table of answers that this file draws itself."""
    rows = []
    for group, size in zip(("a", "b"), sizes, strict=True):
        for person in range(size):
            for level, label in enumerate(levels):
                chance = rng.beta(p[level] * (1 / rho - 1), (1 - p[level]) * (1 / rho - 1))
                for _ in range(trials):
                    target, right, slow = rng.random(3) < (0.5, chance, late)
                    said = target == right
                    rows.append(
                        (f"{group}{person}", group, level, label, bool(target), bool(said), bool(right), bool(slow))
                    )
    names = ["participant_id", "group", "level_index", "level_label", "target", "said", "correct", "slow"]
    frame = pd.DataFrame(rows, columns=names)
    number = frame.groupby("participant_id").cumcount()
    model = simulate(Design(n_per_group=1), seed=1).trials(seed=1).frame.iloc[[0] * len(frame)].reset_index(drop=True)
    made = model.assign(
        observer="human", observer_kind="human", study_id="own", session_id=frame["participant_id"],
        participant_id=frame["participant_id"], group=frame["group"], map_source=frame["group"], slot=0, trial=number,
        image_id="i" + number.astype(str), target=frame["target"], level_index=frame["level_index"],
        level_label=frame["level_label"], reveal_fraction=frame["level_label"].map({"10": 0.1, "40": 0.4}),
        input=np.where(frame["said"], "s", "x"), correct=frame["correct"].astype(object),
        correct_response=np.where(frame["target"], "target", "distractor"),
        response=np.where(frame["said"], "target", "distractor"), response_ms=np.where(frame["slow"], 900.0, 400.0),
        status=np.where(frame["slow"], "late", "ok"), phase="main",
    )  # fmt: skip
    return Trials(made.drop(columns=["slow", "said"], errors="ignore")[list(model.columns)])


@pytest.mark.parametrize(
    ("sizes", "trials", "late"),
    [((10, 10), 60, 0.02), ((30, 30), 40, 0.05), ((10, 10), 80, 0.3), ((5, 5), 1, 0.3), ((12, 48), 26, 0.1)],
)
def test_ordinary_designs_are_written_whole(seed, tmp_path, sizes, trials, late):
    table = study(np.random.default_rng([seed, trials]), sizes, trials=trials, late=late)
    made = analysis.report(table, tmp_path, n_resamples=300, seed=1)
    assert made.html.is_file()
    results = json.loads((tmp_path / "results.json").read_text())
    for rows in results["chance"]:
        for row in rows:
            assert row["p"] is not None
            assert row["p_holm"] is not None
    # every level has an exact p or an upper bound of it; a bound that is wide is told
    assert all(row["p_exact"] is not None for rows in results["chance"] for row in rows)
    assert all("the exact p is bounded to no better than 1 %" in note for note in results["chance_notes"])


def test_one_group_is_tested_against_chance_and_told_what_else_to_do(trials, tmp_path, capsys):
    one = as_csv(trials.frame[trials.frame["group"] == "clickme"], tmp_path / "one.csv")
    assert main(["analyse", "chance", str(one), "--n-resamples", "99", "--seed", "1"]) == 0
    assert "clickme: above chance from" in capsys.readouterr().out
    assert main(["analyse", "bins", str(one), "--n-resamples", "99", "--seed", "1"]) == 0
    assert "difference is clickme minus 0.5" in capsys.readouterr().out
    assert main(["analyse", "fig2b", str(one), "--out", str(tmp_path / "f"), "--n-resamples", "99", "--seed", "1"]) == 0
    assert "difference is clickme minus 0.5" in capsys.readouterr().out
    assert main(["analyse", "curve", str(one), "--seed", "1"]) == 2
    assert "the table has one group (clickme); a comparison needs two. Against chance one group can be tested" in (
        capsys.readouterr().err
    )
    three = trials.frame.assign(group=np.array(["a", "b", "c"])[trials.frame["slot"] % 3])
    several = Trials(three.assign(participant_id=three["participant_id"] + three["group"]))
    with pytest.raises(InputError, match="name the two"):
        _ = analysis.level_tests(several, n_resamples=9, seed=1).test


def test_unequal_spread_is_told_loudly(seed):
    rng = np.random.default_rng(seed)
    first = np.arange(60) < 12
    wide, narrow = (beta_binomial(rng, n, 0.8, rho, 7, 6) for n, rho in ((12, 0.4), (48, 0.02)))
    columns = mean_columns(np.concatenate([wide, narrow]), np.full((60, 6), 7))
    ratio, p = spread_ratio(columns, first)
    assert 2 < ratio < 5
    assert p < 1e-4
    notes = randomization_test(columns, first, n_resamples=500, seed=1, spread="raw").notes
    assert notes[0].startswith("warning: the first group (12 participants) varies ")
    assert "p is too small" in notes[0]
    assert "p is too small" in spread_warning(columns, ~first)[0]  # whichever group is named first
    large = mean_columns(np.concatenate([beta_binomial(rng, 48, 0.8, 0.4, 7, 6), narrow[:12]]), np.full((60, 6), 7))
    assert "p is too large" in spread_warning(large, np.arange(60) < 48)[0]
    reverse = mean_columns(np.concatenate([narrow, wide]), np.full((60, 6), 7))
    assert "p is too small" in spread_warning(reverse, np.arange(60) < 48)[0]


def test_equal_spread_near_a_ceiling_is_no_warning(seed):
    rng = np.random.default_rng(seed)
    told = 0
    for _ in range(40):
        high, low = (beta_binomial(rng, 30, p, 0.1, 20, 6) for p in (0.95, 0.75))
        columns = mean_columns(np.concatenate([high, low]), np.full((60, 6), 20))
        told += bool(spread_warning(columns, np.arange(60) < 30))
    assert told <= 2


def test_a_ceiling_says_what_it_assumes(seed):
    rng = np.random.default_rng(seed)
    near = study(rng, (40, 40), trials=20, late=0.0, p=(0.6, 0.99, 0.99), rho=0.02)
    found = ceiling(analysis.level_tests(near, n_resamples=99, seed=1).cells, "a", n_resamples=99, seed=1)
    assert found.level is not None
    assert "participants differ near it no more than estimated (intraclass correlation " in found.notes[0]
    assert "without an assumption on their spread 40 participants cannot show a ceiling" in found.notes[0]
    far = study(rng, (20, 20), trials=20, late=0.0, p=(0.6, 0.8, 0.95))
    assert ceiling(analysis.level_tests(far, n_resamples=99, seed=1).cells, "a", n_resamples=99, seed=1).notes == ()


def test_spread_near_the_ceiling_is_told(seed):
    rng = np.random.default_rng(seed)
    table = analysis.level_tests(study(rng, (60, 60), trials=40, late=0.0), n_resamples=99, seed=1).cells
    members = table.of("a")
    table.halves[members, 0] = 2 * rng.binomial(40, 0.6, 60)  # no spread below
    wide = rng.beta(0.97 * 4, 0.03 * 4, 60)
    for place in (1, 2):
        table.halves[members, place] = 2 * rng.binomial(40, wide)
    found = ceiling(table, "a", margin=0.2, n_resamples=99, seed=1)
    assert found.level.label == "40"
    assert found.notes[1].startswith("warning: a: participants differ more near the ceiling")
    assert found.rho[1] > 2 * found.rho_pooled[1]


def test_the_margin_is_exact_where_shares_fall_on_it(seed):
    # Every participant lies exactly five points below: half of nothing supports non-inferiority.
    rng = np.random.default_rng(seed)
    table = analysis.level_tests(study(rng, (12, 12), trials=20, late=0.0), n_resamples=99, seed=1).cells
    table.halves[:, 2] = 40
    table.halves[:, 1] = 38
    found = ceiling(table, "a", margin=0.05, n_resamples=200, seed=1)
    assert found.p_noninferior[1] > 0.4
    assert found.p_below[1] == 2.0**-12
    assert found.shortfall[1] == pytest.approx(0.05)


def test_corrections_that_can_never_reject_are_told(capsys, table_file):
    assert "use at least 479 relabellings" in hopeless_corrections(12, 16, 16, n_resamples=200)[0]
    assert hopeless_corrections(12, 16, 16, n_resamples=479) == ()
    assert hopeless_corrections(12, 16, 16, n_resamples=239, alternative="greater") == ()
    assert "max-T" in hopeless_corrections(1, 50, 50, n_resamples=9, exact=True)[-1]
    assert "more participants are needed" in hopeless_corrections(12, 4, 4, n_resamples=10_000, exact=True)[0]
    words = [
        "analyse",
        "power",
        "--n-per-group",
        "16",
        "--effects",
        "0.4",
        "--n-experiments",
        "2",
        "--n-resamples",
        "200",
        "--seed",
        "1",
    ]
    assert main([*words, "--quiet"]) == 0
    assert "warning: Holm over 12 levels can never reach p <= 0.05" in capsys.readouterr().out
    assert (
        main(["analyse", "bins", str(table_file), "--statistic", "dprime", "--n-resamples", "100", "--seed", "1"]) == 0
    )
    assert "warning: Holm over 12 levels" in capsys.readouterr().out


def test_few_participants_and_missing_slopes_are_told(trials, table_file, capsys):
    few = trials.frame[trials.frame["slot"] < 3]
    assert any(
        "degrees of freedom make the intervals wide" in note
        for note in analysis.fit_psychometric(Trials(few), n_resamples=9, seed=1).cautions
    )
    assert analysis.fit_psychometric(trials, n_resamples=9, seed=1).cautions == ()
    assert main(["analyse", "mixed", str(table_file), "--quiet", "--random", "intercepts"]) == 0
    assert "warning: participants and images differ in their intercepts only" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["bins", "TABLE", "--n-resamples", "99", "--seed", "1"], "p_step_down"),
        (["chance", "TABLE", "--n-resamples", "99", "--seed", "1"], "above chance from"),
        (["compare", "TABLE", "MODELS", "--seed", "1"], "kappa"),
        (["curve", "TABLE", "--n-resamples", "9", "--seed", "1"], "threshold of clickme minus salicon"),
        (
            ["calibrate", "--n-per-group", "4", "--n-experiments", "3", "--n-resamples", "9", "--seed", "1"],
            "standard error of a rate",
        ),
    ],
)
def test_quiet_keeps_results(table_file, network_file, capsys, words, says):
    places = {"TABLE": str(table_file), "MODELS": str(network_file)}
    assert main(["analyse", *(places.get(word, word) for word in words), "--quiet"]) == 0
    assert says in capsys.readouterr().out


@pytest.mark.parametrize("statistic", ["dprime", "criterion", "pooled"])
def test_the_groups_columns_show_what_is_compared(trials, statistic):
    found = analysis.level_tests(trials, statistic=statistic, n_resamples=99, seed=1)
    table = found.to_frame()
    a, b = found.groups
    assert np.allclose(table[a] - table[b], table["difference"])
    assert (table[f"{a} sem"] > 0).any()
    # the jackknife of a pooled share with equal trials is its participants' S.E.M.
    if statistic == "pooled":
        every = analysis.level_tests(trials, statistic=statistic, late="wrong", n_resamples=99, seed=1).to_frame()
        means = analysis.level_tests(trials, late="wrong", n_resamples=99, seed=1).to_frame()
        counts = analysis.level_tests(trials, late="wrong", n_resamples=99, seed=1).cells.n_trials
        equal = [at for at, column in enumerate(counts.T) if len(set(column.tolist())) == 1]
        for at in equal:
            assert every[f"{a} sem"][at] == pytest.approx(means[f"{a} sem"][at])


def test_stars_use_the_exact_p_where_there_is_one(trials):
    found = analysis.level_tests(trials, correction="none", n_resamples=99, seed=1)
    assert np.isfinite(found.test.p_exact).all()
    assert np.array_equal(found.p, found.test.p_exact)
    pooled = analysis.level_tests(trials, correction="none", statistic="pooled", n_resamples=99, seed=1)
    assert np.array_equal(pooled.p, pooled.test.p)
    mixed = analysis.level_tests(trials, correction="holm", n_resamples=99, seed=1).test
    assert np.isfinite(mixed.p_holm).all()
