"""Who may begin, where, and with which slot, on SQLite and PostgreSQL alike."""

import asyncio
import time
from collections import Counter

import sqlalchemy as sa

from rapidvision.experiments.design.allocation import Slots
from rapidvision.experiments.online.database import schema
from rapidvision.experiments.online.study.settings import Limits, OnlineSettings, Recruitment

from .client import Later, Person, rows_of, run, world
from .conftest import write_settings


@run
async def test_one_id_has_one_session_whatever_the_race(study_folder, url):
    async with world(study_folder, url=url) as here, here.client() as client:
        people = [Person(client, here.served, PROLIFIC_PID="ann") for _ in range(12)]
        for person in people:
            person.resume_key = people[0].resume_key
        answers = await asyncio.gather(*(person.begin() for person in people))
        assert sorted(answer.status_code for answer in answers) == [200] * 11 + [201]
        assert here.read(lambda c: c.scalar(sa.select(sa.func.count()).select_from(schema.session))) == 1


@run
async def test_slots_follow_the_rule_of_the_lab_and_stay_even(study_folder, url):
    async with world(study_folder, url=url) as here, here.client() as client:
        lab = Slots(here.served.groups, here.served.n_slots, seed=here.api.rules.seed)
        for number in range(13):
            await Person(client, here.served, id=f"p{number}").begin()
            lab.take(f"p{number}", reuse=True)  # online, a plan goes to a second participant unasked
        dealt = here.read(lambda c: list(c.execute(sa.select(schema.session.c.group_name, schema.session.c.slot))))
        assert Counter((group, slot) for group, slot in dealt) == lab.filled()


@run
async def test_many_arrivals_at_once_leave_groups_and_levels_within_one(study_folder, url):
    write_settings(study_folder, OnlineSettings(limits=Limits(arrival_burst=10_000)))
    async with world(study_folder, url=url) as here, here.client() as client:
        people = [Person(client, here.served, id=f"p{number}") for number in range(61)]
        answers = await asyncio.gather(*(person.begin() for person in people))
        assert {answer.status_code for answer in answers} == {201}
        sessions = here.read(lambda c: list(c.execute(sa.select(schema.session.c.group_name, schema.session.c.slot))))
        sizes = Counter(group for group, _ in sessions)
        assert max(sizes.values()) - min(sizes.values()) <= 1
        cells = Counter()
        for group, slot in sessions:
            for trial in here.served.plans[group, slot].trials("main"):
                cells[group, trial.image.image_id, trial.image.level_index] += 1
        for group, size in sizes.items():
            counts = [n for (of, _, _), n in cells.items() if of == group]
            assert len(counts) == 8 * 4 and max(counts) - min(counts) <= 1, size


@run
async def test_the_newest_tab_wins_and_the_old_one_is_told(study_folder, url):
    async with world(study_folder, url=url) as here, here.client() as client:
        old = Person(client, here.served, id="ann")
        await old.begin()
        await old.send(0)
        new = Person(client, here.served, id="ann")
        new.resume_key = old.resume_key
        seat = (await new.begin()).json()
        assert seat["resumed"] and [each["trial"] for each in seat["done"]] == [0]
        assert (await old.send(1)).json()["error"] == "elsewhere"
        assert (await new.send(1)).status_code == 200


@run
async def test_an_id_alone_does_not_open_anothers_session(study_folder, url):
    async with world(study_folder, url=url) as here, here.client() as client:
        await Person(client, here.served, PROLIFIC_PID="ann").begin()
        thief = await Person(client, here.served, PROLIFIC_PID="ann").begin()
        assert (thief.status_code, thief.json()["error"]) == (409, "elsewhere")


@run
async def test_where_the_settings_say_so_an_id_continues_in_another_browser(study_folder, url):
    write_settings(study_folder, OnlineSettings(recruitment=Recruitment(resume_elsewhere=True)))
    async with world(study_folder, url=url) as here, here.client() as client:
        await Person(client, here.served, PROLIFIC_PID="ann").begin()
        assert (await Person(client, here.served, PROLIFIC_PID="ann").begin()).json()["resumed"]


