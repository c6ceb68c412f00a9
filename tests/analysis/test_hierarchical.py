"""The hierarchical psychometric model: its pieces against differences and dense grids, and recovery of known values."""

import numpy as np
import pytest

from rapidvision import analysis
from rapidvision.analysis.fits.hierarchical.marginal_likelihood import Answers, Marginal
from rapidvision.analysis.fits.hierarchical.search import HierarchicalSearch
from rapidvision.analysis.fits.hierarchical.trial_likelihood import trial_derivatives
from rapidvision.cli import main
from rapidvision.errors import InputError
from tests.analysis.conftest import as_csv

LEVELS = np.append(np.linspace(0.2, 2, 9), np.inf)


def study(rng, people, images, difference=0.3, sds=(0.2, 0.3, 0.15, 0.2), guess=0.5):
    """Answers of two groups to images; everybody and everything differs in threshold and slope."""
    who, what = np.divmod(np.arange(people * images), images)
    x = LEVELS[(what + 3 * who) % 10]
    group = who % 2
    at = 1.3 - difference * (group == 0) + rng.normal(0, sds[0], people)[who] + rng.normal(0, sds[2], images)[what]
    slope = np.exp(np.log(5) + rng.normal(0, sds[1], people)[who] + rng.normal(0, sds[3], images)[what])
    shown = np.isfinite(x)
    share = np.where(shown, 0.5 * (1 + np.tanh(slope * (np.where(shown, x, 0) - at) / 2)), 1.0)
    right = rng.random(len(who)) < guess + (1 - guess - 0.03) * share
    return Answers(right, x, who, what, group, people, images, 2, guess)


THETA = np.array([1.1, 1.4, 1.6, -1.9, np.log(0.2), np.log(0.3), np.log(0.15), np.log(0.2)])


@pytest.mark.parametrize("guess", [0.5, 0.0, 1 / 16])
def test_derivatives_of_trials_are_difference_quotients(seed, guess):
    rng = np.random.default_rng(seed)
    right, x = rng.random(8) < 0.6, np.append(rng.uniform(-1, 2, 7), np.inf)
    t, s, h = rng.normal(size=(8, 3)), rng.normal(size=(8, 3)), 1e-5

    def at(dt, ds):
        return trial_derivatives(right, x, t + dt, s + ds, guess=guess, lapse=0.05)

    here = at(0, 0)
    for name, up, down in (
        ("by_t", at(h, 0).log_likelihood, at(-h, 0).log_likelihood),
        ("by_s", at(0, h).log_likelihood, at(0, -h).log_likelihood),
        ("by_tt", at(h, 0).by_t, at(-h, 0).by_t),
        ("by_ts", at(0, h).by_t, at(0, -h).by_t),
        ("by_ss", at(0, h).by_s, at(0, -h).by_s),
    ):
        assert getattr(here, name) == pytest.approx((up - down) / (2 * h), abs=1e-8), name


def test_peoples_integral_is_that_of_a_dense_grid(seed):
    answers = study(np.random.default_rng(seed), 4, 40)
    theta = THETA[:6]
    model = Marginal(answers, 0, 9)
    model.recentre(theta)
    found = model._people(theta, model.modes)[2]
    grid = np.linspace(-6, 6, 241)
    a, b = (one.ravel() for one in np.meshgrid(grid * 0.2, grid * 0.3, indexing="ij"))
    weight = np.exp(-0.5 * ((a / 0.2) ** 2 + (b / 0.3) ** 2))
    weight /= weight.sum()
    lapse = 0.25 / (1 + np.exp(1.9))
    for person in range(4):
        mine = answers.person == person
        t = theta[answers.condition[mine]][:, None] + a
        s = np.broadcast_to(theta[2] + b, t.shape)
        logs = trial_derivatives(answers.right[mine], answers.x[mine], t, s, guess=0.5, lapse=lapse).log_likelihood
        assert found[person] == pytest.approx(np.log(np.exp(logs.sum(axis=0)) @ weight), abs=2e-3)


def test_the_integral_does_not_depend_on_where_the_nodes_were_put(seed):
    """Nodes that were put for other parameters move with the parameters."""
    answers = study(np.random.default_rng(seed), 8, 40)
    values = []
    for first in (THETA, THETA + np.array([0.2, -0.2, 0.3, 0.2, 0.7, -0.7, 0.5, -0.5])):
        model = Marginal(answers, 2, 9)
        model.recentre(first)
        values.append(model.deviance(THETA))
    assert values[0] == pytest.approx(values[1], abs=0.01)


def test_images_slopes_and_curvature_are_difference_quotients(seed):
    rng = np.random.default_rng(seed)
    model = Marginal(study(rng, 6, 7), 2, 7)
    model.recentre(THETA)
    modes = rng.normal(0, 0.5, (7, 2))

    def down(at):
        _, posterior, _, found = model._people(THETA, at)
        return model._slopes(THETA, at, posterior, found)

    def criterion(at):
        return 0.5 * (at**2).sum() - model._people(THETA, at)[2].sum()

    slopes, curvature, safe = down(modes)
    steps = 1e-5 * np.eye(14).reshape(14, 7, 2)
    assert slopes == pytest.approx([-(criterion(modes + h) - criterion(modes - h)) / 2e-5 for h in steps], abs=1e-6)
    by_differences = np.array([-(down(modes + h)[0] - down(modes - h)[0]) / 2e-5 for h in steps])
    assert curvature == pytest.approx(by_differences, abs=1e-6)
    assert (np.linalg.eigvalsh(safe) > 0).all()
    assert np.abs(down(model._images(THETA)[0])[0]).max() < 1e-5


