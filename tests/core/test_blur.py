import numpy as np
import pytest

from rapidvision.errors import InputError
from rapidvision.numerics.blur import blurred, gala_tpu_line, parse
from rapidvision.screen import Screen


def test_the_paper_s_kernel_is_a_box_of_49_pixels_with_nothing_outside():
    one = np.zeros((128, 128))
    one[64, 64] = 1
    out = blurred(one, parse("paper"))
    assert np.count_nonzero(out) == 49 * 49
    assert out[out > 0] == pytest.approx(1 / 49**2)
    corner = np.zeros((128, 128))
    corner[0, 0] = 1
    assert np.count_nonzero(blurred(corner, parse("paper"))) == 25 * 25


def test_blurs_keep_the_mass_inside_and_are_linear():
    rng = np.random.default_rng(1)
    one, other = np.zeros((200, 200)), np.zeros((200, 200))
    one[80:120, 80:120], other[90:110, 60:100] = rng.random((40, 40)), rng.random((20, 40))
    for blur in ("none", "paper", "gala_tpu", "gauss:5", "disc:6"):
        assert blurred(one, parse(blur)).sum() == pytest.approx(one.sum())
        assert blurred(one + other, parse(blur)) == pytest.approx(
            blurred(one, parse(blur)) + blurred(other, parse(blur))
        )


@pytest.mark.parametrize("blur", ["box", "gauss", "gauss:", "gauss:0", "gauss:-3", "gauss:1e9"])
def test_unknown_blurs_are_refused(blur):
    with pytest.raises(InputError, match="blur: got"):
        parse(blur)


def test_the_authors_kernel_is_a_gaussian_folded_back_at_the_borders_of_its_window():
    reach = np.arange(-112, 113)  # four sigmas
    gaussian = np.exp(-0.5 * (reach / 28) ** 2)
    place = (24 + reach) % 98
    folded = np.bincount(np.where(place >= 49, 97 - place, place), gaussian, 49)
    assert gala_tpu_line(49) == pytest.approx(folded / folded.sum(), rel=1e-12)


def test_a_size_in_degrees_needs_a_screen():
    with pytest.raises(InputError, match=r"gauss:0.5deg.*no screen.*add a \[screen\] table"):
        parse("gauss:0.5deg")
    near, far = (Screen(width_px=1920, width_cm=53.0, distance_cm=distance) for distance in (57.0, 114.0))
    assert parse("gauss:0.5deg", screen=far).size_px == pytest.approx(2 * parse("gauss:0.5deg", screen=near).size_px)
