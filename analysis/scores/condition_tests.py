"""Two conditions compared on a measure of each participant: relabelling between participants, sign flips within them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rapidvision.numerics.sign_flip import sign_flip_test

from ..effects.difference import between, within
from ..effects.limits import limits
from ..inference.permutation import randomization_test
from ..resampling.multiplicity import holm

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Paired:
    """Scores of two conditions: rows of the same participants where the design is ``within``.

    Attributes
    ----------
    first, second : ndarray of float64, shape (n, columns)
        NaN where a participant has no score.
    design : {"between", "within"}
        Whether other participants, or the same ones, saw the second condition.
    notes : tuple of str
        Who was left out, with counts.
    """

    first: Floats
    second: Floats
    design: str
    notes: tuple[str, ...] = ()


def paired(scores: Floats, first: int, second: int, names: tuple[str, str]) -> Paired:
    """Take two conditions of participants × conditions × columns.

    Parameters
    ----------
    scores : ndarray of float64, shape (participants, conditions, columns)
        NaN where there is none.
    first, second : int
        Which conditions.
    names : (str, str)
        Theirs, for notes.

    Returns
    -------
    Paired
        ``within`` as soon as one participant has both; participants with one of them are then left out and counted.

    Examples
    --------
    >>> both = paired(np.array([[[0.9], [0.5]], [[0.8], [np.nan]]]), 0, 1, ("a", "b"))
    >>> both.design, both.first.tolist(), both.notes
    ('within', [[0.9]], ('1 participant has only one of a and b and is left out of their comparison',))
    """
    a, b = scores[:, first], scores[:, second]
    has_a, has_b = np.isfinite(a).any(axis=1), np.isfinite(b).any(axis=1)
    both = has_a & has_b
    if not both.any():
        return Paired(a[has_a], b[has_b], "between")
    one = int((has_a ^ has_b).sum())
    who = "1 participant has" if one == 1 else f"{one} participants have"
    what = "is" if one == 1 else "are"
    notes = (f"{who} only one of {names[0]} and {names[1]} and {what} left out of their comparison",) if one else ()
    return Paired(a[both], b[both], "within", notes)


def condition_tests(
    scores: Floats,
    labels: Sequence[str],
    pair: tuple[int, int],
    names: tuple[str, str],
    *,
    n_resamples: int,
    seed: int,
    families: Sequence[str] | None = None,
    exact: bool = True,
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Test the difference of two conditions for every column of scores.

    Parameters
    ----------
    scores : ndarray of float64, shape (participants, conditions, columns)
        One score per participant.
    labels : sequence of str
        Names of the columns.
    pair : (int, int)
        Which conditions, first minus second.
    names : (str, str)
        Their names.
    n_resamples, seed : int
        Relabellings or sign flips, and their seed.
    families : sequence of str, optional
        Family of every column; p are corrected within one. Every column is its own family by default: scores are other
        measures, not other looks at one.
    exact : bool
        Whether scores are fractions, for which an exact p may exist.

    Returns
    -------
    table : DataFrame
        One row per column: `score`, `first`, `second`, `n_first`, `n_second`, `difference` with its
        95 % interval `low`, `high`, `p` (exact where it could be counted, two-sided) and `p_holm` over the columns of its family.
    notes : tuple of str
        The test, and warnings.
    """
    two = paired(scores, *pair, names)
    with np.errstate(invalid="ignore"):
        if two.design == "within":
            gaps = two.first - two.second
            here = np.isfinite(gaps)
            test = sign_flip_test(gaps, n_resamples=n_resamples, seed=seed, exact=exact)
            difference, p = test.mean, test.p_best
            means = [_mean(np.where(here, part, np.nan)) for part in (two.first, two.second)]
            counts = [here.sum(axis=0)] * 2
            test_notes: tuple[str, ...] = ("p: sign flips of the participants' differences",)
        else:
            rows = np.concatenate([two.first, two.second])
            first = np.arange(len(rows)) < len(two.first)
            found = randomization_test(
                pd.DataFrame(rows, columns=list(labels)),
                first,
                n_resamples=n_resamples,
                seed=seed,
                joint=False,
                exact=exact,
            )
            difference, p = found.difference, found.p_best
            means = [_mean(part) for part in (two.first, two.second)]
            counts = [np.isfinite(part).sum(axis=0) for part in (two.first, two.second)]
            kept = (note for note in found.notes if "Holm over" not in note)  # of one family; columns are several
            test_notes = ("p: relabelling of participants", *kept)
    ends = _ends(two)
    table = pd.DataFrame(
        {
            "score": list(labels),
            "first": means[0],
            "second": means[1],
            "n_first": counts[0],
            "n_second": counts[1],
            "difference": difference,
            "low": ends[0],
            "high": ends[1],
            "p": p,
            "p_holm": _holm(p, families),
        }
    )
    said = f"difference is {names[0]} minus {names[1]}; {two.design} participants"
    return table, (said, *two.notes, *test_notes)


def _holm(p: Floats, families: Sequence[str] | None) -> Floats:
    if families is None:
        return p
    names, out = np.asarray(families), np.full(len(p), np.nan)
    for family in dict.fromkeys(families):
        out[names == family] = holm(p[names == family])
    return out


def _ends(two: Paired) -> Floats:
    """95 % interval of the difference, shape (2, columns); columns are other measures, so that none is pooled."""
    ends = np.full((2, two.first.shape[1]), np.nan)
    difference = within if two.design == "within" else between
    for column in range(two.first.shape[1]):
        a, b = two.first[:, [column]], two.second[:, [column]]
        if min(np.isfinite(a).sum(), np.isfinite(b).sum()) > 1:
            ends[:, column] = np.concatenate(limits(difference(a, b, None), 0.95))
    return ends


def _mean(values: Floats) -> Floats:
    here = np.isfinite(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(here, values, 0.0).sum(axis=0) / here.sum(axis=0))
