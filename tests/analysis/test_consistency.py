"""Error consistency, against statsmodels and on real observers."""

import itertools

import numpy as np
import pytest

from rapidvision.analysis.models.consistency import error_consistency
from rapidvision.analysis.table.imports import import_trials


def cohen(a, b):
    from statsmodels.stats.inter_rater import cohens_kappa

    table = np.zeros((2, 2))
    np.add.at(table, (np.asarray(a, int), np.asarray(b, int)), 1)
    return cohens_kappa(table, return_results=False)


def test_kappa_is_cohens(seed):
    rng = np.random.default_rng(seed)
    for share in (0.55, 0.8, 0.97):
        a = rng.random(400) < share
        b = np.where(rng.random(400) < 0.3, a, rng.random(400) < share)
        found = error_consistency(a, b, seed=seed)
        assert found.kappa == pytest.approx(cohen(a, b), abs=1e-12)
        assert found.interval[0] < found.kappa < found.interval[1]


@pytest.mark.parametrize("share", [True, False])
def test_observers_who_always_agree_have_kappa_one(share):
    # Geirhos et al.'s benchmark: where the observed consistency is 1, so is kappa.
    found = error_consistency([share] * 30, [share] * 30, seed=1)
    assert (found.observed, found.expected, found.kappa, found.interval) == (1, 1, 1, (1, 1))
    one_apart = error_consistency([True] * 30, [True] * 29 + [False], seed=1)
    assert one_apart.kappa == 0
    assert np.isfinite(one_apart.interval).all()


def right_answers(folder):
    frame = import_trials("mvh", sorted(folder.glob("*.csv"))).frame
    frame = frame.assign(right=frame["correct"] == True)  # noqa: E712 (None is neither)
    return frame.pivot_table(
        index=["level_index", "image_id"], columns="participant_id", values="right", aggfunc="first"
    )


@pytest.mark.data
@pytest.mark.parametrize(
    ("experiment", "low", "high", "n"), [("contrast", 0.312, 0.409, 1280), ("phase-scrambling", 0.270, 0.338, 1120)]
)
def test_real_observers_err_together(data_folder, experiment, low, high, n):
    right = right_answers(data_folder / "model_vs_human" / experiment)
    pairs = list(itertools.combinations(right.columns, 2))
    kappas = [error_consistency(right[a], right[b], n_bootstrap=10).kappa for a, b in pairs]
    assert len(right) == n
    assert min(kappas) == pytest.approx(low, abs=5e-4)
    assert max(kappas) == pytest.approx(high, abs=6e-4)
    for _, rows in right.groupby("level_index"):
        for a, b in pairs:
            ours, both = error_consistency(rows[a], rows[b], n_bootstrap=1).kappa, (rows[a] == rows[b]).all()
            assert ours == (1 if both else pytest.approx(cohen(rows[a], rows[b]), abs=1e-12))
