"""The test of one simulated experiment, with the statistic that its table would be tested with."""

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rapidvision.numerics.compiled import Engine, can_compile
from rapidvision.numerics.counter_rng import Words
from rapidvision.numerics.resampling import TIE

from ..inference.spread_counts import count_spread
from ..inference.spread_rule import chosen_spread
from ..resampling.multiplicity import CLUSTER_THRESHOLD, largest_mass
from ..resampling.sums import GroupSums
from ..table.columns import Columns

Floats = NDArray[np.float64]


class Tested(NamedTuple):
    """Two-sided p per level, smallest max-T p, smallest cluster p, and what was relabelled."""

    p: Floats
    p_max: float
    p_cluster: float
    spread: Literal["pooled", "raw"]


def tested(columns: Columns, first: "NDArray[np.bool_]", blocks: list[Words], *, seed: int) -> Tested:
    """Test one experiment.

    Parameters
    ----------
    columns : Columns
        A mean over participants.
    first : ndarray of bool, shape (n,)
        Who is in the first group.
    blocks : list of ndarray of uint64
        Relabellings of the plain difference.
    seed : int
        Of those of the difference over the pooled spread.
    """
    spread, _ = chosen_spread(columns, first)
    if spread == "raw":
        return Tested(*_plain(columns, first, blocks), spread)
    n = sum(words.shape[1] for words in blocks)
    # thousands of experiments are worth the start of a compiled loop, which counts the same
    engine: Engine = "numba" if can_compile() else "numpy"
    counts, joint = count_spread(columns, first, n_resamples=n, seed=seed, engine=engine)
    p = np.minimum(1.0, 2 * (np.minimum(counts.at_least, counts.at_most) + 1) / (n + 1))
    return Tested(
        p, float(np.nanmin(joint.p_single_step())), min((one.p for one in joint.clusters()), default=1.0), spread
    )


def _plain(columns: Columns, first: "NDArray[np.bool_]", blocks: list[Words]) -> tuple[Floats, float, float]:
    """The plain difference, over relabellings that other experiments of the size have, too."""
    padding = np.full(-len(first) % 64, -1)
    group_sums = GroupSums(columns.places(np.append(np.arange(len(first)), padding)))
    own = columns.sums_of(first)
    sums = np.concatenate([group_sums.of(words)[:, : own.size] for words in blocks])
    observed, values = columns.compared(own[None])[0], columns.compared(sums.reshape(len(sums), *own.shape))
    centre, inverse = columns.moments(values, first)
    n_resamples = len(values)
    by_level = np.ascontiguousarray(values.T, dtype=float)  # long rows are counted many times faster than short ones
    slack, floor = columns.slack(first)[:, None], observed[:, None]
    above = n_resamples - np.count_nonzero(by_level < floor - slack, axis=1)
    below = n_resamples - np.count_nonzero(by_level > floor + slack, axis=1)
    p = np.minimum(1.0, 2 * (np.minimum(above, below) + 1) / (n_resamples + 1))
    z, own_z = (by_level - centre[:, None]) * inverse[:, None], (observed - centre) * inverse
    best = np.abs(own_z).max()
    p_max = (np.count_nonzero(np.abs(z).max(axis=0) >= best - TIE * max(1.0, best)) + 1) / (n_resamples + 1)
    threshold = CLUSTER_THRESHOLD[0]
    mine = max(float(largest_mass(sign * own_z[None], threshold)[0]) for sign in (1, -1))
    if mine == 0:
        return p, p_max, 1.0
    masses = np.maximum(largest_mass(z.T, threshold), largest_mass(-z.T, threshold))
    return p, p_max, (np.count_nonzero(masses >= mine * (1 - TIE)) + 1) / (n_resamples + 1)
