"""Scores of one's own are compared exactly as their means, negative and missing ones too."""

from itertools import combinations

import numpy as np
import pytest

from rapidvision.analysis.inference.permutation import randomization_test
from rapidvision.analysis.table.columns import score_columns
from rapidvision.errors import InputError


def every_relabelling(scores, n_first):
    """Difference of the groups' means for every choice of the first group."""
    for chosen in combinations(range(len(scores)), n_first):
        first = np.isin(np.arange(len(scores)), chosen)
        yield np.nanmean(scores[first]) - np.nanmean(scores[~first])


@pytest.mark.parametrize("missing", [False, True])
def test_p_of_negative_scores_is_that_of_every_relabelling(missing):
    rng = np.random.default_rng(5)
    scores = np.round(rng.normal(-0.4, 1, size=(12, 1)), 3)
    scores[:6] += 0.9
    if missing:
        scores[3] = np.nan
    first = np.arange(12) < 6
    found = randomization_test(score_columns(scores), first, n_resamples=200_000, seed=1, alternative="greater")
    observed = np.nanmean(scores[first]) - np.nanmean(scores[~first])
    assert found.difference[0] == pytest.approx(observed, abs=1e-12)
    every = np.array(list(every_relabelling(scores[:, 0], 6)))
    exact = np.mean(every >= observed - 1e-9)
    assert found.p[0] == pytest.approx(exact, abs=5 * np.sqrt(exact * (1 - exact) / 200_000) + 1e-5)


@pytest.mark.parametrize("score", [np.inf, 1e16])
def test_scores_that_lose_their_decimals_are_refused(score):
    with pytest.raises(InputError, match="with 3 decimals they must stay below 9.0072e\\+12"):
        score_columns(np.array([[score], [0.0]]))
