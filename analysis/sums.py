"""Group sums of thousands of relabellings at once, from tables of partial sums; a matrix product where tables do not fit.

A relabelling is a string of bits. Cut into pieces of about ten participants, each piece is one of a thousand or two
patterns, whose sums over all levels are computed once; a relabelling's sums are then a dozen rows of these tables added
up. Sums are whole numbers either way, so both ways give the same.
"""

import itertools
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError

from .labels import Matrix, as_matrix
from .randomwords import Words

Ints = NDArray[np.int64]
Indices = NDArray[np.intp]

#: Bytes of one row of a table; numpy copies rows of this size fastest.
_ROW_BYTES = 32
#: Most participants looked up at a time: where tables are kept for all relabellings, and where each block makes its own.
_KEPT_BITS, _MADE_BITS = 11, 10
#: Words of 64 participants whose tables are made together; up to so many words they are kept (300 KB for each).
_WORDS = 2
_MOST_KEPT_WORDS = 8
#: A pattern's sums are those of its lowest five bits plus those of the rest.
_LOW = 5
#: Entries of the label matrix made at a time; more would leave the cache.
_LABELS_AT_A_TIME = 1 << 19


class GroupSums:
    """Sums of the first group under any relabelling.

    Parameters
    ----------
    scores : ndarray of int64, shape (64 * parts, columns)
        What each place of a relabelling contributes; zeros where a place belongs to nobody.

    Attributes
    ----------
    columns : int
        Columns that count; the rest of the result is padding.

    Raises
    ------
    InputError
        When a sum is too large to be exact.

    Examples
    --------
    >>> scores = np.zeros((64, 2), dtype=np.int64)
    >>> scores[:3] = [[1, 10], [2, 20], [4, 40]]
    >>> GroupSums(scores).of(np.array([[0b101, 0b110]], dtype=np.uint64))[:, :2].tolist()
    [[5, 50], [6, 60]]
    """

    def __init__(self, scores: Ints) -> None:
        self.columns = scores.shape[1]
        bound = int(np.abs(scores).sum(axis=0).max(initial=0))
        if bound >= 2**53:
            raise InputError(f"sums up to {bound:.3g} are too large to be exact; use fewer trials per cell")
        self._bound = bound
        self._tables: list[_Tables] = []
        n_words = len(scores) // 64
        if bound < 2**32 and scores.min(initial=0) >= 0:
            parts = [scores[start : start + 64 * _WORDS] for start in range(0, len(scores), 64 * _WORDS)]
            largest = max(int(part.sum(axis=0).max(initial=0)) for part in parts)
            dtype = np.dtype(np.uint16 if largest < 2**16 else np.uint32)
            self._tables = [_Tables(part, dtype, kept=n_words <= _MOST_KEPT_WORDS) for part in parts]
        else:
            # sixteen columns at a time suit the product best
            self._matrix: Matrix = np.zeros((len(scores), -(-self.columns // 16) * 16), float)
            self._matrix[:, : self.columns] = scores
            self._matrix = self._matrix.astype(np.float32 if bound < 2**24 else np.float64)

    def of(self, words: Words) -> NDArray[Any]:
        """Sums over the first group.

        Parameters
        ----------
        words : ndarray of uint64, shape (parts, relabellings)
            From :func:`~rapidvision.analysis.labels.label_block`.

        Returns
        -------
        ndarray, shape (relabellings, columns or more)
            Whole numbers, in an unsigned or floating type; columns past :attr:`columns` are zero.
        """
        if not self._tables:
            return self._product(words)
        lanes = self._tables[0].lanes
        narrow = np.zeros((len(lanes), words.shape[1], lanes[0].shape[1]), lanes[0].dtype)
        wide = None
        reached = 0
        for number, tables in enumerate(self._tables):
            if reached + tables.bound > np.iinfo(narrow.dtype).max:
                # sixteen bits hold the sums of many words; only when they no longer do are wider ones needed
                wide = narrow.astype(np.uint32) if wide is None else np.add(wide, narrow, out=wide)
                narrow[:], reached = 0, 0
            tables.add_to(narrow, words[_WORDS * number : _WORDS * (number + 1)])
            reached += tables.bound
        totals = narrow if wide is None else np.add(wide, narrow, out=wide)
        return totals[0] if len(totals) == 1 else np.concatenate(totals, axis=1)

    def _product(self, words: Words) -> Matrix:
        """A matrix product, a chunk of relabellings at a time, so that the labels stay in the cache."""
        rows = words.shape[1]
        out = np.empty((rows, self._matrix.shape[1]), dtype=self._matrix.dtype)
        step = max(64, _LABELS_AT_A_TIME // len(self._matrix))
        labels = np.empty((min(step, rows), len(self._matrix)), dtype=self._matrix.dtype)
        for start in range(0, rows, step):
            end = min(start + step, rows)
            part = as_matrix(words[:, start:end], labels[: end - start])
            np.matmul(part, self._matrix, out=out[start:end])
        return out


class _Tables:
    """Tables of the sums of every pattern of each piece of some words; `bound` is the largest sum of them all."""

    def __init__(self, scores: Ints, dtype: np.dtype[Any], *, kept: bool) -> None:
        by_word = scores.reshape(-1, 64, scores.shape[1])
        spans = tuple(int(np.flatnonzero(word.any(axis=1)).max(initial=-1)) + 1 for word in by_word)
        self._pieces = _pieces(spans, _KEPT_BITS if kept else _MADE_BITS)
        self._scores, self._dtype, self._kept = scores, dtype, kept
        self.bound = int(scores.sum(axis=0).max(initial=0))
        self._made: tuple[NDArray[Any], ...] = ()

    @property
    def lanes(self) -> tuple[NDArray[Any], ...]:
        """Tables of as many columns as fit into a row each, shape (patterns of all pieces, fields)."""
        if self._made:
            return self._made
        fields = _ROW_BYTES // self._dtype.itemsize
        n_lanes = -(-self._scores.shape[1] // fields)
        padded = np.zeros((len(self._scores) + 1, n_lanes, fields), self._dtype)
        padded.reshape(len(padded), -1)[:-1, : self._scores.shape[1]] = self._scores
        low, high, places = _rows(self._pieces)
        made = []
        for lane in range(n_lanes):
            one = padded[places, lane]  # a bit that a piece lacks is the last row, which is zero
            tables = _subset_sums(one[:, :_LOW]).take(low, axis=0, mode="clip")
            tables += _subset_sums(one[:, _LOW:]).take(high, axis=0, mode="clip")
            made.append(tables)
        if self._kept:
            self._made = tuple(made)
        return tuple(made)

    def add_to(self, totals: NDArray[Any], words: Words) -> None:
        """Add the sums of some words, shape (words, relabellings), to totals, shape (lanes, relabellings, fields)."""
        lanes = self.lanes
        signed = np.ascontiguousarray(words).view(np.int64)
        pattern, row = np.empty(words.shape[1], np.int64), np.empty_like(totals[0])
        start = 0
        for word, shift, bits in self._pieces:
            np.right_shift(signed[word], shift, out=pattern)
            np.bitwise_and(pattern, (1 << bits) - 1, out=pattern)
            for total, tables in zip(totals, lanes, strict=True):
                tables[start : start + (1 << bits)].take(pattern, axis=0, out=row, mode="clip")
                total += row
            start += 1 << bits


@lru_cache(maxsize=32)
def _pieces(spans: tuple[int, ...], most: int) -> tuple[tuple[int, int, int], ...]:
    """Word, lowest bit and number of bits of each piece, where word j is used up to bit `spans[j]`.

    Examples
    --------
    >>> _pieces((5, 0, 21), 10)
    ((0, 0, 5), (2, 0, 7), (2, 7, 7), (2, 14, 7))
    """
    pieces = []
    for word, span in enumerate(spans):
        many = -(-span // most)
        edges = [span * k // many for k in range(many + 1)] if many else []
        pieces += [(word, low, high - low) for low, high in itertools.pairwise(edges)]
    return tuple(pieces)


@lru_cache(maxsize=32)
def _rows(pieces: tuple[tuple[int, int, int], ...]) -> tuple[Indices, Indices, Indices]:
    """How the tables of some pieces come from those of their lowest and of their other bits.

    Returns
    -------
    low, high : ndarray, shape (patterns of all pieces,)
        Rows to add.
    places : ndarray, shape (pieces, bits)
        Place of each bit, -1 where a piece has fewer.
    """
    low, high = [np.zeros(0, np.intp)], [np.zeros(0, np.intp)]
    places = np.full((len(pieces), _KEPT_BITS), -1, dtype=np.intp)
    for number, (word, shift, bits) in enumerate(pieces):
        pattern = np.arange(1 << bits)
        low.append((number << _LOW) + (pattern & ((1 << _LOW) - 1)))
        high.append((number << (_KEPT_BITS - _LOW)) + (pattern >> _LOW))
        places[number, :bits] = 64 * word + shift + np.arange(bits)
    return np.concatenate(low), np.concatenate(high), places


def _subset_sums(scores: NDArray[Any]) -> NDArray[Any]:
    """Sums of the rows that each pattern of bits picks: (pieces, bits, fields) to (pieces * 2 ** bits, fields)."""
    pieces, bits, fields = scores.shape
    sums = np.zeros((pieces, 1 << bits, fields), dtype=scores.dtype)
    for bit in range(bits):
        np.add(sums[:, : 1 << bit], scores[:, bit, None], out=sums[:, 1 << bit : 2 << bit])
    return sums.reshape(-1, fields)


def count_true(flags: "NDArray[np.bool_]") -> Ints:
    """True entries of each column, shape (columns,): bytes are added in long rows, which is many times faster.

    Examples
    --------
    >>> count_true(np.arange(600)[:, None] % np.array([2, 3]) == 0)
    array([300, 200])
    """
    rows, columns = flags.shape
    deep = min(rows // 32, 255)
    if deep < 2:
        return np.asarray(flags.sum(axis=0, dtype=np.int64))
    wide = rows // deep
    ones = np.ascontiguousarray(flags).view(np.uint8)
    many = ones[: deep * wide].reshape(deep, wide * columns).sum(axis=0, dtype=np.uint8)
    rest = ones[deep * wide :].sum(axis=0, dtype=np.int64)
    return np.asarray(many.reshape(wide, columns).sum(axis=0, dtype=np.int64) + rest)
