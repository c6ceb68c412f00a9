"""Relabellings of the studentized difference counted, in both directions: level by level, and over all levels jointly.

The same relabellings as for the plain difference, and the same order of participants by content, so that neither names
nor which group is first change a count. Sums are whole numbers; what follows them is compared up to a billionth.
"""

import math
from itertools import combinations, islice
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rapidvision.numerics.compiled import Engine, can_compile
from rapidvision.numerics.resampling import TIE, Counts

from ..relabelling.canonical_order import canonical
from ..relabelling.random_bits import BLOCK
from ..resampling.counting import places, strata_keys, words_of
from ..resampling.kernels import can_count, label_blocks
from ..resampling.multiplicity import CLUSTER_THRESHOLD, Cluster, Joint
from ..resampling.sums import GroupSums
from ..table.columns import SHARES, Columns
from .pooled_spread import Studentized, Units, standardised_mean, studentized, units_of

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Relabellings from which a compiled loop is worth its start.
LEAST_COMPILED = 200_000
#: Relabellings that are enumerated for an exact p.
MOST_ENUMERATED = 50_000
#: Sums of squares as whole numbers stay below it.
_MOST_SQUARES = 2**30
_AT_A_TIME = 8192


class Prepared:
    """The columns that a relabelling sums, and the statistic of such sums.

    Parameters
    ----------
    columns : Columns
        A mean over participants, in its order by content.
    """

    def __init__(self, columns: Columns) -> None:
        self.columns = columns
        self.complete = columns.is_complete_mean
        here = columns.present
        x = np.where(here, columns.sums, 0) / columns.scale
        self.units: Units = units_of(x, here, binomial=columns.name in SHARES)
        total = float(self.units.squares.sum())
        self.unit = total / _MOST_SQUARES if total > 0 else 1.0
        squares = np.rint(self.units.squares / self.unit).astype(np.int64)
        parts = [columns.sums * here] if self.complete else [columns.sums * here, here.astype(np.int64)]
        self.matrix: Ints = np.concatenate([*parts, squares[:, None]], axis=1)
        self.every = self.matrix.sum(axis=0)

    def of(self, sums: NDArray[Any], n_first: int) -> Studentized:
        """The statistic from the first group's sums, shape (…, columns)."""
        mine = sums.astype(float)
        return studentized(*self._group(mine, n_first), *self._group(self.every - mine, self._n - n_first), self.units)

    @property
    def _n(self) -> int:
        return len(self.matrix)

    def _group(self, sums: Floats, size: int) -> tuple[Floats, Floats, Floats]:
        levels = self.columns.n_levels
        n = np.full((*sums.shape[:-1], levels), float(size)) if self.complete else sums[..., levels : 2 * levels]
        mean = standardised_mean(sums[..., :levels] / self.columns.scale, n, self.units)
        return mean, n, sums[..., -1] * self.unit


class TwoWay:
    """Max-T, step-down and clusters counted in each direction; a two-sided p is twice the smaller one.

    Parameters
    ----------
    observed : ndarray, shape (levels,)
        The statistic, NaN where a level is not tested.
    sided : {-1, 0, 1}
        The alternative: less, two-sided, greater.
    turned : bool
        See :class:`~rapidvision.analysis.resampling.multiplicity.Joint`.
    """

    def __init__(self, observed: Floats, *, sided: int, turned: bool = False) -> None:
        self.signs = (1, -1) if sided == 0 else (sided,)
        self.threshold = CLUSTER_THRESHOLD[sided]
        self.ways = [Joint(observed, sided=s, cluster_threshold=self.threshold, turned=turned) for s in self.signs]

    def add(self, values: Floats) -> None:
        """Count a block, shape (relabellings, levels); NaN, where a group is empty, is extreme in either direction."""
        for sign, way in zip(self.signs, self.ways, strict=True):
            way.add(np.where(np.isnan(values), sign * np.inf, values))

    def p_single_step(self) -> Floats:
        """Adjusted p of the single-step max-T procedure."""
        return self._both([way.p_single_step() for way in self.ways])

    def p_step_down(self) -> Floats:
        """Adjusted p of the step-down max-T procedure."""
        return self._both([way.p_step_down() for way in self.ways])

    def clusters(self) -> tuple[Cluster, ...]:
        """The observed clusters with their family-wise p."""
        times = len(self.ways)
        found = [one._replace(p=min(1.0, times * one.p)) for way in self.ways for one in way.clusters()]
        return tuple(sorted(found))

    def _both(self, p: list[Floats]) -> Floats:
        return p[0] if len(p) == 1 else np.minimum(1.0, 2 * np.minimum(p[0], p[1]))


