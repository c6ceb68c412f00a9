"""Whether players of the ClickMe game learned what the network likes, instead of what is important.

Paper, appendix "Observers did not adopt a DCN-specific strategy": the most frequent players were as successful in the
second half of their rounds as in the first, and in their second ten rounds as in their first ten.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from rapidvision.errors import InputError
from rapidvision.formats.game.rounds import read_rounds
from rapidvision.numerics.sign_flip import sign_flip_test
from rapidvision.protocol import N_RELABELLINGS
from rapidvision.text.result_repr import ShownAsRow

Comparison = Literal["halves", "tens"]
#: Comparison → what early and late are, in words.
WORDS: dict[Comparison, tuple[str, str]] = {
    "halves": ("first half", "second half"),
    "tens": ("first ten rounds", "second ten rounds"),
}


@dataclass(frozen=True, repr=False)
class StrategyTest(ShownAsRow):
    """Success early and late, and the test of the difference.

    Attributes
    ----------
    early, late : float
        Mean success rate over players.
    p : float
        Two-sided sign-flip p over players: exact where it could be counted, else (b + 1) / (n_resamples + 1).
    n_players, n_left_out : int
        Players who had enough rounds, and those who had not.
    n_resamples, seed : int
        Of the test.

    Examples
    --------
    >>> import rapidvision as rv
    >>> found = rv.analysis.strategy_test({"a": [True, False] * 10, "b": [False, True] * 10}, "tens", seed=1)
    >>> found.early, found.late, found.n_players
    (0.5, 0.5, 2)
    """

    early: float
    late: float
    p: float
    n_players: int
    n_left_out: int
    n_resamples: int
    seed: int


def strategy_test(
    rounds: Mapping[str, Sequence[bool]],
    compare: Comparison = "halves",
    *,
    most_frequent: int | None = 200,
    n_resamples: int = N_RELABELLINGS,
    seed: int | None = None,
) -> StrategyTest:
    """Compare players' early and late success.

    Parameters
    ----------
    rounds : mapping of str to sequence of bool
        Player → success of each round, in order.
    compare : {"halves", "tens"}
        First against second half of all rounds, or first against second ten.
    most_frequent : int, optional
        Only the players with most rounds, as in the paper; None for all.
    n_resamples : int
        Sign flips.
    seed : int, optional
        Their seed; drawn when absent.

    Returns
    -------
    StrategyTest
        A player with too few rounds is left out and counted.

    Raises
    ------
    InputError
        When no player has enough rounds.

    Examples
    --------
    >>> import rapidvision as rv
    >>> rv.analysis.strategy_test({"a": [True, False] * 10, "b": [False, True] * 10}, "tens", seed=1).p
    1.0
    """
    needed = 2 if compare == "halves" else 20
    enough = {player: list(won) for player, won in rounds.items() if len(won) >= needed}
    if not enough:
        raise InputError(f"strategy: no player has {needed} rounds or more")
    players = sorted(enough, key=lambda player: (-len(enough[player]), player))[:most_frequent]
    sizes = np.array([len(enough[player]) // 2 if compare == "halves" else 10 for player in players])
    early = np.array([sum(enough[player][:size]) for player, size in zip(players, sizes, strict=True)])
    late = np.array(
        [
            sum(enough[player][-size:] if compare == "halves" else enough[player][size : 2 * size])
            for player, size in zip(players, sizes, strict=True)
        ]
    )
    test = sign_flip_test(late - early, denominators=sizes, n_resamples=n_resamples, seed=seed)
    return StrategyTest(
        float(np.mean(early / sizes)),
        float(np.mean(late / sizes)),
        float(test.p_best[0]),
        len(players),
        len(rounds) - len(enough),
        test.n_resamples,
        test.seed,
    )


def read_wins(path: Path | str) -> dict[str, list[bool]]:
    """Read ``rounds.csv`` of a ClickMe export: each player's rounds in order, and whether the network recognised.

    Parameters
    ----------
    path : path-like
        The table; see :mod:`rapidvision.formats.game.rounds`.

    Returns
    -------
    dict of str to list of bool
        Of main rounds that were won or lost. Practice and catch rounds are left out, and so are those that the player
        skipped or left, or that the server did not live to end.

    Raises
    ------
    InputError
        When the table is not a ClickMe export's.
    """
    found: dict[str, list[bool]] = {}
    for one in sorted(read_rounds(path), key=lambda one: (one.started_utc, one.round_id)):
        if one.phase == "main" and one.result in ("solved", "time"):
            found.setdefault(one.user_id, []).append(one.result == "solved")
    return found
