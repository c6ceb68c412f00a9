"""What a mixed model refuses: answers and regressors that cannot be fitted, and fits that would not end."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rapidvision.errors import InputError

from .factor import RandomFactor

Floats = NDArray[np.float64]
#: Bytes of the crossed block of a fit; three of this size are held.
_MOST_BYTES = 4e8
#: Coefficients of the smaller factor: its Schur complement is dense.
MOST_DENSE = 3000


def checked(y: ArrayLike, X: ArrayLike, guess: float) -> tuple["NDArray[np.bool_]", Floats]:
    """Which answers are correct, and the regressors.

    Raises
    ------
    InputError
        When they cannot be fitted.
    """
    answers, design = np.asarray(y, dtype=float), np.atleast_2d(np.asarray(X, dtype=float))
    if not 0 <= guess < 1:
        raise InputError(f"mixed model: guess rate {guess:g}, allowed is a share from 0 to below 1")
    if design.shape[0] != len(answers):
        raise InputError(f"mixed model: {len(answers)} answers, {design.shape[0]} rows of X")
    if not np.isin(answers, (0, 1)).all():
        raise InputError("mixed model: answers must be 0 or 1; leave out trials without an answer")
    if answers.min() == answers.max():
        raise InputError("mixed model: all answers are equal; there is nothing to explain")
    if np.linalg.matrix_rank(design) < design.shape[1]:
        raise InputError("mixed model: columns of X depend on each other; leave one out")
    return answers > 0, design


def too_large(participants: int, q_participant: int, images: int, q_image: int) -> bool:
    """Whether a fit with so many units and coefficients of each would need too much memory or time."""
    sizes = participants * q_participant, images * q_image
    return min(sizes) > MOST_DENSE or 8.0 * sizes[0] * sizes[1] > _MOST_BYTES


def small_enough(participant: RandomFactor, image: RandomFactor) -> None:
    """Refuse two factors whose coefficients leave too large a matrix.

    Raises
    ------
    InputError
        With the sizes.
    """
    if too_large(participant.n, participant.q, image.n, image.q):
        raise InputError(
            f"mixed model: {participant.n} participants x {participant.q} and {image.n} images x {image.q} random "
            f"coefficients leave a dense matrix of {min(participant.size, image.size):,} rows and a crossed block of "
            f"{8e-9 * participant.size * image.size:.1f} GB; allowed are {MOST_DENSE:,} rows and {_MOST_BYTES / 1e9:g} GB. Use fewer random "
            "slopes (--random intercepts), or fit a random sample of the participants"
        )
