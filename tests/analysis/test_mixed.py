"""Mixed models against lme4's stored answers, and what they do where data, memory or time do not allow a fit."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rapidvision import analysis
from rapidvision.analysis.fits.crossed.factor import RandomFactor
from rapidvision.analysis.fits.crossed.laplace import Laplace
from rapidvision.analysis.fits.crossed.one_thread import cholesky_and_inverse, product
from rapidvision.analysis.fits.crossed.search import Search
from rapidvision.analysis.fits.marginal import fit_marginal
from rapidvision.analysis.fits.mixed import fit_crossed
from rapidvision.analysis.fits.regressors import random_slopes, regressors
from rapidvision.errors import InputError

FIXTURES = Path(__file__).parent / "fixtures"
LME4 = json.loads((FIXTURES / "lme4" / "glmer.json").read_text(encoding="utf-8"))


def fixture(name):
    """Answers, regressors, units and lme4's answer of a stored fit."""
    stored = LME4[name]
    data = pd.read_csv(FIXTURES / "lme4" / stored["data"])
    X = np.stack([np.ones(len(data)), data["x"], data["g"], data["x"] * data["g"]], axis=1)
    return data, X, stored


def slopes(formula, factor):
    return (1,) if f"x|{factor}" in formula or f"x||{factor}" in formula else ()


@pytest.mark.parametrize("name", [name for name in LME4 if name != "guess_half"])
def test_the_fit_equals_lme4(name):
    data, X, lme4 = fixture(name)
    found = fit_crossed(
        data["y"],
        X,
        data["participant"],
        data["image"],
        names=lme4["names"],
        slopes_participant=slopes(lme4["formula"], "participant"),
        slopes_image=slopes(lme4["formula"], "image"),
        correlated="||" not in lme4["formula"],
    )
    assert found.converged
    assert found.boundary == lme4["singular"]
    assert found.log_likelihood == pytest.approx(lme4["logLik"], abs=1e-4)
    assert found.estimate == pytest.approx(lme4["beta"], abs=1e-4)
    assert found.se == pytest.approx(lme4["se"], rel=1e-3)
    if "||" not in lme4["formula"]:
        for ours, theirs in ((found.covariance_participant, "participant"), (found.covariance_image, "image")):
            assert ours == pytest.approx(np.array(lme4["covariances"][theirs]), abs=2e-3)


@pytest.mark.parametrize(
    ("table", "answer"), [("glmm.csv", "glmm_lme4.json"), ("glmm_boundary.csv", "glmm_boundary.json")]
)
def test_a_fit_with_intercepts_only_equals_lme4(table, answer):
    data = pd.read_csv(FIXTURES / table)
    lme4 = json.loads((FIXTURES / answer).read_text(encoding="utf-8"))
    X = np.stack([np.ones(len(data)), data["x"], data["group"], data["x"] * data["group"]], axis=1)
    found = fit_crossed(data["y"], X, data["participant"], data["image"], names=lme4["names"])
    assert found.log_likelihood == pytest.approx(lme4["loglik"], abs=1e-3)
    assert found.estimate == pytest.approx(lme4["estimate"], abs=1e-4)
    assert found.se == pytest.approx(lme4["se"], rel=0.005)
    assert found.sd_participant == pytest.approx([lme4["sd_participant"]], abs=1e-3)
    assert found.sd_image == pytest.approx([lme4["sd_image"]], abs=1e-3)


