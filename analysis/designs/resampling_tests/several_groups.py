"""Three and more groups of participants: the omnibus test, and all pairs, over all levels.

One joint relabelling of everybody serves both. The omnibus statistic of a level is the variance of the groups' means, each
weighted by the inverse of its variance; its p over levels is max-F step-down. The pairs' statistic is the studentized
difference of two groups (or the plain one over its standard error), and max-T runs over all pairs and levels, in either
direction.
"""

from collections.abc import Mapping
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rapidvision.errors import InputError
from rapidvision.numerics.compiled import Engine
from rapidvision.numerics.resampling import SIDED, TIE, Alternative, Counts, p_values, row_order
from rapidvision.protocol import N_RELABELLINGS
from rapidvision.seeds import fresh_seed

from ...inference.scores import columns_of_scores
from ...inference.spread_rule import Spread, chosen_spread
from ...resampling.multiplicity import Joint
from ...table.columns import Columns
from .group_labels import group_labels
from .groups_statistic import GroupsStatistic, count_compiled
from .results import OmnibusTest

Floats = NDArray[np.float64]


class Several(NamedTuple):
    """Joint tests of k groups.

    Attributes
    ----------
    omnibus : OmnibusTest
        Does any group differ.
    pairs : tuple of (int, int)
        Numbers of the groups of each pair.
    p_max_t, p_step_down : ndarray, shape (pairs, levels)
        Corrected over all pairs and levels.
    """

    omnibus: OmnibusTest
    pairs: tuple[tuple[int, int], ...]
    p_max_t: Floats
    p_step_down: Floats


def several_groups(
    columns: Columns,
    groups: NDArray[np.intp],
    names: tuple[str, ...],
    *,
    n_resamples: int,
    seed: int,
    alternative: Alternative = "two-sided",
    spread: Spread = "auto",
    engine: Engine = "auto",
) -> Several:
    """Test k groups jointly at every level.

    Parameters
    ----------
    columns : Columns
        A mean over participants.
    groups : ndarray of int, shape (n,)
        Number of each participant's group.
    names : tuple of str
        Names of the groups.
    n_resamples, seed : int
        Relabellings, and their seed.
    alternative : {"two-sided", "greater", "less"}
        Of the pairs; the omnibus test has none.
    spread : {"auto", "pooled", "raw"}
        As in :func:`~rapidvision.analysis.randomization_test`: pooled where any pair is to be.
    engine : {"auto", "numpy", "numba"}
        Who counts; the numbers are the same.

    Returns
    -------
    Several

    Raises
    ------
    InputError
        When the statistic is no mean of participants, or a group is empty.
    """
    k = len(names)
    if not columns.is_mean:
        raise InputError(f"{columns.name} is no mean over participants, so {k} groups have no F; name two groups")
    sizes = np.bincount(groups, minlength=k)
    if (sizes == 0).any():
        raise InputError(f"groups: {names[int(np.argmin(sizes))]} has no participant")
    kinds = {}
    for a, b in combinations(range(k), 2):
        both = (groups == a) | (groups == b)
        kinds[a, b] = chosen_spread(columns.rows(both), groups[both] == a, spread)
    pooled = any(kind == "pooled" for kind, _ in kinds.values())
    # order by content: rows, then groups by size and sorted rows
    rows = row_order(columns.parts.reshape(len(groups), -1))
    columns, member = columns.rows(rows), groups[rows]
    content = [columns.parts[member == g].reshape(int(sizes[g]), -1).astype(">i8").tobytes() for g in range(k)]
    order = sorted(range(k), key=lambda g: (int(sizes[g]), content[g]))
    place = {g: at for at, g in enumerate(order)}
    member = np.array([place[g] for g in member.tolist()], dtype=np.intp)
    named = tuple(combinations(range(k), 2))
    inner = list(combinations(range(k), 2))
    at = [inner.index((min(place[a], place[b]), max(place[a], place[b]))) for a, b in named]
    sign = np.ones(len(inner))
    sign[at] = [1.0 if place[a] < place[b] else -1.0 for a, b in named]
    # two-sided p takes directions from the content, so that names change nothing; a named direction is the user's
    ways = [np.ones(len(inner)), -np.ones(len(inner))] if not SIDED[alternative] else [SIDED[alternative] * sign]
    plan = [int(sizes[g]) for g in order]
    statistic = GroupsStatistic(columns, pooled)
    counted = _counted(statistic, member, plan, ways, n_resamples=n_resamples, seed=seed, engine=engine)
    p, low, high = p_values(Counts(counted.at_least, counted.at_least), n_resamples, "greater")
    blank = ~(np.stack([columns.present[member == g].any(axis=0) for g in range(k)]).all(axis=0))
    for values in (p, low, high):
        values[blank] = np.nan

    def told(values: Floats) -> Floats:
        return np.where(np.isnan(values) & ~blank, 1.0, values)

    overall = counted.omnibus.p_single_step()
    omnibus = OmnibusTest(
        conditions=names,
        f=counted.f,
        p=p,
        p_low=low,
        p_high=high,
        p_step_down=told(counted.omnibus.p_step_down()),
        p_overall=float(np.nanmin(overall)) if np.isfinite(overall).any() else 1.0,
        n_resamples=n_resamples,
        seed=seed,
        labels=columns.labels or tuple(str(level) for level in range(columns.n_levels)),
        notes=_notes(columns, kinds, names),
    )
    shape = len(inner), columns.n_levels
    p_max_t, p_step_down = (
        told(np.minimum(1.0, len(ways) * np.min([one.reshape(shape) for one in found], axis=0))[at])
        for found in (
            [way.p_single_step() for way in counted.ways],
            [way.p_step_down() for way in counted.ways],
        )
    )
    return Several(omnibus, named, p_max_t, p_step_down)


