"""The print alters objects only, by mirror-image filters, and its tables make two kinds alike."""

import numpy as np
import pytest

from rapidvision.stimuli.render.bundle import calibrate
from rapidvision.stimuli.render.tracing import equalize


@pytest.fixture
def image():
    return np.random.default_rng(0).random((64, 64, 3)) * 0.6 + 0.2


def tables(gain=0.0, tone=0.0):
    n_bands = equalize.bins_of(64, 1.0).n_bands
    return equalize.Balance(np.full((n_bands, equalize.N_ORIENTATIONS), gain), np.full(33, tone))


def test_nothing_changes_away_from_the_object(image):
    cover = np.zeros((64, 64))
    cover[24:40, 24:40] = 1
    out = equalize.balanced(image, cover, target=True, tables=tables(0.5, 0.05))
    assert np.abs(out - image)[28:36, 28:36].max() > 0.05
    np.testing.assert_allclose(out[:12], image[:12], atol=1e-12)
    np.testing.assert_allclose(out[:, -12:], image[:, -12:], atol=1e-12)


def test_tables_of_zero_change_nothing(image):
    out = equalize.balanced(image, np.ones((64, 64)), target=True, tables=tables())
    np.testing.assert_allclose(out, image, atol=1e-12)


def test_a_uniform_gain_scales_contrast_up_for_targets_and_down_for_distractors(image):
    whole = np.ones((64, 64))
    for target, factor in ((True, np.exp(0.3)), (False, np.exp(-0.3))):
        out = equalize.balanced(image, whole, target=target, tables=tables(0.3))
        assert out.std() / image.std() == pytest.approx(factor, rel=0.02)


def test_a_grating_is_found_in_its_own_band_and_orientation():
    y, x = np.mgrid[:128, :128] / 128
    for cycles, turn in ((8, 0.0), (8, 90.0), (16, 45.0)):
        a = np.deg2rad(turn)
        grating = np.sin(2 * np.pi * cycles * (np.cos(a) * x + np.sin(a) * y))
        found = equalize.log_amplitudes(grating)
        band, way = np.unravel_index(found.argmax(), found.shape)
        assert band == round(np.log2(cycles / equalize.LOWEST) * equalize.BANDS_PER_OCTAVE)
        assert way == round(turn / 180 * equalize.N_ORIENTATIONS)


def test_measured_tables_make_two_kinds_alike_that_were_not():
    rng = np.random.default_rng(1)
    prints = []
    for n in range(96):
        rough = rng.normal(size=(64, 64))
        target = n % 2 == 0
        inner = (rough + 0.35 * np.roll(rough, 1, 1)) / 1.06 if target else rough
        smooth = rough.copy()
        smooth[12:52, 12:52] = inner[12:52, 12:52]  # targets lack fine vertical detail
        cover = np.zeros((64, 64))
        cover[12:52, 12:52] = 1
        grey = np.clip(0.5 + 0.1 * smooth, 0, 1)[..., None]
        prints.append(calibrate.Print(grey, cover, 0 if target else 4))

    def difference(found):
        out = {True: [], False: []}
        for one in prints:
            shown = equalize.balanced(one.display, one.cover, target=one.target, tables=found)[..., 0]
            out[one.target].append(equalize.log_amplitudes(shown))
        spectra = [np.mean(out[kind], axis=0) for kind in (True, False)]
        return abs((spectra[0] - spectra[1])[-2:, [15, 0, 1]].mean())

    n_bands = equalize.bins_of(64, 1.0).n_bands
    before = difference(equalize.Balance(np.zeros((n_bands, 16)), np.zeros(33)))
    after = difference(calibrate.measured(prints, rounds=4))
    assert after < 0.4 * before
