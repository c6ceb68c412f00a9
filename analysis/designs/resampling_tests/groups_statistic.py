"""The statistics of three and more groups from their sums, and the compiled loops that count them."""

from functools import lru_cache
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rapidvision.numerics.compiled import Engine, can_compile
from rapidvision.numerics.resampling import TIE

from ...inference.pooled_spread import Studentized, standardised_mean, studentized
from ...inference.spread_counts import LEAST_COMPILED, Prepared
from ...relabelling.permutations import MOST_DEALT_WORDS
from ...resampling.kernels import block_spans, can_count, dealing, sum_tables
from ...resampling.multiplicity import Joint
from ...table.columns import Columns
from .group_labels import keys_of

Floats = NDArray[np.float64]


class GroupsStatistic:
    """Omnibus and pair statistics from sums of groups.

    Parameters
    ----------
    columns : Columns
        A mean over participants.
    pooled : bool
        Whether differences are studentized by each group's spread, or by everybody's.
    """

    def __init__(self, columns: Columns, pooled: bool) -> None:
        self.ready, self.pooled = Prepared(columns), pooled
        n = columns.present.sum(axis=0)
        x = np.where(columns.present, columns.sums / columns.scale, 0.0)
        mean = x.sum(axis=0) / np.maximum(n, 1)
        squares = (np.where(columns.present, x - mean, 0.0) ** 2).sum(axis=0)
        live = self.ready.units.live
        # standard deviation in standard units
        self.deviation = np.where(
            live, np.sqrt(squares / np.maximum(n - 1, 1)) / np.where(live, self.ready.units.scale, 1), np.nan
        )

    def of(self, sums: Floats, sizes: list[int]) -> tuple[Floats, Floats]:
        """F per level, shape (…, levels), and the statistic of each pair, (…, pairs, levels), from (…, k, columns)."""
        ready, units = self.ready, self.ready.units
        levels = ready.columns.n_levels
        wide = [sums[..., g, :] for g in range(len(sizes))]
        n = [
            np.broadcast_to(float(size), (*one.shape[:-1], levels)) if ready.complete else one[..., levels : 2 * levels]
            for one, size in zip(wide, sizes, strict=True)
        ]
        mean = [
            standardised_mean(one[..., :levels] / ready.columns.scale, m, units) for one, m in zip(wide, n, strict=True)
        ]
        squares = [one[..., -1] * ready.unit for one in wide]
        pairs = []
        phi: list[Floats] = [np.ones(sums.shape[:-2]) for _ in sizes]
        for a, b in combinations(range(len(sizes)), 2):
            found: Studentized = studentized(mean[a], n[a], squares[a], mean[b], n[b], squares[b], units)
            phi[a], phi[b] = found.phi
            if self.pooled:
                pairs.append(found.g)
            else:
                with np.errstate(invalid="ignore", divide="ignore"):
                    error = self.deviation * np.sqrt(1 / n[a] + 1 / n[b])
                    pairs.append(np.where((n[a] > 0) & (n[b] > 0) & units.live, (mean[a] - mean[b]) / error, np.nan))
        weight = np.stack([m / (f[..., None] if self.pooled else 1.0) for m, f in zip(n, phi, strict=True)])
        means = np.stack(mean)
        with np.errstate(invalid="ignore", divide="ignore"):
            centre = (weight * means).sum(axis=0) / weight.sum(axis=0)
            f = (weight * (means - centre) ** 2).sum(axis=0) / (len(sizes) - 1)
            f = f if self.pooled else f / self.deviation**2
        empty = np.stack(n).min(axis=0) == 0
        return np.where(units.live & ~empty, f, np.nan), np.stack(pairs, axis=-2)

    def compiled(self, n_groups: int, n_resamples: int, engine: Engine) -> bool:
        """Whether the compiled loops count: exact complete means of three groups, where they are worth their start."""
        ready = self.ready
        if (
            n_groups != 3
            or engine == "numpy"
            or not (ready.complete and ready.columns.exact.all() and ready.units.live.any())
        ):
            return False
        wanted = engine == "numba" or (n_resamples >= LEAST_COMPILED and can_compile())
        return wanted and len(ready.matrix) <= 64 * MOST_DEALT_WORDS and can_count(ready.matrix)


