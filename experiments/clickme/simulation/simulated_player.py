"""Simulated players: they paint a known map under the rules, so that what the game brings back can be checked.

A player aims at points drawn from the map, moves the cursor there at a hand's speed, lingers around it, and aims anew.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..game.rules import Rules, step_towards

#: ``painter`` aims at the map; ``random`` anywhere; ``off_target`` where the map is lowest; ``scripted`` repeats one
#: stroke on every image.
Kind = Literal["painter", "random", "off_target", "scripted"]


class Move(NamedTuple):
    """The next bubble and when the player places it, in ms from the start."""

    x: int
    y: int
    at_ms: float


@dataclass(frozen=True, slots=True)
class Player:
    """How a simulated player plays.

    Attributes
    ----------
    name : str
        The username.
    kind : {"painter", "random", "off_target", "scripted"}
        See :data:`Kind`.
    sharpness : float
        Exponent of the map: high ones aim at its peak, 1 in proportion to it.
    noise_px : float
        Standard deviation of the aim.
    linger : int
        Mean number of bubbles around one aim.
    idle : float
        Share of the ticks in which the cursor rests.
    """

    name: str
    kind: Kind = "painter"
    sharpness: float = 1.0
    noise_px: float = 8.0
    linger: int = 12
    idle: float = 0.1


def stroke(
    player: Player, importance: NDArray[np.floating] | None, rules: Rules, *, rng: np.random.Generator
) -> Iterator[Move]:
    """Yield the bubbles of one round, each legal, until the time is over.

    Parameters
    ----------
    player : Player
        Who plays.
    importance : ndarray of float, shape (image_px, image_px), or None
        The map that painters have in mind; None aims anywhere.
    rules : Rules
        Ticks, steps and time.
    rng : numpy.random.Generator
        The player's hand.

    Examples
    --------
    >>> moves = list(stroke(Player("anna"), None, Rules(), rng=np.random.default_rng(1)))
    >>> len(moves) <= Rules().max_bubbles, moves[-1].at_ms <= Rules().round_ms
    (True, True)
    """
    if player.kind == "scripted":
        rng = np.random.default_rng(0)
    aims = _aims(player, importance, rules, rng)
    aim, lingered = next(aims), 0.0
    last = aim
    yield Move(*last, 0.0)
    n_placed = 1
    for tick in range(1, rules.max_ticks):
        if n_placed >= rules.max_bubbles:
            return
        lingered += 1
        if lingered > rng.exponential(player.linger) + 2 and last == aim:
            aim, lingered = next(aims), 0.0
        elif last == aim:
            aim = _inside(np.array(aim) + rng.normal(0, player.noise_px, 2), rules)
        if rng.random() < player.idle:
            continue
        here = step_towards(last, aim, rules.step_px)
        if here != last:
            last = here
            n_placed += 1
            yield Move(*here, float(tick * rules.tick_ms))


def _aims(
    player: Player, importance: NDArray[np.floating] | None, rules: Rules, rng: np.random.Generator
) -> Iterator[tuple[int, int]]:
    side = rules.image_px
    weights = (
        np.ones((side, side))
        if importance is None or player.kind in ("random", "scripted")
        else importance.astype(float)
    )
    if player.kind == "off_target" and importance is not None:
        weights = weights.max() - weights
    chances = weights.ravel() ** player.sharpness
    total = chances.sum()
    cumulated = np.cumsum(chances / total if total > 0 else np.full(chances.size, 1 / chances.size))
    while True:
        place = min(int(np.searchsorted(cumulated, rng.random(), side="right")), chances.size - 1)
        y, x = divmod(place, side)
        yield _inside(np.array([x, y]) + rng.normal(0, player.noise_px, 2), rules)


def _inside(place: NDArray[np.floating], rules: Rules) -> tuple[int, int]:
    x, y = np.clip(np.rint(place), 0, rules.image_px - 1).astype(int)
    return int(x), int(y)
