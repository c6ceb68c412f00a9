"""Attacks over time: replays, races, slow and endless clients, damaged bodies. Nothing but 4xx, other clients not slowed."""

import asyncio
import json
import random
import socket

import httpx
import pytest
import sqlalchemy as sa
import uvicorn
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from uvicorn.server import ServerState

from rapidvision.experiments.online.database import schema
from rapidvision.experiments.online.study.settings import Limits, OnlineSettings
from rapidvision.experiments.web.timeouts import HeaderTimeoutProtocol
from tests import asynchronous

from .client import Person, World, rows_of, run, world
from .conftest import write_settings

NO_LIMITS = Limits(request_burst=1e9, arrival_burst=1e9, requests_per_second=1e9, arrivals_per_second=1e9)


@pytest.mark.parametrize("seed", range(3))
def test_replaying_everything_in_any_order_changes_nothing(study_folder, seed):
    write_settings(study_folder, OnlineSettings(limits=NO_LIMITS))

    @run
    async def test():
        async with world(study_folder) as here, here.client() as client:
            ann = Person(client, here.served, PROLIFIC_PID="ann")
            await ann.begin()
            await ann.send_all()
            end = (await ann.finish()).json()
            before = rows_of(here)
            bodies = [(trial, ann.measurement(trial)) for trial in range(10)]
            changed = [(trial, ann.measurement(trial, response_ms=199.0)) for trial in range(10)]
            calls = [lambda each=each: ann.put(*each) for each in [*bodies, *changed] * 2]
            calls += [ann.finish] * 5
            calls += [lambda: client.post("/api/events", json={"kind": "hidden"}, headers=ann.headers)] * 5
            calls += [lambda: client.post("/api/sessions", json=ann.arrival())] * 3
            random.Random(seed).shuffle(calls)
            answers = await asyncio.gather(*(call() for call in calls))
            assert {answer.status_code for answer in answers} <= {200, 409}
            assert (await ann.finish()).json() == end
            assert rows_of(here) == before
            assert here.read(lambda c: c.scalar(sa.select(sa.func.count()).select_from(schema.session))) == 1

    test()


@pytest.mark.parametrize("seed", range(4))
def test_whatever_the_race_a_session_ends_whole_or_withdrawn(study_folder, seed):
    write_settings(study_folder, OnlineSettings(limits=NO_LIMITS))

    @run
    async def test():
        async with world(study_folder) as here, here.client() as client:
            rng = random.Random(seed)
            people = [Person(client, here.served, id=f"p{number}") for number in range(4)]
            await asyncio.gather(*(person.begin() for person in people))
            calls = []
            for person in people:
                calls += [lambda p=person, t=t: p.send(t) for t in range(10) for _ in range(2)]
                calls += [person.finish] * 3
            for person in people[1:]:
                calls += [lambda p=person: client.post("/api/sessions", json=p.arrival())]
            calls += [lambda: client.post("/api/withdraw", headers=people[0].headers)]
            rng.shuffle(calls)

            async def late(call):
                await asyncio.sleep(rng.uniform(0, 0.05))
                return await call()

            answers = await asyncio.gather(*(late(call) for call in calls))
            assert {answer.status_code for answer in answers} <= {200, 409, 410}
            states = dict(
                here.read(
                    lambda c: [
                        tuple(r) for r in c.execute(sa.select(schema.session.c.session_id, schema.session.c.state))
                    ]
                )
            )
            counts = dict.fromkeys(states, 0)
            for row in rows_of(here):
                counts[row.session_id] += 1
            for session_id, state in states.items():
                assert state in ("open", "finished", "withdrawn")
                assert counts[session_id] <= 10
                assert (counts[session_id] == 10) >= (state == "finished")
                assert (counts[session_id] == 0) >= (state == "withdrawn")
            assert list(states.values()).count("withdrawn") == 1

    test()


def damaged(valid):
    """A valid measurement with some of its parts replaced by anything."""
    anything = st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=30),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
        max_leaves=8,
    )
    names = [*valid, "quality.presses", "quality.presenter", "quality.onset_ms", "quality.reason", "score", "quality.x"]

    def put(changes):
        made = {**valid, "quality": dict(valid["quality"])}
        for name, value in changes.items():
            of, _, part = name.partition(".")
            if part and isinstance(made.get("quality"), dict):
                made["quality"][part] = value
            else:
                made[of] = value
        return made

    return st.dictionaries(st.sampled_from(names), anything, min_size=1, max_size=4).map(put)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_measurement_is_refused_or_was_a_good_one(begun, data):
    loop, here, ann = begun
    body = data.draw(damaged(ann.measurement(0)))
    answer = loop.run(ann.put(0, json.dumps(body).encode()))
    assert answer.status_code in (200, 400, 409, 422), answer.text
    assert len(rows_of(here)) <= 1  # and what is stored can be read again


@pytest.fixture
def begun(study_folder):
    write_settings(study_folder, OnlineSettings(limits=NO_LIMITS))
    with asynchronous.Loop() as loop:
        here = World(study_folder)
        client = here.client()
        ann = Person(client, here.served)
        loop.run(ann.begin())
        yield loop, here, ann
        loop.run(client.aclose())
        here.store.close()


def test_slow_and_silent_connections_keep_no_one_else_waiting(study_folder, serve):
    write_settings(study_folder, OnlineSettings(limits=NO_LIMITS))
    served = serve(study_folder)
    slow = []
    for number in range(150):
        made = socket.create_connection(("127.0.0.1", served.port))
        made.sendall(
            [
                b"",
                b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ",
                b"PUT /api/trials/0 HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{",
            ][number % 3]
        )
        slow.append(made)

    async def take_part():
        async with httpx.AsyncClient(base_url=served.url, timeout=30) as client:
            from rapidvision.experiments.online.study.plans import open_study

            ann = Person(client, open_study(study_folder, verify=False))
            assert (await ann.begin()).status_code == 201
            await ann.send_all()
            assert (await ann.finish()).status_code == 200

    asynchronous.run(take_part())
    for made in slow:
        made.close()


class Impatient(HeaderTimeoutProtocol):
    head_seconds = 0.2


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\nHost: ", b"GET / HTTP/1.1\r\n\r\nGET / HT"])
def test_a_request_whose_head_never_ends_is_closed(said):
    asynchronous.run(closed_after(said))


def test_a_request_whose_head_is_endless_is_closed():
    parts = [b"GET / HTTP/1.1\r\n", *[b"X-More: y\r\n" * 1000] * 40]
    asynchronous.run(closed_after(*parts, protocol=HeaderTimeoutProtocol))


async def closed_after(*parts, protocol=Impatient):
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    config = uvicorn.Config(app, http=protocol, log_level="warning", lifespan="off")
    config.load()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: protocol(config=config, server_state=ServerState(), app_state={}), "127.0.0.1", 0
    )
    port = server.sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0.01)
        await asyncio.wait_for(reader.read(), 20)  # until the server closes
    except ConnectionError:
        pass
    finally:
        writer.close()
        server.close()
