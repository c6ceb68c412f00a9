"""Three and more conditions within participants: the omnibus test, and all pairs, by reordering each one's conditions.

Every resample puts the conditions of each participant into a random order, all levels together. F of a level is the variance
of the conditions' means in units of p (1 - p); pairs are compared by max-T over all pairs and levels.
"""

from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.numerics.resampling import SIDED, TIE, Alternative, Counts, p_values, row_order

from ...relabelling.random_bits import stream_key
from ...resampling.multiplicity import Joint
from ...table.columns import SHARES
from .group_labels import random_orders
from .results import OmnibusTest
from .several_groups import Several

Floats = NDArray[np.float64]


class _Means(NamedTuple):
    """F per level and the scaled difference of each pair, from sums over the participants, shape (…, k, levels)."""

    n: Floats
    unit: Floats

    def of(self, sums: Floats) -> tuple[Floats, Floats]:
        k = sums.shape[-2]
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = sums / self.n
            gap = mean - mean.mean(axis=-2, keepdims=True)
            f = self.n * (gap**2).sum(axis=-2) / ((k - 1) * self.unit**2)
            pairs = [
                (mean[..., a, :] - mean[..., b, :]) * np.sqrt(self.n) / self.unit for a, b in combinations(range(k), 2)
            ]
        return f, np.stack(pairs, axis=-2)


def repeated_conditions(
    scores: Floats,
    names: tuple[str, ...],
    *,
    statistic: str,
    labels: tuple[str, ...],
    n_resamples: int,
    seed: int,
    alternative: Alternative = "two-sided",
) -> Several:
    """Test k conditions within participants jointly at every level.

    Parameters
    ----------
    scores : ndarray of float64, shape (n, k, levels)
        NaN where a participant has no score; at a level only those count who have every condition there.
    names : tuple of str
        Of the conditions.
    statistic : str
        What the scores are: shares are put on one scale by sqrt(p (1 - p)), other scores by their standard deviation.
    labels : tuple of str
        Of the levels.
    n_resamples, seed : int
        Orders, and their seed.
    alternative : {"two-sided", "greater", "less"}
        Of the pairs.

    Raises
    ------
    InputError
        When at no level a participant has every condition.
    """
    whole = np.asarray(np.isfinite(scores).all(axis=1))
    if not whole.any():
        raise InputError(f"conditions: at no level a participant has all of {', '.join(names)}; name two of them")
    x = np.where(whole[:, None, :], scores, 0.0)
    k, n = len(names), whole.sum(axis=0).astype(float)
    # order of the conditions and of the participants by content, so that names change nothing
    order = sorted(range(k), key=lambda c: x[:, c][row_order(x[:, c])].astype(">f8").tobytes())
    x = x[:, order]
    rows = row_order(x.reshape(len(x), -1), whole.astype(float))
    x, whole = x[rows], whole[rows]
    place = {c: at for at, c in enumerate(order)}
    with np.errstate(invalid="ignore", divide="ignore"):
        centre = x.sum(axis=(0, 1)) / (k * n)
        squares = (np.where(whole[:, None, :], x - centre, 0.0) ** 2).sum(axis=(0, 1))
        variance = centre * (1 - centre) if statistic in SHARES else squares / (k * n - 1)
        live = (n > 0) & (variance > 1e-15) & (squares > 0)
        unit = np.where(live, np.sqrt(np.maximum(variance, 0.0)), np.nan)
    means = _Means(n, unit)
    f, differences = means.of(x.sum(axis=0))
    named, inner = tuple(combinations(range(k), 2)), list(combinations(range(k), 2))
    at = [inner.index((min(place[a], place[b]), max(place[a], place[b]))) for a, b in named]
    sign = np.ones(len(inner))
    sign[at] = [1.0 if place[a] < place[b] else -1.0 for a, b in named]
    sided = SIDED[alternative]
    directed = (sign[:, None] if sided else 1.0) * differences
    pairs = Joint(directed.ravel(), sided=sided, cluster_threshold=np.inf)
    omnibus = Joint(f, sided=1, cluster_threshold=np.inf)
    slack = TIE * np.maximum(1.0, np.abs(f))
    at_least = np.zeros(len(f), dtype=np.int64)
    flat = x.reshape(len(x) * k, -1)
    for orders in random_orders(stream_key(seed, "reorder conditions"), k, n_resamples, sets=len(x)):
        sums = np.stack(
            [(orders[..., c, None] == np.arange(k)).reshape(len(orders), -1).astype(float) @ flat for c in range(k)],
            axis=1,
        )
        values, gaps = means.of(sums)
        at_least += (~(values < f - slack)).sum(axis=0)
        omnibus.add(values)
        pairs.add(((sign[:, None] if sided else 1.0) * gaps).reshape(len(values), -1))
    p, low, high = p_values(Counts(at_least, at_least), n_resamples, "greater")
    blank = n == 0
    for values in (p, low, high):
        values[blank] = np.nan

    def told(one: Floats) -> Floats:
        return np.where(np.isnan(one) & ~blank, 1.0, one)

    overall = omnibus.p_single_step()
    shape = len(inner), len(f)
    left = int((~whole).sum())
    note = (f"{left} of {whole.size} participant x level cells lack a condition and are left out",) if left else ()
    found = OmnibusTest(
        conditions=names,
        f=f,
        p=p,
        p_low=low,
        p_high=high,
        p_step_down=told(omnibus.p_step_down()),
        p_overall=float(np.nanmin(overall)) if np.isfinite(overall).any() else 1.0,
        n_resamples=n_resamples,
        seed=seed,
        labels=labels,
        notes=("each participant's conditions are put into random orders, all levels together", *note),
    )
    p_max_t, p_down = (told(one.reshape(shape)[at]) for one in (pairs.p_single_step(), pairs.p_step_down()))
    return Several(found, named, p_max_t, p_down)
