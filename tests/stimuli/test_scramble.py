"""Phase scrambling: spectra kept exactly, colours kept, gamut respected, and wrong scramblers found out."""

import numpy as np
import pytest

from rapidvision.errors import InputError
from rapidvision.stimuli.background.canvas import make_canvas
from rapidvision.stimuli.background.phases import phase_field
from rapidvision.stimuli.background.scramble import scramble
from rapidvision.stimuli.image.load import load
from rapidvision.stimuli.recipe_tables import Canvas
from tests.stimuli.conftest import natural


def cross_spectra(x):
    """All auto- and cross-spectra of an image (height, width, 3), complex (3, 3, height, width)."""
    spectrum = np.fft.fft2(x, axes=(0, 1))
    return np.einsum("yxa,yxb->abyx", spectrum, spectrum.conj())


def spectra_error(before, after):
    """Largest relative error over all auto- and cross-spectra, each relative to its largest value, mean included."""
    one, two = cross_spectra(before), cross_spectra(after)
    scale = np.abs(one).max(axis=(2, 3), keepdims=True)
    return float((np.abs(one - two) / scale).max())


def own_phase_per_channel(image, key):
    return np.dstack([scramble(image[..., [c]], key=key + c, edges="raw", gamut_iterations=0).values for c in range(3)])


def scrambled_mean(image, key):
    values = scramble(image, key=key, edges="raw", gamut_iterations=0).values
    return values - 1.7 * values.mean(axis=(0, 1))


@pytest.mark.parametrize("shape", [(64, 64), (63, 65), (31, 64), (17, 23)])
@pytest.mark.parametrize("iterations", [0, 5])
def test_auto_and_cross_spectra_stay_exactly(shape, iterations):
    image = natural(1, *shape).astype(float)
    made = scramble(image, key=9, edges="raw", gamut_iterations=iterations).values
    assert spectra_error(image, made) < 1e-12
    assert np.allclose(made.mean(axis=(0, 1)), image.mean(axis=(0, 1)), rtol=0, atol=1e-10)
    assert np.abs(made - image).mean() > 10


@pytest.mark.parametrize("wrong", [own_phase_per_channel, scrambled_mean])
def test_wrong_scramblers_fail_the_same_check(wrong):
    image = natural(1).astype(float)
    assert spectra_error(image, wrong(image, 9)) > 1e-3


def test_colours_keep_their_correlations():
    image = natural(2).astype(float)
    made = scramble(image, key=3).values
    before, after = np.corrcoef(image.reshape(-1, 3).T), np.corrcoef(made.reshape(-1, 3).T)
    assert np.abs(before - after).max() < 0.08  # the periodic component's, not quite the image's
    raw = scramble(image, key=3, edges="raw").values
    assert np.abs(before - np.corrcoef(raw.reshape(-1, 3).T)).max() < 1e-10


@pytest.mark.parametrize("level", [0, 1, 117, 254, 255])
@pytest.mark.parametrize("space", ["srgb", "linear"])
def test_a_image_without_contrast_is_its_own_canvas(level, space):
    flat = np.full((256, 256, 3), level, np.uint8)
    assert np.array_equal(make_canvas(flat, Canvas(space=space), key=3, where="a").pixels, flat)


@pytest.mark.parametrize("shape", [(64, 64), (63, 65), (31, 64), (17, 24), (1, 9), (9, 1), (2, 2)])
def test_the_periodic_component_is_that_of_its_definition(shape):
    """Moisan (2011): the spectrum of the image without that of the Poisson solution of its border jumps."""
    image = natural(3, *shape).astype(float)
    turns = phase_field(shape, key=5)
    turned = scramble(image, key=5, gamut_iterations=0).values
    made = np.fft.irfft2(np.fft.rfft2(turned, axes=(0, 1)) / turns[..., None], s=shape, axes=(0, 1))
    height, width = shape
    whole, kept = 0.0, []
    for channel in np.moveaxis(image, -1, 0):
        jump = np.zeros(shape)
        jump[0] += channel[0] - channel[-1]
        jump[-1] -= channel[0] - channel[-1]
        jump[:, 0] += channel[:, 0] - channel[:, -1]
        jump[:, -1] -= channel[:, 0] - channel[:, -1]
        y, x = np.mgrid[:height, :width]
        laplacian = 2 * np.cos(2 * np.pi * y / height) + 2 * np.cos(2 * np.pi * x / width) - 4
        laplacian[0, 0] = 1
        smooth = np.fft.fft2(jump) / -laplacian
        smooth[0, 0] = 0
        kept.append(channel - np.fft.ifft2(smooth).real)
        whole += channel.var()
    factor = np.sqrt(whole / sum(one.var() for one in kept))
    for channel, one in enumerate(kept):
        assert np.allclose(made[..., channel], one.mean() + factor * (one - one.mean()))