def test_with_a_guess_rate_the_expected_curvature_is_lme4s_and_the_observed_one_is_nearer_to_the_truth():
    data, X, lme4 = fixture("guess_half")
    factors = [
        RandomFactor(data["participant"], X[:, :2], ("(intercept)", "x")),
        RandomFactor(data["image"], X[:, :1], ("(intercept)",)),
    ]
    right = data["y"].to_numpy() > 0
    covariance = np.array(lme4["covariances"]["participant"])
    triangle = np.linalg.cholesky(covariance + 1e-9 * np.eye(2))
    theirs = np.array(
        [triangle[0, 0], triangle[1, 0], triangle[1, 1], lme4["covariances"]["image"][0][0] ** 0.5, *lme4["beta"]]
    )
    expected = Laplace(right, X, *factors, guess=0.5, expected=True)
    assert -expected.value(theirs) / 2 == pytest.approx(lme4["logLik"], abs=1e-3)
    search = Search(Laplace(right, X, *factors, guess=0.5, expected=True))
    errors = search.minimise()
    assert search.best[-4:] == pytest.approx(lme4["beta"], abs=1e-3)
    assert errors[-4:] == pytest.approx(lme4["se"], rel=0.05)  # lme4 gives those of the penalised fit there


def test_observed_curvature_is_nearer_to_the_integral_than_the_expected_one(seed):
    """Slopes of people only, against their likelihood by 61-point quadrature."""
    from scipy.optimize import minimize

    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(24), 48)
    x = np.tile(np.linspace(-1, 1, 6), 192)
    X = np.c_[np.ones(len(x)), x]
    z, weight = np.polynomial.hermite_e.hermegauss(61)
    weight /= weight.sum()

    def by_quadrature(q):
        share = 0.5 + 0.5 / (1 + np.exp(-q[1] - q[2] * x[:, None] - q[0] * z))
        logs = np.log(np.where(right[:, None], share, 1 - share))
        sums = np.stack([np.bincount(who, column, 24) for column in logs.T], axis=1)
        top = sums.max(axis=1)
        return -2 * (top + np.log(np.exp(sums - top[:, None]) @ weight)).sum()

    away = np.zeros(2)
    for _ in range(4):
        right = rng.random(len(who)) < 0.5 + 0.5 / (1 + np.exp(-1 - 2 * x - rng.normal(0, 0.8, 24)[who]))
        truth = minimize(by_quadrature, [0.8, 1.0, 2.0], method="BFGS").x[2]
        factors = RandomFactor(who, X[:, :1], ("a",)), RandomFactor(np.zeros(len(who)), X[:, :1], ("a",))
        for place, kind in enumerate((False, True)):
            search = Search(Laplace(right, X, *factors, guess=0.5, expected=kind))
            search.minimise()
            away[place] += abs(search.best[-1] - truth) / 4
    assert away[0] < 0.01
    assert away[1] > 3 * away[0]


@pytest.mark.parametrize(("guess", "expected"), [(0.0, False), (0.5, False), (0.5, True), (1 / 16, True)])
def test_the_gradient_is_the_difference_quotient(guess, expected, seed):
    rng = np.random.default_rng(seed)
    who, what = np.divmod(np.arange(14 * 12), 12)
    X = np.c_[np.ones(168), np.linspace(-1, 1, 6)[(who + what) % 6]]
    right = rng.random(168) < guess + (1 - guess) / (1 + np.exp(-2 * X[:, 1] - rng.normal(0, 0.5, 14)[who]))
    factors = RandomFactor(who, X, ("a", "b")), RandomFactor(what, X, ("a", "b"))
    problem = Laplace(right, X, *factors, guess=guess, expected=expected)
    q = np.concatenate([rng.uniform(0.2, 0.7, 6), [0.5, 1.5]])
    _, gradient = problem.value_and_gradient(q)
    steps = 1e-5 * np.eye(8)
    quotient = np.array([(problem.value(q + h) - problem.value(q - h)) / 2e-5 for h in steps])
    assert gradient == pytest.approx(quotient, abs=2e-6 * np.abs(quotient).max())


