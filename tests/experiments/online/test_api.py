"""What participants can do, on SQLite and PostgreSQL alike: one test per promise."""

import asyncio
import threading
import time
from collections import Counter

import msgspec
import sqlalchemy as sa

from rapidvision.experiments.engine.simulate import simulate_study
from rapidvision.experiments.online.database import schema
from rapidvision.experiments.online.storage.trial_rows import Stored, TrialRow, store_trials
from rapidvision.experiments.online.study.settings import OnlineSettings, Recruitment
from rapidvision.formats import trials_table

from .client import Later, Person, begun, rows_of, run, world
from .conftest import write_settings


@run
async def test_a_session_goes_from_consent_to_the_code_and_into_the_trials_table(study_folder, url, tmp_path):
    async with world(study_folder, url=url) as here, here.client() as client:
        ann = Person(client, here.served, PROLIFIC_PID="ann")
        assert (await ann.begin()).status_code == 201
        assert (await ann.finish()).json()["error"] == "unfinished"
        await ann.send_all()
        end = (await ann.finish()).json()
        assert len(end["completion_code"]) == 8 and end["redirect"] == ""
        assert (await ann.finish()).json() == end
        rows = rows_of(here)
        trials_table.write_table(tmp_path / "trials.csv", rows)
        assert trials_table.read_table(tmp_path / "trials.csv") == rows
        assert len(rows) == len(ann.runs) == 10
        plan = here.served.plans[rows[0].group, rows[0].slot]
        for row, trial in zip(rows, plan.trials(), strict=True):
            assert (row.image_id, row.stimulus_sha256) == (trial.image.image_id, trial.image.stimulus_sha256)
            assert row.correct == trial.image.target and row.status == "ok"


@run
async def test_a_trial_can_be_sent_again_but_never_changed(study_folder, url):
    async with world(study_folder, url=url) as here, here.client() as client:
        ann = Person(client, here.served)
        await ann.begin()
        assert (await ann.send(0)).json() == {"stored": 0, "duplicate": False}
        assert (await ann.send(0)).json() == {"stored": 0, "duplicate": True}
        changed = await ann.send(0, response_ms=160.0)
        assert (changed.status_code, changed.json()["error"]) == (409, "differs")
        assert [row.response_ms for row in rows_of(here)] == [150.5]


@run
async def test_the_same_write_many_times_at_once_is_stored_once(study_folder, url):
    async with world(study_folder, url=url) as here, here.client() as client:
        ann = Person(client, here.served)
        await ann.begin()
        answers = await asyncio.gather(*(ann.send(0) for _ in range(30)))
        assert all(answer.status_code == 200 for answer in answers)
        assert sum(not answer.json()["duplicate"] for answer in answers) == 1
        assert len(rows_of(here)) == 1


@run
async def test_hundreds_of_trials_that_wait_are_stored_together_and_each_is_answered(study_folder, url):
    async with world(study_folder, url=url) as here, here.client() as client:
        ann, bob = Person(client, here.served), Person(client, here.served)
        await ann.begin()
        await bob.begin()
        ids = here.read(lambda c: list(c.scalars(sa.select(schema.session.c.session_id))))
        gate = threading.Event()
        here.store.submit(lambda _: gate.wait(30))  # holds the writer, so that the others wait together

        def row(session_id, number, tab=1):
            receipt, at = f"{number}-{tab}-{session_id[:8]}", 1.5 + number
            return TrialRow(session_id, tab, number, receipt, at, "main", 1, "none", None, None, None, "{}")

        rows = [row(session_id, number) for number in range(350) for session_id in ids]
        odd = [row(ids[0], 400, tab=7), row("unknown", 1)]
        futures = [here.store.submit_item(store_trials, each) for each in [*rows, *odd]]
        gate.set()
        answers = [future.result(60) for future in futures]
        assert answers[:-2] == [Stored(duplicate=False)] * 700
        assert [answer.code for answer in answers[-2:]] == ["elsewhere", "gone"]
        kept = here.read(lambda c: list(c.execute(sa.select(schema.trial.c.trial, schema.trial.c.received))))
        assert len(kept) == 700 and all(received == 1.5 + number for number, received in kept)


@run
async def test_ids_lie_apart_from_data_and_in_no_export(study_folder, url):
    from rapidvision.experiments.online.output import export

    async with world(study_folder, url=url) as here, here.client() as client:
        ann = Person(client, here.served, PROLIFIC_PID="secretname", STUDY_ID="s9", evil="x")
        await ann.begin()
        await ann.send_all()
        for make in (export.sessions_csv, export.quality_csv, export.presses_csv, export.events_csv):
            assert "secretname" not in here.read(lambda c, make=make: make(c, here.served))
        assert "secretname" not in trials_table.to_csv(rows_of(here))
        assert b"secretname" not in here.read(lambda c: export.psych_ds(c, here.served))
        kept = here.read(lambda c: c.scalar(sa.select(schema.identity.c.external)))
        assert msgspec.json.decode(kept) == {"PROLIFIC_PID": "secretname", "STUDY_ID": "s9"}