def test_the_phase_field_belongs_to_a_real_image():
    for height, width in ((8, 8), (7, 9), (8, 7), (1, 6), (6, 1)):
        turns = phase_field((height, width), key=5)
        assert np.allclose(np.abs(turns), 1)
        assert turns[0, 0] == 1
        noise = np.random.default_rng(0).normal(size=(height, width))
        spectrum = np.fft.rfft2(noise) * turns
        assert np.allclose(np.fft.rfft2(np.fft.irfft2(spectrum, s=(height, width))), spectrum)


def test_phases_are_uniform_and_differ_between_keys():
    angles = np.angle(phase_field((64, 64), key=1)[:, 1:-1]).ravel()
    counts = np.histogram(angles, bins=16, range=(-np.pi, np.pi))[0]
    assert ((counts - counts.mean()) ** 2 / counts.mean()).sum() < 45  # chi-square with 15 degrees of freedom
    assert np.abs(phase_field((64, 64), key=1) - phase_field((64, 64), key=2)).mean() > 1


def test_coherence_goes_from_the_image_to_noise():
    image = natural(4).astype(float)
    likeness = []
    for coherence in (0.0, 0.3, 0.6, 1.0):
        made = scramble(image, key=2, coherence=coherence, edges="raw").values
        assert spectra_error(image, made) < 1e-12
        likeness.append(np.corrcoef(made.ravel(), image.ravel())[0, 1])
    assert likeness == sorted(likeness)
    assert np.allclose(made, image)


@pytest.mark.parametrize("edges", ["periodic", "raw"])
@pytest.mark.parametrize("shape", [(64, 64), (63, 65), (17, 24)])
@pytest.mark.parametrize("iterations", [0, 5])
def test_coherence_1_is_the_image(edges, shape, iterations):
    image = natural(4, *shape)
    made = scramble(image.astype(float), key=2, coherence=1.0, edges=edges, gamut_iterations=iterations)
    assert np.array_equal(made.values, image)
    nearly = scramble(image.astype(float), key=2, coherence=1 - 1e-9, edges=edges, gamut_iterations=iterations)
    assert np.abs(nearly.values - image).max() < 0.01
    for space in ("srgb", "linear"):
        canvas = Canvas(coherence=1.0, edges=edges, gamut_iterations=iterations, space=space)
        assert np.array_equal(make_canvas(image, canvas, key=2, where="a").pixels, image)


def ramp(seed):
    """An image whose borders do not meet, of high contrast, so that much of it would be clipped."""
    rows = np.linspace(-90, 90, 64)[:, None, None]
    return np.clip(np.rint(1.3 * (natural(seed).astype(float) - 120) + 120 + rows), 0, 255)


def test_coherence_is_monotone_and_keeps_the_canvas_rules():
    image = ramp(4)
    steps = [0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95, 1.0]
    made = [scramble(image, key=2, coherence=coherence) for coherence in steps]
    distance = [np.sqrt(np.square(one.values - image).mean()) for one in made]
    assert distance == sorted(distance, reverse=True)
    assert distance[0] > 20
    assert distance[-1] == 0
    for one in made:
        assert one.values.std() == pytest.approx(image.std(), rel=0.03)
        assert np.allclose(one.values.mean((0, 1)), image.mean((0, 1)))
    clipped = [np.abs(one.values - np.clip(one.values, 0, 255)).mean() for one in made]
    plain = [scramble(image, key=2, coherence=coherence, gamut_iterations=0).values for coherence in steps[:8]]
    lost = [np.abs(one - np.clip(one, 0, 255)).mean() for one in plain]
    assert lost[0] > 1
    assert all(searched < 0.6 * before for searched, before in zip(clipped, lost, strict=False))


