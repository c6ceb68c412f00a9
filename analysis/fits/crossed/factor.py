"""A random factor: units (participants, images) whose coefficients are normal with a covariance that is estimated."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


class RandomFactor:
    """Units and the columns whose coefficients differ between them.

    Parameters
    ----------
    units : array_like, shape (n,)
        The unit of each answer.
    columns : array_like, shape (n,) or (n, q)
        Design of the random coefficients; a column of ones is the intercept.
    names : sequence of str
        Of the columns.
    correlated : bool
        Whether coefficients of a unit correlate.

    Attributes
    ----------
    index : ndarray of int64, shape (n,)
        Units by number.
    n, q : int
        Units, and coefficients of each.
    free : list of (int, int)
        Estimated entries of the lower triangle, column by column.
    """

    def __init__(
        self, units: ArrayLike, columns: ArrayLike, names: tuple[str, ...], *, correlated: bool = True
    ) -> None:
        labels, index = np.unique(np.asarray(units), return_inverse=True)
        self.index: NDArray[np.int64] = np.asarray(index, dtype=np.int64).ravel()
        self.columns: Floats = np.asarray(columns, dtype=float).reshape(len(self.index), -1)
        self.names = names
        self.n, self.q = len(labels), self.columns.shape[1]
        self.free = [(j, k) for k in range(self.q) for j in range(k, self.q) if correlated or j == k]

    @property
    def size(self) -> int:
        """How many coefficients all units have together."""
        return self.n * self.q

    def triangle(self, values: Floats) -> Floats:
        """Lower triangle L, the units' covariance being L L', shape (q, q)."""
        found = np.zeros((self.q, self.q))
        for value, place in zip(values, self.free, strict=True):
            found[place] = value
        return found

    def sums(self, values: Floats) -> Floats:
        """Sum of each column of `values` (n answers, m) over the answers of every unit, shape (units, m)."""
        return np.stack([np.bincount(self.index, column, self.n) for column in values.T], axis=1)

    def own_blocks(self, weight: Floats, scaled: Floats) -> Floats:
        """Curvature of each unit's coefficients, the unit matrix of their prior included, shape (units, q, q)."""
        blocks = np.empty((self.n, self.q, self.q))
        for j in range(self.q):
            for k in range(j + 1):
                total = np.bincount(self.index, weight * scaled[:, j] * scaled[:, k], self.n)
                blocks[:, j, k] = blocks[:, k, j] = total + (j == k)
        return blocks
