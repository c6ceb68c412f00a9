"""The inner loops behind one door: compiled where numba is installed and worth its start, numpy otherwise; same numbers."""

import importlib.util
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .labels import BLOCK, COUNTS, MOST_DEALT_WORDS, deal

Ints = NDArray[np.int64]

#: Relabellings × blocks handed to the compiled counter at a time; its memory does not grow beyond them.
_BLOCKS_AT_A_TIME = 1024


def has_numba() -> bool:
    """Whether the compiled loops can be used."""
    return importlib.util.find_spec("numba") is not None


def can_count(sums: Ints) -> bool:
    """Whether the compiled counter covers these scores: at most 256 participants, sums within 32 bits."""
    return has_numba() and len(sums) <= 64 * MOST_DEALT_WORDS and int(np.abs(sums).sum(axis=0).max(initial=0)) < 2**31


def count_sums(sums: Ints, first: "NDArray[np.bool_]", *, key: int, m: int) -> tuple[Ints, Ints]:
    """Relabellings whose first-group sum is at least, and at most, the observed one.

    Parameters
    ----------
    sums : ndarray of int64, shape (n, levels)
        Scores.
    first : ndarray of bool, shape (n,)
        Who is in the first group.
    key : int
        Of the stream of relabellings.
    m : int
        Relabellings.

    Returns
    -------
    at_least, at_most : ndarray of int64, shape (levels,)
        The same numbers as the numpy engine's, for any number of threads.
    """
    from . import compiled

    n, n_levels = sums.shape
    n_first = int(first.sum())
    plan = deal(n, n_first)
    width = -(-n_levels // compiled.LANES) * compiled.LANES
    scores = np.zeros((len(plan.sizes) * 64, width), dtype=np.int32)
    scores[:n, :n_levels] = sums
    observed = np.zeros(width, dtype=np.int32)
    observed[:n_levels] = sums[first].sum(axis=0)
    masks = np.array([2**64 - 1 if size == 64 else (1 << size) - 1 for size in plan.sizes], dtype=np.uint64)
    total = np.zeros((2, width), dtype=np.int64)
    n_blocks = -(-m // BLOCK)
    tables = _tables(scores, compiled.LANES)
    for start in range(0, n_blocks, _BLOCKS_AT_A_TIME):
        total += compiled.count_sums(
            tables,
            observed,
            plan.thresholds,
            np.array(plan.rounds, dtype=np.int64),
            masks,
            plan.eighths,
            n_first,
            np.uint64(key),
            np.uint64(key ^ COUNTS),
            start,
            min(_BLOCKS_AT_A_TIME, n_blocks - start),
            BLOCK,
            m,
        ).sum(axis=0)
    return total[0, :n_levels], total[1, :n_levels]


def _tables(scores: NDArray[np.int32], lanes: int) -> NDArray[np.int32]:
    """Sum of the scores of every subset of each four neighbours, shape (width / lanes, n / 4, 16, lanes)."""
    fours = scores.reshape(-1, 4, scores.shape[1])
    tables = np.zeros((len(fours), 16, scores.shape[1]), dtype=np.int32)
    for bit in range(4):
        tables[:, 1 << bit : 2 << bit] = tables[:, : 1 << bit] + fours[:, bit, None]
    grouped = tables.reshape(len(tables), 16, -1, lanes)
    return np.ascontiguousarray(grouped.transpose(2, 0, 1, 3))


def count_flips(d: NDArray[np.float64], *, key: int, m: int) -> tuple[Ints, Ints]:
    """Flips whose sum is at least, and at most, the observed one; see :mod:`rapidvision.analysis.signflip`."""
    from . import compiled

    rows = max(256, min(BLOCK, -(-m // 16)))
    out = compiled.count_flips(np.ascontiguousarray(d), np.uint64(key), m, rows).sum(axis=0)
    return out[0], out[1]


def shift_counts(values: Ints, most: int, width: int, *, fast: bool = False) -> NDArray[Any]:
    """Ways to choose c of `values` that sum to s, divided by 2**len(values).

    Parameters
    ----------
    values : ndarray of int64
        Ascending, from 0.
    most : int
        Largest c.
    width : int
        Largest sum + 1.
    fast : bool
        Use the compiled loop.

    Returns
    -------
    ndarray of float64, shape (most + 1, width)
        All terms are positive, so the relative error stays near the machine's precision.
    """
    if fast:
        from . import compiled

        return np.asarray(compiled.shift_counts(values, most, width))
    ways = np.zeros((most + 1, width))
    ways[0, 0] = 1.0
    top = 0
    for number, value in enumerate(values.tolist(), 1):
        top = min(width - 1, top + value)
        rows = min(most, number)
        ways[: rows + 1, : top + 1] *= 0.5
        if rows:
            half = ways[:rows, : top + 1 - value].copy()
            ways[1 : rows + 1, value : top + 1] += half
    return ways