def test_the_determinant_is_that_of_the_whole_matrix(seed):
    rng = np.random.default_rng(seed)
    who, what = rng.integers(0, 7, 150), rng.integers(0, 11, 150)
    columns = np.c_[np.ones(150), rng.normal(size=150)]
    a, b = RandomFactor(who, columns, ("a", "b")), RandomFactor(what, columns[:, :1], ("a",))
    right = rng.random(150) < 0.7
    problem = Laplace(right, columns, a, b)
    q = np.array([0.7, -0.2, 0.4, 0.6, 0.3, 0.8])
    deviance = problem.value(q)
    first, second, beta = problem.split(q)
    Z = np.zeros((150, 14 + 11))
    for row in range(150):
        Z[row, 2 * a.index[row] : 2 * a.index[row] + 2] = columns[row] @ first
        Z[row, 14 + b.index[row]] = second[0, 0]
    small, large = problem.modes  # the second factor has fewer coefficients
    modes = np.concatenate([large.ravel(), small.ravel()])
    share = 1 / (1 + np.exp(-(columns @ beta + Z @ modes)))
    H = Z.T @ (Z * (share * (1 - share))[:, None]) + np.eye(25)
    penalised = 0.5 * modes @ modes - np.log(np.where(right, share, 1 - share)).sum()
    assert deviance == pytest.approx(2 * penalised + np.linalg.slogdet(H)[1], abs=1e-8)


def test_products_and_factors_in_pieces_are_those_of_numpy(seed):
    rng = np.random.default_rng(seed)
    for rows, inner, columns in ((131, 84, 83), (300, 40, 300), (3, 9000, 60), (1, 200_000, 1)):
        a, b = rng.normal(size=(rows, inner)), rng.normal(size=(inner, columns))
        assert product(a, b) == pytest.approx(a @ b, abs=1e-9)
    a = rng.normal(size=(150, 150))
    a = a @ a.T + np.eye(150)
    factor, inverse = cholesky_and_inverse(a)
    assert factor == pytest.approx(np.linalg.cholesky(a), abs=1e-9)
    assert inverse @ factor == pytest.approx(np.eye(150), abs=1e-9)
    with pytest.raises(np.linalg.LinAlgError):
        cholesky_and_inverse(a - 2 * np.diag(np.diag(a)))


@pytest.fixture(scope="module")
def crossed(seed):
    rng = np.random.default_rng(seed)
    people, images = np.divmod(np.arange(40 * 30), 30)
    x = rng.choice(np.linspace(-2, 2, 8), 1200)
    eta = 0.3 + 2.0 * x + rng.normal(0, 0.6, 40)[people] + rng.normal(0, 0.6, 30)[images]
    return rng, people, images, x, eta


@pytest.mark.parametrize("guess", [0.5, 0.25, 1 / 16])
def test_a_guess_rate_is_recovered_where_the_plain_logit_bends(crossed, guess):
    rng, people, images, x, eta = crossed
    y = (rng.random(1200) < guess + (1 - guess) / (1 + np.exp(-eta))).astype(float)
    X = np.stack([np.ones(1200), x], axis=1)
    guessing = fit_crossed(y, X, people, images, guess=guess, slopes_participant=(1,))
    plain = fit_crossed(y, X, people, images)
    assert abs(guessing.estimate[1] - 2.0) < 4 * guessing.se[1]
    assert plain.estimate[1] < guessing.estimate[1]
    assert guessing.log_likelihood > plain.log_likelihood


def test_where_observed_curvature_has_no_smooth_maximum_the_expected_one_is_fitted_and_said():
    trials = analysis.Design(n_per_group=20).simulate(seed=1)
    found = analysis.fit_mixed(trials, link="guess")
    assert found.mixed.converged
    assert "fitted with expected curvature" in found.cautions[0]
    assert np.isfinite(found.to_frame()["p"][1:]).all()


def test_a_factor_without_spread_is_reported_on_the_boundary(seed):
    rng = np.random.default_rng(seed)
    y = np.tile([0.0, 1.0], 300)
    found = fit_crossed(y, np.ones((600, 1)), np.repeat(np.arange(30), 20), rng.permutation(np.arange(600) % 10))
    assert found.boundary
    assert found.sd_participant[0] < 1e-3
    assert np.isfinite(found.se).all()
    assert found.to_frame()["p_wald"].iloc[0] > 0.5


