"""Relabellings counted block by block: how many are as extreme as observed, level by level and over all levels jointly.

Memory does not grow with their number, and nothing depends on the engine: relabelling number r is a function of the
seed and r, and its sums are whole numbers. Nor does anything depend on names, row order or which group comes first, see
:mod:`~rapidvision.analysis.relabelling.canonical_order`.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rapidvision.numerics.compiled import Engine, can_compile
from rapidvision.numerics.counter_rng import Words
from rapidvision.numerics.resampling import Counts

from ..relabelling.canonical_order import canonical
from ..relabelling.permutations import label_block
from ..relabelling.random_bits import BLOCK, stream_key
from ..table.columns import Columns
from .critical_values import twice_the_limit
from .multiplicity import CLUSTER_THRESHOLD, Joint
from .sums import GroupSums, count_true

#: Less work than this (relabellings times participants) is done sooner by numpy than a compiled loop starts: counting
#: level by level, and jointly.
LEAST_COMPILED = (1_000_000_000, 200_000_000)


class Stratum(NamedTuple):
    """Participants who are relabelled among each other: their stream, who they are, and the first group's share."""

    key: int
    rows: NDArray[np.intp]
    n_first: int


def count_extreme(
    columns: Columns,
    first: "NDArray[np.bool_]",
    *,
    n_resamples: int,
    seed: int,
    strata: NDArray[np.int64] | None = None,
    sided: int = 0,
    joint: bool = False,
    engine: Engine = "auto",
) -> tuple[Counts, Joint | None]:
    """Count the relabellings that are as extreme as the observed groups.

    Parameters
    ----------
    columns : Columns
        What each participant contributes.
    first : ndarray of bool, shape (n,)
        Who is in the first group.
    n_resamples : int
        Relabellings.
    seed : int
        They follow from it.
    strata : ndarray of int, shape (n,), optional
        Relabel within these only.
    sided : {-1, 0, 1}
        Of the joint corrections: less, two-sided, greater.
    joint : bool
        Also count for max-T and cluster mass.
    engine : {"auto", "numpy", "numba"}
        Who counts; the numbers are the same. ``auto`` compiles where the work is worth its
        start, for means without missing cells and without strata.

    Returns
    -------
    Counts, Joint or None
        The latter when it was asked for.
    """
    columns, first, strata, turned = canonical(columns, first, strata)
    keys = strata_keys(first, strata, seed)
    sided = -sided if turned else sided
    if strata is None and _compiled(columns, n_resamples * len(first), joint=joint, engine=engine):
        counts, whole = _count_compiled(
            columns, first, keys[0].key, n_resamples=n_resamples, sided=sided, joint=joint, turned=turned
        )
    else:
        counts, whole = _count(columns, first, keys, n_resamples=n_resamples, sided=sided, joint=joint, turned=turned)
    return counts.turned() if turned else counts, whole


def _compiled(columns: Columns, work: int, *, joint: bool, engine: Engine) -> bool:
    """Whether the compiled loops count: exact means without missing cells, where they are wanted and worth their start."""
    if engine == "numpy" or not (columns.is_complete_mean and columns.exact.all()):
        return False
    from .kernels import can_count

    wanted = engine == "numba" or (work >= LEAST_COMPILED[joint] and can_compile())
    return wanted and can_count(columns.sums)


def _count_compiled(
    columns: Columns, first: "NDArray[np.bool_]", key: int, *, n_resamples: int, sided: int, joint: bool, turned: bool
) -> tuple[Counts, Joint | None]:
    from . import kernels

    if not joint:
        return Counts(*kernels.count_sums(columns.sums, first, key=key, n_resamples=n_resamples)), None
    whole, centre, inverse = _joint(columns, first, columns.sums_of(first), sided, turned)
    return Counts(
        *kernels.count_joint(columns.sums, first, whole, centre, inverse, key=key, n_resamples=n_resamples)
    ), whole


