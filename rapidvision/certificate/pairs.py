"""Leave-pair-out ridge in closed form: the share of pairs of a target and a distractor in the right order.

Every pair is predicted by a classifier that has seen neither. Unlike the pooled scores of leave-one-out this AUC is not
pushed below .5 where there is nothing to find (Airola et al. 2011, Computational Statistics & Data Analysis 55:1828).
The penalty follows from the features alone, so nothing is tuned and the permutation test is exact.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

#: Above so many images, folds take the place of pairs.
MOST_PAIRED = 200
#: Folds; the AUC is counted within each.
N_FOLDS = 10
#: Pairs times columns of labels that are worked on at once.
_AT_ONCE = 2_000_000


def standardised(features: Array) -> Array:
    """Return features with mean 0 and standard deviation 1; those that do not vary are left out.

    Parameters
    ----------
    features : ndarray of float64, shape (n, n_features)
        One row per image.
    """
    spread = features.std(axis=0)
    kept = spread > 1e-9 * np.maximum(1, np.abs(features).max(axis=0))
    return np.asarray((features[:, kept] - features[:, kept].mean(axis=0)) / spread[kept])


def hat_matrix(features: Array, freedom: float) -> Array | None:
    """Return the matrix that turns labels into fitted values, of a ridge with an intercept.

    Parameters
    ----------
    features : ndarray of float64, shape (n, n_features)
        One row per image.
    freedom : float
        Effective degrees of freedom, the intercept not counted; decides the penalty.

    Returns
    -------
    ndarray of float64, shape (n, n), or None
        None where no feature varies.

    Examples
    --------
    >>> x = np.random.default_rng(1).normal(size=(30, 12))
    >>> round(float(np.trace(hat_matrix(x, 4))), 6)
    5.0
    """
    z = standardised(features)
    if z.shape[1] == 0:
        return None
    u, s, _ = np.linalg.svd(z, full_matrices=False)
    squares = s[s > 1e-9 * s[0]] ** 2
    u = u[:, : squares.size]
    low, high = 1e-9 * squares[-1], 1e9 * squares[0]
    for _ in range(200):
        middle = np.sqrt(low * high)
        wide = (squares / (squares + middle)).sum() > min(freedom, 0.999 * squares.size)
        low, high = (middle, high) if wide else (low, middle)
    return np.asarray((u * (squares / (squares + np.sqrt(low * high)))) @ u.T + 1 / len(features))


def pair_auc(hat: Array, labels: Array) -> Array:
    """Return the leave-pair-out AUC of every column of labels.

    With the pair S left out the predictions are y_S - (I - H_SS)^-1 (y - H y)_S.

    Parameters
    ----------
    hat : ndarray of float64, shape (n, n)
        From :func:`hat_matrix`.
    labels : ndarray of float64, shape (n, n_columns)
        -1 and 1, as many of 1 in every column.

    Returns
    -------
    ndarray of float64, shape (n_columns,)
        0 … 1.
    """
    i, j = np.triu_indices(len(hat), 1)
    d = np.diag(hat)
    own, other, shared = (1 - d)[i][:, None], (1 - d)[j][:, None], -hat[i, j][:, None]
    determinant = own * other - shared**2
    columns = max(1, _AT_ONCE // i.size)
    out = []
    for start in range(0, labels.shape[1], columns):
        some = labels[:, start : start + columns]
        residual = some - hat @ some
        first = (other * residual[i] - shared * residual[j]) / determinant
        second = (own * residual[j] - shared * residual[i]) / determinant
        apart = (some[i] - first - some[j] + second) * np.sign(some[i] - some[j])
        differ = some[i] != some[j]
        wins = np.where(differ, (apart > 0) + 0.5 * (apart == 0), 0.0)
        out.append(wins.sum(axis=0) / differ.sum(axis=0))
    return np.concatenate(out)


def fold_auc(hat: Array, labels: Array, folds: NDArray[np.int64]) -> Array:
    """Return the AUC of pairs within folds, each predicted by a classifier that has seen nothing of its fold.

    Parameters
    ----------
    hat, labels
        As for :func:`pair_auc`.
    folds : ndarray of int64, shape (n,)
        The fold of each image; drawn without a look at the labels.

    Returns
    -------
    ndarray of float64, shape (n_columns,)
        0 … 1.
    """
    residual = labels - hat @ labels
    wins, pairs = np.zeros(labels.shape[1]), np.zeros(labels.shape[1])
    for fold in np.unique(folds):
        inside = np.flatnonzero(folds == fold)
        left = np.eye(inside.size) - hat[np.ix_(inside, inside)]
        predicted = labels[inside] - np.linalg.solve(left, residual[inside])
        for a in range(inside.size):
            differ = labels[inside[a]] > labels[inside]
            apart = predicted[a] - predicted
            wins += np.where(differ, (apart > 0) + 0.5 * (apart == 0), 0.0).sum(axis=0)
            pairs += differ.sum(axis=0)
    return np.asarray(wins / np.maximum(pairs, 1))
