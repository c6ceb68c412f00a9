"""Rounds of which every image has equally many, equally long: a map of more bubbles is not the better map for it."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from rapidvision.seeds import stream

from ..storage.collected import RoundRecord


@dataclass(frozen=True, slots=True)
class EqualRounds:
    """What is left of rounds when every image keeps the same amount.

    Attributes
    ----------
    rounds : tuple of RoundRecord
        Cut to `n_bubbles`.
    n_players : int
        Players of each image, one round each.
    n_bubbles : int
        Bubbles of each round, its first.
    """

    rounds: tuple[RoundRecord, ...]
    n_players: int
    n_bubbles: int


def equal_rounds(rounds: Sequence[RoundRecord], image_ids: Collection[str], *, seed: int) -> EqualRounds:
    """Keep as many players of each image as the one with fewest has, and of each round as many bubbles as the shortest.

    Parameters
    ----------
    rounds : sequence of RoundRecord
        Rounds that count.
    image_ids : collection of str
        Images that are compared; rounds of others are left out.
    seed : int
        Of the choice of players.
    """
    first: defaultdict[str, dict[str, RoundRecord]] = defaultdict(dict)
    for record in sorted(rounds, key=lambda record: (record.started_utc, record.round_id)):
        if record.image_id in image_ids and record.n_bubbles:
            first[record.image_id].setdefault(record.player_id, record)
    n_players = min((len(own) for own in first.values()), default=0)
    kept: list[RoundRecord] = []
    for image_id, own in sorted(first.items()):
        players = sorted(own)
        chosen = stream(seed, "clickme-equal", image_id).choice(len(players), n_players, replace=False)
        kept += [own[players[place]] for place in sorted(chosen.tolist())]
    n_bubbles = min((record.n_bubbles for record in kept), default=0)
    return EqualRounds(tuple(replace(one, xy=one.xy[:n_bubbles]) for one in kept), n_players, n_bubbles)
