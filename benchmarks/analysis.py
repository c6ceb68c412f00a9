"""Figures of the analysis: its engines (beside this file), exact p, calibration, maps, fits and the report."""

import itertools
import json
import os
import tempfile
from functools import lru_cache
from pathlib import Path

import numpy as np

import benchmarks.analysis_designs  # noqa: F401 (adds its figures)
import benchmarks.analysis_measures  # noqa: F401 (adds its figures)
import benchmarks.analysis_report  # noqa: F401 (adds its figures)
from benchmarks import (  # noqa: F401 (they add their figures to the suite)
    analysis_fits,
    analysis_spread,
    analysis_tables,
    analysis_thresholds,
)
from benchmarks.analysis_engine import M, best, compiled, suite, times
from benchmarks.harness import at_least, at_most, between, seconds

FIXTURES = Path(__file__).parent.parent / "tests" / "analysis" / "fixtures"


def coin_case():
    from rapidvision.analysis.table.columns import mean_columns

    table = np.loadtxt(FIXTURES / "bins12.csv", delimiter=",", dtype=np.int64)
    return mean_columns(table[:, 1:], np.full_like(table[:, 1:], 420)), table[:, 0] == 1


@suite.figure("exact p of 12 levels, numpy", unit="s", bar=at_most(0.6))
def exact_numpy():
    from rapidvision.analysis.inference.exact_p import exact_p_values

    columns, first = coin_case()
    return best(lambda: exact_p_values(columns, first, "greater"))


@suite.figure("exact p of 12 levels, compiled", unit="s", bar=at_most(0.1))
def exact_compiled():
    compiled()
    from rapidvision.analysis.inference.exact_p import exact_p_values

    columns, first = coin_case()
    return best(lambda: exact_p_values(columns, first, "greater", fast=True))


@suite.figure("exact p against R's coin, largest relative difference", unit="", bar=at_most(1e-9))
def exact_difference():
    from rapidvision.analysis.inference.exact_p import exact_p_values

    columns, first = coin_case()
    coin = json.loads((FIXTURES / "bins12_coin.json").read_text(encoding="utf-8"))["exact_greater"]
    return np.abs(exact_p_values(columns, first, "greater") / np.array(coin) - 1).max()


@lru_cache(maxsize=1)
def calibration():
    from rapidvision.analysis.sample_size.power import calibrate

    found = []
    took = seconds(lambda: found.append(calibrate(n_experiments=2000, n_resamples=M, seed=11)))
    return took, found[0]


@suite.figure("2,000 null experiments x 12 levels x 10,000", unit="s", bar=at_most(10))
def calibration_time():
    return calibration()[0]


@suite.figure("false positives per level at .05", unit="share", bar=between(0.05 - 0.0146, 0.05 + 0.0146))
def per_level_rate():
    per_level = calibration()[1].per_level
    return per_level[np.argmax(np.abs(per_level - 0.05))]


@suite.figure("family-wise errors at .05, worst of Holm, max-T, cluster", unit="share", bar=at_most(0.05 + 0.0146))
def family_wise_rate():
    rates = calibration()[1].any_level
    return max(rates[rule] for rule in ("holm", "max-t", "cluster"))


