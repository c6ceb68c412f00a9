"""What of a game is looked at together: rounds of one kind of player, under one set of rules."""

from collections import Counter
from dataclasses import dataclass, replace
from functools import cache

from rapidvision.errors import InputError
from rapidvision.system import files

from ..game.kinds import KINDS, PlayerKind
from ..game.rules import Rules
from .collected import Collected, RoundRecord

#: Takes the rounds of all rules whose maps lie in one frame.
ALL_RULES = "all"
_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Selection:
    """A part of a game.

    Attributes
    ----------
    collected : Collected
        The rounds of that part, with the reports of its players.
    players : {"human", "pilot", "simulated"}
        Whose rounds they are.
    rules : Rules
        The rules of the rounds; where there are several, those of most rounds, with the frame and bubbles of all.
    left_out : dict
        Reason → number of the game's other rounds.
    """

    collected: Collected
    players: PlayerKind
    rules: Rules
    left_out: dict[str, int]


def select(collected: Collected, *, players: PlayerKind = "human", rules: str = "") -> Selection:
    """Choose rounds that may be counted together.

    Parameters
    ----------
    collected : Collected
        Everything played.
    players : {"human", "pilot", "simulated"}
        Whose rounds.
    rules : str
        Beginning of a digest of rules, as messages give it; ``all`` for every rule where frame and bubbles are the
        same; empty where there is only one.

    Raises
    ------
    InputError
        When the game has no such rounds, or has been played under several rules and none is chosen.

    Examples
    --------
    >>> select(Collected(()))
    Traceback (most recent call last):
        ...
    rapidvision.errors.InputError: no rounds of human players; the game has none at all
    """
    own = [record for record in collected.rounds if record.kind == players]
    left_out = Counter(f"by {record.kind} players" for record in collected.rounds if record.kind != players)
    if not own:
        found = ", ".join(
            f"{left_out[f'by {kind} players']} of {kind}" for kind in KINDS if f"by {kind} players" in left_out
        )
        known = f"{found} players; choose with --observers" if found else "none at all"
        raise InputError(f"no rounds of {players} players; the game has {known}")
    chosen = _chosen(own, rules)
    kept = tuple(record for record in own if record.rules in chosen)
    left_out.update(f"under rules {digest_of(record.rules)}" for record in own if record.rules not in chosen)
    who = {record.player_id for record in own}
    reports = {name: frozenset(by & who) for name, by in collected.reports.items() if by & who}
    part = replace(collected, rounds=kept, reports=reports)
    return Selection(part, players, max(chosen, key=chosen.__getitem__), dict(left_out))


def by_hand(part: Selection) -> Selection:
    """Leave out the rounds of remote-controlled pages, counted."""
    kept = tuple(record for record in part.collected.rounds if not record.automated)
    n_automated = len(part.collected.rounds) - len(kept)
    left_out = {**part.left_out, **({"automated": n_automated} if n_automated else {})}
    return replace(part, collected=replace(part.collected, rounds=kept), left_out=left_out)


@cache
def digest_of(rules: Rules) -> str:
    """Return the name that messages and ``--rules`` give to rules: the first twelve digits of their digest."""
    return files.canonical_digest(rules)[:_DIGITS]


def _chosen(own: list[RoundRecord], wanted: str) -> Counter[Rules]:
    found = Counter(record.rules for record in own)
    known = ", ".join(f"{digest_of(one)} ({n} rounds, image_px {one.image_px})" for one, n in found.most_common())
    if wanted == ALL_RULES:
        if len({(one.image_px, one.bubble_px) for one in found}) > 1:
            raise InputError(f"rules: all cannot be pooled, since image_px or bubble_px differ: {known}; choose one")
        return found
    if wanted:
        match = Counter({one: n for one, n in found.items() if digest_of(one).startswith(wanted.lower())})
        if len(match) != 1:
            raise InputError(f'rules: "{wanted}" fits {len(match)} of the rules that were played: {known}')
        return match
    if len(found) > 1:
        raise InputError(
            f"the game was played under {len(found)} rules: {known}; choose one with --rules, "
            f"or {ALL_RULES} where image_px and bubble_px are the same"
        )
    return found