def count_spread(
    columns: Columns,
    first: "NDArray[np.bool_]",
    *,
    n_resamples: int,
    seed: int,
    strata: Ints | None = None,
    sided: int = 0,
    engine: Engine = "auto",
) -> tuple[Counts, TwoWay]:
    """Count the relabellings whose studentized difference is as extreme as the observed one.

    Parameters
    ----------
    columns : Columns
        A mean over participants.
    first, n_resamples, seed, strata, sided, engine
        As in :func:`~rapidvision.analysis.resampling.counting.count_extreme`.

    Returns
    -------
    Counts, TwoWay
        Per level, and jointly.
    """
    columns, first, strata, turned = canonical(columns, first, strata)
    ready, n_first = Prepared(columns), int(first.sum())
    observed = ready.of(ready.matrix[first].sum(axis=0), n_first).g
    joint = TwoWay(observed, sided=-sided if turned else sided, turned=turned)
    keys = strata_keys(first, strata, seed)
    if strata is None and _compiled(ready, n_resamples, engine):
        counts = _count_compiled(ready, first, observed, joint, key=keys[0].key, n_resamples=n_resamples)
        return counts.turned() if turned else counts, joint
    place = places(keys)
    rows = np.zeros((len(place), ready.matrix.shape[1]), dtype=np.int64)
    rows[place >= 0] = ready.matrix[place[place >= 0]]
    sums, wide = GroupSums(rows), ready.matrix.shape[1]
    slack = TIE * np.maximum(1.0, np.abs(observed))
    at_least, at_most = np.zeros((2, columns.n_levels), dtype=np.int64)
    for block in range(-(-n_resamples // BLOCK)):
        found = sums.of(words_of(keys, block)[:, : min(BLOCK, n_resamples - block * BLOCK)])
        values = ready.of(found[:, :wide], n_first).g
        at_least += (~(values < observed - slack)).sum(axis=0)
        at_most += (~(values > observed + slack)).sum(axis=0)
        joint.add(values)
    counts = Counts(at_least, at_most)
    return counts.turned() if turned else counts, joint


class Observed(NamedTuple):
    """Both groups' spreads, and g per level."""

    phi: tuple[float, float]
    g: Floats


def of_columns(columns: Columns, first: "NDArray[np.bool_]") -> Observed:
    """The observed spreads and studentized differences, first group minus second."""
    columns, first, _, turned = canonical(columns, first)
    ready = Prepared(columns)
    found = ready.of(ready.matrix[first].sum(axis=0), int(first.sum()))
    phi = float(found.phi[0]), float(found.phi[1])
    return Observed((phi[1], phi[0]), -found.g) if turned else Observed(phi, found.g)


def exact_spread(columns: Columns, first: "NDArray[np.bool_]") -> tuple[Floats, Floats] | None:
    """P(g ≥ observed) and P(g ≤ observed) per level over all relabellings; None where they are too many to enumerate."""
    n, n_first = len(first), int(first.sum())
    if math.comb(n, n_first) > MOST_ENUMERATED:
        return None
    columns, first, _, turned = canonical(columns, first)
    n_first = int(first.sum())
    ready = Prepared(columns)
    observed = ready.of(ready.matrix[first].sum(axis=0), n_first).g
    slack = TIE * np.maximum(1.0, np.abs(observed))
    at_least, at_most = np.zeros((2, columns.n_levels))
    every = combinations(range(n), n_first)
    while chunk := list(islice(every, _AT_A_TIME)):
        values = ready.of(ready.matrix[np.array(chunk)].sum(axis=1), n_first).g
        at_least += (~(values < observed - slack)).sum(axis=0)
        at_most += (~(values > observed + slack)).sum(axis=0)
    tails = np.where(np.isnan(observed), np.nan, np.array([at_least, at_most]) / math.comb(n, n_first))
    return (tails[1], tails[0]) if turned else (tails[0], tails[1])


def _compiled(ready: Prepared, n_resamples: int, engine: Engine) -> bool:
    """Whether the compiled loops count: exact complete means, where they are wanted and worth their start."""
    if engine == "numpy" or not (ready.complete and ready.columns.exact.all() and ready.units.live.any()):
        return False
    wanted = engine == "numba" or (n_resamples >= LEAST_COMPILED and can_compile())
    return wanted and can_count(ready.matrix)


def _count_compiled(
    ready: Prepared, first: "NDArray[np.bool_]", observed: Floats, joint: TwoWay, *, key: int, n_resamples: int
) -> Counts:
    from ..compiled import kept

    count: Any = kept.count_pooled
    live = np.flatnonzero(ready.units.live)
    units, scale = ready.units, ready.columns.scale[live]
    n, n_first = len(first), int(first.sum())
    table = np.column_stack(
        [1 / (n_first * scale * units.scale[live]), -units.centre[live] / units.scale[live], units.bend[live]]
    )
    mine = np.array([1.0, -1.0])[:, None] * observed[live]
    reach = mine - TIE * np.maximum(1.0, np.abs(mine))
    order = np.argsort(mine, axis=1, kind="stable")
    ways = dict(zip(joint.signs, joint.ways, strict=True))
    empty = np.zeros(0)
    masses = [ways[sign].least_masses if sign in ways else empty for sign in (1, -1)]
    totals = (float(ready.every[-1]) * ready.unit, ready.unit, units.skew, float(units.binomial))
    counted = np.zeros((2, 3, len(live)), dtype=np.int64)
    heavy = [np.zeros(len(one), dtype=np.int64) for one in masses]
    matrix = np.concatenate([ready.matrix[:, live], ready.matrix[:, -1:]], axis=1)
    for labels in label_blocks(matrix, first, key=key, n_resamples=n_resamples):
        found = count(
            *labels,
            table,
            (float(n_first), float(n - n_first)),
            totals,
            reach,
            order,
            live,
            len(observed),
            joint.threshold,
            *masses,
        )
        counted += found[0].sum(axis=0)
        for sum_, one in zip(heavy, found[1:], strict=True):
            sum_ += one.sum(axis=0)
    wide = np.zeros((2, 3, len(observed)), dtype=np.int64)
    wide[:, :, live] = counted
    for sign, way in ways.items():
        at = 0 if sign == 1 else 1
        way.take(n_resamples, single=wide[at, 1], down=wide[at, 2], mass=heavy[at])
    dead = ~ready.units.live
    wide[:, 0, dead] = n_resamples
    return Counts(wide[0, 0], wide[1, 0])