@run
async def test_a_silent_session_gives_its_slot_back_and_its_late_trials_are_taken_and_marked(study_folder, url):
    up = Later()
    async with world(study_folder, url=url, up=up) as here, here.client() as client:
        ann = Person(client, here.served, id="ann")
        first = (await ann.begin()).json()
        assert (await ann.send(0)).status_code == 200
        up.wait(91 * 60)
        bob = await Person(client, here.served, id="bob").begin()
        assert bob.status_code == 201
        states = here.read(lambda c: sorted(c.scalars(sa.select(schema.session.c.state))))
        assert states == ["lapsed", "open"] and first["state"] == "open"
        assert (await ann.send(1)).json() == {"stored": 1, "duplicate": False}
        again = await ann.begin()
        assert (again.status_code, again.json()["error"]) == (409, "lapsed"), "no image is shown any more"
        ann.headers = {"authorization": f"Bearer {again.json()['token']}"}
        for trial in range(2, 10):
            assert (await ann.send(trial)).status_code == 200, "a page that is loaded again sends what it kept"
        assert [set((row.flags or "").split()) & {"after_lapse"} for row in rows_of(here)] == [set()] + [
            {"after_lapse"}
        ] * 9
        assert all("lapsed" in row.flags for row in rows_of(here)), "its session is marked while it is unfinished"
        assert (await ann.finish()).json()["completion_code"]
        assert [set(row.flags.split()) for row in rows_of(here)[1:]] == [{"after_lapse"}] * 9


@run
async def test_going_on_counts_as_a_sign_of_life_and_an_event_does(study_folder, url):
    up = Later()
    async with world(study_folder, url=url, up=up) as here, here.client() as client:
        ann, bob = (Person(client, here.served, id=name) for name in ("ann", "bob"))
        await ann.begin()
        await bob.begin()
        for _ in range(3):
            up.wait(60 * 60)
            assert (await ann.begin()).status_code == 200
            await client.post("/api/events", json={"kind": "shown"}, headers=bob.headers)
        assert set(here.read(lambda c: list(c.scalars(sa.select(schema.session.c.state))))) == {"open"}


@run
async def test_neither_a_stepped_clock_nor_a_server_that_was_down_lapses_anybody(study_folder, url, monkeypatch):
    async with world(study_folder, url=url, up=Later()) as here, here.client() as client:
        ann = Person(client, here.served, id="ann")
        await ann.begin()
        here.api.up.wait(80 * 60)  # of 90
        await Person(client, here.served, id="bob").begin()
    now = time.time()
    for step_s in (86_400, -86_400):  # the server was down for a day, by either clock
        monkeypatch.setattr(time, "time", lambda step_s=step_s: now + step_s)
        async with world(study_folder, url=url, up=Later()) as here, here.client() as client:
            await Person(client, here.served, id=f"eve{step_s}").begin()
            assert set(here.read(lambda c: list(c.scalars(sa.select(schema.session.c.state))))) == {"open"}
    async with world(study_folder, url=url, up=Later()) as here, here.client() as client:
        here.api.up.wait(11 * 60)  # what was served before counts
        await Person(client, here.served, id="may").begin()
        states = here.read(lambda c: sorted(c.scalars(sa.select(schema.session.c.state))))
        assert states == ["lapsed", "open", "open", "open", "open"], "only the one who was silent for 91 served minutes"


@run
async def test_quota_and_pause_keep_people_out_and_let_those_inside_finish(study_folder, url):
    write_settings(study_folder, OnlineSettings(quota_per_group=1))
    async with world(study_folder, url=url) as here, here.client() as client:
        ann, bob = (Person(client, here.served, id=name) for name in ("ann", "bob"))
        await ann.begin()
        await bob.begin()
        assert (await Person(client, here.served, id="eve").begin()).json()["error"] == "full"
        async with here.client(here.dashboard) as desk:
            await desk.post("/api/login", json={"password": "correct horse"})
            assert (await desk.post("/api/state", json={"state": "paused"})).json() == {"state": "paused"}
        assert (await Person(client, here.served, id="may").begin()).json()["error"] == "closed"
        await ann.send_all()
        assert (await ann.finish()).status_code == 200


@run
async def test_repeat_participants_are_refused_by_id_list_and_across_studies(study_folder, url):
    (study_folder / "old.txt").write_text("\ufeffann\n\n bob \n")
    write_settings(study_folder, OnlineSettings(recruitment=Recruitment(refuse_ids="old.txt")))
    async with world(study_folder, url=url) as here, here.client() as client:
        for name in ("ann", "bob"):
            assert (await Person(client, here.served, PROLIFIC_PID=name).begin()).json()["error"] == "repeat"
        eve = Person(client, here.served, PROLIFIC_PID="eve")
        await eve.begin()
        move = schema.session.update().values(study_id="another")
        here.store.submit(lambda c: c.execute(move) and None).result(10)
        assert (await eve.begin()).json()["error"] == "repeat"
