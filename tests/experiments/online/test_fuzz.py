"""Anything at all, sent to every route: a 4xx, and nothing is stored."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rapidvision.experiments.online.study.settings import Limits, OnlineSettings
from tests import asynchronous

from .client import Person, n_rows
from .conftest import write_settings


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.binary(max_size=300)
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
        max_leaves=12,
    ).map(lambda value: json.dumps(value).encode())
)
def test_whatever_is_sent_to_any_route_is_a_4xx_and_nothing_is_stored(fuzzed, body):
    loop, here, ann = fuzzed
    before = n_rows(here)

    async def attack():
        for app in (here.app, here.dashboard):
            async with here.client(app) as sender:
                for route in app.routes:
                    path = route.path.replace("{path:path}", "x").replace("{name}", "x").replace("{number:int}", "0")
                    for method in ("POST", "PUT", "DELETE", "PATCH"):
                        headers = {"content-type": "application/json"}
                        if app is here.app:
                            headers.update(ann.headers)
                        answer = await sender.request(method, path, content=body, headers=headers)
                        harmless = path in ("/api/finish", "/api/withdraw", "/api/logout")
                        assert 400 <= answer.status_code < 500 or harmless, (method, path, answer.status_code)
                        assert answer.status_code < 500

    ann.headers = {"authorization": "Bearer " + here.keys.sign("session", ann.unknown)}
    loop.run(attack())
    assert n_rows(here) == before


@pytest.fixture
def fuzzed(study_folder):
    """A world and a well-signed token of a session that does not exist, so that every check behind it is reached."""
    limits = Limits(request_burst=1e9, arrival_burst=1e9, requests_per_second=1e9, arrivals_per_second=1e9)
    write_settings(study_folder, OnlineSettings(limits=limits))
    from .client import World

    with asynchronous.Loop() as loop:
        here = World(study_folder)
        client = here.client()
        ann = Person(client, here.served)
        ann.unknown = "f" * 32 + ".pmissing.0.0.1.human.0.0"
        yield loop, here, ann
        loop.run(client.aclose())
        here.store.close()
