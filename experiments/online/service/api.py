"""What a participant's browser may ask for: the study, a session, its stimuli, trial writes, the end, withdrawal."""

import asyncio
import json
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ... import clock
from ...web.app import Files, Problem, body_as, create_app, page, reply
from ...web.security import Buckets, content_policy
from ...web.store import Batch, Store, StoreUnavailable
from ...web.tokens import Keyring, new_code, new_id
from ..database.identity import external_id, id_key
from ..database.sessions import TALLIES, Refusal, add_event, count, finish, withdraw
from ..database.uptime import UpTime, beat, lapse
from ..pages.shell import BOOT_SOURCE, shell
from ..pages.study_json import public_study
from ..storage.adaptive_choices import AdaptiveChoices
from ..storage.allocation import Arrival, Rules, Seat, arrive
from ..storage.answer_writes import AnswerWrites
from ..storage.seats import Held, Seats
from ..storage.trial_writes import TrialWrites
from ..study.payload import for_browser
from ..study.plans import ServedStudy
from ..study.recruits import who_comes
from ..study.requests import Event, NewSession, Tally, Withdrawal
from ..study.translations import loading_words
from .answers import Simulated
from .stimulus_files import StimulusFiles

STATIC = Path(__file__).parents[1] / "static"


class ParticipantApi:
    """The participants' side of a served study.

    Parameters
    ----------
    served : ServedStudy
        The study.
    store : Store
        Opened with :func:`open_online_store`.
    keys : Keyring
        Signs the tokens.
    simulated : Simulated, optional
        Lets simulated participants in, who answer like these observers; their rows say so.
    rehearsal : str
        Name of a rehearsal: people who come are pilots, and nothing of theirs counts. Empty: they are participants.
    up : UpTime, optional
        The clock by which sessions lapse; default: one of its own, which continues the count of the study's servers.
    """

    def __init__(
        self,
        served: ServedStudy,
        store: Store,
        keys: Keyring,
        *,
        simulated: Simulated | None = None,
        rehearsal: str = "",
        up: UpTime | None = None,
    ) -> None:
        self.served, self.store, self.keys, self.simulated = served, store, keys, simulated
        self.rehearsal, self.up = rehearsal, up or UpTime()
        store.submit(lambda connection: beat(connection, served.study_id, self.up)).result(30)
        self._id_keys = Keyring(store.submit(id_key).result(30))
        settings = served.settings
        self.rules = Rules(
            study_id=served.study_id,
            groups=served.groups,
            n_slots=served.n_slots,
            seed=served.protocol.seed,
            quota_per_group=settings.quota_per_group,
            lapse_s=settings.lapse_minutes * 60,
            refuse_other_studies=settings.recruitment.refuse_other_studies,
            resume_elsewhere=settings.recruitment.resume_elsewhere,
            served=served,
        )
        limits = settings.limits
        per_session = Buckets(rate=limits.requests_per_second, burst=limits.request_burst)
        self.seats = Seats(served, keys, per_session)
        self._per_address = Buckets(rate=limits.arrivals_per_second, burst=limits.arrival_burst)
        self._plans: dict[tuple[str, int], msgspec.Raw] = {}
        self._arrivals: Batch[Seat | Refusal] = Batch(
            lambda connection, some: arrive(connection, some, self.rules, self.up)
        )

    def routes(self) -> list[Route]:
        """Every address that participants' browsers use; all of them relative to where the page lies."""
        words = loading_words(self.served.protocol.language)
        writes = TrialWrites(self.served, self.store, self.seats, self.up)
        answers = AnswerWrites(self.served, self.store, self.seats)
        choices = AdaptiveChoices(self.served, self.store, self.seats)
        return [
            Route("/api/trials/{number:int}", writes, methods=["PUT"]),  # first: it is asked for most
            Route("/", page(shell(STATIC / "index.html", main="static/main.js", **words))),
            Route("/withdraw", page(shell(STATIC / "withdraw.html", main="static/withdraw.js", **words))),
            Route("/static/{path:path}", Files(STATIC / "runner").endpoint),
            Route("/stimuli/{name}", StimulusFiles(self.served).endpoint),
            Route("/api/study", self.study),
            Route("/api/tally", self.tally, methods=["POST"]),
            Route("/api/sessions", self.begin, methods=["POST"]),
            Route("/api/answers/{number:int}", answers.endpoint, methods=["PUT"]),
            Route("/api/choices/{number:int}", choices.endpoint),
            Route("/api/simulated", self.simulated_answers),
            Route("/api/events", self.event, methods=["POST"]),
            Route("/api/finish", self.finish, methods=["POST"]),
            Route("/api/withdraw", self.withdraw, methods=["POST"]),
        ]

    async def study(self, request: Request) -> Response:
        """What is said before consent."""
        self._slow_down(request)
        mode = {"simulate": self.simulated is not None, "rehearsal": bool(self.rehearsal)}
        return reply({**public_study(self.served), **mode})

    async def tally(self, request: Request) -> Response:
        """Count somebody who is not known yet."""
        self._slow_down(request)
        given = await body_as(request, Tally, max_bytes=200)
        assert given.kind in TALLIES
        await self._count(given.kind, self._kind(given.simulated))
        return reply({"counted": given.kind})

    async def begin(self, request: Request) -> Response:
        """Begin a session after consent, or continue the one that this participant has."""
        self._slow_down(request)
        new = await body_as(request, NewSession, max_bytes=8192)
        if new.consent_sha256 != self.served.settings.consent_sha256:
            raise Problem(409, "consent", "The words of consent have changed; load the page again.")
        kind = self._kind(new.simulated)
        service, ids = who_comes(new.ids, self.served.settings.recruitment.services)
        if kind == "human" and ids and next(iter(ids.values())) in self.served.refused_ids:
            await self._count("refused_repeat", kind)
            raise Problem(409, "repeat", "You have taken part before; the images must be new to you.")
        session_id = new_id()
        code = self._withdrawal_code(session_id)
        arrival = Arrival(
            session_id=session_id,
            participant_id=f"p{new_code(length=10).lower()}",
            withdrawal_hash=self.keys.pseudonym("withdrawal", code),
            service=service,
            key=self._id_keys.pseudonym(kind, f"{service}:{next(iter(ids.values()))}") if ids else "",
            external=json.dumps(ids),
            resume_hash=self.keys.pseudonym(f"resume {kind}", new.resume_key),
            consent_sha256=new.consent_sha256,
            browser=new.device.browser,
            device=msgspec.json.encode(new.device).decode(),
            observer_kind=kind,
            rehearsal=self.rehearsal or ("" if kind == "human" else kind),
            at=clock.wall_s(),
        )
        seat = await self.store.add(self._arrivals, arrival)
        if isinstance(seat, Refusal):
            raise Problem(seat.status, seat.code, seat.text)
        if seat.state == "lapsed":  # no images any more, but the browser may send what it kept
            text = "Your session was begun too long ago to continue."
            raise Problem(409, "lapsed", text, more=self._access(seat))
        return reply(self._seat_reply(seat), 200 if seat.resumed else 201)

    async def simulated_answers(self, request: Request) -> Response:
        """What a simulated participant does, trial by trial."""
        held = self.seats.held(request.headers.get("authorization", ""))
        if self.simulated is None or held.observer_kind != "simulated":
            raise Problem(403, "simulate", "Only simulated participants are told what to answer.")
        plan, simulated = self.served.plans[held.group, held.slot], self.simulated
        return reply(await asyncio.to_thread(simulated.answers, plan))

    async def event(self, request: Request) -> Response:
        """Store what happened around the trials."""
        held = self.seats.held(request.headers.get("authorization", ""))
        event = await body_as(request, Event, max_bytes=2048)
        most = self.served.settings.limits.events_per_session
        kept = await self.store.write(
            lambda connection: add_event(
                connection, held.session_id, held.tab, event.kind, event.detail, most=most, up_s=self.up.now_s()
            )
        )
        return reply({"stored": kept})

    async def finish(self, request: Request) -> Response:
        """Close the session, if every trial is stored, and give the completion code."""
        held = self.seats.held(request.headers.get("authorization", ""))
        plan = self.served.plans[held.group, held.slot]
        at = clock.wall_s()
        refused = await self.store.write(lambda connection: finish(connection, held.session_id, held.tab, plan, at))
        if refused is not None:
            raise Problem(refused.status, refused.code, refused.text)
        if held.observer_kind != "human":
            unpaid = {"completion_code": "", "redirect": "", "observer_kind": held.observer_kind}
            return reply({**unpaid, "withdrawal_code": self._withdrawal_code(held.session_id)})
        recruitment = self.served.settings.recruitment
        code = recruitment.completion_code or self.keys.code("completion", held.session_id)
        external = await self.store.query(lambda connection: external_id(connection, held.participant_id))
        return reply(
            {
                "completion_code": code,
                "redirect": recruitment.redirect_for(code=code, external_id=external),
                "withdrawal_code": self._withdrawal_code(held.session_id),
            }
        )

    async def withdraw(self, request: Request) -> Response:
        """Delete a participant's data: by the token of a session, or by the code that was given at the end."""
        self._slow_down(request, 5)
        if request.headers.get("authorization"):
            held = self.seats.held(request.headers.get("authorization", ""))
            gone = await self.store.erase(
                lambda connection: withdraw(connection, self.served.study_id, session_id=held.session_id)
            )
        else:
            code = (await body_as(request, Withdrawal, max_bytes=200)).code.upper().replace(" ", "").replace("-", "")
            hashed = self.keys.pseudonym("withdrawal", code)
            gone = await self.store.erase(
                lambda connection: withdraw(connection, self.served.study_id, withdrawal_hash=hashed)
            )
        if not gone:
            raise Problem(404, "no_such_code", "No session has this code.")
        return reply({"withdrawn": True})

    async def keep_time(self) -> None:
        """Note how long the study is served, and mark silent sessions as lapsed also when no participant arrives."""
        heard_s = self.up.now_s()
        while True:
            await asyncio.sleep(min(10.0, self.rules.lapse_s / 2))
            try:
                await self.store.write(self._lapse)
            except StoreUnavailable:
                self.up.hold(heard_s)
            heard_s = self.up.now_s()

    def _lapse(self, connection: sa.Connection) -> int:
        return lapse(connection, self.rules.study_id, self.up, lapse_s=self.rules.lapse_s, at=clock.wall_s())

    def _kind(self, simulated: bool) -> str:
        """Who comes: a participant, a person in a rehearsal, or the simulation."""
        if not simulated:
            return "pilot" if self.rehearsal else "human"
        if self.simulated is None:
            raise Problem(403, "simulate", "This server takes no simulated participants.")
        return "simulated"

    async def _count(self, kind: str, observer_kind: str) -> None:
        await self.store.write(lambda connection: count(connection, self.served.study_id, kind, observer_kind))

    def _plan(self, group: str, slot: int) -> msgspec.Raw:
        """A plan as the browser gets it, encoded once."""
        if (group, slot) not in self._plans:
            plan = for_browser(self.served.plans[group, slot], self.served)
            self._plans[group, slot] = msgspec.Raw(msgspec.json.encode(plan))
        return self._plans[group, slot]

    def _access(self, seat: Seat) -> dict[str, Any]:
        """What lets a browser write into its session, and the name under which it keeps the session's answers."""
        held = Held(*(getattr(seat, name) for name in Held._fields))
        return {
            "token": self.seats.token(held),
            "session": self.keys.pseudonym("outbox", seat.session_id),
            "study_name": self.served.name,
            "plan_digest": self.served.plan_digest(seat.group, seat.slot),
            "observer_kind": seat.observer_kind,
        }

    def _seat_reply(self, seat: Seat) -> dict[str, Any]:
        return {
            **self._access(seat),
            "resumed": seat.resumed,
            "state": seat.state,
            "plan": self._plan(seat.group, seat.slot),
            "done": [{"trial": t, "status": status, "correct": correct} for t, status, correct in seat.done],
            "answered": seat.answered,
        }

    def _withdrawal_code(self, session_id: str) -> str:
        return self.keys.code("withdrawal", session_id, length=16)

    def _slow_down(self, request: Request, amount: float = 1.0) -> None:
        if not self._per_address.take(request.client.host if request.client else "", amount):
            raise Problem(429, "slow_down", "too many requests from your network; wait a moment")


def participant_app(api: ParticipantApi, *, https: bool = False, root_path: str = "") -> Starlette:
    """Return the app that participants reach."""
    policy = {"content-security-policy": content_policy(BOOT_SOURCE)}
    return create_app(api.routes(), https=https, root_path=root_path, headers=policy)
