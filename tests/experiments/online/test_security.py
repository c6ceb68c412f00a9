"""Attacks on a study: each ends in 4xx, stores nothing, and slows no other client down."""

import asyncio
import json

import sqlalchemy as sa

from rapidvision.experiments.online.database import schema
from rapidvision.experiments.online.output import export
from rapidvision.experiments.online.study.settings import Limits, OnlineSettings
from rapidvision.experiments.web.security import BodyLimit, Buckets
from tests import asynchronous

from .client import PASSWORD, Person, n_rows, run, world
from .conftest import write_settings


@run
async def test_every_answer_carries_the_security_headers_errors_too(study_folder):
    async with world(study_folder) as here, here.client() as client, here.client(here.dashboard) as desk:
        for answer in [
            await client.get("/"),
            await client.get("/no/such/page"),
            await client.get("/static/main.js"),
            await client.post("/api/sessions", content=b"{"),
            await desk.get("/"),
            await desk.get("/api/overview"),
        ]:
            policy = answer.headers["content-security-policy"]
            assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["cross-origin-opener-policy"] == "same-origin"
            assert answer.headers["cross-origin-embedder-policy"] == "require-corp"
            assert "server" not in answer.headers


@run
async def test_somebody_who_typed_a_wrong_address_reads_words_and_no_script(study_folder):
    async with world(study_folder) as here, here.client() as client:
        answer = await client.get("/<script>x", headers={"accept": "text/html"})
        assert answer.status_code == 404 and answer.headers["content-type"].startswith("text/html")
        assert "nothing at this address" in answer.text and "<script" not in answer.text
        assert (await client.get("/nowhere")).json()["error"] == "http_404"


@run
async def test_the_plan_that_the_browser_gets_names_no_image_level_or_map(study_folder):
    async with world(study_folder) as here, here.client() as client:
        ann = Person(client, here.served)
        await ann.begin()
        text = json.dumps(ann.seat)
        for word in ("clickme", "salicon", "main-0", "bird", "boat", "level", "reveal_fraction"):
            assert word not in text


@run
async def test_nothing_is_stored_before_consent_to_the_present_words(study_folder):
    async with world(study_folder) as here, here.client() as client:
        ann = Person(client, here.served, PROLIFIC_PID="ann")
        assert (await ann.begin(consent_sha256="0" * 64)).json()["error"] == "consent"
        assert n_rows(here) == [0, 0, 0, 0, 0]
        await ann.begin()
        agreed = here.read(lambda c: c.scalar(sa.select(schema.session.c.consent_sha256)))
        assert agreed == here.served.settings.consent_sha256


@run
async def test_no_address_is_stored(study_folder):
    async with world(study_folder) as here:
        import httpx

        transport = httpx.ASGITransport(app=here.app, client=("203.0.113.77", 4242))
        async with httpx.AsyncClient(transport=transport, base_url="http://study.test") as client:
            ann = Person(client, here.served, PROLIFIC_PID="ann")
            await ann.begin()
            await ann.send_all()
            await ann.finish()
        here.store.close()
        for path in (study_folder / "online").iterdir():
            assert b"203.0.113.77" not in path.read_bytes()


def test_a_body_that_trickles_in_is_cut_off_and_others_are_served():
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})

    async def ask(limit, trickle):
        async def receive():
            if trickle:
                await asyncio.sleep(0.05)
            return {"type": "http.request", "body": b"x", "more_body": trickle}

        sent = []

        async def send(message):
            sent.append(message)

        await limit({"type": "http", "method": "POST", "headers": []}, receive, send)
        return sent[0]["status"]

    async def main():
        limit = BodyLimit(app, seconds=0.3)
        return await asyncio.gather(*(ask(limit, True) for _ in range(50)), ask(limit, False))

    statuses = asynchronous.run(main())
    assert statuses == [408] * 50 + [200]


@run
async def test_too_many_requests_are_slowed_down_for_their_sender_only(study_folder):
    limits = Limits(request_burst=5, requests_per_second=0.001, arrival_burst=6, arrivals_per_second=0.001)
    write_settings(study_folder, OnlineSettings(limits=limits))
    async with world(study_folder) as here, here.client() as client:
        ann, bob = Person(client, here.served), Person(client, here.served)
        await ann.begin()
        await bob.begin()
        statuses = [(await ann.send(0)).status_code for _ in range(7)]
        assert statuses == [200] * 5 + [429] * 2
        assert (await bob.send(0)).status_code == 200
        answers = [await client.get("/api/study") for _ in range(6)]
        assert answers[-1].status_code == 429 and answers[-1].headers["retry-after"] == "1"


