"""Whether players of the ClickMe game learned what the network likes, instead of what is important.

Paper, appendix "Observers did not adopt a DCN-specific strategy": the most frequent players were as successful in the
second half of their rounds as in the first, and in their second ten rounds as in their first ten.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from rapidvision.errors import InputError
from rapidvision.formats import csv_text
from rapidvision.protocol import N_RELABELLINGS

from .sign_flip import sign_flip_test

Comparison = Literal["halves", "tens"]
#: Comparison → what early and late are, in words.
WORDS: dict[Comparison, tuple[str, str]] = {
    "halves": ("first half", "second half"),
    "tens": ("first ten rounds", "second ten rounds"),
}

#: How a round of an export ended → whether the network recognised; an interrupted one is neither.
_OUTCOMES = {"solved": True, "time": False}


@dataclass(frozen=True)
class StrategyTest:
    """Success early and late, and the test of the difference.

    Attributes
    ----------
    early, late : float
        Mean success rate over players.
    p : float
        Two-sided sign-flip p over players.
    n_players, n_left_out : int
        Players who had enough rounds, and those who had not.
    m, seed : int
        Of the test.
    """

    early: float
    late: float
    p: float
    n_players: int
    n_left_out: int
    m: int
    seed: int


def strategy_test(
    rounds: Mapping[str, Sequence[bool]],
    compare: Comparison = "halves",
    *,
    most_frequent: int | None = 200,
    m: int = N_RELABELLINGS,
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
    m, seed
        Sign flips, and their seed (drawn when absent).

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
    >>> strategy_test({"a": [True, False] * 10, "b": [False, True] * 10}, "tens", seed=1).p
    1.0
    """
    needed = 2 if compare == "halves" else 20
    enough = {player: list(won) for player, won in rounds.items() if len(won) >= needed}
    if not enough:
        raise InputError(f"strategy: no player has {needed} rounds or more")
    players = sorted(enough, key=lambda player: (-len(enough[player]), player))[:most_frequent]
    early, late = [], []
    for player in players:
        won = enough[player]
        cut = len(won) // 2 if compare == "halves" else 10
        early.append(float(np.mean(won[:cut])))
        late.append(float(np.mean(won[-cut:] if compare == "halves" else won[10:20])))
    test = sign_flip_test(np.round(np.subtract(late, early), 12), m=m, seed=seed)
    return StrategyTest(
        float(np.mean(early)),
        float(np.mean(late)),
        float(test.p[0]),
        len(players),
        len(rounds) - len(enough),
        test.m,
        test.seed,
    )


def read_rounds(path: Path | str) -> dict[str, list[bool]]:
    """Read ``rounds.csv`` of a ClickMe export: each player's rounds in order, and whether the network recognised.

    Parameters
    ----------
    path : path-like
        With the columns ``user_id``, ``started_utc``, ``practice`` and ``result``.

    Returns
    -------
    dict of str to list of bool
        Practice rounds, and rounds that were neither won nor lost, are left out.

    Raises
    ------
    InputError
        When a column is missing.
    """
    reader = csv.DictReader(io.StringIO(csv_text.read_text(path), newline=""))
    missing = [
        name for name in ("user_id", "started_utc", "practice", "result") if name not in (reader.fieldnames or ())
    ]
    if missing:
        raise InputError(f"{path}: not a ClickMe export's rounds.csv; it lacks {', '.join(missing)}")
    found: dict[str, list[bool]] = {}
    for row in sorted(reader, key=lambda row: row["started_utc"]):
        if row["result"] in _OUTCOMES and row["practice"].lower() not in ("true", "1"):
            found.setdefault(row["user_id"], []).append(_OUTCOMES[row["result"]])
    return found
