"""Adaptive rules as pure functions of the answers so far: no generator, nothing that a journal could not rebuild.

QUEST+ (Watson, 2017, Journal of Vision 17(3):10) keeps a posterior over threshold, slope and lapse rate on a grid and
asks the value with the least expected entropy. The staircase is the transformed up-down rule (Levitt, 1971). A track is
never changed: :meth:`after` returns the next one, so that a server can look at both outcomes of a trial in advance.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .adaptive import Adaptive, Grid, Staircase
from .trial import Choice, Trial

#: Expected entropies closer than this are a tie, and the first value wins: between machines sums differ by less.
TIE_BITS = 1e-9

Floats = NDArray[np.float64]


class Track(Protocol):
    """The answers of one track so far, and what they lead to."""

    def choose(self) -> int:
        """Return the index of the value to show next."""
        ...

    def after(self, index: int, right: bool) -> "Track":
        """Return the track after a trial with the value of that index."""
        ...


def grid_values(grid: Grid) -> Floats:
    """Return the values of a parameter's grid.

    Examples
    --------
    >>> grid_values(Grid(first=1, last=100, steps=3, log=True)).tolist()
    [1.0, 10.0, 100.0]
    """
    if grid.steps == 1:
        return np.array([grid.first])
    return np.asarray((np.geomspace if grid.log else np.linspace)(grid.first, grid.last, grid.steps))


@dataclass(frozen=True, slots=True, eq=False)
class QuestTrack:
    """QUEST+ with a Weibull function of log10 of the value.

    Attributes
    ----------
    likelihood : array, (2, values, thresholds, slopes, lapses)
        Probability of a wrong and of a right answer.
    posterior : array, (thresholds, slopes, lapses)
        After the answers so far; its sum is 1.

    Examples
    --------
    >>> track = QuestTrack.begin(Adaptive(), [0.01, 0.03, 0.1, 0.3, 1.0], guess=0.5)
    >>> track.choose(), track.after(2, right=True).choose(), track.after(2, right=False).choose()
    (2, 2, 3)
    """

    likelihood: Floats
    posterior: Floats

    @classmethod
    def begin(cls, rule: Adaptive, values: Sequence[float], guess: float) -> "QuestTrack":
        """Return a track without answers: every combination of the parameters is equally likely.

        Parameters
        ----------
        rule : Adaptive
            Its grids.
        values : sequence of float
            What can be shown, > 0.
        guess : float
            Share of correct guesses, 0 to 1.
        """
        x = np.log10(np.asarray(values, float))[:, None, None, None]
        threshold = np.log10(grid_values(rule.quest.threshold))[:, None, None]
        slope, lapse = grid_values(rule.quest.slope)[:, None], grid_values(rule.quest.lapse)
        right = 1 - lapse - (1 - guess - lapse) * np.exp(-(10 ** (slope * (x - threshold))))
        shape = right.shape[1:]
        return cls(np.stack([1 - right, right]), np.full(shape, 1 / np.prod(shape)))

    def after(self, index: int, right: bool) -> "QuestTrack":
        """Return the track after a trial with the value of that index."""
        posterior = self.posterior * self.likelihood[int(right), index]
        return replace(self, posterior=posterior / posterior.sum())

    def expected_bits(self) -> Floats:
        """Return, for each value, the entropy of the posterior to be expected after it, in bits."""
        joint = self.posterior * self.likelihood
        share = joint.sum(axis=(2, 3, 4))
        bits = _bits(joint).sum(axis=(2, 3, 4)) - _bits(share)  # H(joint / share), weighted by the outcome's share
        return np.asarray(bits.sum(axis=0))

    def choose(self) -> int:
        """Return the index of the value with the least expected entropy; the first one of a tie."""
        bits = self.expected_bits()
        return int(np.flatnonzero(bits <= bits.min() + TIE_BITS)[0])

    def means(self, rule: Adaptive) -> tuple[float, float, float]:
        """Return the posterior means of log10 threshold, slope and lapse rate."""
        quest, p = rule.quest, self.posterior
        threshold = p.sum(axis=(1, 2)) @ np.log10(grid_values(quest.threshold))
        slope, lapse = p.sum(axis=(0, 2)) @ grid_values(quest.slope), p.sum(axis=(0, 1)) @ grid_values(quest.lapse)
        return float(threshold), float(slope), float(lapse)


def _bits(p: Floats) -> Floats:
    """-p log2 p, 0 where p is 0."""
    return np.asarray(-p * np.log2(p, out=np.zeros_like(p), where=p > 0))


@dataclass(frozen=True, slots=True)
class StaircaseTrack:
    """A transformed up-down staircase over ordered values, the last of which is the easiest.

    Attributes
    ----------
    rule : Staircase
        Its settings.
    n : int
        Number of values.
    at : int
        Index of the value that is next.
    right, wrong : int
        Answers of a kind in a row at this value.

    Examples
    --------
    >>> track = StaircaseTrack.begin(Staircase(), 5)
    >>> track.at, track.after(4, right=True).at, track.after(4, right=True).after(4, right=True).at
    (4, 4, 3)
    """

    rule: Staircase
    n: int
    at: int
    right: int = 0
    wrong: int = 0

    @classmethod
    def begin(cls, rule: Staircase, n: int) -> "StaircaseTrack":
        """Return a track without answers over `n` values."""
        return cls(rule, n, n - 1 if rule.start == "easiest" else n // 2)

    def after(self, index: int, right: bool) -> "StaircaseTrack":
        """Return the track after an answer to the value of that index; a full count moves it and begins anew."""
        n_right, n_wrong = (self.right + 1, 0) if right else (0, self.wrong + 1)
        at = index
        if n_right == self.rule.down:
            at, n_right = max(0, at - self.rule.step), 0
        elif n_wrong == self.rule.up:
            at, n_wrong = min(self.n - 1, at + self.rule.step), 0
        return replace(self, at=at, right=n_right, wrong=n_wrong)

    def choose(self) -> int:
        """Return the index of the value that is next."""
        return self.at


def begin(rule: Adaptive, values: Sequence[float], n_options: int) -> Track:
    """Return a track without answers.

    Parameters
    ----------
    rule : Adaptive
        The protocol's rule.
    values : sequence of float
        Values of the factor, from the hardest to the easiest; for levels the share of the features.
    n_options : int
        Number of options of the response; a guess is right in one of so many cases unless the rule says otherwise.
    """
    if rule.method == "staircase":
        return StaircaseTrack.begin(rule.staircase, len(values))
    guess = rule.quest.guess if rule.quest.guess is not None else 1 / max(2, n_options)
    return QuestTrack.begin(rule, values, guess)


def track_of(trial: Trial, rule: Adaptive, n_options: int) -> Track:
    """Return the track of a trial before its first answer; its choices are the values.

    Parameters
    ----------
    trial : Trial
        One with choices.
    rule : Adaptive
        The protocol's rule.
    n_options : int
        Number of options of the response.
    """
    return begin(rule, [number_of(choice) for choice in trial.choices], n_options)


def number_of(choice: Choice) -> float:
    """Return the value on its scale: of a level the share of the features that its image reveals."""
    image = next(iter(choice.images.values()), None)
    if image is None:
        return float(choice.value)
    return 1.0 if image.reveal_fraction is None else image.reveal_fraction
