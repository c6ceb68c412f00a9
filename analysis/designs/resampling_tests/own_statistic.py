"""A statistic of the user's own at every level: a callable of two samples with `axis`, as scipy's permutation test takes."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.numerics.counter_rng import hashed_words
from rapidvision.numerics.resampling import SIDED, TIE, Alternative, Counts, p_values, row_order

from ...inference.permutation import RandomizationTest
from ...inference.two_samples import permutation_test
from ...relabelling.random_bits import stream_key
from ...resampling.multiplicity import CLUSTER_THRESHOLD, Joint, benjamini_hochberg, holm

Floats = NDArray[np.float64]
#: ``statistic(first, second, axis=…)`` returns one number per level.
OwnStatistic = Callable[..., Any]
_MOST_NUMBERS = 4_000_000


def own_test(
    first: Floats,
    second: Floats,
    statistic: OwnStatistic,
    *,
    within: bool,
    labels: tuple[str, ...],
    n_resamples: int,
    seed: int,
    alternative: Alternative = "two-sided",
) -> RandomizationTest:
    """Test a statistic of two samples at every level.

    Parameters
    ----------
    first, second : ndarray of float64, shape (n, levels)
        Scores under both conditions; of the same participants in the same order where `within`.
    statistic : callable
        ``statistic(first, second, axis=…)``.
    within : bool
        Exchange each participant's two conditions, instead of participants between groups.
    labels : tuple of str
        Of the levels.
    n_resamples, seed : int
        Resamples, and their seed.
    alternative : {"two-sided", "greater", "less"}
        ``greater``: the statistic is larger than under the null hypothesis.

    Returns
    -------
    RandomizationTest
        `difference` holds the statistic.

    Raises
    ------
    InputError
        When a score is missing, or the statistic does not return one number per level.
    """
    name = getattr(statistic, "__name__", "own statistic")
    if empty := int((~np.isfinite(first)).sum() + (~np.isfinite(second)).sum()):
        raise InputError(
            f"statistic {name}: {empty} participant x level cells are empty, and a statistic of your own gets whole samples; "
            "count late answers (late wrong or half), or leave these participants or levels out (where)"
        )
    if within:
        observed, null = _swapped(first, second, statistic, n_resamples, seed)
        exact = None
    else:
        found = permutation_test(first, second, statistic, n_resamples=n_resamples, seed=seed, alternative=alternative)
        observed, null, exact = found.statistic, found.null_distribution, found.p if found.exact else None
    slack = TIE * np.maximum(np.abs(observed), np.abs(null).max(axis=0))
    counts = Counts((null >= observed - slack).sum(axis=0), (null <= observed + slack).sum(axis=0))
    p, low, high = p_values(counts, len(null), alternative)
    if exact is not None:
        p, low, high = found.p, found.p_low, found.p_high
    # what standardises the levels comes from the resamples alone
    centre, spread = null.mean(axis=0), null.std(axis=0)
    inverse = np.where(
        spread > 1e-12 * np.maximum(1.0, np.abs(null).max(axis=0)), 1 / np.where(spread > 0, spread, 1), np.nan
    )
    sided = SIDED[alternative]
    joint = Joint((observed - centre) * inverse, sided=sided, cluster_threshold=CLUSTER_THRESHOLD[sided])
    joint.add((null - centre) * inverse)
    p_exact = np.full(len(p), np.nan) if exact is None else exact
    return RandomizationTest(
        difference=observed,
        p=p,
        p_low=low,
        p_high=high,
        p_exact=p_exact,
        p_holm=holm(p),
        p_bh=benjamini_hochberg(p),
        p_max_t=np.where(np.isnan(one := joint.p_single_step()), 1.0, one),
        p_step_down=np.where(np.isnan(two := joint.p_step_down()), 1.0, two),
        clusters=joint.clusters(),
        n_first=len(first),
        n_second=len(second),
        n_resamples=len(null),
        seed=seed,
        alternative=alternative,
        statistic=name,
        labels=labels,
        smallest_p=1 / (len(null) + 1),
        notes=(f"difference holds {name} of both samples, your own statistic",),
        g=np.full(len(p), np.nan),
    )


def _swapped(
    first: Floats, second: Floats, statistic: OwnStatistic, n_resamples: int, seed: int
) -> tuple[Floats, Floats]:
    """The statistic as observed, and under random exchanges of the conditions within participants."""
    # by content, and turned by content: a pair and the same pair exchanged are drawn alike
    sides = [np.concatenate(pair, axis=1) for pair in ((first, second), (second, first))]
    sorted_sides = [one[row_order(one)] for one in sides]
    turned = sorted_sides[0].astype(">f8").tobytes() > sorted_sides[1].astype(">f8").tobytes()
    both = sorted_sides[1] if turned else sorted_sides[0]
    one, other = both[:, : first.shape[1]], both[:, first.shape[1] :]
    observed = _called(statistic, first[None], second[None])[0]
    null = [
        _called(statistic, np.where(swap != turned, one, other), np.where(swap != turned, other, one))
        for swap in _swaps(len(one), n_resamples, stream_key(seed, "swap conditions"), one.size)
    ]
    return observed, np.concatenate(null)


def _swaps(n: int, n_resamples: int, key: int, size: int) -> Iterator["NDArray[np.bool_]"]:
    at_once = max(1, _MOST_NUMBERS // size)
    for start in range(0, n_resamples, at_once):
        rows = min(at_once, n_resamples - start)
        words = hashed_words(key, start * n, rows * n).reshape(rows, n, 1)
        yield (words & np.uint64(1)) > 0


def _called(statistic: OwnStatistic, first: Floats, second: Floats) -> Floats:
    found = np.asarray(statistic(first, second, axis=1), dtype=float)
    wanted = (first.shape[0], first.shape[2])
    if found.shape != wanted:
        raise InputError(
            f"statistic: returned shape {found.shape} for samples of shape {first.shape} with axis=1; {wanted} is needed, "
            "one number for each resample and level"
        )
    return found
