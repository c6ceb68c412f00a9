"""Group sums of thousands of relabellings at once: tables of partial sums for small samples, a matrix product for large.

A relabelling is a string of bits. Cut into pieces of ten participants, each piece is one of 1,024 patterns, whose sums
over all levels are computed once; a relabelling's sums are then a dozen rows of these tables added up. Sums are whole
numbers either way, so both ways give the same.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError

from .labels import Matrix, Words, as_matrix

Ints = NDArray[np.int64]

#: Participants looked up at a time: the tables of one piece stay in the processor's first cache.
_PIECE_BITS = 10
_PIECES = -(-64 // _PIECE_BITS)
#: Bytes of one row of a table; numpy copies rows of this size fastest.
_ROW_BYTES = 32
#: Beyond this many 64-bit parts a matrix product costs less than the tables.
_MOST_TABLED_WORDS = 8
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
        n_words = len(scores) // 64
        self._tables: tuple[NDArray[Any], ...] = ()
        if n_words <= _MOST_TABLED_WORDS and bound < 2**32 and scores.min(initial=0) >= 0:
            dtype = np.dtype(np.uint16 if bound < 2**16 else np.uint32)
            fields = _ROW_BYTES // dtype.itemsize
            padded = np.zeros((n_words, 64 + -64 % _PIECE_BITS, -(-self.columns // fields) * fields), dtype=dtype)
            padded[:, :64, : self.columns] = scores.reshape(n_words, 64, self.columns)
            pieces = padded.reshape(n_words * _PIECES, _PIECE_BITS, -1)
            self._used = np.flatnonzero(pieces.any(axis=(1, 2)))
            self._tables = tuple(
                _tables(pieces[self._used, :, start : start + fields]) for start in range(0, padded.shape[2], fields)
            )
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
        totals = [np.zeros((words.shape[1], one.shape[2]), one.dtype) for one in self._tables]
        row = np.empty_like(totals[0])
        signed = np.ascontiguousarray(words).view(np.int64)
        for number, piece in enumerate(self._used):
            word, place = divmod(int(piece), _PIECES)
            pattern = (signed[word] >> (place * _PIECE_BITS)) & ((1 << _PIECE_BITS) - 1)
            for total, tables in zip(totals, self._tables, strict=True):
                np.take(tables[number], pattern, axis=0, out=row, mode="clip")
                total += row
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


def _tables(scores: NDArray[Any]) -> NDArray[Any]:
    """Sums of the rows that each pattern of bits picks: (pieces, bits, fields) to (pieces, 2 ** bits, fields)."""
    pieces, bits, fields = scores.shape
    tables = np.zeros((pieces, 1 << bits, fields), dtype=scores.dtype)
    for bit in range(bits):
        np.add(tables[:, : 1 << bit], scores[:, bit, None], out=tables[:, 1 << bit : 2 << bit])
    return tables


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
