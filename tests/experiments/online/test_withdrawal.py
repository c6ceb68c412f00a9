"""Who withdraws is gone: from tables, files and logs; who falls silent gives the slot back."""

import asyncio
import threading

import sqlalchemy as sa

from rapidvision.experiments.online.database import schema
from rapidvision.experiments.online.study.settings import OnlineSettings

from .client import Person, rows_of, run, world
from .conftest import write_settings


@run
async def test_withdrawal_deletes_data_ids_and_device_by_token_or_code(study_folder, url):
    async with world(study_folder, url=url) as here, here.client() as client:
        ann, bob, eve = (Person(client, here.served, PROLIFIC_PID=name) for name in ("ann", "bob", "eve"))
        for person in (ann, bob, eve):
            await person.begin()
            await person.send_all()
            await client.post("/api/events", json={"kind": "hidden"}, headers=person.headers)
        code = (await bob.finish()).json()["withdrawal_code"]
        assert (await client.post("/api/withdraw", headers=ann.headers)).json() == {"withdrawn": True}
        spaced = f"{code[:4].lower()} {code[4:8]}-{code[8:]}"
        assert (await client.post("/api/withdraw", json={"code": spaced})).json() == {"withdrawn": True}
        assert (await client.post("/api/withdraw", json={"code": "ABCDEFGHJKMNPQRS"})).status_code == 404
        assert len({row.participant_id for row in rows_of(here)}) == 1
        identities = here.read(lambda c: list(c.scalars(sa.select(schema.identity.c.external))))
        assert sorted(identities) == ["", "", '{"PROLIFIC_PID": "eve"}']
        assert here.read(lambda c: c.scalar(sa.select(sa.func.count()).select_from(schema.event))) == 1
        gone = here.read(
            lambda c: list(c.execute(sa.select(schema.session).where(schema.session.c.state == "withdrawn")))
        )
        assert len(gone) == 2 and all(each.device == "{}" and each.browser == "" for each in gone)
        assert (await ann.send(0)).json()["error"] == "gone"
        for person in (ann, bob):
            again = Person(client, here.served, **person.ids)
            assert (await again.begin()).json()["error"] == "repeat"
        assert (await eve.begin()).status_code == 200


@run
async def test_nothing_withdrawn_remains_in_any_file_of_sqlite(study_folder):
    async with world(study_folder) as here, here.client() as client:
        ann, bob = (
            Person(client, here.served, PROLIFIC_PID="annsid"),
            Person(client, here.served, PROLIFIC_PID="bobsid"),
        )
        for person, words in ((ann, "annswords"), (bob, "bobswords")):
            await person.begin()
            for trial in range(10):
                await person.send(trial, quality={"reason": words})
            await client.post("/api/events", json={"kind": "error", "detail": words}, headers=person.headers)

        def remains():
            kept = b"".join(path.read_bytes() for path in (study_folder / "online").glob("online.sqlite*"))
            return [word in kept for word in (b"annsid", b"annswords", b"bobsid", b"bobswords")]

        assert remains() == [True] * 4
        assert (await client.post("/api/withdraw", headers=ann.headers)).json() == {"withdrawn": True}
        assert remains() == [False, False, True, True]


@run
async def test_a_reader_delays_the_emptying_of_the_log_but_not_the_withdrawal(study_folder):
    async with world(study_folder) as here, here.client() as client:
        ann, bob = Person(client, here.served), Person(client, here.served)
        await ann.begin()
        await bob.begin()
        await ann.send(0, quality={"reason": "annswords"})
        reading, finish_reading = threading.Event(), threading.Event()

        def slow_export(connection):
            connection.exec_driver_sql("BEGIN")  # one state of the database for all of its reads
            connection.execute(sa.select(schema.trial)).fetchall()
            reading.set()
            finish_reading.wait(30)

        export = asyncio.create_task(here.store.query(slow_export))
        await asyncio.to_thread(reading.wait, 30)
        assert (await client.post("/api/withdraw", headers=ann.headers)).status_code == 200
        log = study_folder / "online" / "online.sqlite-wal"
        assert b"annswords" in log.read_bytes()
        finish_reading.set()
        await export
        await bob.send(0)
        assert b"annswords" not in log.read_bytes()


@run
async def test_silent_sessions_lapse_by_time_alone(study_folder, url):
    write_settings(study_folder, OnlineSettings(lapse_minutes=0.002))
    async with world(study_folder, url=url) as here, here.client() as client:
        await Person(client, here.served).begin()
        keeper = asyncio.create_task(here.api.keep_time())
        while here.read(lambda c: c.scalar(sa.select(schema.session.c.state))) != "lapsed":
            await asyncio.sleep(0.02)
        keeper.cancel()


@run
async def test_time_in_which_nothing_could_be_stored_is_not_the_participants_silence(study_folder):
    write_settings(study_folder, OnlineSettings(lapse_minutes=0.002))
    async with world(study_folder) as here:
        here.store.close()
        before_s = here.api.up.now_s()
        keeper = asyncio.create_task(here.api.keep_time())
        await asyncio.sleep(0.6)
        assert not keeper.done() and here.api.up.now_s() - before_s < 0.3, "the last tick at most"
        keeper.cancel()
