"""Writes that no unchanged page sends: refused by name, and nothing is stored."""

import json

import pytest

from rapidvision.experiments.online.study.settings import OnlineSettings, Recruitment
from rapidvision.experiments.web.security import MAX_BODY_BYTES
from rapidvision.experiments.web.tokens import Keyring

from .client import Person, begun, n_rows, rows_of, run, world
from .conftest import write_settings


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-1", "1e999", "1e7", '"12"', "[]", "{}", "true"])
@run
async def test_a_response_time_that_is_none_is_refused(study_folder, value):
    async with begun(study_folder) as (here, ann):
        body = json.dumps(ann.measurement(0)).replace("150.5", value).encode()
        assert (await ann.put(0, body)).status_code in (400, 422)
        assert rows_of(here) == []


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"stimulus_sha256": "0" * 64}, 409),
        ({"stimulus_sha256": "../../etc/passwd"}, 422),
        ({"key_pressed": "x"}, 409),
        ({"key_pressed": None}, 409),
        ({"response_ms": None}, 409),
        ({"aborted": True}, 409),
        ({"correct": True}, 422),
        ({"refresh_hz": 0}, 422),
        ({"utc": "=cmd|' /C calc'!A0"}, 422),
        ({"utc": "+1+1"}, 422),
        ({"utc": "-1-1"}, 422),
        ({"utc": "2026-01-01"}, 422),
        ({"quality": {"presses": [{}]}}, 422),
        ({"quality": {"presses": [{"code": "a", "at_ms": 1, "handled_ms": 1, "trusted": True}] * 41}}, 422),
    ],
)
@run
async def test_a_trial_that_was_not_planned_so_is_refused(study_folder, changes, status):
    async with begun(study_folder) as (here, ann):
        assert (await ann.send(0, **changes)).status_code == status
        assert rows_of(here) == []


@pytest.mark.parametrize("number", ["10", "99999999999999999999", "-1", "x", "1.5", "%00"])
@run
async def test_a_trial_number_outside_the_plan_is_refused(study_folder, number):
    async with begun(study_folder) as (here, ann):
        assert (await ann.put(number, ann.measurement(0))).status_code in (404, 405)
        assert rows_of(here) == []


@run
async def test_forged_foreign_and_missing_tokens_are_refused(study_folder):
    async with world(study_folder) as here, here.client() as client:
        ann, bob = Person(client, here.served), Person(client, here.served)
        await ann.begin()
        await bob.begin()
        token = ann.seat["token"]
        held, _, mac = token.rpartition(".")
        other = bob.seat["token"].rpartition(".")[0]
        fields = held.split(".")
        forged = [
            "",
            "x",
            held,
            f"{held}.",
            f"{other}.{mac}",
            ".".join([*fields[:4], "2", fields[5], mac]),
            Keyring(b"z" * 32).sign("session", held),
            here.keys.sign("login", held),
            here.keys.sign("session", ".".join(fields[:6])),
            token + "\u00e9",
            token[:-1],
        ]
        for each in forged:
            headers = {"authorization": f"Bearer {each}".encode()}
            for call in (client.post("/api/finish", json={}, headers=headers), ann.put(0, ann.measurement(0), headers)):
                assert (await call).status_code == 401, each
        assert rows_of(here) == []


@run
async def test_one_participant_cannot_write_into_anothers_session(study_folder):
    async with world(study_folder) as here, here.client() as client:
        ann, bob = Person(client, here.served), Person(client, here.served)
        await ann.begin()
        await bob.begin()
        ids = [here.keys.open("session", each.seat["token"]).split(".")[0] for each in (ann, bob)]
        await ann.send(0)
        assert {row.session_id for row in rows_of(here)} == {ids[0]}
        assert "session_id" not in json.dumps(ann.seat) and ids[1] not in json.dumps(ann.seat)


@pytest.mark.parametrize("value", ["", "a b", "a" * 65, "../x", "a\u0000", "ä", "'; DROP TABLE session;--", "=1+1"])
def test_an_odd_id_is_refused_in_plain_words(study_folder, value):
    @run
    async def test():
        async with world(study_folder) as here, here.client() as client:
            answer = await Person(client, here.served, PROLIFIC_PID=value).begin()
            assert answer.status_code == 400 and "link" in answer.json()["text"]
            assert n_rows(here) == [0, 0, 0, 0, 0]

    test()


@run
async def test_a_link_without_an_id_is_refused_where_ids_are_needed(study_folder):
    write_settings(study_folder, OnlineSettings(recruitment=Recruitment(services=("prolific",))))
    async with world(study_folder) as here, here.client() as client:
        assert (await Person(client, here.served).begin()).json()["error"] == "no_id"
        assert (await Person(client, here.served, workerId="w").begin()).json()["error"] == "no_id"


@run
async def test_large_and_wrong_bodies_are_refused(study_folder):
    async with world(study_folder) as here, here.client() as client:
        ann = Person(client, here.served)
        await ann.begin()
        before = n_rows(here)
        assert (await ann.put(0, b"[" * (MAX_BODY_BYTES + 1))).status_code == 413
        assert (await ann.put(0, b"[" * 16_000)).status_code in (400, 422)
        assert (await ann.put(0, b'{"a":' * 3000)).status_code in (400, 422)
        assert (await ann.put(0, b" " * 20_000)).status_code == 413
        assert (await ann.put(0, b"\xff\xfe")).status_code == 400
        form = await ann.put(0, b"stimulus_sha256=1", {"content-type": "application/x-www-form-urlencoded"})
        assert form.status_code == 415
        assert n_rows(here) == before