def sloped(rng, people, sd, images=40, interaction=0.0):
    """People whose slopes differ with SD `sd`; the group changes the slope by `interaction`."""
    who, what = np.divmod(np.arange(people * images), images)
    x = np.linspace(-1, 1, 8)[(3 * what + who // 2) % 8]
    g = (who % 2).astype(float)
    slope = rng.standard_t(8, people) * sd * np.sqrt(6 / 8) + 1.5
    eta = 1 + slope[who] * x + interaction * g * x + rng.uniform(-0.7, 0.7, people)[who]
    eta = eta + rng.laplace(0, 0.3, images)[what]
    y = (rng.random(len(who)) < 1 / (1 + np.exp(-eta))).astype(float)
    return y, np.stack([np.ones(len(y)), x, g, x * g], axis=1), who, what


def test_slopes_keep_the_rate_that_intercepts_alone_do_not(seed):
    rng = np.random.default_rng(seed)
    rejected = np.zeros(2)
    n = 40
    for _ in range(n):
        y, X, who, what = sloped(rng, 24, 1.5)
        for place, slopes_of in enumerate(((), (1,))):
            found = fit_crossed(y, X, who, what, slopes_participant=slopes_of, tested=[3])
            rejected[place] += found.to_frame()["p"][3] <= 0.05
    assert rejected[0] > 0.2 * n
    assert rejected[1] <= (0.05 + 3 * np.sqrt(0.05 * 0.95 / n)) * n


def test_a_likelihood_ratio_is_that_of_two_fits(seed):
    y, X, who, what = sloped(np.random.default_rng(seed), 20, 0.7, interaction=0.8)
    whole = fit_crossed(y, X, who, what, slopes_participant=(1,))
    less = fit_crossed(y, X[:, :3], who, what, slopes_participant=(1,))
    assert whole.likelihood_ratio[3] == pytest.approx(2 * (whole.log_likelihood - less.log_likelihood), abs=2e-3)
    assert np.isnan(whole.likelihood_ratio[0])
    from scipy.stats import f

    assert whole.to_frame()["p"][3] == pytest.approx(f.sf(whole.likelihood_ratio[3], 1, 18))


def test_names_order_and_which_unit_comes_first_change_nothing(seed):
    rng = np.random.default_rng(seed)
    y, X, who, what = sloped(rng, 12, 0.7, images=24)
    first = fit_crossed(y, X, who, what, slopes_participant=(1,))
    order = rng.permutation(len(y))
    again = fit_crossed(
        y[order], X[order], np.array([f"p{99 - i}" for i in who[order]]), what[order], slopes_participant=(1,)
    )
    assert again.estimate == pytest.approx(first.estimate, abs=1e-4)
    assert again.likelihood_ratio[1:] == pytest.approx(first.likelihood_ratio[1:], abs=2e-3)


def test_a_fit_that_may_take_no_time_says_that_it_has_not_converged(seed):
    y, X, who, what = sloped(np.random.default_rng(seed), 12, 0.7)
    steps = []
    found = fit_crossed(
        y, X, who, what, slopes_participant=(1,), time_limit_s=0.0, on_step=lambda *step: steps.append(step)
    )
    assert not found.converged
    assert "not converged within 0 s" in found.notes[0]
    assert np.isnan(found.se).all()
    assert steps == []
    fit_crossed(y, X, who, what, slopes_participant=(1,), on_step=lambda *step: steps.append(step))
    assert [number for number, _ in steps] == list(range(1, len(steps) + 1))
    assert steps[-1][1] < 1e5


def test_two_factors_in_the_thousands_are_refused_with_their_sizes():
    who = np.arange(8000) % 4000
    what = np.arange(8000) // 2
    x = np.linspace(-1, 1, 8000)
    with pytest.raises(InputError, match=r"4000 participants x 2 and 4000 images x 2 .* 8,000 rows"):
        fit_crossed(who % 2, np.c_[np.ones(8000), x], who, what, slopes_participant=(1,), slopes_image=(1,))


def test_trials_become_regressors_and_the_marginal_models_agree_in_sign(trials):
    rows = regressors(trials, conditions=("clickme", "salicon"))
    assert rows.X.shape == (len(rows.y), 4)
    assert len(set(rows.participant)) == 48
    assert abs(rows.X[:, 1].mean()) < 1e-9
    assert (rows.column, rows.within, rows.n_groups) == ("group", False, 2)
    glm, gee = fit_marginal(rows)
    assert glm.names == rows.names
    assert glm.estimate == pytest.approx(gee.estimate, abs=0.2)
    assert glm.estimate[2] > 0


def test_conditions_that_everybody_met_are_within_participants(trials):
    frame = trials.people().copy()
    frame["factor_cue"] = np.where(np.arange(len(frame)) % 2, "animal", "none")
    frame["group"] = "all"
    frame["map_source"] = "clickme"
    found = analysis.fit_mixed(frame)
    assert (found.column, found.within) == ("factor_cue", True)
    assert found.groups == ("animal", "none")
    assert found.mixed.freedom == 47
    assert found.mixed.random_participant[2] == "animal"
    named = analysis.fit_mixed(frame, by="factor_cue", groups=("none", "animal"))
    assert named.mixed.estimate[3] == pytest.approx(-found.mixed.estimate[3], abs=0.01)


def test_auto_leaves_out_slopes_that_the_data_do_not_allow_and_says_so(trials):
    rows = regressors(trials)
    assert random_slopes(rows, "auto") == ((1,), (1,), ())
    assert random_slopes(rows, "intercepts") == ((), (), ())
    assert random_slopes(rows, "participant-slopes")[:2] == ((1,), ())
    from dataclasses import replace

    each = replace(rows, image=np.arange(len(rows.y)).astype(object))
    participant, image, notes = random_slopes(each, "auto")
    assert (participant, image) == ((1,), ())
    assert "images have random intercepts only" in notes[0]
    assert random_slopes(each, "slopes")[1] == (1,)
    few = replace(rows, participant=(np.arange(len(rows.y)) // 2).astype(object))
    assert "participants have random intercepts only" in random_slopes(few, "auto")[2][0]
    many = replace(
        rows,
        **{name: np.tile(getattr(rows, name), (40,) + (1,) * (getattr(rows, name).ndim - 1)) for name in ("y", "X")},
        participant=(np.arange(40 * len(rows.y)) // 40).astype(object),
        image=(np.arange(40 * len(rows.y)) % 3500).astype(object),
    )
    participant, image, notes = random_slopes(many, "auto")
    assert image == ()
    assert "a matrix that is too large" in notes[0]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"y": [0, 1, 2, 1]}, "0 or 1"),
        ({"y": [1, 1, 1, 1]}, "all answers are equal"),
        ({"X": [[1, 2], [2, 4], [3, 6], [4, 8]]}, "depend on each other"),
        ({"X": [[1], [1]]}, "rows of X"),
        ({"guess": 1.0}, "guess rate"),
        ({"names": ["a", "b", "c"]}, "3 names for 1 columns"),
        ({}, "leave nothing to test with"),
    ],
)
def test_unusable_input_is_refused(change, says):
    values = {"y": [0, 1, 0, 1], "X": [[1], [1], [1], [1]], "participant": [1, 1, 2, 2], "image": [1, 2, 1, 2]} | change
    with pytest.raises(InputError, match=says):
        fit_crossed(**values)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"by": "cue"}, 'no column "cue"'),
        ({"groups": ("clickme", "salico")}, 'no group "salico"'),
        ({"groups": ("clickme", "clickme")}, "named twice"),
        ({"random": "slope"}, "slopes"),
        ({"link": "probit"}, "logit and guess"),
        ({"link": "logit", "guess": 0.5}, "leave one of the two out"),
        ({"axis": "logarithmic"}, "linear"),
    ],
)
def test_options_that_name_nothing_are_refused(trials, options, says):
    with pytest.raises(InputError, match=says):
        analysis.fit_mixed(trials, **options)
