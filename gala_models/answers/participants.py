"""What counts as a participant when the observer is a network: said openly, and written beside the results.

A network without noise answers an image the same way every time, so a group of such "participants" varies only in
what each was shown. Every policy below says where the variance between participants comes from.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.recipes import Recipe
from rapidvision.seeds import stream

Policy = Literal["replay", "dropout", "seeds", "stochastic"]

MEANING: dict[str, str] = {
    "replay": "one participant per plan: the same network answers each person's list of trials, without noise",
    "dropout": "one participant per plan: each lacks a random share of the readout's features (Linsley et al., 2017)",
    "seeds": "one participant per plan: the networks, trained from different seeds, take turns over the slots",
    "stochastic": "one participant per plan: each answer is drawn with the network's own probability of target",
}


class Participants(Recipe, frozen=True):
    """Who takes the test.

    Attributes
    ----------
    policy : {"replay", "dropout", "seeds", "stochastic"}
        See :data:`MEANING`.
    dropout_fraction : float
        Share of readout features that a participant lacks; 5 % in the authors' earlier code.
    seed : int
        For ``dropout`` and ``stochastic``.

    Examples
    --------
    >>> import rapidvision as rv
    >>> rv.models.Participants(policy="dropout", dropout_fraction=0.25).kept(8, "net", "clickme", 0).sum()
    np.int64(6)
    """

    policy: Policy = "replay"
    dropout_fraction: float = 0.05
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.dropout_fraction < 1:
            raise ValueError(f"dropout_fraction must lie between 0 and 1, got {self.dropout_fraction}")

    def kept(self, n_features: int, network: str, group: str, slot: int) -> NDArray[np.bool_]:
        """Which readout features this participant has; bool, shape (n_features,)."""
        n_lost = round(self.dropout_fraction * n_features)
        if n_lost == 0:
            raise InputError(
                f"dropout: {self.dropout_fraction:g} of {n_features} features is less than one; use a larger fraction"
            )
        kept = np.ones(n_features, bool)
        kept[stream(self.seed, "dropout", network, group, slot).permutation(n_features)[:n_lost]] = False
        return kept

    def draws(self, n_trials: int, network: str, group: str, slot: int) -> NDArray[np.float64]:
        """Logistic noise, one value per trial: log odds + noise > 0 has exactly the network's probability."""
        return stream(self.seed, "stochastic", network, group, slot).logistic(size=n_trials)
