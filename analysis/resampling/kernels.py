"""One entry point to the inner loops: compiled where numba is installed and worth its start, numpy otherwise; same numbers."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..relabelling.permutations import MOST_DEALT_WORDS, deal
from ..relabelling.random_bits import BLOCK, COUNTS, FLIPS, eighths_of
from .multiplicity import Joint

Ints = NDArray[np.int64]

#: Blocks of relabellings handed to the compiled counter at a time; its memory does not grow beyond them.
_BLOCKS_AT_A_TIME = 1024


def can_count(sums: Ints) -> bool:
    """Whether the compiled counter covers these scores: sums within 32 bits."""
    return int(np.abs(sums).sum(axis=0).max(initial=0)) < 2**31


def count_sums(sums: Ints, first: "NDArray[np.bool_]", *, key: int, n_resamples: int) -> tuple[Ints, Ints]:
    """Relabellings whose first-group sum is at least, and at most, the observed one.

    Parameters
    ----------
    sums : ndarray of int64, shape (n, levels)
        Scores.
    first : ndarray of bool, shape (n,)
        Who is in the first group.
    key : int
        Of the stream of relabellings.
    n_resamples : int
        Relabellings.

    Returns
    -------
    at_least, at_most : ndarray of int64, shape (levels,)
        The same numbers as the numpy engine's, for any number of threads.
    """
    from ..compiled import kept

    count: Any = kept.count_sums
    observed = np.zeros(_width(sums), dtype=_smallest(sums))
    observed[: sums.shape[1]] = sums[first].sum(axis=0)
    total = np.zeros((2, len(observed)), dtype=np.int64)
    for labels in label_blocks(sums, first, key=key, n_resamples=n_resamples):
        total += count(*labels, observed).sum(axis=0)
    return total[0, : sums.shape[1]], total[1, : sums.shape[1]]


def count_joint(
    sums: Ints,
    first: "NDArray[np.bool_]",
    joint: Joint,
    centre: NDArray[np.float64],
    inverse: NDArray[np.float64],
    *,
    key: int,
    n_resamples: int,
) -> tuple[Ints, Ints]:
    """Count like :func:`count_sums`, and for max-T and cluster mass too.

    Parameters
    ----------
    sums, first, key, n_resamples
        As in :func:`count_sums`.
    joint : Joint
        Gets the joint counts, the same as the numpy engine's.
    centre, inverse : ndarray of float64, shape (levels,)
        What standardises the sums.

    Returns
    -------
    at_least, at_most : ndarray of int64, shape (levels,)
        As from :func:`count_sums`.
    """
    from ..compiled import kept

    count: Any = kept.count_joint
    observed = sums[first].sum(axis=0)
    masses = joint.least_masses
    total = [np.zeros(len(x), dtype=np.int64) for x in (observed, observed, observed, observed, masses)]
    for labels in label_blocks(sums, first, key=key, n_resamples=n_resamples):
        found = count(
            *labels,
            observed,
            centre,
            inverse,
            joint.sided,
            joint.order,
            joint.reach,
            joint.cluster_threshold,
            masses,
        )
        for sum_, one in zip(total, found, strict=True):
            sum_ += one.sum(axis=0)
    joint.take(n_resamples, single=total[2], down=total[3], mass=total[4])
    return total[0], total[1]


def _width(sums: Ints) -> int:
    from ..compiled.lanes import LANES

    return -(-int(sums.shape[1]) // LANES) * LANES


def _smallest(sums: Ints) -> type[np.signedinteger[Any]]:
    """Type of the sums: half the bytes are added in half the time; the counts of a block fit too."""
    return np.int16 if max(int(np.abs(sums).sum(axis=0).max(initial=0)), BLOCK) < 2**15 else np.int32


def label_blocks(sums: Ints, first: "NDArray[np.bool_]", *, key: int, n_resamples: int) -> Iterator[tuple[Any, ...]]:
    """What the compiled counters need of scores and relabellings, some blocks at a time."""
    how, tables = dealing(len(sums), int(first.sum()), key), sum_tables(sums)
    for blocks in block_spans(n_resamples):
        yield tables, how, *blocks


def block_spans(n_resamples: int) -> Iterator[tuple[int, int, int, int]]:
    """First block, number of blocks, relabellings of a block, and of all: some blocks at a time."""
    n_blocks = -(-n_resamples // BLOCK)
    for start in range(0, n_blocks, _BLOCKS_AT_A_TIME):
        yield start, min(_BLOCKS_AT_A_TIME, n_blocks - start), BLOCK, n_resamples


def dealing(n: int, n_first: int, key: int) -> tuple[Any, ...]:
    """How the compiled loops deal relabellings of n participants, `n_first` of them in the first group."""
    sizes = [min(64, n - start) for start in range(0, n, 64)]
    plan = deal(n, n_first) if len(sizes) <= MOST_DEALT_WORDS else None
    return (
        plan.accepted if plan else np.zeros(65, dtype=np.uint64),
        plan.thresholds if plan else np.zeros((1, 1, 65), dtype=np.uint64),
        np.array(plan.rounds if plan else [], dtype=np.int64),
        np.array([2**64 - 1 if size == 64 else (1 << size) - 1 for size in sizes], dtype=np.uint64),
        eighths_of(n, n_first),
        n_first,
        n,
        np.uint64(key),
        np.uint64(key ^ COUNTS),
        np.uint64(key ^ FLIPS),
    )


def sum_tables(sums: Ints) -> NDArray[Any]:
    """Tables of sums for the compiled loops, from the scores of the participants, shape (n, columns)."""
    from ..compiled.lanes import LANES

    scores = np.zeros((-(-len(sums) // 64) * 64, _width(sums)), dtype=_smallest(sums))
    scores[: len(sums), : sums.shape[1]] = sums
    return _tables(scores, LANES)


def _tables(scores: NDArray[Any], lanes: int) -> NDArray[Any]:
    """Sum of the scores of every subset of each four neighbours, shape (width / lanes, n / 4, 16, lanes)."""
    fours = scores.reshape(-1, 4, scores.shape[1])
    tables = np.zeros((len(fours), 16, scores.shape[1]), dtype=scores.dtype)
    for bit in range(4):
        tables[:, 1 << bit : 2 << bit] = tables[:, : 1 << bit] + fours[:, bit, None]
    grouped = tables.reshape(len(tables), 16, -1, lanes)
    return np.ascontiguousarray(grouped.transpose(2, 0, 1, 3))


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
        from ..compiled import shifts

        return np.asarray(shifts.shift_counts(values, most, width))
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
