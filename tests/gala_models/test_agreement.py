"""Agreement of maps with human maps: exact small cases, the centre control, and a test that keeps its level."""

import numpy as np
import pytest
from scipy.stats import spearmanr

import rapidvision as rv
from rapidvision.errors import InputError
from rapidvision.gala_models.evaluation.agreement import centre_map, interval_of, split_half


def random_maps(n, seed, side=7):
    return np.random.default_rng(seed).random((n, side, side))


def test_each_measure_is_what_its_definition_says():
    maps, human = random_maps(6, 0), random_maps(6, 1)
    found = rv.models.map_agreement(maps, human)
    for i in range(6):
        own = spearmanr(maps[i].ravel(), human[i].ravel())[0]
        others = [spearmanr(maps[i].ravel(), human[j].ravel())[0] for j in range(6) if j != i]
        centre = np.delete(human, i, 0).mean(0).ravel()
        a, b = (spearmanr(one.ravel(), centre)[0] for one in (maps[i], human[i]))
        top = set(np.argsort(-human[i].ravel())[:10])
        assert found.rho[i] == pytest.approx(own)
        assert found.own_minus_other[i] == pytest.approx(own - np.mean(others))
        assert found.partial[i] == pytest.approx((own - a * b) / np.sqrt((1 - a**2) * (1 - b**2)))
        assert found.overlap[i] == len(top & set(np.argsort(-maps[i].ravel())[:10])) / 10
        assert found.energy[i] == pytest.approx(maps[i].ravel()[list(top)].sum() / maps[i].sum())


def test_a_centre_map_correlates_with_centred_maps_and_has_nothing_of_the_image():
    human = random_maps(30, 2, 9) + 3 * centre_map(9, 9)
    found = rv.models.map_agreement(np.repeat(centre_map(9, 9)[None], 30, 0), human, centre=centre_map(9, 9))
    assert found.rho.mean() > 0.7 and abs(found.own_minus_other.mean()) < 0.02
    assert np.isnan(found.partial).all()  # nothing is left of the map when the centre is taken out
    assert found.p_value(n_resamples=199) == 1  # every pairing is as good


def test_flat_maps_are_left_out_and_counted():
    maps, human = random_maps(5, 0), random_maps(5, 1)
    maps[2] = 0.5
    found = rv.models.map_agreement(maps, human)
    assert found.n_flat == 1 and np.isnan([found.rho[2], found.overlap[2], found.energy[2]]).all()
    assert found.interval().mean == pytest.approx(np.delete(found.rho, 2).mean())
    assert np.isfinite(np.delete(found.own_minus_other, 2)).all()


def test_the_test_rejects_as_often_as_its_level_and_finds_an_effect():
    null = [
        rv.models.map_agreement(random_maps(8, 2 * s), random_maps(8, 2 * s + 1)).p_value(n_resamples=99)
        for s in range(300)
    ]
    share = np.mean(np.array(null) <= 0.1)
    assert abs(share - 0.1) < 3 * np.sqrt(0.1 * 0.9 / 300)
    human = random_maps(8, 1)
    assert rv.models.map_agreement(human + random_maps(8, 2), human).p_value(n_resamples=999) == 0.001


def test_halves_of_participants_agree_as_their_shared_signal_says():
    """Two sums of k maps of signal variance 1 and noise variance v correlate at 1 / (1 + v / k)."""
    rng = np.random.default_rng(5)
    maps = rng.normal(size=(1, 40, 40)) + 2 * rng.normal(size=(16, 40, 40))
    assert split_half(maps, seed=1) == pytest.approx(1 / (1 + 4 / 8), abs=0.05)


def test_an_interval_covers_as_often_as_it_says():
    rng = np.random.default_rng(6)
    inside = [
        (lambda i: i.low <= 0.3 <= i.high)(interval_of(rng.normal(0.3, 1, 60), n_resamples=400, seed=s))
        for s in range(200)
    ]
    assert 0.89 <= np.mean(inside) <= 0.99


@pytest.mark.parametrize(
    ("maps", "human", "options", "message"),
    [
        (random_maps(3, 0), random_maps(4, 1), {}, "both must be"),
        (random_maps(1, 0), random_maps(1, 1), {}, "n >= 2"),
        (random_maps(3, 0), random_maps(3, 1), {"top": 0}, "a share between"),
        (np.full((3, 7, 7), np.nan), random_maps(3, 1), {}, "not finite"),
    ],
)
def test_refusals(maps, human, options, message):
    with pytest.raises(InputError, match=message):
        rv.models.map_agreement(maps, human, **options)
    with pytest.raises(InputError, match="choose rho"):
        rv.models.map_agreement(random_maps(3, 0), random_maps(3, 1)).interval("r")
    with pytest.raises(InputError, match="2 participants"):
        split_half(random_maps(1, 0))
