"""Who asks: the token that every request of a session carries."""

from typing import NamedTuple

from ...web.app import Problem
from ...web.security import Buckets
from ...web.store import Store
from ...web.tokens import Keyring
from ..study.plans import ServedStudy

#: So many tokens whose signature was found good are remembered.
MAX_KNOWN = 20_000
#: Fields of a token, in the order of :class:`Held`.
N_FIELDS = 8


class Held(NamedTuple):
    """What a token says; the session began at `began` (seconds since 1970), which was `began_s` on the study's own clock."""

    session_id: str
    participant_id: str
    group: str
    slot: int
    tab: int
    observer_kind: str
    began: float
    began_s: float


class Seats:
    """Who asks, by the token that every request of a session carries.

    Parameters
    ----------
    served : ServedStudy
        The study.
    keys : Keyring
        Signed the tokens.
    limits : Buckets
        How much one session may ask for.
    """

    def __init__(self, served: ServedStudy, keys: Keyring, limits: Buckets) -> None:
        self.served, self.keys, self.limits = served, keys, limits
        self._known: dict[str, Held] = {}

    def token(self, held: Held) -> str:
        """Return the token of a seat."""
        group = self.served.groups.index(held.group)
        began = (round(1000 * held.began), round(1000 * held.began_s))  # a dot would end the field
        text = (held.session_id, held.participant_id, group, held.slot, held.tab, held.observer_kind, *began)
        return self.keys.sign("session", ".".join(map(str, text)))

    def held(self, authorization: str) -> Held:
        """Return who asks, by the header ``Authorization``.

        Raises
        ------
        Problem
            401 for a token that is not ours, 429 for a session that asks too often.
        """
        held = self._known.get(authorization)
        if held is None:
            held = self._opened(authorization)
            if len(self._known) >= MAX_KNOWN:
                self._known.clear()
            self._known[authorization] = held
        if not self.limits.take(held.session_id):
            raise Problem(429, "slow_down", "too many requests; wait a moment")
        return held

    def _opened(self, authorization: str) -> Held:
        scheme, _, token = authorization.partition(" ")
        text = self.keys.open("session", token) if scheme == "Bearer" else None
        if text is None:
            raise Problem(401, "token", "this token is not valid")
        fields = text.split(".")
        if len(fields) != N_FIELDS:
            raise Problem(401, "token", "this token was made by another version of the server; load the page again")
        session_id, participant_id, group, slot, tab, kind, began_ms, began_up_ms = fields
        groups = self.served.groups
        if int(group) >= len(groups) or int(slot) >= self.served.n_slots:
            raise Problem(401, "token", "this token belongs to another study")
        began = (int(began_ms) / 1000, int(began_up_ms) / 1000)
        return Held(session_id, participant_id, groups[int(group)], int(slot), int(tab), kind, *began)


class SeatEndpoint:
    """An endpoint for a participant who has a seat.

    Parameters
    ----------
    served : ServedStudy
        Knows the plans.
    store : Store
        Its database.
    seats : Seats
        Who asks.
    """

    def __init__(self, served: ServedStudy, store: Store, seats: Seats) -> None:
        self.served, self.store, self.seats = served, store, seats
