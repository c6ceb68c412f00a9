"""Simulated looks go to what stands out, whatever it is."""

import numpy as np

from rapidvision.stimuli.render.observers import gaze


def scene(size=64):
    return np.full((size, size, 3), 120, np.uint8)


def test_a_lone_red_disc_draws_most_looks():
    image = scene()
    y, x = np.mgrid[:64, :64]
    image[(y - 20) ** 2 + (x - 44) ** 2 < 36] = (200, 40, 40)
    looks = gaze.look(image, rng=np.random.default_rng(0)).reshape(-1, 2) * 64
    near = np.hypot(looks[:, 0] - 20, looks[:, 1] - 44) < 12
    assert near.mean() > 0.35
    first = gaze.look(image, rng=np.random.default_rng(0))[:, 0] * 64
    assert np.mean(np.hypot(first[:, 0] - 20, first[:, 1] - 44) < 12) > 0.6


def test_each_channel_finds_the_difference_that_is_its_own():
    y, x = np.mgrid[:64, :64]
    spot = (y - 30) ** 2 + (x - 30) ** 2 < 25
    bright = scene()
    bright[spot] = 220
    blue = scene()
    blue[spot] = (100, 100, 160)
    peak = [np.unravel_index(c.argmax(), c.shape) for c in (gaze.channels(bright)[0], gaze.channels(blue)[2])]
    assert all(abs(row - 30) < 7 and abs(column - 30) < 7 for row, column in peak)


def test_the_map_fills_eight_bits_and_repeats_for_a_seed():
    image = np.random.default_rng(0).integers(0, 255, (96, 96, 3)).astype(np.uint8)
    one, two = (gaze.salicon_map(image, category="cat", seed=3, number=1) for _ in range(2))
    assert one.max() == 255
    assert one.shape == (96, 96)
    np.testing.assert_array_equal(one, two)
