"""What the partner says where nothing is painted: measured, to be exceeded by every win, and told at start.

A network that answers "umbrella" to an empty view would win every umbrella at the first question.
"""

import numpy as np

from .partner import Loaded
from .rules import Rules

#: With fewer categories than this, a guess by chance is right more often than one time in twenty.
FEW_CATEGORIES = 20
#: An answer to nothing is told when it has this probability, and so many times the odds of a guess by chance.
_TOLD_FROM, _TOLD_ODDS = 0.25, 4.0


def gained(probability: float, blank: float, gain: float) -> bool:
    """Whether a category's odds have grown over those that the partner gives it where nothing is painted.

    Parameters
    ----------
    probability, blank : float
        The category's, 0 … 1: of the view, and of the view before the first bubble.
    gain : float
        Factor by which the odds must have grown, at least 1.

    Examples
    --------
    >>> gained(0.70, 0.668, 2.0), gained(0.85, 0.668, 2.0), gained(0.10, 0.001, 2.0), gained(1.0, 1.0, 2.0)
    (False, True, True, False)
    """
    return probability > blank and probability * (1 - blank) >= gain * blank * (1 - probability)


def doubts(loaded: Loaded, rules: Rules) -> list[str]:
    """Return sentences about what makes this partner easy to win with, or impossible."""
    if loaded.blank is None:
        return []
    n, found = len(loaded.categories), []
    if n < FEW_CATEGORIES:
        share = rules.top_k_of(n) / n
        found.append(
            f"with {n} categories a guess by chance is right in {share:.0%} of the questions; "
            f"{FEW_CATEGORIES} or more categories make it rare"
        )
    best = int(np.argmax(loaded.blank))
    blank = float(loaded.blank[best])
    if blank >= _TOLD_FROM and blank * (n - 1) >= _TOLD_ODDS * (1 - blank):
        needed = _probability_needed(blank, rules.gain)
        found.append(
            f'an empty view is "{loaded.categories[best]}" to it with probability {blank:.2f}; '
            f"rounds of this word are won from {needed:.2f} on"
        )
    return found


def _probability_needed(blank: float, gain: float) -> float:
    """Return the least probability whose odds are `gain` times those of `blank`."""
    return gain * blank / (1 - blank + gain * blank)