def test_known_values_come_back(seed):
    answers = study(np.random.default_rng(seed), 30, 40)
    search = HierarchicalSearch(answers, image_effects=2, n_nodes=5)
    search.minimise()
    covariance = search.covariance()
    assert search.converged
    se = np.sqrt(np.diag(covariance))
    truth = np.array([1.0, 1.3, np.log(5), np.log(0.03 / 0.22), np.log(0.2), np.log(0.3), np.log(0.15), np.log(0.2)])
    assert (np.abs(search.best - truth) < 3.5 * se).all()
    gap = np.sqrt(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    assert abs(search.best[0] - search.best[1] + 0.3) < 3 * gap
    assert gap < 0.15


def test_without_random_images_their_spread_goes_into_the_slope(seed):
    answers = study(np.random.default_rng(seed), 30, 40, sds=(0.2, 0.2, 0.4, 0.2))
    slopes = []
    for q in (0, 1):
        search = HierarchicalSearch(answers, image_effects=q, n_nodes=5)
        search.minimise()
        slopes.append(search.best[2])
    assert slopes[1] > slopes[0] + 0.1


@pytest.fixture(scope="module")
def few():
    return analysis.Design(n_per_group=6).simulate(seed=3)


def test_order_and_names_change_nothing(few):
    found = analysis.fit_hierarchical(few, images="none")
    frame = few.frame.sample(frac=1, random_state=1)
    names = {name: f"z{99 - i:02d}" for i, name in enumerate(sorted(set(frame["participant_id"])))}
    again = analysis.fit_hierarchical(frame.assign(participant_id=frame["participant_id"].map(names)), images="none")
    assert again.estimate == pytest.approx(found.estimate, abs=0.02)
    turned = analysis.fit_hierarchical(few, images="none", groups=("salicon", "clickme"))
    assert turned.difference == pytest.approx(-found.difference, abs=0.01)


def test_the_result_is_in_readable_units_and_has_everybody(few, tmp_path, capsys):
    found = analysis.fit_hierarchical(few, images="threshold")
    table = found.to_frame().set_index("parameter")
    assert table.index[2] == "threshold clickme minus salicon (log10)"
    assert 1 < table.loc["threshold clickme", "estimate"] < 200
    assert table.loc["lapse", "estimate"] == pytest.approx(found.lapse)
    assert (table["low"] < table["estimate"]).all()
    assert 0 < table["p"].iloc[2] <= 1
    assert found.people()["condition"].value_counts().to_dict() == {"clickme": 6, "salicon": 6}
    assert len(found.images()) == found.n_images == 80
    assert "Gauss-Hermite" in found.sentence()
    path = as_csv(few.frame, tmp_path / "t.csv")
    words = ["analyse", "hierarchical", str(path), "--images-random", "none", "--quiet"]
    assert main([*words, "--people", str(tmp_path / "own.csv"), "--out", str(tmp_path / "table.csv")]) == 0
    assert "images not random" in capsys.readouterr().out
    assert (tmp_path / "own.csv").read_text().startswith("participant,condition,threshold,slope")
    assert (tmp_path / "table.csv").read_text().startswith("parameter,estimate,low,high,p")


def test_one_condition_alone_is_fitted(few):
    frame = few.frame[few.frame["group"] == "clickme"]
    found = analysis.fit_hierarchical(frame.assign(map_source="clickme"), images="none")
    assert found.conditions == ("clickme",)
    assert np.isnan(found.difference)
    assert found.freedom == 5
    assert found.to_frame()["p"].isna().all()


def test_a_fit_without_time_says_so(few):
    found = analysis.fit_hierarchical(few, time_limit_s=0.0)
    assert not found.converged
    assert "not converged within 0 s" in found.cautions[0]
    assert np.isnan(found.se).all()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"images": "all"}, "both, threshold, none"),
        ({"n_nodes": 2}, "at least 3"),
        ({"by": "side"}, 'no column "side"'),
        ({"guess": 1.5}, "guess"),
    ],
)
def test_options_that_name_nothing_are_refused(few, options, says):
    with pytest.raises(InputError, match=says):
        analysis.fit_hierarchical(few, **options)


def test_what_the_model_does_not_take_is_refused(few):
    frame = few.people().assign(group="all", map_source="clickme")
    frame["factor_cue"] = np.where(np.arange(len(frame)) % 2, "animal", "none")
    with pytest.raises(InputError, match="12 participants have both conditions of factor_cue"):
        analysis.fit_hierarchical(frame)
    many = few.people().assign(image_id=[f"i{n}" for n in range(len(few.people()))])
    with pytest.raises(InputError, match="effects each are too many"):
        analysis.fit_hierarchical(many, images="both")
    found = analysis.fit_hierarchical(many)
    assert "images are not random" in found.notes[-1]
