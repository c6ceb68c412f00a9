"""The one request that comes thousands of times: a trial is stored, and acknowledged when it is on the disk."""

from typing import NamedTuple

import msgspec
from starlette.types import Receive, Scope, Send

from rapidvision.task.trial import Trial

from ... import clock
from ...web.app import Problem, decoded
from ...web.security import Buckets
from ...web.store import Store
from ...web.tokens import Keyring, new_id
from ..database.schema import IMPOSSIBLE_DURATION
from ..database.sessions import Refusal
from ..database.uptime import UpTime
from ..study.plans import ServedStudy
from .pace import Pace, least_ms
from .timing_check import timing_ok
from .trial_report import Measurement, outcome, why_refused
from .trial_rows import TrialRow, store_trials

MAX_BYTES = 16_384
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


class TrialWrites:
    """``PUT /api/trials/{number}`` as a bare ASGI app, behind the same guards as every other address.

    Parameters
    ----------
    served : ServedStudy
        Knows the plans.
    store : Store
        Its database.
    seats : Seats
        Who asks.
    up : UpTime
        The clock by which sessions lapse.
    """

    def __init__(self, served: ServedStudy, store: Store, seats: Seats, up: UpTime) -> None:
        self.served, self.store, self.seats, self.up = served, store, seats, up
        self.pace = Pace(up)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Store one trial; the same again is acknowledged again."""
        authorization = content_type = b""
        for name, value in scope["headers"]:
            if name == b"authorization":
                authorization = value
            elif name == b"content-type":
                content_type = value
        body = (await receive()).get("body", b"")  # whole: the guard collects it
        number: int = scope["path_params"]["number"]
        answer = await self.write(number, authorization.decode("latin-1"), content_type.decode("latin-1"), body)
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(answer)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    async def write(self, number: int, authorization: str, content_type: str, body: bytes) -> bytes:
        """Store one trial and return the acknowledgement.

        Raises
        ------
        Problem
            When it is refused: 4xx says why.
        """
        held = self.seats.held(authorization)
        planned = self.served.trial(held.group, held.slot, number)
        if planned is None:
            raise Problem(404, "no_such_trial", f"this session has no trial {number}")
        measured = decoded(content_type, body, Measurement, max_bytes=MAX_BYTES)
        plan = self.served.plans[held.group, held.slot]
        refused = why_refused(plan, planned, measured)
        if refused is not None:
            raise Problem(409, "not_planned", refused)
        status, correct = outcome(plan, planned, measured)
        possible = self._possible(held, planned, measured)
        made = TrialRow(
            session_id=held.session_id,
            tab=held.tab,
            trial=number,
            receipt=new_id(),
            received=clock.wall_s(),
            phase=planned.phase,
            level_index=planned.image.level_index,
            status=status,
            correct=correct,
            response_ms=measured.response_ms,
            timing_ok=timing_ok(plan, planned, measured) if possible else False,
            measurement=msgspec.json.encode(measured).decode(),
            received_s=self.up.now_s(),
            flags="" if possible else IMPOSSIBLE_DURATION,
        )
        stored = await self.store.add(store_trials, made)
        if isinstance(stored, Refusal):
            raise Problem(stored.status, stored.code, stored.text)
        return b'{"stored":%d,"duplicate":%s}' % (number, b"true" if stored.duplicate else b"false")

    def _possible(self, held: Held, planned: Trial, measured: Measurement) -> bool:
        """Whether the trial can have been seen by now; fast simulations show nothing and are not asked."""
        if held.observer_kind == "simulated":
            return True
        plan = self.served.plans[held.group, held.slot]
        needed_ms = least_ms(plan, planned, self.served.durations_ms(planned), measured)
        return self.pace.possible(held.session_id, planned.trial, needed_ms, began=held.began, began_s=held.began_s)
