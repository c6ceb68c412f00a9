"""The one request that comes thousands of times: a trial is stored, and acknowledged when it is on the disk."""

import json

import msgspec
from starlette.types import Receive, Scope, Send

from rapidvision.task.trial import Trial

from ... import clock
from ...web.app import Problem, decoded
from ...web.store import Store
from ...web.tokens import new_id
from ..database.schema import IMPOSSIBLE_DURATION
from ..database.sessions import Refusal
from ..database.uptime import UpTime
from ..study.plans import ServedStudy
from .adaptive_choices import choice_of
from .pace import Pace, least_ms
from .seats import Held, Seats
from .timing_check import timing_ok
from .trial_report import Measurement, outcome, why_refused
from .trial_rows import TrialRow, store_trials

MAX_BYTES = 16_384


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
        choice = await choice_of(self.store, plan, held.session_id, planned) if planned.choices else None
        planned = planned.chosen(choice)
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
            chosen=None if choice is None else json.dumps(choice.value),
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
        needed_ms = least_ms(plan, planned, measured)
        return self.pace.possible(held.session_id, planned.trial, needed_ms, began=held.began, began_s=held.began_s)
