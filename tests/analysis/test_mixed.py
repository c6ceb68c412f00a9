"""Mixed models against lme4's stored answers."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rapidvision.analysis.fits import mixed
from rapidvision.analysis.fits.marginal import fit_marginal
from rapidvision.analysis.fits.mixed import fit_crossed
from rapidvision.analysis.fits.regressors import design
from rapidvision.errors import InputError

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.mark.parametrize(
    ("table", "answer"), [("glmm.csv", "glmm_lme4.json"), ("glmm_boundary.csv", "glmm_boundary.json")]
)
def test_the_fit_equals_lme4(table, answer):
    data = pd.read_csv(FIXTURES / table)
    lme4 = json.loads((FIXTURES / answer).read_text())
    X = np.stack([np.ones(len(data)), data["x"], data["group"], data["x"] * data["group"]], axis=1)
    found = fit_crossed(data["y"], X, data["participant"], data["image"], names=lme4["names"])
    assert found.log_likelihood == pytest.approx(lme4["loglik"], abs=1e-3)
    assert found.estimate == pytest.approx(lme4["estimate"], abs=1e-4)
    assert found.se == pytest.approx(lme4["se"], rel=0.005)
    assert found.sd_participant == pytest.approx(lme4["sd_participant"], abs=1e-3)
    assert found.sd_image == pytest.approx(lme4["sd_image"], abs=1e-3)


@pytest.fixture(scope="module")
def crossed(seed):
    rng = np.random.default_rng(seed)
    people, images = np.divmod(np.arange(40 * 30), 30)
    x = rng.choice(np.linspace(-2, 2, 8), 1200)
    eta = 0.3 + 2.0 * x + rng.normal(0, 0.6, 40)[people] + rng.normal(0, 0.6, 30)[images]
    return rng, people, images, x, eta


def test_a_guess_rate_is_recovered_where_the_plain_logit_bends(crossed):
    rng, people, images, x, eta = crossed
    y = (rng.random(1200) < 0.5 + 0.5 / (1 + np.exp(-eta))).astype(float)
    X = np.stack([np.ones(1200), x], axis=1)
    guessing = fit_crossed(y, X, people, images, guess=0.5)
    plain = fit_crossed(y, X, people, images)
    assert abs(guessing.estimate[1] - 2.0) < 4 * guessing.se[1]
    assert plain.estimate[1] < 1.3
    assert guessing.log_likelihood > plain.log_likelihood


def test_products_in_small_parts_are_the_product(seed):
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(131, 84)), rng.normal(size=(131, 83))
    assert mixed._crossproduct(a, b) == pytest.approx(a.T @ b, abs=1e-12)


def test_a_factor_without_spread_is_reported_on_the_boundary(seed):
    rng = np.random.default_rng(seed)
    y = np.tile([0.0, 1.0], 300)
    found = fit_crossed(y, np.ones((600, 1)), np.repeat(np.arange(30), 20), rng.permutation(np.arange(600) % 10))
    assert found.boundary
    assert found.sd_participant == 0
    assert np.isfinite(found.se).all()
    assert found.to_frame()["p"].iloc[0] > 0.5


def test_trials_become_a_design_and_the_marginal_models_agree_in_sign(trials):
    y, X, participant, _, names = design(trials, ("clickme", "salicon"))
    assert X.shape == (len(y), 4)
    assert len(set(participant)) == 48
    assert abs(X[:, 1].mean()) < 1e-9
    glm, gee = fit_marginal(trials, ("clickme", "salicon"))
    assert glm.names == names
    assert glm.estimate == pytest.approx(gee.estimate, abs=0.2)
    assert glm.estimate[2] > 0


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"y": [0, 1, 2, 1]}, "0 or 1"),
        ({"y": [1, 1, 1, 1]}, "all answers are equal"),
        ({"X": [[1, 2], [2, 4], [3, 6], [4, 8]]}, "depend on each other"),
        ({"X": [[1], [1]]}, "rows of X"),
        ({"guess": 1.0}, "guess rate"),
        ({"names": ["a", "b", "c"]}, "3 names for 1 columns"),
    ],
)
def test_unusable_input_is_refused(change, says):
    values = {"y": [0, 1, 0, 1], "X": [[1], [1], [1], [1]], "participant": [1, 1, 2, 2], "image": [1, 2, 1, 2]} | change
    with pytest.raises(InputError, match=says):
        fit_crossed(**values)
