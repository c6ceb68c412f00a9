"""The spread that is pooled over levels: fixture values, formulas written out, invariances."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from rapidvision.analysis.inference.pooled_spread import pooled_spread
from rapidvision.errors import InputError

FIXTURES = Path(__file__).parent / "fixtures"


def case():
    with (FIXTURES / "spread_counts.csv").open(encoding="utf-8") as file:
        rows = list(csv.reader(file))[1:]
    counts = np.array([[int(cell) for cell in row[2:]] for row in rows])
    return counts / 7, np.array([row[1] == "a" for row in rows])


def test_the_values_of_the_fixture():
    wanted = json.loads((FIXTURES / "spread.json").read_text(encoding="utf-8"))
    found = pooled_spread(*case(), binomial=True)
    assert found.phi == pytest.approx(wanted["phi"], rel=1e-9)
    assert found.skew == pytest.approx(wanted["gamma"], rel=1e-9)
    assert found.variance == pytest.approx([wanted["V"]] * 6, rel=1e-9)
    assert found.g == pytest.approx(wanted["g"], rel=1e-9)


@pytest.mark.parametrize("binomial", [True, False])
def test_the_formulas_written_out_cell_by_cell(binomial, seed):
    rng = np.random.default_rng(seed)
    x = rng.binomial(9, rng.beta(6, 2, (17, 4))) / 9
    x[rng.random(x.shape) < 0.2] = np.nan
    first = np.arange(17) < 6
    phi, means, numbers = [], [], []
    z = np.empty_like(x)
    bend = np.empty(4)
    for level in range(4):
        column = x[:, level][~np.isnan(x[:, level])]
        unit = column.mean() * (1 - column.mean()) if binomial else column.var(ddof=1)
        z[:, level] = (x[:, level] - column.mean()) / unit**0.5
        bend[level] = (1 - 2 * column.mean()) / unit**0.5
    for who in (first, ~first):
        above, below = 1.0, 1.0
        for level in range(4):
            mine = z[who, level][~np.isnan(z[who, level])]
            own = 1 + bend[level] * mine.mean() - mine.mean() ** 2 if binomial else 1.0
            above += ((mine - mine.mean()) ** 2).sum()
            below += (len(mine) - 1) * own
        phi.append(above / below)
        means.append(np.nanmean(z[who], axis=0))
        numbers.append((~np.isnan(z[who])).sum(axis=0))
    skew = (z[~np.isnan(z)] ** 3).mean()
    variance = phi[0] / numbers[0] + phi[1] / numbers[1]
    t = (means[0] - means[1]) / variance**0.5
    a = skew * (phi[0] ** 1.5 / numbers[0] ** 2 - phi[1] ** 1.5 / numbers[1] ** 2) / variance**1.5
    found = pooled_spread(x, first, binomial=binomial)
    assert found.phi == pytest.approx(phi)
    assert found.variance == pytest.approx(variance)
    assert found.t == pytest.approx(t)
    assert found.g == pytest.approx(t + a * t**2 / 3 + a**2 * t**3 / 27 + a / 6)
    assert found.n.tolist() == [list(one) for one in numbers]


def test_own_unit_is_the_groups_own_p(seed):
    # in binomial units a group's own unit at a level is p (1 - p) of the group over that of everybody
    rng = np.random.default_rng(seed)
    x = np.r_[rng.binomial(20, 0.95, (15, 1)), rng.binomial(20, 0.6, (15, 1))] / 20
    first = np.arange(30) < 15
    found = pooled_spread(x, first, binomial=True)
    for phi, who in zip(found.phi, (first, ~first), strict=True):
        p, everybody = x[who].mean(), x.mean() * (1 - x.mean())
        squares = ((x[who] - p) ** 2).sum() / everybody
        assert phi == pytest.approx((squares + 1) / (14 * p * (1 - p) / everybody + 1))


def test_swapped_groups_turn_the_sign(seed):
    rng = np.random.default_rng(seed)
    x, first = rng.random((14, 5)), np.arange(14) < 5
    one, other = pooled_spread(x, first, binomial=True), pooled_spread(x, ~first, binomial=True)
    assert one.g == pytest.approx(-other.g)
    assert one.variance == pytest.approx(other.variance)


def test_a_level_where_all_scores_are_equal_is_not_tested():
    x = np.array([[0.3, 1.0], [0.4, 1.0], [0.5, 1.0], [0.7, 1.0]])
    found = pooled_spread(x, np.array([True, True, False, False]), binomial=True)
    assert np.isnan(found.g[1])
    assert found.scale[1] == 0
    alone = pooled_spread(x[:, :1], np.array([True, True, False, False]), binomial=True)
    assert found.g[0] == pytest.approx(alone.g[0])


def test_a_group_that_never_varies_has_a_finite_statistic():
    x = np.r_[np.ones((6, 2)), np.tile([[0.5, 0.6], [0.9, 0.8]], (3, 1))]
    found = pooled_spread(x, np.arange(12) < 6, binomial=True)
    assert np.isfinite(found.g).all()
    assert (found.g > 0).all()
    assert found.phi[0] > 0


@pytest.mark.parametrize(
    ("scores", "first", "words"),
    [
        ([0.1, 0.2], [True, False], "shape"),
        ([[0.1], [0.2]], [1, 0], "type int64"),
        ([[0.1], [0.2]], [True, True], "both need some"),
        ([[0.1], [3.0]], [True, False], "binomial=False"),
    ],
)
def test_what_is_refused(scores, first, words):
    with pytest.raises(InputError, match=words):
        pooled_spread(scores, np.array(first), binomial=True)
