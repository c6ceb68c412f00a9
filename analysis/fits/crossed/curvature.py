"""Curvature of a likelihood with two crossed random factors, in blocks: factored, solved, and parts of its inverse.

The larger factor's curvature is block diagonal and is eliminated unit by unit; only the Schur complement of the smaller
factor is dense.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .factor import RandomFactor
from .one_thread import cholesky_and_inverse, product, times_vector

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Crossed:
    """A factored curvature; `small` keeps its Schur complement, `large` is eliminated.

    Attributes
    ----------
    small, large : RandomFactor
        The factors.
    inverse_blocks : ndarray, shape (large units, q, q)
        Inverse of the large factor's own blocks.
    carried : ndarray, shape (small coefficients, large units, q)
        The crossed block times these inverses.
    triangle : ndarray
        Inverse of the lower Cholesky factor of the Schur complement.
    log_determinant : float
        Of the whole curvature.
    """

    small: RandomFactor
    large: RandomFactor
    inverse_blocks: Floats
    carried: Floats
    triangle: Floats
    log_determinant: float

    def solve(self, small: Floats, large: Floats) -> tuple[Floats, Floats]:
        """Inverse curvature times a vector, whose two parts have the shape (units, q) of their factor."""
        flat = self.carried.reshape(self.small.size, -1)
        first = times_vector(self.triangle, small.ravel() - times_vector(flat, large.ravel()))
        first = times_vector(self.triangle.T, first)
        second = np.einsum("djk,dk->dj", self.inverse_blocks, large).ravel() - np.einsum("s,sd->d", first, flat)
        return first.reshape(self.small.n, self.small.q), second.reshape(self.large.n, self.large.q)

    def inverse_parts(self) -> tuple[Floats, Floats, Floats]:
        """Diagonal blocks of the inverse for both factors, and minus its crossed block.

        Returns
        -------
        small, large : ndarray, shape (units, q, q)
            Covariances of every unit's coefficients.
        crossed : ndarray, shape (small units, q, large units, q)
            Minus the covariances between them.
        """
        s, d = self.small, self.large
        inverse = product(self.triangle.T, self.triangle)
        crossed = product(inverse, self.carried.reshape(s.size, -1)).reshape(s.size, d.n, d.q)
        large = self.inverse_blocks.copy()
        for j in range(d.q):
            for k in range(d.q):
                large[:, j, k] += np.einsum("sd,sd->d", self.carried[:, :, j], crossed[:, :, k])
        units = np.arange(s.n)
        own = inverse.reshape(s.n, s.q, s.n, s.q)[units, :, units, :]
        return own, large, crossed.reshape(s.n, s.q, d.n, d.q)


def factored(small: RandomFactor, large: RandomFactor, cell: "NDArray[np.int64]", weight: Floats,
             z_small: Floats, z_large: Floats) -> Crossed:  # fmt: skip
    """Factor the curvature of all coefficients.

    Parameters
    ----------
    small, large : RandomFactor
        The factor with fewer and with more coefficients.
    cell : ndarray of int64, shape (n,)
        Small unit × number of large units + large unit, per answer.
    weight : ndarray, shape (n,)
        Curvature of each answer in its linear predictor.
    z_small, z_large : ndarray, shape (n, q)
        Columns of each factor, scaled by its triangle.

    Raises
    ------
    numpy.linalg.LinAlgError
        When the curvature is not positive definite, as it may be far from the mode.
    """
    blocks = large.own_blocks(weight, z_large)
    own = small.own_blocks(weight, z_small)
    by_unit = np.empty((small.n, small.q, large.n, large.q))
    for j in range(small.q):
        weighted = weight * z_small[:, j]
        for k in range(large.q):
            total = np.bincount(cell, weighted * z_large[:, k], small.n * large.n)
            by_unit[:, j, :, k] = total.reshape(small.n, large.n)
    triangles = np.linalg.cholesky(blocks)
    inverse = np.asarray(np.linalg.inv(blocks), dtype=np.float64)
    crossed = by_unit.reshape(small.size, large.n, large.q)
    carried = np.empty_like(crossed)
    for k in range(large.q):  # column by column: faster than einsum for blocks this small
        carried[:, :, k] = crossed[:, :, 0] * inverse[:, 0, k]
        for j in range(1, large.q):
            carried[:, :, k] += crossed[:, :, j] * inverse[:, j, k]
    schur = -product(carried.reshape(small.size, -1), crossed.reshape(small.size, -1).T)
    whole = schur.reshape(small.n, small.q, small.n, small.q)
    units = np.arange(small.n)
    whole[units, :, units, :] += own
    factor, triangle = cholesky_and_inverse(schur)
    diagonal = np.log(np.diagonal(triangles, axis1=1, axis2=2)).sum() + np.log(np.diagonal(factor)).sum()
    return Crossed(small, large, inverse, carried, triangle, float(2 * diagonal))
