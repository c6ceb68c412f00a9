"""Relabellings are uniform, exact in size, and a pure function of seed and block."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapidvision.analysis.relabelling import permutations
from rapidvision.analysis.relabelling.balanced_labels import PROPOSALS, repaired_block
from rapidvision.analysis.relabelling.random_bits import BLOCK, FLIPS, bits_at, random_bits, stream_key
from rapidvision.numerics.counter_rng import hashed_words, step

UNIFORM = 1e-4  # p below which a fixed seed would count as broken


def chi_square_p(counts, expected):
    from scipy.special import chdtrc

    statistic = sum((count - expected) ** 2 / expected for count in counts)
    return chdtrc(len(counts) - 1, statistic)


@pytest.mark.parametrize("make", [permutations.dealt_block, repaired_block])
@pytest.mark.parametrize(("n", "n_first"), [(8, 4), (9, 3), (10, 2), (7, 6)])
def test_every_relabelling_is_equally_likely(make, n, n_first, seed):
    counts = Counter()
    for block in range(12):
        counts.update(make(stream_key(seed, "uniform"), block, n, n_first)[0].tolist())
    assert len(counts) == math.comb(n, n_first)
    assert chi_square_p(counts.values(), 12 * BLOCK / math.comb(n, n_first)) > UNIFORM


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 400).flatmap(lambda n: st.tuples(st.just(n), st.integers(1, n - 1))), st.integers(0, 5))
def test_every_relabelling_keeps_the_size_of_the_groups(sizes, block):
    n, n_first = sizes
    words = permutations.label_block(stream_key(3, "size"), block, n, n_first)
    assert (np.bitwise_count(words).sum(axis=0) == n_first).all()
    assert not (words[-1] >> np.uint64(n % 64)).any() or n % 64 == 0


@pytest.mark.parametrize(("n", "n_first"), [(120, 60), (130, 40), (300, 150)])
def test_participants_meet_in_a_group_as_often_as_they_should(n, n_first, seed):
    key = stream_key(seed, "pairs")
    matrix = np.concatenate([permutations.as_matrix(permutations.label_block(key, b, n, n_first)) for b in range(3)])[
        :, :n
    ]
    together = (matrix.T @ matrix / len(matrix))[~np.eye(n, dtype=bool)]
    expected = n_first / n * (n_first - 1) / (n - 1)
    z = (together - expected) / math.sqrt(expected * (1 - expected) / len(matrix))
    assert np.abs(z).max() < 5.5
    assert 0.9 < z.std() < 1.1


def test_blocks_and_seeds_differ_and_repeat():
    one, two = (permutations.label_block(stream_key(1, "a"), block, 120, 60) for block in (0, 1))
    other = permutations.label_block(stream_key(2, "a"), 0, 120, 60)
    assert not np.array_equal(one, two)
    assert not np.array_equal(one, other)
    assert np.array_equal(one, permutations.label_block(stream_key(1, "a"), 0, 120, 60))


@pytest.mark.parametrize("eighths", [1, 64, 96, 200, 255])
def test_bits_are_one_with_the_wanted_probability(eighths):
    words = random_bits(stream_key(1, "bits"), 0, 4000, eighths)
    share = np.bitwise_count(words).sum() / (64 * 4000)
    p = eighths / 256
    assert abs(share - p) < 5 * math.sqrt(p * (1 - p) / (64 * 4000))


@pytest.mark.parametrize(("n", "n_first"), [(70, 35), (300, 150), (330, 40), (129, 128)])
def test_repair_is_as_if_one_place_were_tried_after_the_other(n, n_first, seed):
    key, block, n_words = stream_key(seed, "one by one"), 3, -(-n // 64)
    made = repaired_block(key, block, n, n_first)
    eighths = min(max(round(256 * n_first / n), 1), 255)
    for r in (0, 1, 777, BLOCK - 1):
        bits = 0
        for j in range(n_words):
            word = random_bits(key, (block * n_words + j) * BLOCK + r, 1, eighths)[0]
            bits |= int(word) << (64 * j)
        bits &= (1 << n) - 1
        at, proposals = (block * BLOCK + r) * PROPOSALS, []
        clears = bits.bit_count() > n_first
        while bits.bit_count() != n_first:
            if not proposals:
                both = int(hashed_words(key ^ FLIPS, at, 1)[0])
                proposals, at = [both & 0xFFFFFFFF, both >> 32], at + 1
            place, rest = divmod(proposals.pop(0) * n, 1 << 32)
            if rest >= (1 << 32) % n and bool(bits >> place & 1) == clears:
                bits ^= 1 << place
        assert bits == sum(int(made[j, r]) << (64 * j) for j in range(n_words))


@pytest.mark.parametrize("eighths", [128, 64, 77])
def test_bits_are_the_same_one_by_one_and_in_arrays(eighths):
    key = stream_key(1, "array")
    found = bits_at(key, np.array([step(2000 + 100 * row) for row in range(3)]), 5, eighths)
    for row in range(3):
        assert np.array_equal(found[row], random_bits(key, 2000 + 100 * row, 5, eighths))


def test_matrix_puts_bit_i_into_column_i():
    words = np.array([[0b101], [0b10]], dtype=np.uint64)
    assert np.flatnonzero(permutations.as_matrix(words)[0]).tolist() == [0, 2, 65]
