"""Scores to options: the mean probability of an option's classes, and confidence from the strength of the evidence."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rapidvision.task.questions import Question

Floats = NDArray[np.float64]


def option_probabilities(scores: Tensor, options: Sequence[Sequence[int]]) -> Floats:
    """Return the mean probability of each option's classes.

    The rule of model-vs-human (`decision_mappings.py`): softmax over all classes, then the mean, not the sum, over the
    classes of a category, so that many classes are no advantage.

    Parameters
    ----------
    scores : Tensor, shape (n, n_classes)
        Class scores before the softmax.
    options : sequence of sequence of int
        Indices of each option's classes.

    Returns
    -------
    ndarray of float64, shape (n, n_options)
        They need not sum to 1.

    Examples
    --------
    >>> option_probabilities(torch.zeros(1, 4), [[0], [1, 2]]).tolist()
    [[0.25, 0.25]]
    """
    shares = scores.double().softmax(1)
    return torch.stack([shares[:, list(classes)].mean(1) for classes in options], 1).numpy()


def chosen(probabilities: Floats, names: Sequence[str]) -> NDArray[np.int64]:
    """Return the index of the most probable option; of equal ones the last in alphabetical order.

    That is what the published code does: it sorts the categories by name, sorts the probabilities upwards, keeping
    equals in their order, and takes the last.

    Parameters
    ----------
    probabilities : ndarray, shape (n, n_options)
        From :func:`option_probabilities`.
    names : sequence of str
        Names of the options, which decide ties.

    Returns
    -------
    ndarray of int, shape (n,)
        Into `names`.

    Examples
    --------
    >>> chosen(np.array([[0.2, 0.5, 0.3], [0.4, 0.2, 0.4]]), ["b", "a", "c"]).tolist()
    [1, 2]
    """
    alphabetical = np.array(sorted(range(len(names)), key=lambda index: names[index]))
    upwards = np.argsort(probabilities[:, alphabetical], axis=1, kind="stable")
    return np.asarray(alphabetical[upwards[:, -1]], np.int64)


def drawn(probabilities: Floats, logistic: float) -> int:
    """Return an option drawn with its share of the probability, by a standard logistic number.

    Parameters
    ----------
    probabilities : ndarray, shape (n_options,)
        Of one stimulus.
    logistic : float
        From a standard logistic distribution; its distribution function makes it uniform.

    Examples
    --------
    >>> drawn(np.array([1.0, 0.0]), 3.0), drawn(np.array([1.0, 1.0]), 3.0)
    (0, 1)
    """
    uniform = 1 / (1 + np.exp(-logistic))
    upto = np.cumsum(probabilities) / probabilities.sum()
    return int(min(np.searchsorted(upto, uniform, side="right"), len(probabilities) - 1))


def ranks(strength: Floats) -> Floats:
    """Return the share of stimuli with less evidence than each, half of the equals counted; 0 to 1.

    Examples
    --------
    >>> ranks(np.array([3.0, 1.0, 1.0, 9.0])).tolist()
    [0.625, 0.25, 0.25, 0.875]
    """
    ordered = np.sort(strength)
    below, upto = (np.searchsorted(ordered, strength, side=side) for side in ("left", "right"))
    return np.asarray((below + upto) / (2 * len(strength)))


def confidence_answer(question: Question, share: float) -> str | float:
    """Return the answer to a question of confidence, given the share of stimuli with less evidence.

    A rating divides the stimuli into equal parts, a number spreads them evenly over its range. Scores have no scale of
    their own: a factor in front of them changes every probability and no order, so only the order is used.

    Parameters
    ----------
    question : Question
        A rating, a choice or a number.
    share : float
        0 to 1, from :func:`ranks`.

    Examples
    --------
    >>> rating = Question(name="confidence", kind="rating", options=("1", "2", "3", "4"))
    >>> confidence_answer(rating, 0.6), confidence_answer(rating, 1.0)
    ('3', '4')
    """
    if question.range is not None:
        low, high = question.range
        return low + (high - low) * share
    n = len(question.options)
    return question.options[min(n - 1, int(share * n))]