def count_compiled(
    statistic: GroupsStatistic, found: Any, sizes: list[int], signs: list[Floats], *, n_resamples: int, seed: int
) -> None:
    """Count by compiled loops, into the counters of `found`: the same numbers as numpy's.

    Parameters
    ----------
    statistic : GroupsStatistic
        Of a complete table.
    found : object
        With `f`, `at_least`, `omnibus` and `ways`, as numpy counts into them.
    sizes : list of int
        Of the groups.
    signs : list of ndarray, shape (pairs,)
        Direction of each pair in each of the ways.
    n_resamples, seed : int
        Relabellings, and their seed.
    """
    from ...compiled import kept

    count: Any = kept.count_groups
    ready, units = statistic.ready, statistic.ready.units
    live = np.flatnonzero(units.live)
    levels, k = len(found.f), len(sizes)
    scale = ready.columns.scale[live]
    table = np.column_stack(
        [
            1 / (scale * units.scale[live]),
            units.centre[live] / units.scale[live],
            units.bend[live],
            statistic.deviation[live],
        ]
    )
    flags = (
        float(ready.every[-1]) * ready.unit,
        ready.unit,
        units.skew,
        float(units.binomial),
        float(statistic.pooled),
    )
    matrix = np.concatenate([ready.matrix[:, live], ready.matrix[:, -1:]], axis=1)
    left, plans = len(matrix), []
    for key, size in zip(keys_of(seed, k), sizes[:-1], strict=True):
        plans.append(dealing(left, size, key))
        left -= size
    n_pairs = k * (k - 1) // 2
    cells = (np.arange(n_pairs)[:, None] * levels + live).ravel()  # of all pairs and levels, those that vary
    observed = found.f[live]
    reach_f = observed - TIE * np.maximum(1.0, np.abs(observed))
    asked = np.array([_live(way.observed, way.reach, way.tested)[cells] for way in found.ways])
    order = np.argsort(asked, axis=1, kind="stable")
    counted_f = np.zeros((3, len(live)), dtype=np.int64)
    counted = np.zeros((len(signs), 2, len(cells)), dtype=np.int64)
    tables = sum_tables(matrix)
    for blocks in block_spans(n_resamples):
        one, other = count(
            tables, *plans, *blocks, np.array(sizes, dtype=float), table, flags, reach_f,
            np.argsort(observed, kind="stable"), asked, order, np.array(signs), *byte_tables(),
        )  # fmt: skip
        counted_f += one.sum(axis=0)
        counted += other.sum(axis=0)
    found.at_least[:] = n_resamples  # where all scores are equal, every relabelling is as extreme
    found.at_least[live] = counted_f[0]
    _take(found.omnibus, n_resamples, counted_f[1], counted_f[2], live, levels)
    for way, (single, down) in zip(found.ways, counted, strict=True):
        _take(way, n_resamples, single, down, cells, n_pairs * levels)


def _live(observed: Floats, reach: Floats, tested: NDArray[np.intp]) -> Floats:
    """What each cell must reach, at its place."""
    wide = np.full(len(observed), np.inf)
    wide[tested] = reach
    return wide


def _take(
    joint: Joint, n: int, single: NDArray[np.int64], down: NDArray[np.int64], places: NDArray[np.intp], size: int
) -> None:
    wide = np.zeros((2, size), dtype=np.int64)
    wide[:, places] = single, down
    joint.take(n, single=wide[0], down=wide[1], mass=np.zeros(0, dtype=np.int64))


@lru_cache(maxsize=1)
def byte_tables() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Where the bits of a byte go when they are dealt to the ones of another, and how many ones a byte has.

    Examples
    --------
    >>> deposited, ones = byte_tables()
    >>> int(deposited[0b1010, 0b10]), int(ones[0b1010])
    (8, 2)
    """
    masks = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1, bitorder="little").astype(np.int64)
    place = np.maximum(np.cumsum(masks, axis=1) - 1, 0)
    bits = masks[:, place] * masks[None]  # (source, mask, 8)
    deposited = (bits << np.arange(8)).sum(axis=2).T.astype(np.uint8)
    return np.ascontiguousarray(deposited), masks.sum(axis=1).astype(np.uint8)
