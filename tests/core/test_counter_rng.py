import numpy as np
import pytest

from rapidvision.numerics.counter_rng import hashed_words, hashes, origin_of


def test_words_are_those_of_the_published_splitmix64():
    published = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431]
    assert hashed_words(1234567, 1, 4).tolist() == published


def test_hashes_neither_change_their_input_nor_depend_on_its_shape():
    numbers = np.arange(12, dtype=np.uint64)
    found = hashes(numbers.reshape(3, 4), 2**64 - 1)
    assert numbers.tolist() == list(range(12))
    assert np.array_equal(found.reshape(-1)[5:], hashes(numbers[5:], 2**64 - 1))
    assert origin_of(2**64 - 1) < 2**64


def test_compiled_words_are_the_same():
    pytest.importorskip("numba")
    from rapidvision.numerics.compiled_counter_rng import hashed

    for key in (0, 7, 2**64 - 1):
        assert [int(hashed(np.uint64(key), np.uint64(i))) for i in (0, 1, 2**40)] == [
            int(hashed_words(key, i, 1)[0]) for i in (0, 1, 2**40)
        ]
