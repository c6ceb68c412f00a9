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
from rapidvision.numerics.counter_rng import Words

from ..relabelling.permutations import Matrix, as_matrix

Ints = NDArray[np.int64]
Indices = NDArray[np.intp]
#: Word, lowest bit and number of bits of each piece.
_Pieces = tuple[tuple[int, int, int], ...]

#: Bytes of one row of a table; numpy copies rows of this size fastest.
_ROW_BYTES = 32
#: Most participants looked up at a time: where tables are kept for all relabellings, and where each block makes its own.
_KEPT_BITS, _MADE_BITS = 11, 10
#: Words of 64 participants whose tables are made together; up to so many words they are kept (300 KB for each).
_WORDS = 2
_MOST_KEPT_WORDS = 8
#: Entries of the label matrix made at a time; more would leave the cache.
_LABELS_AT_A_TIME = 1 << 19


class GroupSums:
    """Sums of the first group under any relabelling.

    Parameters
    ----------
    scores : ndarray of int64, shape (64 * parts, columns)
        What each place of a relabelling contributes; zeros where a place belongs to no participant.

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
        self._groups: list[tuple[_Pieces, int]] = []
        self._kept: dict[int, list[NDArray[Any]]] = {}
        if bound < 2**32 and scores.min(initial=0) >= 0:
            self._prepare(scores)
        else:
            # sixteen columns at a time suit the product best
            self._matrix: Matrix = np.zeros((len(scores), -(-self.columns // 16) * 16), float)
            self._matrix[:, : self.columns] = scores
            self._matrix = self._matrix.astype(np.float32 if bound < 2**24 else np.float64)

    def _prepare(self, scores: Ints) -> None:
        """Cut the words into pieces, and lay the scores out in rows of the tables' width, lane by lane."""
        n_words = len(scores) // 64
        starts = np.arange(0, len(scores), 64 * _WORDS)
        bounds = np.add.reduceat(scores, starts).max(axis=1)
        used = scores.any(axis=1).reshape(n_words, 64)
        spans = np.where(used.any(axis=1), 64 - np.argmax(used[:, ::-1], axis=1), 0).tolist()
        self._keep = n_words <= _MOST_KEPT_WORDS
        most = _KEPT_BITS if self._keep else _MADE_BITS
        for number, bound in enumerate(bounds.tolist()):
            self._groups.append((_pieces(tuple(spans[number * _WORDS : (number + 1) * _WORDS]), most), bound))
        dtype = np.dtype(np.uint16 if bounds.max() < 2**16 else np.uint32)
        fields = _ROW_BYTES // dtype.itemsize
        n_lanes = -(-self.columns // fields)
        padded = np.zeros((len(scores) + 1, n_lanes * fields), dtype)  # the last row belongs to no participant
        padded[:-1, : self.columns] = scores
        self._scores = np.ascontiguousarray(padded.reshape(-1, n_lanes, fields).transpose(1, 0, 2))
        # memory that is used again and again: fresh memory costs more than the sums
        rows = max(sum(1 << bits for _, _, bits in pieces) for pieces, _ in self._groups)
        self._made = [np.empty((rows, fields), dtype) for _ in range(n_lanes)]

    def of(self, words: Words) -> NDArray[Any]:
        """Sums over the first group.

        Parameters
        ----------
        words : ndarray of uint64, shape (parts, relabellings)
            From :func:`~rapidvision.analysis.relabelling.permutations.label_block`.

        Returns
        -------
        ndarray, shape (relabellings, columns or more)
            Whole numbers, in an unsigned or floating type; columns past :attr:`columns` are zero.
        """
        if not self._groups:
            return self._product(words)
        n_lanes, _, fields = self._scores.shape
        narrow = np.empty((n_lanes, words.shape[1], fields), self._scores.dtype)
        most = int(np.iinfo(narrow.dtype).max)
        wide = None
        scratch = np.empty(words.shape[1], np.int64), np.empty_like(narrow[0])
        reached, empty = 0, True
        for number, (pieces, bound) in enumerate(self._groups):
            if reached + bound > most:
                # sixteen bits hold the sums of many words; only when they no longer do are wider ones needed
                wide = narrow.astype(np.uint32) if wide is None else np.add(wide, narrow, out=wide)
                reached, empty = 0, True
            here = words[_WORDS * number : _WORDS * (number + 1)]
            empty = _add_rows(narrow, self._tables(number), pieces, here, scratch, empty=empty)
            reached += bound
        if empty:
            narrow[:] = 0
        totals = narrow if wide is None else np.add(wide, narrow, out=wide)
        return totals[0] if len(totals) == 1 else np.concatenate(totals, axis=1)

    def _tables(self, number: int) -> list[NDArray[Any]]:
        """Tables of some words, a lane each: the sums of every pattern of each piece, shape (patterns of all, fields)."""
        if number in self._kept:
            return self._kept[number]
        pieces = self._groups[number][0]
        places, half = _places(pieces)
        at = np.where(places < 0, -1, places + 64 * _WORDS * number)
        rows = sum(1 << bits for _, _, bits in pieces)
        made = [np.empty((rows, *one.shape[1:]), one.dtype) if self._keep else one[:rows] for one in self._made]
        for scores, tables in zip(self._scores, made, strict=True):
            sums = _subset_sums(scores[at])
            start = 0
            for piece, (_, _, bits) in enumerate(pieces):
                low, high = 1 << min(bits, half), 1 << max(bits - half, 0)
                # the higher bits' sums, each repeated for every pattern of the lower bits: long rows are added fastest
                table = tables[start : start + low * high].reshape(high, low, -1)
                repeated = np.repeat(sums[2 * piece + 1, :high], low, axis=0).reshape(table.shape)
                np.add(repeated, sums[2 * piece, :low], out=table)
                start += low * high
        if self._keep:
            self._kept[number] = made
        return made

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


def _add_rows(
    totals: NDArray[Any],
    lanes: list[NDArray[Any]],
    pieces: _Pieces,
    words: Words,
    scratch: tuple[Ints, NDArray[Any]],
    *,
    empty: bool,
) -> bool:
    """Add the rows that some words, shape (words, relabellings), pick to totals, shape (lanes, relabellings, fields).

    Totals that are `empty` hold nothing yet, and the first rows are written there. Returns whether they still are.
    """
    signed = np.ascontiguousarray(words).view(np.int64)
    pattern, row = scratch
    start = 0
    for word, shift, bits in pieces:
        shifted = np.right_shift(signed[word], shift, out=pattern) if shift else signed[word]
        np.bitwise_and(shifted, (1 << bits) - 1, out=pattern)
        for total, tables in zip(totals, lanes, strict=True):
            # "clip" spares numpy the check of every index; none is outside
            tables[start : start + (1 << bits)].take(pattern, axis=0, out=total if empty else row, mode="clip")
            if not empty:
                total += row
        empty = False
        start += 1 << bits
    return empty


@lru_cache(maxsize=32)
def _pieces(spans: tuple[int, ...], most: int) -> _Pieces:
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
def _places(pieces: _Pieces) -> tuple[Indices, int]:
    """Places of the bits of each half of each piece, the lower bits and the higher; the tables come from the halves'.

    Returns
    -------
    places : ndarray, shape (2 * pieces, bits of a half)
        Place of each bit, -1 where a half has fewer.
    half : int
        Bits of a half.
    """
    half = -(-max((bits for _, _, bits in pieces), default=0) // 2)
    places = np.full((2 * len(pieces), half), -1, dtype=np.intp)
    for number, (word, shift, bits) in enumerate(pieces):
        bit = np.arange(bits)
        places[2 * number + bit // half, bit % half] = 64 * word + shift + bit
    return places, half


def _subset_sums(scores: NDArray[Any]) -> NDArray[Any]:
    """Sums of the rows that each pattern of bits picks: (pieces, bits, fields) to (pieces, 2 ** bits, fields)."""
    pieces, bits, fields = scores.shape
    sums = np.zeros((pieces, 1 << bits, fields), dtype=scores.dtype)
    for bit in range(bits):
        np.add(sums[:, : 1 << bit], scores[:, bit, None], out=sums[:, 1 << bit : 2 << bit])
    return sums


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
