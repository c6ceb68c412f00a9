"""Products and Cholesky factors in pieces so small that BLAS computes each with one thread.

A fit has thousands of them, and waiting for a thread on a busy machine costs many times the product. The results do not
depend on the number of threads either.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
#: Multiplications of a piece (OpenBLAS starts other threads from 2**18 on).
_MOST_MULTIPLICATIONS = 1 << 17
#: Matrices up to this size are factored at once.
_SMALL = 32


def product(a: Floats, b: Floats) -> Floats:
    """`a @ b`, in pieces.

    Examples
    --------
    >>> product(np.eye(3), np.arange(6.0).reshape(3, 2))
    array([[0., 1.],
           [2., 3.],
           [4., 5.]])
    """
    rows, inner, columns = a.shape[0], a.shape[1], b.shape[1]
    if rows * inner * columns <= _MOST_MULTIPLICATIONS:
        return np.asarray(a @ b)
    if inner > 2048:  # a long inner side: pieces of it are summed
        total = product(a[:, :1024], b[:1024])
        for start in range(1024, inner, 1024):
            total += product(a[:, start : start + 1024], b[start : start + 1024])
        return total
    found = np.empty((rows, columns))
    side = max(1, int((_MOST_MULTIPLICATIONS / inner) ** 0.5))
    height = side if columns >= side else max(1, _MOST_MULTIPLICATIONS // (inner * columns))
    width = max(1, min(columns, _MOST_MULTIPLICATIONS // (inner * min(height, rows))))
    for top in range(0, rows, height):
        for left in range(0, columns, width):
            found[top : top + height, left : left + width] = a[top : top + height] @ b[:, left : left + width]
    return found


def times_vector(a: Floats, x: Floats) -> Floats:
    """`a @ x` for a vector."""
    return np.asarray(np.einsum("ij,j->i", a, x))


def cholesky_and_inverse(a: Floats) -> tuple[Floats, Floats]:
    """Lower Cholesky factor of a matrix, and the inverse of the factor.

    Parameters
    ----------
    a : ndarray, shape (n, n)
        Symmetric; the lower triangle is read.

    Raises
    ------
    numpy.linalg.LinAlgError
        When it is not positive definite.

    Examples
    --------
    >>> a = np.eye(50) + np.ones((50, 50))
    >>> factor, inverse = cholesky_and_inverse(a)
    >>> bool(np.allclose(factor @ factor.T, a)), bool(np.allclose(inverse @ factor, np.eye(50)))
    (True, True)
    """
    n = len(a)
    if n <= _SMALL:
        factor = np.asarray(np.linalg.cholesky(a), dtype=np.float64)
        return factor, np.asarray(np.tril(np.linalg.inv(factor)), dtype=np.float64)
    half = n // 2
    first, first_inverse = cholesky_and_inverse(a[:half, :half])
    below = product(a[half:, :half], first_inverse.T)
    second, second_inverse = cholesky_and_inverse(a[half:, half:] - product(below, below.T))
    factor, inverse = np.zeros((n, n)), np.zeros((n, n))
    factor[:half, :half], factor[half:, :half], factor[half:, half:] = first, below, second
    inverse[:half, :half], inverse[half:, half:] = first_inverse, second_inverse
    inverse[half:, :half] = -product(second_inverse, product(below, first_inverse))
    return factor, inverse
