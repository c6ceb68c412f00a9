"""A study is its folder, not its name; a person is one over all studies of a database."""

import re
import shutil

import pytest
import sqlalchemy as sa

from rapidvision.errors import InputError
from rapidvision.experiments.design.allocation import check_participant_id
from rapidvision.experiments.design.planning import make_study
from rapidvision.experiments.online.database import schema
from rapidvision.experiments.online.database.identity import study_identity
from rapidvision.experiments.online.storage.open_database import default_database, open_online_store
from rapidvision.experiments.online.study.plans import open_study
from rapidvision.experiments.online.study.settings import OnlineSettings, Recruitment
from rapidvision.experiments.web.store import sqlite_url
from rapidvision.formats.manifest import read_set

from .client import Person, World, rows_of, run, world
from .conftest import QUICK, write_settings


@pytest.fixture
def twin(study_folder, tmp_path):
    """Another study with the same name, the same task and the same images."""
    folder = tmp_path / "twin"
    shutil.copytree(study_folder, folder, ignore=shutil.ignore_patterns("online"))
    return folder


def database(url, tmp_path):
    return url or sqlite_url(tmp_path / "shared.sqlite")


@run
async def _test_two_studies(study_folder, twin, url):
    async with world(study_folder, url=url) as one, world(twin, url=url) as two:
        async with one.client() as left, two.client() as right, two.client(two.dashboard) as desk:
            ann = Person(left, one.served, PROLIFIC_PID="ann")
            assert (await ann.begin()).status_code == 201
            await ann.send(0)
            refused = await Person(right, two.served, PROLIFIC_PID="ann").begin()
            assert (refused.status_code, refused.json()["error"]) == (409, "repeat")
            bob = Person(right, two.served, PROLIFIC_PID="bob")
            assert (await bob.begin()).status_code == 201
            assert (await Person(left, one.served, PROLIFIC_PID="bob").begin()).json()["error"] == "repeat"
            await desk.post("/api/login", json={"password": "correct horse"})
            seen = (await desk.get("/api/overview")).json()
            assert seen["sessions"] == {"open": 1} and seen["study_id"] == "tiny"
            assert len(rows_of(one)) == 1 and rows_of(two) == []


def test_two_folders_of_one_name_are_two_studies_and_share_who_took_part(study_folder, twin, url, tmp_path):
    _test_two_studies(study_folder, twin, database(url, tmp_path))


def test_where_the_settings_say_so_people_take_part_in_both(study_folder, twin, url, tmp_path):
    shared = database(url, tmp_path)
    write_settings(twin, OnlineSettings(recruitment=Recruitment(refuse_other_studies=False)))

    @run
    async def test():
        async with world(study_folder, url=shared) as one, world(twin, url=shared) as two:
            async with one.client() as left, two.client() as right:
                await Person(left, one.served, PROLIFIC_PID="ann").begin()
                assert (await Person(right, two.served, PROLIFIC_PID="ann").begin()).status_code == 201

    test()


def test_the_identity_is_made_once_and_what_is_none_is_refused(tmp_path):
    made = study_identity(tmp_path)
    assert study_identity(tmp_path) == made and len(made) == 32
    (tmp_path / "online" / "study.id").write_text("my study", encoding="utf-8")
    with pytest.raises(InputError, match='got "my study"'):
        study_identity(tmp_path)


def test_exports_follow_the_plans_as_they_were_run(study_folder, tiny_set, tmp_path, capsys):
    """The folder is planned anew with another response limit: trials keep the judgement of the limit that they had."""
    from rapidvision.cli import main
    from rapidvision.formats.trials_table import read_table

    @run
    async def take_part():
        async with world(study_folder) as here, here.client() as client:
            ann = Person(client, here.served)
            await ann.begin()
            await ann.send(0, response_ms=150.5)
            await ann.send(1, response_ms=250.0)

    take_part()
    online = tmp_path / "kept"
    shutil.move(study_folder / "online", online)
    shutil.rmtree(study_folder)
    import msgspec

    slower = msgspec.structs.replace(
        QUICK,
        phases=(*QUICK.phases[:2], msgspec.structs.replace(QUICK.phases[2], duration_ms=400)),
        response=msgspec.structs.replace(QUICK.response, limit_ms=500),
    )
    make_study(read_set(tiny_set.folder), slower, study_folder, n_slots=4)
    shutil.move(online, study_folder / "online")
    out = tmp_path / "t.csv"
    assert main(["session", "export", str(study_folder), "--source", "online", "--out", str(out)]) == 0, (
        capsys.readouterr().err
    )
    assert [row.status for row in read_table(out)] == ["ok", "late"]
    with pytest.raises(InputError, match="followed other plans"):
        World(study_folder)


def test_collecting_from_a_database_without_this_study_names_those_that_are_there(study_folder, twin):
    @run
    async def take_part():
        async with world(study_folder) as here, here.client() as client:
            await Person(client, here.served).begin()

    take_part()
    with pytest.raises(InputError, match=r"it holds: tiny \(1 sessions, identity [0-9a-f]{32}\)"):
        open_online_store(default_database(study_folder), open_study(twin), reading=True)


@run
async def test_of_who_withdrew_only_hashes_stay(study_folder):
    async with world(study_folder) as here, here.client() as client:
        ann = Person(client, here.served, PROLIFIC_PID="annsid")
        await ann.begin()
        await client.post("/api/withdraw", headers=ann.headers)
        kept = here.read(lambda c: c.execute(sa.select(schema.identity)).one())
        assert (kept.external, kept.service) == ("", "") and len(kept.key) == 32 and "annsid" not in kept.key
        plain = Person(client, here.served)
        await plain.begin()
        await client.post("/api/withdraw", headers=plain.headers)
        assert (await plain.begin()).json()["error"] == "repeat"


FOREIGN = ("aux", "1e5", "-2", "0017", "MAR1", "sub-01_task-x", "x" * 60)
DAMAGED = ("=1+1", "../../etc/passwd", "Ä ö/ü", "a,b", "")


@run
async def test_ids_from_links_reach_exports_as_ids_that_the_lab_and_bids_accept(study_folder, url):
    """Whatever a recruitment service puts into its links: the participant's id is the server's own."""
    async with world(study_folder, url=url) as here, here.client() as client:
        for name in FOREIGN:
            person = Person(client, here.served, PROLIFIC_PID=name)
            assert (await person.begin()).status_code == 201
            await person.send(0)
        for name in DAMAGED:
            assert (await Person(client, here.served, PROLIFIC_PID=name).begin()).status_code == 400
        ids = here.read(lambda c: list(c.scalars(sa.select(schema.session.c.participant_id))))
    assert len(set(ids)) == len(FOREIGN)
    assert [check_participant_id(name) for name in ids] == ids
    assert len({re.sub(r"[^a-z0-9]", "", name.casefold()) for name in ids}) == len(FOREIGN)
