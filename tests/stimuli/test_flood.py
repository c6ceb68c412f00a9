"""The flood fill: its law, its geometry, and the agreement of its engines."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import label
from scipy.stats import chisquare, kstest

from rapidvision.errors import InputError
from rapidvision.numerics.counter_rng import hashes
from rapidvision.stimuli.reveal.flood import Growth, fill
from rapidvision.stimuli.reveal.flood_numba import grow
from rapidvision.stimuli.reveal.passage_times import EXP_BITS, RateScale, exponentials, mean_waiting_times, rate_scale

ENGINES = ("numba", "portable")


def blob_map(seed, height, width):
    rng = np.random.default_rng(seed)
    return (rng.random((height, width)) ** 3 + 1e-3).astype(np.float32)


def neighbours_of(pixel, height, width, eight=False):
    y, x = divmod(pixel, width)
    steps = [(-1, 0), (1, 0), (0, -1), (0, 1)] + ([(-1, -1), (-1, 1), (1, -1), (1, 1)] if eight else [])
    return [(y + a) * width + x + b for a, b in steps if 0 <= y + a < height and 0 <= x + b < width]


def exact_law(rates, start, n_steps, eight=False):
    """Probability of every sequence of the first n_steps added pixels under sequential weighted growth."""
    height, width = rates.shape
    rate = rates.ravel()
    law = {}

    def grow(region, probability, added):
        if len(added) == n_steps:
            law[added] = law.get(added, 0) + probability
            return
        frontier = sorted({q for p in region for q in neighbours_of(p, height, width, eight)} - set(region))
        total = sum(rate[q] for q in frontier)
        for q in frontier:
            grow((*region, q), probability * rate[q] / total, (*added, q))

    grow((start,), 1.0, ())
    return law


@pytest.mark.parametrize(
    ("gamma", "neighbours", "start", "shape"),
    [(2.0, 4, (2, 2), (5, 5)), (1.0, 8, (1, 1), (3, 4)), (0.0, 4, (1, 2), (4, 5)), (2.0, 4, (0, 3), (1, 7))],
)
def test_growth_follows_the_exact_probabilities_of_weighted_eden_growth(gamma, neighbours, start, shape):
    weights = np.random.default_rng(3).uniform(0.2, 1, shape).astype(np.float32)
    growth = Growth(gamma, 0.05, neighbours, start)
    n_runs = 100_000
    speed, pixel = rate_scale(weights, gamma=gamma, epsilon=0.05), start[0] * shape[1] + start[1]
    eight = neighbours == 8
    assert fill(weights, 3, key=4, growth=growth).tolist() == grow(weights, speed, pixel, 3, 4, eight=eight).tolist()
    law = exact_law(1 / mean_waiting_times(weights, speed), pixel, 2, eight)
    counts = dict.fromkeys(law, 0)
    for run in range(n_runs):
        counts[tuple(grow(weights, speed, pixel, 3, run, eight=eight).tolist()[1:])] += 1
    assert chisquare(list(counts.values()), np.array(list(law.values())) * n_runs).pvalue > 1e-4


def test_a_wrong_law_would_fail_the_chi_square_test():
    weights = np.random.default_rng(3).uniform(0.2, 1, (5, 5)).astype(np.float32)
    wrong = exact_law(1 / mean_waiting_times(weights, rate_scale(weights, gamma=1.0, epsilon=0.05)), 12, 2)
    counts = dict.fromkeys(wrong, 0)
    for run in range(4000):
        counts[tuple(fill(weights, 3, key=run, growth=Growth(2.0, 0.05, 4, (2, 2))).tolist()[1:])] += 1
    assert chisquare(list(counts.values()), np.array(list(wrong.values())) * 4000).pvalue < 1e-6


def test_clocks_are_exponential():
    sample = exponentials(hashes(np.arange(200_000, dtype=np.uint64), 5)) / 2**EXP_BITS
    assert kstest(sample, "expon").pvalue > 1e-3
    assert sample.max() > 9


@settings(max_examples=60, deadline=None)
@given(
    height=st.integers(1, 23),
    width=st.integers(1, 23),
    share=st.floats(0.01, 1),
    key=st.integers(0, 2**64 - 1),
    gamma=st.sampled_from([0.0, 1.0, 2.0, 3.7]),
    neighbours=st.sampled_from([4, 8]),
    kind=st.sampled_from(["random", "plateau", "two blobs"]),
)
def test_both_engines_give_the_same_connected_nested_and_exact_order(
    height, width, share, key, gamma, neighbours, kind
):
    values = blob_map(key % 1000, height, width)
    if kind == "plateau":
        values = np.where(values > 0.2, 1.0, 0.5).astype(np.float32)
    if kind == "two blobs":
        values = np.zeros((height, width), np.float32)
        values[0, 0], values[-1, -1] = 1, 0.9
    if values.max() == values.min():
        values.flat[0] += 1
    if values.size == 1:
        gamma = 0.0
    n_px = max(1, int(share * values.size))
    growth = Growth(gamma, 1e-3, neighbours)
    order = fill(values, n_px, key=key, growth=growth, engine="numba")
    assert order.tolist() == fill(values, n_px, key=key, growth=growth, engine="portable").tolist()
    assert len(set(order.tolist())) == n_px
    assert fill(values, values.size, key=key, growth=growth)[:n_px].tolist() == order.tolist()
    region = np.zeros(values.size, bool)
    region[order] = True
    structure = np.ones((3, 3)) if neighbours == 8 else None
    assert label(region.reshape(values.shape), structure)[1] == 1
    touched = {int(order[0])}
    for pixel in order[1:].tolist():
        assert touched & set(neighbours_of(pixel, height, width, neighbours == 8))
        touched.add(pixel)


def test_the_engines_agree_on_a_full_size_image():
    values = blob_map(1, 256, 256)
    assert np.array_equal(fill(values, 9830, key=9, engine="numba"), fill(values, 9830, key=9, engine="portable"))


def cliffs(height, width):
    """Bright islands in a dark sea: waits differ a thousandfold between neighbours, and whole crowds come due at once."""
    rows, columns = np.mgrid[:height, :width]
    values = np.where((rows // 37 + columns // 41) % 3 == 0, 1.0, 0.0) + 1e-4 * ((rows * columns) % 11)
    values[height // 2, width // 2] = 2
    return values.astype(np.float32)


@pytest.mark.parametrize("neighbours", [4, 8])
@pytest.mark.parametrize("make", [blob_map, lambda _, *shape: cliffs(*shape), lambda _, *shape: np.ones(shape)])
def test_the_engines_agree_to_the_last_pixel_of_large_images(make, neighbours):
    values = make(5, 403, 611).astype(np.float32)
    growth = Growth(0.0 if values.min() == values.max() else 2.0, 1e-3, neighbours)
    order = fill(values, values.size, key=3, growth=growth, engine="numba")
    assert np.array_equal(order, fill(values, values.size, key=3, growth=growth, engine="portable"))


def test_many_small_maps_of_few_speeds_give_both_engines_the_same_order():
    """Few different waits make ties, in which only the shuffled pixel number decides."""
    for key in range(60):
        values = np.random.default_rng(key).integers(1, 3, (31, 17)).astype(np.float32)
        growth = Growth(2.0, 1e6, 8)
        order = fill(values, values.size, key=key, growth=growth, engine="numba")
        assert np.array_equal(order, fill(values, values.size, key=key, growth=growth, engine="portable"))


@settings(max_examples=80, deadline=None)
@given(pixel=st.integers(0, 143), raised=st.floats(1.01, 50), key=st.integers(0, 2**64 - 1))
def test_raising_one_pixels_importance_never_reveals_it_later(pixel, raised, key):
    values = blob_map(key % 97, 12, 12)
    before = fill(values, 144, key=key).tolist().index(pixel)
    values.flat[pixel] *= np.float32(raised)
    assert fill(values, 144, key=key).tolist().index(pixel) <= before


def test_joining_a_plateau_does_not_reveal_a_pixel_later():
    values = np.full((9, 9), 0.2, np.float32)
    values[1, 1] = values[1, 7] = values[7, 4] = 1
    for key in range(50):
        before = fill(values, 81, key=key).tolist().index(40)
        raised = values.copy()
        raised[4, 4] = 1
        assert fill(raised, 81, key=key).tolist().index(40) <= before


def test_the_fill_prefers_no_direction():
    flat = np.ones((61, 61), np.float32)
    flat[30, 30] = 2
    rows, columns = np.zeros(61), np.zeros(61)
    n_runs = 400
    for key in range(n_runs):
        y, x = np.divmod(fill(flat, 700, key=key, growth=Growth(0.0, 1e-3, 4, (30, 30))), 61)
        rows += np.bincount(y, minlength=61)
        columns += np.bincount(x, minlength=61)
    for counts in (rows, columns):
        mean = (counts * np.arange(61)).sum() / counts.sum() - 30
        assert abs(mean) < 0.25  # the mean of one run spreads by about 1 pixel, so 5 standard errors
    assert abs(rows - columns).max() < 0.05 * rows.max()


def test_important_pixels_come_first():
    values = np.full((41, 41), 0.05, np.float32)
    values[15:26, 15:26] = 0.9
    values[20, 20] = 1
    inside = np.zeros(values.shape, bool)
    inside[15:26, 15:26] = True
    shares = [inside.flat[fill(values, 121, key=key)].mean() for key in range(20)]
    assert np.mean(shares) > 0.9


def test_the_start_is_the_peak_and_ties_are_drawn_by_lot():
    values = np.zeros((8, 8), np.float32)
    values[3, 5] = 1
    assert fill(values, 3, key=1)[0] == 3 * 8 + 5
    values[:] = 0.5
    values[::4, ::4] = 1
    starts = {int(fill(values, 1, key=key)[0]) for key in range(60)}
    assert starts == {0, 4, 32, 36}


@pytest.mark.parametrize(
    ("values", "n_px", "growth", "says"),
    [
        (np.ones((4, 4)), 3, Growth(), "all values are the same"),
        (np.zeros((4, 4)), 3, Growth(), "all values are zero"),
        (np.array([[0, np.nan]]), 1, Growth(), "not finite"),
        (np.array([[0, -1.0]]), 1, Growth(), "negative"),
        (np.array([[1, np.nan]]), 1, Growth(gamma=0.0), "not finite"),
        (np.array([[1, np.inf]]), 1, Growth(gamma=0.0), "not finite"),
        (np.ones(4), 1, Growth(gamma=0.0), "two dimensions"),
        (np.eye(4), 17, Growth(), "17 pixels asked for, an image of 4 x 4 has 1 to 16"),
        (np.eye(4), 0, Growth(), "0 pixels asked for"),
        (np.eye(4), 3, Growth(start=(4, 0)), "start \\(4, 0\\) lies outside"),
    ],
)
def test_what_cannot_be_filled_is_refused_with_a_reason(values, n_px, growth, says):
    with pytest.raises(InputError, match=says):
        fill(values, n_px, key=1, growth=growth)


@pytest.mark.parametrize("engine", ENGINES)
def test_times_that_would_overflow_are_refused_by_both_engines(engine):
    from rapidvision.stimuli.reveal import flood_numba, flood_portable

    grow = {"numba": flood_numba, "portable": flood_portable}[engine].grow
    slowest = RateScale(0.0, np.full(65536, 2**32 - 1, np.uint32))
    assert grow(np.zeros((1024, 1024), np.float32), slowest, 0, 1024 * 1024, 1, eight=False) is None