def test_buckets_refill_and_forget():
    now = [0.0]
    buckets = Buckets(rate=2, burst=4, clock=lambda: now[0], max_keys=2)
    assert [buckets.take("a") for _ in range(5)] == [True] * 4 + [False]
    now[0] = 0.5
    assert buckets.take("a") and not buckets.take("a")
    assert buckets.take("b") and buckets.take("c")
    assert buckets.take("a", 4), "the oldest key is forgotten, so memory is bounded"


@run
async def test_only_planned_images_are_served_and_never_a_path(study_folder):
    async with world(study_folder) as here, here.client() as client:
        sha256, file = next(iter(here.served.stimuli.items()))
        good = await client.get(f"/stimuli/{sha256}.png")
        assert good.content == file.path.read_bytes() and "immutable" in good.headers["cache-control"]
        for name in ("0" * 64, "../study.json", "..%2f..%2fstudy.json", "%2e%2e/secret.key"):
            assert (await client.get(f"/stimuli/{name}")).status_code == 404
        for name in ("../api.py", "..%2fapi.py", "%2e%2e%2fapi.py", "/etc/passwd"):
            assert (await client.get(f"/static/{name}")).status_code == 404


@run
async def test_the_dashboard_is_closed_without_the_password_and_to_other_sites(study_folder):
    async with world(study_folder) as here, here.client(here.dashboard) as desk, here.client() as client:
        closed = ["/api/overview", "/export/trials.csv", "/export/nothing"]
        for path in closed:
            assert (await desk.get(path)).status_code == 401
        assert (await desk.post("/api/state", json={"state": "stopped"})).status_code == 401
        assert (await desk.post("/api/login", json={"password": "wrong"})).status_code == 401
        foreign = {"origin": "https://evil.example"}
        assert (await desk.post("/api/login", json={"password": PASSWORD}, headers=foreign)).status_code == 403
        good = await desk.post("/api/login", json={"password": PASSWORD})
        cookie = good.headers["set-cookie"]
        assert "HttpOnly" in cookie and "SameSite=Strict" in cookie
        assert (await desk.get("/api/overview")).status_code == 200
        assert (await desk.post("/api/state", json={"state": "paused"}, headers=foreign)).status_code == 403
        sites = {"sec-fetch-site": "cross-site"}
        assert (await desk.post("/api/state", json={"state": "paused"}, headers=sites)).status_code == 403
        assert (await desk.get("/export/nothing")).status_code == 404
        await desk.post("/api/logout", json={})
        assert (await desk.get("/api/overview")).status_code == 401
        assert (await client.get("/api/overview")).status_code == 404, "the participants' port has no dashboard"


@run
async def test_guessing_the_password_is_slowed_down(study_folder):
    async with world(study_folder) as here, here.client(here.dashboard) as desk:
        statuses = [(await desk.post("/api/login", json={"password": str(i)})).status_code for i in range(12)]
        assert statuses[:10] == [401] * 10 and statuses[-1] == 429


@run
async def test_a_spreadsheet_finds_no_formula_in_an_export(study_folder):
    async with world(study_folder) as here, here.client() as client:
        ann = Person(client, here.served)
        await ann.begin(device={"browser": "=HYPERLINK(1)", "platform": "+1", "pointer": "@x"})
        event = {"kind": "error", "detail": "-2+3"}
        await client.post("/api/events", json=event, headers=ann.headers)
        await ann.send(0, quality={"reason": "=1"})
        for make in (export.sessions_csv, export.events_csv, export.quality_csv):
            text = here.read(lambda c, make=make: make(c, here.served))
            cells = [cell for line in text.splitlines()[1:] for cell in line.split(",")]
            assert not any(cell[:1] in "=+@" and cell for cell in cells)
            assert not any(cell.startswith("-") and not cell[1:].replace(".", "").isdigit() for cell in cells)


@run
async def test_a_session_cannot_fill_the_disk_with_events(study_folder):
    write_settings(study_folder, OnlineSettings(limits=Limits(events_per_session=3)))
    async with world(study_folder) as here, here.client() as client:
        ann = Person(client, here.served)
        await ann.begin()
        kept = [
            (await client.post("/api/events", json={"kind": "hidden"}, headers=ann.headers)).json()["stored"]
            for _ in range(5)
        ]
        assert kept == [True] * 3 + [False] * 2
        big = {"kind": "error", "detail": "x" * 301}
        assert (await client.post("/api/events", json=big, headers=ann.headers)).status_code == 422