def _count(
    columns: Columns,
    first: "NDArray[np.bool_]",
    keys: list[Stratum],
    *,
    n_resamples: int,
    sided: int,
    joint: bool,
    turned: bool,
) -> tuple[Counts, Joint | None]:
    sums = GroupSums(columns.places(places(keys)))
    counter = _Counter(columns, first)
    whole = None
    for block in range(-(-n_resamples // BLOCK)):
        found = sums.of(words_of(keys, block)[:, : min(BLOCK, n_resamples - block * BLOCK)])
        counter.add(found)
        if joint:
            values = columns.compared(counter.parts_of(found))
            if whole is None:
                whole, centre, inverse = _joint(columns, first, values, sided, turned)
            whole.add((values - centre) * inverse)
    return Counts(counter.at_least, counter.at_most), whole


def _joint(
    columns: Columns, first: "NDArray[np.bool_]", values: NDArray[Any], sided: int, turned: bool
) -> tuple[Joint, NDArray[np.float64], NDArray[np.float64]]:
    """Begin the joint count: observed standardised differences, and what standardises the others."""
    centre, inverse = columns.moments(values, first)
    observed = (columns.compared(columns.sums_of(first)[None])[0] - centre) * inverse
    threshold = CLUSTER_THRESHOLD[sided]
    return Joint(observed, sided=sided, cluster_threshold=threshold, turned=turned), centre, inverse


class _Counter:
    """Counts sums that are at least, and at most, the observed ones."""

    def __init__(self, columns: Columns, first: "NDArray[np.bool_]") -> None:
        self.columns = columns
        self.own = columns.sums_of(first)
        self.slack = columns.slack(first)
        self.limit = None if columns.is_complete_mean else twice_the_limit(columns, first)
        self.at_least = np.zeros(columns.n_levels, dtype=np.int64)
        self.at_most = np.zeros(columns.n_levels, dtype=np.int64)
        self._repeated = np.empty((0, 0))

    def parts_of(self, sums: NDArray[Any]) -> NDArray[Any]:
        """Sums as (relabellings, parts, levels), without the padding."""
        return sums[:, : self.own.size].reshape(len(sums), *self.own.shape)

    def add(self, sums: NDArray[Any]) -> None:
        """Count one block, shape (relabellings, columns or more)."""
        n = self.columns.n_levels
        if self.columns.is_complete_mean:
            own = self._observed(sums)
            if self.slack.any():  # rounded scores: their sums are float64
                slack = np.append(self.slack, np.zeros(sums.shape[1] - n))
                above, below = count_true(sums >= own - slack), count_true(sums <= own + slack)
            else:
                above, below = count_true(sums >= own), count_true(sums <= own)
        elif self.limit is not None:
            twice = 2 * sums[:, :n].astype(np.int64)
            place = sums[:, n : 2 * n].astype(np.intp)
            place += np.arange(n) * self.limit.shape[1]
            limit = self.limit.take(place)
            above, below = count_true(twice >= limit), count_true(twice <= limit)
        else:
            values, slack = self.columns.compared(self.parts_of(sums)), self.slack
            observed = self.columns.compared(self.own[None])[0]
            # a relabelling that empties a group is NaN: it is below and above nothing, so it counts as extreme
            above, below = count_true(~(values < observed - slack)), count_true(~(values > observed + slack))
        self.at_least += above[:n]
        self.at_most += below[:n]

    def _observed(self, sums: NDArray[Any]) -> NDArray[Any]:
        """The observed sums as often as there are relabellings: comparing long rows is much faster than broadcasting."""
        if len(self._repeated) < len(sums):
            row = np.zeros(sums.shape[1], dtype=sums.dtype)
            row[: self.columns.n_levels] = self.own[0]
            self._repeated = np.tile(row, (len(sums), 1))
        return self._repeated[: len(sums)]


def strata_keys(first: "NDArray[np.bool_]", strata: NDArray[np.int64] | None, seed: int) -> list[Stratum]:
    """One stratum of everybody, or one per number in `strata`, each with a stream of its own."""
    if strata is None:
        return [Stratum(stream_key(seed, "relabel"), np.arange(len(first)), int(first.sum()))]
    return [
        Stratum(stream_key(seed, "relabel", int(name)), rows, int(first[rows].sum()))
        for name in np.unique(strata)
        for rows in [np.flatnonzero(strata == name)]
    ]


def places(keys: list[Stratum]) -> NDArray[np.intp]:
    """Participant of each bit of a relabelling, -1 for the padding at the end of a stratum's last word."""
    parts = []
    for stratum in keys:
        place = np.full(-(-len(stratum.rows) // 64) * 64, -1, dtype=np.intp)
        place[: len(stratum.rows)] = stratum.rows
        parts.append(place)
    return np.concatenate(parts)


def words_of(keys: list[Stratum], block: int) -> Words:
    """One block of relabellings, stratum under stratum; a stratum of one group only stays unchanged."""
    parts = []
    for key, rows, n_first in keys:
        if 0 < n_first < len(rows):
            parts.append(label_block(key, block, len(rows), n_first))
        else:
            parts.append(np.full((-(-len(rows) // 64), BLOCK), 2**64 - 1 if n_first else 0, dtype=np.uint64))
    return parts[0] if len(parts) == 1 else np.concatenate(parts)
