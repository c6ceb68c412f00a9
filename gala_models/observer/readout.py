"""Readouts: from a network's class scores to signed evidence for "target"."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import log

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rapidvision.errors import CheckFailed, InputError, did_you_mean

from ..answers.class_lists import EIGHT, N_IMAGENET, N_IMAGENET_ANIMALS
from ..registries import READOUTS
from ..weights.card import Category

_N_TARGET_CATEGORIES = 4


@dataclass(frozen=True, slots=True)
class Readout:
    """How class scores become evidence.

    Attributes
    ----------
    name : str
        Written beside the results.
    n_classes : int
        Outputs that the network must have.
    evidence : callable
        Scores (n, n_classes) → log odds of "target" (n,); positive means target.
    refusal : str
        Why there is no evidence and what to do, where the classes do not say what a target is; empty otherwise.
    """

    name: str
    n_classes: int
    evidence: Callable[[Tensor], Tensor]
    refusal: str = ""

    def check(self, n_outputs: int, *, network: str) -> None:
        """Refuse a network with another number of outputs, or without targets, before any image is shown."""
        if self.refusal:
            raise InputError(f"{network}: {self.refusal}")
        if n_outputs != self.n_classes:
            raise InputError(
                f"{network}: has {n_outputs} outputs, the readout {self.name} needs {self.n_classes}; "
                "choose another readout"
            )


def finite_evidence(readout: Readout, scores: Tensor, *, network: str) -> NDArray[np.float64]:
    """Return the evidence of class scores (n, classes), shape (n,).

    Raises
    ------
    CheckFailed
        When some of it is not finite.

    Examples
    --------
    >>> finite_evidence(binary(), torch.tensor([[0.0, 2.0]]), network="mine").tolist()
    [2.0]
    """
    evidence = np.asarray(readout.evidence(scores).double().numpy())
    n_bad = int(np.count_nonzero(~np.isfinite(evidence)))
    if n_bad:
        raise CheckFailed(f"{network}: {n_bad} of {len(evidence)} stimuli give evidence that is not finite")
    return evidence


def log_odds(scores: Tensor, targets: Sequence[int], others: Sequence[int], *, correction: float = 0.0) -> Tensor:
    """Return log(Σ p(target classes) / Σ p(other classes)) - `correction`; shape (n,).

    Examples
    --------
    >>> log_odds(torch.tensor([[1.0, 0.0, 0.0]]), [0], [1, 2]).round(decimals=4).tolist()
    [0.3069]
    """
    scores = scores.double()
    return scores[:, list(targets)].logsumexp(1) - scores[:, list(others)].logsumexp(1) - correction


def of_categories(categories: Sequence[Category]) -> Readout:
    """Readout of a network that was trained on the task's own categories.

    Where all of them are targets, or none is, as after training on class folders, the readout refuses to be asked.
    """
    targets = [index for index, category in enumerate(categories) if category.target]
    others = [index for index, category in enumerate(categories) if not category.target]
    if not targets or not others:
        names = ", ".join(category.name for category in categories[:8]) + (", …" if len(categories) > 8 else "")
        refusal = (
            f"its {len(categories)} classes ({names}) are all {'targets' if targets else 'distractors'}, because what it was "
            "trained on does not say which are targets; name the target classes with --target-classes, or choose a --readout "
            f"({', '.join(READOUTS)})"
        )
        return Readout("categories", len(categories), lambda scores: log_odds(scores, targets, others), refusal)
    return Readout("categories", len(categories), lambda scores: log_odds(scores, targets, others))


def with_targets(categories: Sequence[Category], names: Sequence[str]) -> tuple[Category, ...]:
    """Return the categories with those of `names` as targets and all others as distractors.

    Raises
    ------
    InputError
        When a name is no category.

    Examples
    --------
    >>> with_targets([Category(name="cat", target=False), Category(name="table", target=False)], ["cat"])[0].target
    True
    """
    known = [category.name for category in categories]
    for name in names:
        if name not in known:
            raise InputError(f'targets: no class "{name}". {did_you_mean(name, known)}')
    return tuple(Category(name=name, target=name in names) for name in known)


def imagenet_animal(*, corrected: bool = True) -> Readout:
    """Readout of an ImageNet network: animal classes against the others.

    Parameters
    ----------
    corrected : bool, default True
        Take out the log odds of 398 against 602 classes, so that a flat answer is neither.
    """
    animals, others = range(N_IMAGENET_ANIMALS), range(N_IMAGENET_ANIMALS, N_IMAGENET)
    correction = log(len(animals) / len(others)) if corrected else 0.0
    name = "imagenet-animal" if corrected else "imagenet-animal-uncorrected"
    return Readout(name, N_IMAGENET, lambda scores: log_odds(scores, animals, others, correction=correction))


def imagenet_categories() -> Readout:
    """Readout of an ImageNet network: the best of the paper's four target against the best of its four other categories.

    A category's evidence is the log mean probability of its classes, so that many classes are no advantage.
    """
    groups = list(EIGHT.values())

    def evidence(scores: Tensor) -> Tensor:
        scores = scores.double().log_softmax(1)
        means = torch.stack([scores[:, list(group)].logsumexp(1) - log(len(group)) for group in groups], 1)
        targets, others = means[:, :_N_TARGET_CATEGORIES], means[:, _N_TARGET_CATEGORIES:]
        return targets.logsumexp(1) - others.logsumexp(1)

    return Readout("imagenet-categories", N_IMAGENET, evidence)


def binary() -> Readout:
    """Readout of a network with two outputs: distractor, target."""
    return Readout("binary", 2, lambda scores: log_odds(scores, [1], [0]))


def imagenet_animal_uncorrected() -> Readout:
    """Readout of an ImageNet network that leaves the unequal numbers of classes in its log odds."""
    return imagenet_animal(corrected=False)


def named(name: str) -> Readout:
    """Return a readout by its name.

    Examples
    --------
    >>> named("binary").evidence(torch.tensor([[0.0, 2.0]])).tolist()
    [2.0]
    """
    found: Readout = READOUTS.get(name)()
    return found
