"""Shots are kept so that what is kept no longer tells the kinds apart; and a seed still decides every image."""

import numpy as np
import pytest

from rapidvision.stimuli.render.bundle import calibrate, drawn_image
from rapidvision.stimuli.render.decodability import classifiers, network, rejection

KIND = np.tile(np.arange(8), 300)
TARGET = KIND < 4


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(40, 210, (3, 64, 64, 3)).astype(np.uint8)


def judge(weight, n=160):
    """A model that looks at one feature: the amount of the darkest luminances."""
    weights = np.zeros(2 * n + 1)
    weights[128] = weight
    return rejection.Model(np.full(n, 0.02), np.full(n, 0.01), weights)


def test_every_feature_is_a_number_and_a_still_image_has_no_unevenness(images):
    assert rejection.features(images).shape == (3, 160)
    assert np.isfinite(rejection.features(images)).all()
    assert rejection.unevenness(np.full((1, 64, 64, 3), 90, np.uint8)).max() < 1e-6


def test_a_shot_that_suggests_its_own_kind_is_kept_with_the_inverse_of_the_odds(images):
    z = (classifiers.histogram(images[:1])[0, 0] - 0.02) / 0.01
    z = float(np.clip(z, -rejection.FARTHEST, rejection.FARTHEST))
    weight = 0.7 * np.sign(z)
    assert rejection.kept(images[0], target=True, judge=judge(weight)) == pytest.approx(np.exp(-abs(0.7 * z)))
    assert rejection.kept(images[0], target=False, judge=judge(weight)) == 1.0
    assert rejection.kept(images[0], target=False, judge=judge(-weight)) == pytest.approx(np.exp(-abs(0.7 * z)))
    assert rejection.kept(images[0], target=True, judge=judge(0.0)) == 1.0


def test_fitted_odds_make_what_is_kept_alike_although_the_kinds_differ_in_mean_and_spread():
    rng = np.random.default_rng(1)
    found = rng.normal(size=(KIND.size, 6))
    found[TARGET, 0] += 0.8
    found[TARGET, 1] *= 1.5
    found[KIND == 2, 2] += 0.7
    before = classifiers.held_out_accuracy(np.concatenate([found, found**2], 1), TARGET, seed=1)
    model = calibrate.judged(found, KIND)
    fresh = rng.normal(size=(KIND.size, 6))
    fresh[TARGET, 0] += 0.8
    fresh[TARGET, 1] *= 1.5
    fresh[KIND == 2, 2] += 0.7
    odds = rejection.expanded(fresh, model.middle, model.spread) @ model.weights
    share, _ = calibrate.shares_kept(odds, KIND, TARGET)
    keep = rng.random(KIND.size) < share
    fewest = min(np.count_nonzero(keep & (k == KIND)) for k in range(8))
    equal = np.concatenate([np.nonzero(keep & (k == KIND))[0][:fewest] for k in range(8)])
    left = np.concatenate([fresh[equal], fresh[equal] ** 2], 1)
    assert before > 0.65
    assert classifiers.held_out_accuracy(left, TARGET[equal], seed=1) < 0.55
    assert share.mean() > 0.4


def test_a_size_other_than_the_proof_shows_the_shot_that_was_kept(monkeypatch):
    kept = iter([0.0, 0.0, 1.0, 0.0, 0.0, 1.0])
    monkeypatch.setattr(rejection, "kept", lambda image, *, target: next(kept))
    small, large = (drawn_image.draw("couch", seed=4, number=2, size=size) for size in (64, 128))
    third = drawn_image.exposure(drawn_image.composed("couch", seed=4, number=2, attempt=2), 64)
    np.testing.assert_array_equal(small.objects, third.objects)
    agree = large.objects.reshape(64, 2, 64, 2)[:, 0, :, 0] == small.objects
    assert agree.mean() > 0.95


def test_where_no_shot_is_taken_the_likeliest_is_kept(monkeypatch):
    chances = iter([0.0] * 5 + [1e-9] + [0.0] * drawn_image.ATTEMPTS)
    monkeypatch.setattr(rejection, "kept", lambda image, *, target: next(chances))
    monkeypatch.setattr(drawn_image, "ATTEMPTS", 8)
    found = drawn_image.draw("bird", seed=4, number=1, size=64)
    sixth = drawn_image.exposure(drawn_image.composed("bird", seed=4, number=1, attempt=5), 64)
    np.testing.assert_array_equal(found.parts, sixth.parts)


def test_the_shipped_model_fits_the_features():
    model = rejection.model()
    assert model.middle.shape == model.spread.shape == (160,)
    assert model.weights.shape == (321,)
    assert (model.spread > 0).all()
    assert model.net.middle.shape == rejection.planes(np.full((1, 64, 64, 3), 90, np.uint8))[0].shape


def test_what_the_network_says_is_added_to_the_odds(images):
    blocks = tuple(np.zeros((3, 3, 1, 1)) for _ in range(3))
    sure = network.Net(np.zeros((64, 33)), blocks, (np.zeros(1),) * 3, np.zeros(1), 0.7)
    plain = judge(0.0)
    assert rejection.kept(images[0], target=True, judge=plain._replace(net=sure)) == pytest.approx(np.exp(-0.7))
    assert rejection.kept(images[0], target=False, judge=plain._replace(net=sure)) == 1.0


def test_a_network_is_fitted_to_what_is_kept_and_the_rest_once_more_beside_it():
    rng = np.random.default_rng(3)
    spectra = rng.normal(size=(KIND.size, 16, 16))
    spectra[TARGET] += 0.5
    found = np.stack([spectra.mean((1, 2)) + rng.normal(size=KIND.size), rng.normal(size=KIND.size)], 1)
    seen, fitted = {}, np.arange(KIND.size) // 8 % calibrate.HELD_OUT > 0

    def fit_net(spectra, target, weight):
        seen["weight"] = np.bincount(KIND[fitted], weight)
        kernels = tuple(np.full((3, 3, 1, 1), 1 / 9) for _ in range(3))
        return network.Net(np.full((16, 16), -1.0), kernels, (np.zeros(1),) * 3, np.full(1, 8.0), -10.0)

    before = calibrate.judged(found, KIND)
    after = calibrate.completed(before, found, spectra, KIND, fit_net)
    np.testing.assert_allclose(seen["weight"], seen["weight"].mean(), rtol=0.1)  # about as many of each category
    assert after.net is not None
    assert not np.allclose(after.weights, before.weights)


@pytest.mark.parametrize("factor", [0.4, 1.0, 1.3])
def test_odds_that_are_too_sure_are_trusted_less_and_timid_ones_more(factor):
    rng = np.random.default_rng(4)
    odds = rng.normal(0.0, 2.0, 20_000)
    target = rng.random(odds.size) < 1.0 / (1.0 + np.exp(-odds))
    assert calibrate.trusted(odds / factor, target, np.ones(odds.size)) == pytest.approx(factor, abs=0.06)


def test_the_proof_looks_at_the_very_image_that_is_drawn_at_its_size(monkeypatch):
    seen = []
    monkeypatch.setattr(rejection, "kept", lambda image, *, target: seen.append(image) or 1.0)
    drawn = drawn_image.draw("table", seed=4, number=1, size=drawn_image.PROOF_PX)
    np.testing.assert_array_equal(seen[0], drawn.image)