@run
async def test_redirect_and_code_come_from_the_settings_with_the_id_quoted(study_folder, url):
    recruitment = Recruitment(completion_code="C1&2", redirect="https://sona.example/credit?code={code}&survey={id}")
    write_settings(study_folder, OnlineSettings(recruitment=recruitment))
    async with world(study_folder, url=url) as here, here.client() as client:
        ann = Person(client, here.served, survey_code="77")
        await ann.begin()
        await ann.send_all()
        end = (await ann.finish()).json()
        assert end["completion_code"] == "C1&2"
        assert end["redirect"] == "https://sona.example/credit?code=C1%262&survey=77"


@run
async def test_late_early_aborted_and_missing_answers_are_judged_by_the_server(study_folder, url):
    async with world(study_folder, url=url) as here, here.client() as client:
        ann = Person(client, here.served)
        await ann.begin()
        await ann.send(0, response_ms=200.0)
        await ann.send(1, response_ms=200.1)
        await ann.send(2, response_ms=99.9)
        await ann.send(3, input=None, response_ms=None)
        aborted = {"files": ann.measurement(4)["files"], "aborted": True, "quality": {"reason": "interrupted"}}
        assert (await ann.put(4, aborted)).status_code == 200
        assert [row.status for row in rows_of(here)] == ["ok", "late", "early", "none", "aborted"]


@run
async def test_the_dashboard_counts_what_happened(study_folder, url):
    up = Later()
    async with (
        world(study_folder, url=url, up=up) as here,
        here.client() as client,
        here.client(here.dashboard) as desk,
    ):
        await client.post("/api/tally", json={"kind": "arrived"})
        await client.post("/api/tally", json={"kind": "arrived"})
        await client.post("/api/tally", json={"kind": "excluded_touch"})
        ann = Person(client, here.served)
        await ann.begin()
        await client.post("/api/events", json={"kind": "step", "detail": "block 1"}, headers=ann.headers)
        up.wait(10)
        await ann.send_all()
        await desk.post("/api/login", json={"password": "correct horse"})
        seen = (await desk.get("/api/overview")).json()
        assert seen["arrivals"] == {"arrived": 2, "excluded_touch": 1}
        assert seen["sessions"] == {"open": 1} and seen["left_at"] == {"block 1": 1}
        assert sum(level["n"] for level in seen["levels"]) == 8
        assert seen["histogram"][6] == 8 and sum(seen["histogram"]) == 8
        assert seen["timing"] == [{"browser": "Test 1", "sessions": 1, "trials": 10, "watched": 10, "good": 10}]
        for name, kind in (
            ("trials.csv", "text/csv"),
            ("trials.parquet", "application"),
            ("psych-ds.zip", "application"),
        ):
            file = await desk.get(f"/export/{name}")
            assert file.status_code == 200 and file.headers["content-type"].startswith(kind)
            assert name in file.headers["content-disposition"] and len(file.content) > 200


def test_two_servers_on_one_postgresql_share_slots_and_trials(study_folder, postgresql_url):
    @run
    async def test():
        async with world(study_folder, url=postgresql_url) as one, world(study_folder, url=postgresql_url) as two:
            async with one.client() as left, two.client() as right:
                people = [Person((left, right)[i % 2], one.served, id=f"p{i}") for i in range(24)]
                answers = await asyncio.gather(*(person.begin() for person in people))
                assert {answer.status_code for answer in answers} == {201}
                dealt = one.read(
                    lambda c: list(c.execute(sa.select(schema.session.c.group_name, schema.session.c.slot)))
                )
                assert set(Counter(map(tuple, dealt)).values()) == {3}
                ann = people[0]
                await ann.send(0)
                ann.client = right
                assert (await ann.send(0)).json()["duplicate"]

    test()


def test_simulated_people_answer_as_the_engines_simulation_does(study_folder):
    from rapidvision.experiments.engine.participants import Observers
    from rapidvision.experiments.online.service.answers import Simulated

    @run
    async def test():
        simulated = Simulated(Observers(response_shift_ms=20, response_median_ms=60), seed=4)
        async with world(study_folder, simulated=simulated) as here, here.client() as client:
            bot = Person(client, here.served)
            await bot.begin(simulated=True)
            answers = (await client.get("/api/simulated", headers=bot.headers)).json()
            seat = here.read(lambda c: c.execute(sa.select(schema.session)).one())
            plan = here.served.plans[seat.group_name, seat.slot]
            expected = simulate_study([plan], simulated.observers, seed=4)
            assert [(a["trial"], a["input"], a["response_ms"]) for a in answers["trials"]] == [
                (r.trial, r.input, r.response_ms) for r in expected
            ]
            human = Person(client, here.served)
            await human.begin()
            assert (await client.get("/api/simulated", headers=human.headers)).status_code == 403

    test()


@run
async def test_the_clock_of_the_wall_does_not_decide_about_trials(study_folder, monkeypatch):
    async with begun(study_folder) as (here, ann):
        before = time.time()
        monkeypatch.setattr(time, "time", lambda: before - 86_400)
        assert (await ann.send(0)).status_code == 200
        assert rows_of(here)[0].response_ms == 150.5