def map_pairs(side, n):
    """Click-like maps: blurred sparse clicks, zero where no player clicked."""
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng(0)
    out = np.zeros((2, n, side, side), dtype=np.float32)
    for source, row in itertools.product(range(2), range(n)):
        y, x = rng.integers(side // 4, 3 * side // 4, (2, 40))
        np.add.at(out[source, row], (y, x), 1)
        out[source, row] = gaussian_filter(out[source, row], side / 25, truncate=2)
    return out.reshape(2, n, -1)


def spearman_ratio(side, n):
    from scipy.stats import spearmanr

    from rapidvision.numerics.ranks import spearman_pairs

    a, b = map_pairs(side, n)
    return times(
        lambda: spearman_pairs(a, b), lambda: [spearmanr(x, y).statistic for x, y in zip(a, b, strict=True)], repeats=3
    )


@suite.figure("Spearman of 14 x 14 maps against a scipy loop", unit="x", bar=at_least(20))
def spearman_small():
    return spearman_ratio(14, 12_000 // 2)


@suite.figure("Spearman of 256 x 256 maps against a scipy loop", unit="x", bar=at_least(8))
def spearman_large():
    compiled()
    return spearman_ratio(256, 40)


@suite.figure("Spearman, largest difference to scipy", unit="", bar=at_most(1e-12))
def spearman_difference():
    from scipy.stats import spearmanr

    from rapidvision.numerics.ranks import spearman_pairs

    a, b = map_pairs(64, 30)
    theirs = [spearmanr(x, y).statistic for x, y in zip(a, b, strict=True)]
    return max(np.abs(spearman_pairs(a, b, engine=engine) - theirs).max() for engine in ("numpy", "numba"))


@suite.figure("2,000 psychometric fits against a scipy loop", unit="x", bar=at_least(100))
def psychometric_fits():
    from scipy.optimize import minimize

    from rapidvision.analysis.fits.psychometric import _penalised, axis_of, fit
    from rapidvision.analysis.sample_size.simulation import Design, simulate

    table = simulate(Design(), seed=2).cells()
    members, x = table.of("clickme"), axis_of(table)
    k, n = table.halves[members] / 2, table.n_trials[members].astype(float)
    weights = np.random.default_rng(0).multinomial(60, np.full(60, 1 / 60), size=2000).astype(float)
    many_k, many_n = weights @ k, weights @ n
    rows = 40

    def peer():
        for r in range(rows):
            minimize(lambda q, r=r: _penalised(q[None], x, many_k[r : r + 1], many_n[r : r + 1], 0.5)[0], [1.5, 1.6, -1.4],
                     method="L-BFGS-B")  # fmt: skip

    return times(lambda: fit(x, many_k, many_n, guess=0.5), peer, repeats=3) * 2000 / rows


@suite.figure("threshold test with 10,000 relabellings", unit="s", bar=at_most(0.5))
def threshold_permutations():
    from rapidvision.analysis.fits.threshold_difference import threshold_test
    from rapidvision.analysis.sample_size.simulation import Design, simulate

    table = simulate(Design(), seed=2).cells()
    return best(lambda: threshold_test(table, n_resamples=M, n_bootstrap=200, seed=1), repeats=3)


@lru_cache(maxsize=1)
def lme4_case():
    import pandas as pd

    from rapidvision.analysis.fits.mixed import fit_crossed

    data = pd.read_csv(FIXTURES / "glmm.csv")
    X = np.stack([np.ones(len(data)), data["x"], data["group"], data["x"] * data["group"]], axis=1)
    found = []
    took = seconds(lambda: found.append(fit_crossed(data["y"], X, data["participant"], data["image"])))
    return took, found[0], json.loads((FIXTURES / "glmm_lme4.json").read_text(encoding="utf-8"))


@suite.figure("mixed model: log likelihood minus lme4's", unit="", bar=between(-0.001, 0.001))
def mixed_likelihood():
    _, ours_, lme4 = lme4_case()
    return ours_.log_likelihood - lme4["loglik"]


@suite.figure("mixed model: largest difference of a coefficient", unit="", bar=at_most(1e-4))
def mixed_coefficients():
    _, ours_, lme4 = lme4_case()
    return np.abs(ours_.estimate - np.array(lme4["estimate"])).max()


@suite.figure("mixed model: time of 9,600 trials", unit="s", bar=at_most(3))
def mixed_time():
    return lme4_case()[0]


@suite.figure("trials CSV to figures and report, a fresh process", unit="s", bar=at_most(3))
def report_time():
    import subprocess
    import sys

    from rapidvision.analysis.sample_size.simulation import Design, simulate

    with tempfile.TemporaryDirectory() as folder:
        frame = simulate(Design(), seed=3).trials(seed=3).frame
        for name in ("target", "correct"):
            frame[name] = frame[name].map({True: "true", False: "false"})
        frame.to_csv(Path(folder) / "trials.csv", index=False)
        words = [
            sys.executable,
            "-m",
            "rapidvision",
            "analyse",
            "report",
            f"{folder}/trials.csv",
            "--out",
            folder,
            "--seed",
            "1",
        ]
        # byte code is kept, as on every user's machine; the first run, which makes it, does not count
        kept = {"PYTHONPYCACHEPREFIX": f"{folder}/bytecode", "PYTHONDONTWRITEBYTECODE": ""}
        env = os.environ | kept
        return best(lambda: subprocess.run([*words, "--quiet"], check=True, env=env), repeats=3)
