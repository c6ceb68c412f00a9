"""The participants' and experimenters' apps in this process, and a participant that sends requests to them."""

import asyncio
import functools
import json
import secrets
import time
from contextlib import asynccontextmanager

import httpx
import sqlalchemy as sa

from rapidvision.experiments.online.database import schema
from rapidvision.experiments.online.database.uptime import UpTime
from rapidvision.experiments.online.output.export import trial_records
from rapidvision.experiments.online.service.api import ParticipantApi, participant_app
from rapidvision.experiments.online.service.dashboard import Dashboard, dashboard_app
from rapidvision.experiments.online.storage.open_database import default_database, open_online_store
from rapidvision.experiments.online.study.plans import open_study
from rapidvision.experiments.web.login import Login
from rapidvision.experiments.web.tokens import Keyring
from tests import asynchronous

SECRET = b"k" * 32
PASSWORD = "correct horse"


class Later(UpTime):
    """The study's clock, put forward by hand: an hour of serving that a test does not wait for."""

    def __init__(self):
        self.ahead_s = 0.0
        super().__init__(lambda: time.monotonic() + self.ahead_s)

    def wait(self, seconds):
        self.ahead_s += seconds


class World:
    """A served study, its store, and clients of both apps."""

    def __init__(self, folder, *, url=None, simulated=None, rehearsal="", up=None):
        self.served = open_study(folder)
        self.store = open_online_store(url or default_database(folder), self.served)
        self.keys = Keyring(SECRET)
        self.api = ParticipantApi(self.served, self.store, self.keys, simulated=simulated, rehearsal=rehearsal, up=up)
        self.app = participant_app(self.api)
        self.dashboard = dashboard_app(Dashboard(self.served, self.store, Login(self.keys, PASSWORD, https=False)))

    def client(self, app=None, **options):
        transport = httpx.ASGITransport(app=app or self.app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="http://study.test", **options)

    def read(self, job):
        return self.store.read(job)


@asynccontextmanager
async def world(folder, **options):
    made = World(folder, **options)
    try:
        yield made
    finally:
        made.store.close()


@asynccontextmanager
async def begun(folder, **options):
    """A world and somebody whose session has begun in it."""
    async with world(folder, **options) as here, here.client() as client:
        ann = Person(client, here.served)
        await ann.begin()
        yield here, ann


class Person:
    """A participant: begins, answers, finishes."""

    def __init__(self, client, served, **ids):
        self.client, self.served, self.ids = client, served, ids
        self.resume_key = secrets.token_hex(24)

    def arrival(self, **changes):
        body = {
            "ids": self.ids,
            "consent_sha256": self.served.settings.consent_sha256,
            "resume_key": self.resume_key,
            "device": {"browser": "Test 1"},
        }
        return {**body, **changes}

    async def begin(self, **changes):
        response = await self.client.post("/api/sessions", json=self.arrival(**changes))
        if response.status_code in (200, 201):
            self.seat = response.json()
            self.headers = {"authorization": f"Bearer {self.seat['token']}"}
            self.runs = [step for step in self.seat["plan"]["steps"] if step["step"] == "run"]
        return response

    def measurement(self, trial, **changes):
        run = self.runs[trial]
        phases, at_ms = [], -run["phases"][0]["ms"]
        for phase in run["phases"]:
            phases.append({"name": phase["name"], "onset_ms": at_ms, "shown_ms": phase["ms"], "late_refreshes": 0})
            at_ms += phase["ms"]
        body = {
            "files": [phase["file"] for phase in run["phases"] if phase["file"]],
            "input": self.input_of("target"),
            "response_ms": 150.5,
            "phases": phases,
            "refresh_hz": 60.0,
            "utc": "2026-01-01T00:00:00.000Z",
            "quality": {"presenter": "worker", "seen": "observed"},
        }
        return {**body, **changes}

    def input_of(self, option):
        return next(key for key, name in self.seat["plan"]["inputs"].items() if name == option)

    async def send(self, trial, **changes):
        return await self.put(trial, self.measurement(trial, **changes))

    async def put(self, trial, body, headers=None):
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"content-type": "application/json", **self.headers, **(headers or {})}
        return await self.client.put(f"/api/trials/{trial}", content=content, headers=headers)

    async def send_all(self):
        for trial in range(len(self.runs)):
            assert (await self.send(trial)).status_code == 200

    async def answer(self, number, question, value, **changes):
        body = {
            "question": question,
            "value": value,
            "response_ms": 900.5,
            "utc": "2026-01-01T00:00:00.000Z",
            **changes,
        }
        return await self.client.put(f"/api/answers/{number}", json=body, headers=self.headers)

    async def finish(self):
        return await self.client.post("/api/finish", json={}, headers=self.headers)


def run(test):
    """Run a coroutine test."""

    @functools.wraps(test)
    def wrapped(*args, **kwargs):
        asynchronous.run(asyncio.wait_for(test(*args, **kwargs), 120))

    return wrapped


def rows_of(here, observers=("human",)):
    return here.read(lambda connection: trial_records(connection, here.served, observers=observers))


def stored_trials(folder, observers=schema.KINDS):
    """The trials of a study on SQLite, as its store holds them."""
    served = open_study(folder)
    store = open_online_store(default_database(folder), served, reading=True)
    try:
        return store.read(lambda connection: trial_records(connection, served, observers=observers))
    finally:
        store.close()


def n_rows(here):
    """How many rows each table holds."""
    tables = (schema.session, schema.identity, schema.trial, schema.event, schema.tally)
    return here.read(lambda c: [c.scalar(sa.select(sa.func.count()).select_from(table)) for table in tables])