def omnibus_test(
    scores: ArrayLike,
    groups: ArrayLike,
    *,
    n_resamples: int = N_RELABELLINGS,
    seed: int | None = None,
    spread: Spread = "auto",
) -> OmnibusTest:
    """Test whether any of several groups differs, at every level, by relabelling participants.

    Parameters
    ----------
    scores : array_like or DataFrame, shape (n,) or (n, levels)
        One row per participant, NaN where there is no score.
    groups : array_like, shape (n,)
        Group of each participant: two or more.
    n_resamples : int
        Relabellings.
    seed : int, optional
        Drawn and stored in the result when absent.
    spread : {"auto", "pooled", "raw"}
        As in :func:`~rapidvision.analysis.randomization_test`.

    Returns
    -------
    OmnibusTest

    Raises
    ------
    InputError
        When there are fewer than two groups, or shapes do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> import rapidvision as rv
    >>> scores = np.repeat([[0.2], [0.5], [0.9]], 6, axis=0) + np.tile(np.arange(6)[:, None] / 100, (3, 1))
    >>> found = rv.analysis.omnibus_test(scores, np.repeat(["a", "b", "c"], 6), n_resamples=999, seed=1)
    >>> found.p_overall
    0.001
    """
    columns = columns_of_scores(scores)
    words = np.asarray(groups).astype(str)
    if words.shape != (len(columns.parts),):
        raise InputError(
            f"groups: shape {words.shape}; one name for each of {len(columns.parts)} participants is needed"
        )
    names, codes = np.unique(words, return_inverse=True)
    if len(names) < 2:
        raise InputError(f"groups: only {names[0]}; at least two are needed")
    seed = fresh_seed() if seed is None else seed
    return several_groups(
        columns, codes, tuple(str(one) for one in names), n_resamples=n_resamples, seed=seed, spread=spread
    ).omnibus


class _Counted(NamedTuple):
    """What relabelling counts: per level F at least as large; F jointly; and each direction of the pairs."""

    f: Floats
    at_least: NDArray[np.int64]
    omnibus: Joint
    ways: list[Joint]


def _counted(
    statistic: GroupsStatistic,
    member: NDArray[np.intp],
    sizes: list[int],
    signs: list[Floats],
    *,
    n_resamples: int,
    seed: int,
    engine: Engine,
) -> _Counted:
    matrix = statistic.ready.matrix.astype(float)
    every = matrix.sum(axis=0)
    own = np.stack([matrix[member == g].sum(axis=0) for g in range(len(sizes))])
    f, pairs = statistic.of(own, sizes)
    omnibus = Joint(f, sided=1, cluster_threshold=np.inf)
    ways = [Joint((sign[:, None] * pairs).ravel(), sided=1, cluster_threshold=np.inf) for sign in signs]
    slack = TIE * np.maximum(1.0, np.abs(f))
    at_least = np.zeros(len(f), dtype=np.int64)
    found = _Counted(f, at_least, omnibus, ways)
    if statistic.compiled(len(sizes), n_resamples, engine):
        count_compiled(statistic, found, sizes, signs, n_resamples=n_resamples, seed=seed)
        return found
    for labels in group_labels(seed, sizes, n_resamples):
        sums = [(labels == g).astype(float) @ matrix for g in range(len(sizes) - 1)]
        sums.append(every - np.sum(sums, axis=0))
        values, differences = statistic.of(np.stack(sums, axis=1), sizes)
        at_least += (~(values < f - slack)).sum(axis=0)
        omnibus.add(np.where(np.isnan(values), np.inf, values))
        for sign, way in zip(signs, ways, strict=True):
            directed = sign[:, None] * differences
            way.add(np.where(np.isnan(directed), np.inf, directed).reshape(len(values), -1))
    return found


def _notes(
    columns: Columns, kinds: Mapping[tuple[int, int], tuple[str, str]], names: tuple[str, ...]
) -> tuple[str, ...]:
    """What is compared, and why."""
    pooled = [(pair, why) for pair, (kind, why) in kinds.items() if kind == "pooled"]
    notes = []
    if pooled:
        (a, b), why = pooled[0]
        notes.append(
            f"spread pooled ({names[a]}, {names[b]}: {why}): groups are weighted by the inverse of their variance, from one "
            "spread per group pooled over the levels"
        )
    if not columns.is_complete_mean:
        notes.append(f"{int((~columns.present).sum())} of {columns.present.size} participant x level cells are empty")
    return tuple(notes)