@pytest.mark.parametrize("seed", [4, 5, 6])
def test_coherence_is_continuous_at_0(seed):
    """A step of coherence moves the canvas by no more than a step of that size can: no other recipe at the first step."""
    image = ramp(seed)
    made = [scramble(image, key=2, coherence=one / 1000).values for one in (0, 1, 2, 5, 10, 20, 50)]
    moved = [np.abs(one - made[0]).mean() for one in made[1:]]
    assert moved == sorted(moved)
    assert moved[0] < 0.3
    assert moved[-1] < 15
    outside = [np.abs(one - np.clip(one, 0, 255)).mean() for one in made]
    assert max(outside) < outside[0] + 0.2


def test_the_spectrum_of_a_coherent_canvas_is_that_of_the_image():
    image = natural(4).astype(float)
    for coherence in (0.02, 0.3, 0.9):
        made = scramble(image, key=2, coherence=coherence, edges="raw").values
        assert spectra_error(image, made) < 1e-12


def test_coherence_is_refused_where_it_has_no_meaning():
    for kind in ("grey", "mean", "blur", "noise"):
        with pytest.raises(ValueError, match="coherence belongs to"):
            Canvas(kind=kind, coherence=0.5)


def test_gamut_iterations_lose_less_to_clipping():
    image = np.clip(natural(5).astype(float) * 1.5 - 30, 0, 255)
    lost = []
    for n in (0, 5, 20):
        made = scramble(image, key=4, gamut_iterations=n)
        lost.append(np.abs(made.values - np.clip(made.values, 0, 255)).mean())
        assert made.clipped_fraction == np.mean((made.values < -0.5) | (made.values > 255.5))
    assert lost[0] > 1
    assert lost[1] < 0.5 * lost[0]
    assert lost[2] < 0.5 * lost[1]


def test_rounding_errors_of_another_fft_do_not_reach_the_bytes():
    image = natural(6, 128).astype(float)
    one = make_canvas(natural(6, 128), Canvas(), key=8, where="a").pixels
    noise = 1e-11 * np.random.default_rng(1).normal(size=image.shape)
    other = np.clip(np.rint(scramble(image + noise, key=8).values), 0, 255).astype(np.uint8)
    assert np.array_equal(one, other)


@pytest.mark.parametrize("kind", ["phase", "grey", "mean", "blur", "noise"])
@pytest.mark.parametrize("space", ["srgb", "linear"])
def test_every_canvas_is_reproducible_and_keeps_the_mean(kind, space):
    image = natural(7)
    canvas = Canvas(kind=kind, space=space, grey=100)
    one, two = (make_canvas(image, canvas, key=8, where="a") for _ in range(2))
    assert np.array_equal(one.pixels, two.pixels)
    assert one.pixels.shape == image.shape
    if kind == "grey":
        assert (one.pixels == 100).all()
    elif space == "linear":
        assert abs(one.quality.linear_mean_ratio - 1) < 0.06 or kind == "mean"
    else:
        assert abs(one.quality.mean_error) < 2


def test_noise_has_the_images_spectrum_on_average_but_its_own_phases():
    image = natural(8)
    made = make_canvas(image, Canvas(kind="noise", edges="raw", gamut_iterations=0), key=8, where="a")
    assert 0.8 < made.quality.contrast_ratio < 1.1
    assert abs(np.corrcoef(made.pixels.ravel(), image.ravel())[0, 1]) < 0.4


def test_a_canvas_that_clips_too_much_is_refused_when_a_bound_is_set():
    hard = np.where(natural(9) > 120, 255, 0).astype(np.uint8)
    with pytest.raises(InputError, match="a.png: its canvas clips .* allowed are 1.0%"):
        make_canvas(hard, Canvas(largest_clipped_fraction=0.01), key=1, where="a.png")


@pytest.mark.data
def test_gamut_aware_canvases_of_real_photographs_keep_mean_contrast_and_spectrum(data_folder):
    files = sorted((data_folder / "osie/stimuli").iterdir())[::6]
    quality = []
    for path in files:
        pixels = load(path, 256).pixels
        quality.append(make_canvas(pixels, Canvas(edges="raw"), key=len(quality), where=str(path)).quality)
    assert np.median([abs(one.mean_error) for one in quality]) < 0.5
    assert np.median([one.contrast_ratio for one in quality]) > 0.97
    assert np.median([one.spectrum_error for one in quality]) < 0.05
