"""One test of a certificate: AUC, interval and permutation p of what features, or evidence, tell of the category."""

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from rapidvision.certificate.record import CanvasTest
from rapidvision.errors import InputError
from rapidvision.numerics.ranks import doubled_ranks
from rapidvision.seeds import key64, stream

from .pairs import MOST_PAIRED, N_FOLDS, fold_auc, hat_matrix, pair_auc

#: Effective degrees of freedom of the classifier, and images per degree where there are few.
FREEDOM, IMAGES_PER_FREEDOM = 8.0, 5.0
N_PERMUTATIONS = 999
#: Fewer images of a kind are not tested: no result could be flagged.
FEWEST = 4


def canvas_test(
    features: NDArray[np.float64],
    targets: Sequence[bool],
    *,
    seed: int,
    shown: str = "canvas",
    name: str = "numbers",
    image_ids: Sequence[str] = (),
    n_permutations: int = N_PERMUTATIONS,
) -> CanvasTest:
    """Test what features of images tell of their category.

    Parameters
    ----------
    features : ndarray of float64, shape (n, n_features)
        One row per image.
    targets : sequence of bool
        Which images are targets.
    seed : int
        Of the permutations.
    shown, name : str
        What the images show, and what the features are.
    image_ids : sequence of str
        Decide the folds of sets above 200 images; row numbers stand for them unless given.
    n_permutations : int
        Shuffles of the labels.

    Returns
    -------
    CanvasTest
        One-sided p, and the interval on the logit scale whose standard error is that under shuffled labels, scaled by
        2 sqrt(AUC (1 - AUC)).

    Raises
    ------
    InputError
        When there are fewer than four images of a kind, or features and targets differ in number.

    Examples
    --------
    >>> rng = np.random.default_rng(2)
    >>> targets = np.arange(40) % 2 == 0
    >>> leaky = rng.normal(size=(40, 5)) + 2 * targets[:, None]
    >>> canvas_test(leaky, targets, seed=1, n_permutations=199).flagged
    True
    """
    x, target = np.asarray(features, np.float64), np.asarray(targets, bool)
    if x.ndim != 2 or len(x) != target.size:
        raise InputError(
            f"canvas test: features of shape {x.shape} for {target.size} images; one row per image is needed"
        )
    untold = _untold(target, shown, name)
    n = target.size
    hat = hat_matrix(x, min(FREEDOM, n / IMAGES_PER_FREEDOM))
    if hat is None:
        return untold
    columns = _columns(target, seed, shown, name, n_permutations)
    if n <= MOST_PAIRED:
        return _found(untold, pair_auc(hat, columns))
    names = image_ids or [str(number) for number in range(n)]
    folds = np.empty(n, np.int64)
    by_lot = sorted(range(n), key=lambda number: key64(seed, "fold", names[number]))
    folds[by_lot] = np.arange(n) % max(N_FOLDS, n // 100)
    return _found(untold, fold_auc(hat, columns, folds))


def evidence_test(
    evidence: Sequence[float],
    targets: Sequence[bool],
    *,
    seed: int,
    shown: str = "canvas",
    name: str,
    n_permutations: int = N_PERMUTATIONS,
) -> CanvasTest:
    """Test what the evidence of an observer that was not trained on the images tells of their category.

    Parameters
    ----------
    evidence : sequence of float
        Larger for targets, one number per image.
    targets : sequence of bool
        Which images are targets.
    seed : int
        Of the permutations.
    shown, name : str
        What the images show, and whose evidence it is.
    n_permutations : int
        Shuffles of the labels.

    Returns
    -------
    CanvasTest
        Its AUC does not depend on where the observer divides targets from distractors, as accuracy does.

    Raises
    ------
    InputError
        When there are fewer than four images of a kind, or evidence and targets differ in number.

    Examples
    --------
    >>> targets = np.arange(40) % 2 == 0
    >>> evidence_test(targets + np.linspace(0, 0.5, 40), targets, seed=1, name="net", n_permutations=199).auc
    1.0
    """
    values, target = np.asarray(evidence, np.float64), np.asarray(targets, bool)
    if values.shape != target.shape:
        raise InputError(
            f"canvas test: evidence of shape {values.shape} for {target.size} images; one number each is needed"
        )
    untold = _untold(target, shown, f"evidence of {name}")
    if np.ptp(values) == 0:
        return untold
    ranks = doubled_ranks(values[None])[0].astype(np.float64) / 2
    kinds = _columns(target, seed, shown, f"evidence of {name}", n_permutations) > 0
    n_targets = untold.n_targets
    sums = (ranks[:, None] * kinds).sum(axis=0)
    return _found(untold, (sums - n_targets * (n_targets + 1) / 2) / (n_targets * untold.n_distractors))


def _untold(target: NDArray[np.bool_], shown: str, name: str) -> CanvasTest:
    """The result of features that do not vary."""
    n_targets = int(target.sum())
    if min(n_targets, target.size - n_targets) < FEWEST:
        raise InputError(
            f"canvas test: got {n_targets} targets and {target.size - n_targets} distractors; {FEWEST} of each are needed"
        )
    return CanvasTest(
        shown=shown,
        features=name,
        n_targets=n_targets,
        n_distractors=target.size - n_targets,
        auc=0.5,
        low=0.5,
        high=0.5,
        p=1.0,
        p_below=1.0,
        null_sd=0.0,
        n_permutations=0,
    )


def _columns(target: NDArray[np.bool_], seed: int, shown: str, name: str, n_permutations: int) -> NDArray[np.float64]:
    """The labels, -1 and 1, and as many shuffles of them; shape (n, 1 + n_permutations)."""
    rng = stream(seed, "certificate", shown, name)
    labels = np.where(target, 1.0, -1.0)
    return np.stack([labels, *(rng.permutation(labels) for _ in range(n_permutations))], axis=1)


def _found(untold: CanvasTest, aucs: NDArray[np.float64]) -> CanvasTest:
    """The result from the AUC of the labels and those of their shuffles."""
    auc, null = float(aucs[0]), aucs[1:]
    inside = min(max(auc, 1e-3), 1 - 1e-3)
    step = 1.96 * 2 * float(null.std()) / np.sqrt(inside * (1 - inside))
    odds = np.log(inside / (1 - inside))
    low, high = (float(1 / (1 + np.exp(-(odds + one)))) for one in (-step, step))
    return msgspec.structs.replace(
        untold,
        auc=round(auc, 6),
        low=round(low, 6),
        high=round(high, 6),
        p=round(float((np.sum(null >= auc - 1e-9) + 1) / (null.size + 1)), 6),
        p_below=round(float((np.sum(null <= auc + 1e-9) + 1) / (null.size + 1)), 6),
        null_sd=round(float(null.std()), 6),
        n_permutations=null.size,
    )
