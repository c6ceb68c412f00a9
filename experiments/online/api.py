"""What a participant's browser may ask for: the study, a session, its stimuli, trial writes, the end, withdrawal."""

import asyncio
import json
import re
import time
from collections import OrderedDict
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from rapidvision.errors import InputError
from rapidvision.plan import Plan

from ..participants import Observers
from ..simulate import simulate_study
from .measure import Measurement, row, timing_ok, why_refused
from .plans import ServedStudy, for_browser
from .schema import FORM, VERSION, metadata
from .security import Buckets, content_policy
from .sessions import (
    TALLIES,
    Arrival,
    Refusal,
    Rules,
    Seat,
    Stored,
    TrialRow,
    add_event,
    arrive,
    count,
    finish,
    open_or_check,
    store_trials,
    withdraw,
)
from .settings import ID_PARAMETERS
from .shell import BOOT_SOURCE, shell
from .store import Store
from .tokens import Keyring, new_code, new_id
from .uitexts import loading_words, texts_for
from .web import Files, Problem, body_as, create_app, file_forever, page, reply

STATIC = Path(__file__).parent / "static"
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_MAX_CACHED_FILES = 4096

ResumeKey = Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9_-]{22,64}$")]
Small = Annotated[str, msgspec.Meta(max_length=120)]
Number = Annotated[float, msgspec.Meta(ge=-1e9, le=1e9)]


class Device(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the runner says about the browser and the screen; nothing that names a person or a network."""

    browser: Annotated[str, msgspec.Meta(max_length=60)] = ""
    platform: Small = ""
    mobile: bool = False
    width_px: Number = 0
    height_px: Number = 0
    screen_width_px: Number = 0
    screen_height_px: Number = 0
    device_pixel_ratio: Number = 0
    refresh_hz: Number = 0
    refresh_sd_ms: Number = 0
    clock_ms: Number = 0
    isolated: bool = False
    presenter: Small = ""
    pointer: Small = ""
    cores: Number = 0
    utc_offset_min: Number = 0
    webdriver: bool = False
    load_ms: Number = 0


class NewSession(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of an arrival."""

    ids: Annotated[
        dict[Annotated[str, msgspec.Meta(max_length=40)], Annotated[str, msgspec.Meta(max_length=200)]],
        msgspec.Meta(max_length=10),
    ]
    consent_sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    resume_key: ResumeKey
    device: Device = Device()
    simulated: bool = False


class Event(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something that happened around the trials."""

    kind: Literal["step", "hidden", "shown", "fullscreen_lost", "error", "offline", "stale_write", "left"]
    detail: Annotated[str, msgspec.Meta(max_length=300)] = ""


class Tally(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something to be counted before anybody agreed to anything."""

    kind: Literal["arrived", "declined", "excluded_touch", "excluded_size", "excluded_refresh", "excluded_browser"]


class Withdrawal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A withdrawal code, as it was given out."""

    code: Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9 -]{8,40}$")]


class Simulated(NamedTuple):
    """Simulated observers and the seed of their answers."""

    observers: Observers
    seed: int

    def answers(self, plan: Plan) -> list[dict[str, Any]]:
        """Return what the session engine's simulation of this plan answers."""
        rows = simulate_study([plan], self.observers, seed=self.seed)
        return [
            {
                "trial": made.trial,
                "target": None if made.response == "none" else made.response == "target",
                "response_ms": made.response_ms,
            }
            for made in rows
        ]


class Held(NamedTuple):
    """What a token says."""

    session_id: str
    participant_id: str
    group: str
    slot: int
    tab: int
    observer: str


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
    """

    def __init__(
        self, served: ServedStudy, store: Store, keys: Keyring, *, simulated: "Simulated | None" = None
    ) -> None:
        self.served, self.store, self.keys, self.simulated = served, store, keys, simulated
        settings = served.settings
        self.rules = Rules(
            study_id=served.study_id,
            groups=served.groups,
            n_slots=served.n_slots,
            seed=next(iter(served.plans.values())).protocol.seed,
            quota_per_group=settings.quota_per_group,
            lapse_s=settings.lapse_minutes * 60,
            refuse_other_studies=settings.recruitment.refuse_other_studies,
            resume_elsewhere=settings.recruitment.resume_elsewhere,
        )
        limits = settings.limits
        self._per_session = Buckets(rate=limits.requests_per_second, burst=limits.request_burst)
        self._per_address = Buckets(rate=limits.arrivals_per_second, burst=limits.arrival_burst)
        self._files: OrderedDict[str, bytes] = OrderedDict()

    def routes(self) -> list[Route]:
        """Every address that participants' browsers use; all of them relative to where the page lies."""
        words = loading_words(next(iter(self.served.plans.values())).protocol.language)
        return [
            Route("/", page(shell(STATIC / "index.html", main="static/main.js", **words))),
            Route("/withdraw", page(shell(STATIC / "withdraw.html", main="static/withdraw.js", **words))),
            Route("/static/{path:path}", Files(STATIC / "runner").endpoint),
            Route("/stimuli/{name}", self.stimulus),
            Route("/api/study", self.study),
            Route("/api/tally", self.tally, methods=["POST"]),
            Route("/api/sessions", self.begin, methods=["POST"]),
            Route("/api/answers", self.answers),
            Route("/api/trials/{number:int}", self.trial, methods=["PUT"]),
            Route("/api/events", self.event, methods=["POST"]),
            Route("/api/finish", self.finish, methods=["POST"]),
            Route("/api/withdraw", self.withdraw, methods=["POST"]),
        ]

    async def study(self, request: Request) -> Response:
        """What is said before consent."""
        self._slow_down(request)
        return reply({**public_study(self.served), "simulate": self.simulated is not None})

    async def tally(self, request: Request) -> Response:
        """Count somebody who is not known yet."""
        self._slow_down(request)
        kind = (await body_as(request, Tally, max_bytes=200)).kind
        assert kind in TALLIES
        await self.store.write(lambda connection: count(connection, self.served.study_id, kind))
        return reply({"counted": kind})

    async def begin(self, request: Request) -> Response:
        """Begin a session after consent, or go on with the one that this participant has."""
        self._slow_down(request)
        new = await body_as(request, NewSession, max_bytes=8192)
        if new.consent_sha256 != self.served.settings.consent_sha256:
            raise Problem(409, "consent", "The words of consent have changed; load the page again.")
        if new.simulated and self.simulated is None:
            raise Problem(403, "simulate", "This server takes no simulated participants.")
        service, ids = self._who(new.ids)
        if ids and next(iter(ids.values())) in self.served.refused_ids:
            await self.store.write(lambda connection: count(connection, self.served.study_id, "refused_repeat"))
            raise Problem(409, "repeat", "You have taken part before; the pictures must be new to you.")
        session_id = new_id()
        code = self._withdrawal_code(session_id)
        arrival = Arrival(
            session_id=session_id,
            participant_id=f"p{new_code(length=10).lower()}",
            withdrawal_hash=self.keys.pseudonym("withdrawal", code),
            service=service,
            key=self.keys.pseudonym("participant", f"{service}:{next(iter(ids.values()))}") if ids else "",
            external=json.dumps(ids),
            resume_hash=self.keys.pseudonym("resume", new.resume_key),
            consent_sha256=new.consent_sha256,
            browser=new.device.browser,
            device=msgspec.json.encode(new.device).decode(),
            observer="simulated" if new.simulated else "human",
            at=time.time(),
        )
        seat = await self.store.write(lambda connection: arrive(connection, arrival, self.rules))
        if isinstance(seat, Refusal):
            raise Problem(seat.status, seat.code, seat.text)
        return reply(self._seat_reply(seat), 200 if seat.resumed else 201)

    async def answers(self, request: Request) -> Response:
        """What a simulated participant does, trial by trial."""
        held = self._held(request)
        if self.simulated is None or held.observer != "simulated":
            raise Problem(403, "simulate", "Only simulated participants are told what to answer.")
        plan, simulated = self.served.plans[held.group, held.slot], self.simulated
        return reply(await asyncio.to_thread(simulated.answers, plan))

    async def trial(self, request: Request) -> Response:
        """Store one trial; the same again is acknowledged again."""
        held = self._held(request)
        number = request.path_params["number"]
        planned = self.served.trial(held.group, held.slot, number)
        if planned is None:
            raise Problem(404, "no_such_trial", f"this session has no trial {number}")
        measured = await body_as(request, Measurement, max_bytes=16_384)
        plan = self.served.plans[held.group, held.slot]
        refused = why_refused(plan, planned, measured)
        if refused is not None:
            raise Problem(409, "not_planned", refused)
        made = row(
            plan,
            planned,
            measured,
            observer=held.observer,
            session_id=held.session_id,
            participant_id=held.participant_id,
        )
        stored = await self.store.add(
            store_trials,
            TrialRow(
                session_id=held.session_id,
                tab=held.tab,
                trial=number,
                receipt=new_id(),
                received=time.time(),
                phase=planned.phase,
                level_index=planned.level_index,
                status=made.status,
                correct=made.correct,
                response_ms=made.response_ms,
                timing_ok=timing_ok(plan, measured),
                measurement=msgspec.json.encode(measured).decode(),
            ),
        )
        if isinstance(stored, Refusal):
            raise Problem(stored.status, stored.code, stored.text)
        assert isinstance(stored, Stored)
        return reply({"stored": number, "duplicate": stored.duplicate})

    async def event(self, request: Request) -> Response:
        """Store what happened around the trials."""
        held = self._held(request)
        event = await body_as(request, Event, max_bytes=2048)
        most = self.served.settings.limits.events_per_session
        kept = await self.store.write(
            lambda connection: add_event(connection, held.session_id, held.tab, event.kind, event.detail, most)
        )
        return reply({"stored": kept})

    async def finish(self, request: Request) -> Response:
        """Close the session, if every trial is stored, and give the completion code."""
        held = self._held(request)
        n_trials = len(self.served.trials(held.group, held.slot))
        at = time.time()
        refused = await self.store.write(lambda connection: finish(connection, held.session_id, held.tab, n_trials, at))
        if refused is not None:
            raise Problem(refused.status, refused.code, refused.text)
        recruitment = self.served.settings.recruitment
        code = recruitment.completion_code or self.keys.code("completion", held.session_id)
        external = await self.store.query(lambda connection: _external_id(connection, held.participant_id))
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
            held = self._held(request)
            gone = await self.store.write(
                lambda connection: withdraw(connection, self.served.study_id, session_id=held.session_id)
            )
        else:
            code = (await body_as(request, Withdrawal, max_bytes=200)).code.upper().replace(" ", "").replace("-", "")
            hashed = self.keys.pseudonym("withdrawal", code)
            gone = await self.store.write(
                lambda connection: withdraw(connection, self.served.study_id, withdrawal_hash=hashed)
            )
        if not gone:
            raise Problem(404, "no_such_code", "No session has this code.")
        return reply({"withdrawn": True})

    async def stimulus(self, request: Request) -> Response:
        """A planned picture, by its hash."""
        sha256 = request.path_params["name"].partition(".")[0]
        found = self.served.stimuli.get(sha256)
        if found is None:
            raise Problem(404, "no_such_stimulus", "no such picture")
        content = self._files.get(sha256)
        if content is None:
            try:
                content = await asyncio.to_thread(found.path.read_bytes)
            except OSError as error:
                raise Problem(503, "unavailable", "the picture cannot be read now") from error
            self._files[sha256] = content
            if len(self._files) > _MAX_CACHED_FILES:
                self._files.popitem(last=False)
        return file_forever(content, found.media_type)

    def _who(self, given: dict[str, str]) -> tuple[str, dict[str, str]]:
        """The recruitment service and the allowed ids of a link."""
        for service in self.served.settings.recruitment.services:
            names = ID_PARAMETERS[service]
            if names[0] in given:
                ids = {name: given[name] for name in names if name in given}
                if all(_ID.fullmatch(value) for value in ids.values()):
                    return service, ids
                raise Problem(
                    400, "bad_id", "The link is damaged: its id has letters that no id has. Use it as you got it."
                )
        if "link" not in self.served.settings.recruitment.services:
            raise Problem(400, "no_id", "The link is incomplete: open the study from where you found it.")
        return "link", {}

    def _seat_reply(self, seat: Seat) -> dict[str, Any]:
        plan = self.served.plans[seat.group, seat.slot]
        held = f"{seat.session_id}.{seat.participant_id}.{self.served.groups.index(seat.group)}.{seat.slot}.{seat.tab}.{seat.observer}"
        return {
            "token": self.keys.sign("session", held),
            "session": self.keys.pseudonym("outbox", seat.session_id),
            "resumed": seat.resumed,
            "state": seat.state,
            "plan": for_browser(plan, self.served.stimuli),
            "done": [{"trial": t, "status": status, "correct": correct} for t, status, correct in seat.done],
        }

    def _withdrawal_code(self, session_id: str) -> str:
        return self.keys.code("withdrawal", session_id, length=16)

    def _held(self, request: Request) -> Held:
        """Return who asks, by the token.

        Raises
        ------
        Problem
            401 for a token that is not ours, 429 for a session that asks too often.
        """
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        text = self.keys.open("session", token) if scheme == "Bearer" else None
        if text is None:
            raise Problem(401, "token", "this token is not valid")
        session_id, participant_id, group, slot, tab, observer = text.split(".")
        if int(group) >= len(self.served.groups) or int(slot) >= self.served.n_slots:
            raise Problem(401, "token", "this token belongs to another study")
        if not self._per_session.take(session_id):
            raise Problem(429, "slow_down", "too many requests; wait a moment")
        return Held(session_id, participant_id, self.served.groups[int(group)], int(slot), int(tab), observer)

    def _slow_down(self, request: Request, amount: float = 1.0) -> None:
        if not self._per_address.take(request.client.host if request.client else "", amount):
            raise Problem(429, "slow_down", "too many requests from your network; wait a moment")


def public_study(served: ServedStudy) -> dict[str, Any]:
    """Return what is said before consent."""
    settings = served.settings
    plan = next(iter(served.plans.values()))
    return {
        "title": settings.title,
        "contact": settings.contact,
        "consent": settings.consent.strip(),
        "consent_sha256": settings.consent_sha256,
        "debrief": settings.debrief.strip(),
        "language": plan.protocol.language,
        "words": texts_for(plan.protocol.language),
        "screening": settings.screening,
        "presenter": settings.presenter,
        "background": plan.protocol.background,
        "image_px": plan.protocol.image_px,
        "id_parameters": [name for names in ID_PARAMETERS.values() for name in names],
        "simulate": False,
    }


def _external_id(connection: Any, participant_id: str) -> str:
    import sqlalchemy as sa

    from .schema import identity

    found = connection.scalar(sa.select(identity.c.external).where(identity.c.participant_id == participant_id))
    return next(iter(json.loads(found).values()), "") if found else ""


def open_online_store(url: str, served: ServedStudy) -> Store:
    """Open the database of online sessions for a study.

    Raises
    ------
    InputError
        When it cannot be opened, has another form, or its sessions followed other plans.
    """
    store = Store(url, metadata, form=FORM, version=VERSION)
    why = store.submit(lambda connection: open_or_check(connection, served.study_id, served.digest)).result(30)
    if why is not None:
        store.close()
        raise InputError(f"{store.name}: {served.study_id}: {why}")
    return store


def participant_app(api: ParticipantApi, *, https: bool = False, root_path: str = "") -> Starlette:
    """Return the app that participants reach."""
    policy = {"content-security-policy": content_policy(BOOT_SOURCE)}
    return create_app(api.routes(), https=https, root_path=root_path, headers=policy)
