"""Who answered: pilots and the simulation take nothing from participants, and enter no count and no export by themselves."""

import csv
import io

import pytest
import sqlalchemy as sa

from rapidvision.cli import main
from rapidvision.errors import InputError
from rapidvision.experiments.engine.participants import Observers
from rapidvision.experiments.online.database import schema
from rapidvision.experiments.online.output import export
from rapidvision.experiments.online.service.answers import Simulated
from rapidvision.experiments.online.storage.register import discard, rehearsed
from rapidvision.experiments.online.study.settings import OnlineSettings, Recruitment
from rapidvision.formats.trials_table import read_table

from .client import Person, rows_of, run, world
from .conftest import write_settings

BOTS = Simulated(Observers(), seed=1)
PAID = Recruitment(completion_code="PAYME", redirect="https://pay.example/?cc={code}")


@run
async def test_simulated_sessions_take_no_slot_no_quota_no_code_and_are_in_no_count(study_folder, url):
    write_settings(study_folder, OnlineSettings(quota_per_group=1, recruitment=PAID))
    async with world(study_folder, url=url, simulated=BOTS) as here, here.client() as client:
        for name in ("a", "b", "c", "d"):
            bot = Person(client, here.served, PROLIFIC_PID=name)
            await client.post("/api/tally", json={"kind": "arrived", "simulated": True})
            assert (await bot.begin(simulated=True)).status_code == 201, "nor have they a quota"
            await bot.send_all()
            end = (await bot.finish()).json()
            assert (end["completion_code"], end["redirect"]) == ("", "")
        people = [Person(client, here.served, PROLIFIC_PID=name) for name in ("a", "b")]
        for person in people:
            assert (await person.begin()).status_code == 201
            await person.send_all()
            assert (await person.finish()).json()["completion_code"] == "PAYME"
        assert (await Person(client, here.served, PROLIFIC_PID="c").begin()).json()["error"] == "full"
        seats = (schema.session.c.observer_kind, schema.session.c.group_name, schema.session.c.slot)
        dealt = here.read(lambda c: [tuple(row) for row in c.execute(sa.select(*seats))])
        assert {slot for kind, _, slot in dealt if kind == "human"} == {0}
        async with here.client(here.dashboard) as desk:
            await desk.post("/api/login", json={"password": "correct horse"})
            seen = (await desk.get("/api/overview")).json()
            assert seen["sessions"] == {"finished": 2} and seen["others"] == {"simulated": 4}
            assert seen["arrivals"] == {"refused_full": 1} and sum(level["n"] for level in seen["levels"]) == 16
            for name in ("trials.csv", "sessions.csv", "quality.csv"):
                file = csv.DictReader(io.StringIO((await desk.get(f"/export/{name}")).text))
                assert {row["observer_kind"] for row in file} == {"human"}
            asked = (await desk.get("/export/trials.csv?observers=simulated,human")).text
            assert {row["observer_kind"] for row in csv.DictReader(io.StringIO(asked))} == {"human", "simulated"}
            assert (await desk.get("/export/trials.csv?observers=humans")).status_code == 400
        assert {row.observer_kind for row in rows_of(here)} == {"human"} and len(rows_of(here)) == 20
        assert len(rows_of(here, ("simulated",))) == 40


@run
async def test_people_in_a_rehearsal_are_pilots_and_may_take_part_afterwards(study_folder, url):
    write_settings(study_folder, OnlineSettings(recruitment=PAID))
    async with world(study_folder, url=url, rehearsal="lab meeting") as here, here.client() as client:
        ann = Person(client, here.served, PROLIFIC_PID="ann")
        assert (await ann.begin()).json()["observer_kind"] == "pilot"
        await ann.send_all()
        assert (await ann.finish()).json()["completion_code"] == ""
        assert rows_of(here) == [] and {row.observer_kind for row in rows_of(here, ("pilot",))} == {"pilot"}
    async with world(study_folder, url=url) as here, here.client() as client:
        again = Person(client, here.served, PROLIFIC_PID="ann")
        again.resume_key = ann.resume_key
        seat = (await again.begin()).json()
        assert (seat["observer_kind"], seat["resumed"]) == ("human", False)
        study_id = here.served.study_id
        assert here.read(lambda c: rehearsed(c, study_id)) == {"lab meeting": {"pilot": 1}}
        assert await here.store.write(lambda c: discard(c, study_id, "lab meeting")) == 1
        assert rows_of(here, schema.KINDS) == [] and here.read(lambda c: rehearsed(c, study_id)) == {}
        assert (await again.send(0)).status_code == 200, "a participant's session is never discarded"


@pytest.mark.parametrize(
    "where",
    [["--public-url", "https://lab.example/animals", "--behind-proxy"], ["--host", "0.0.0.0", "--insecure"]],
)
def test_simulation_on_a_public_address_is_refused_unless_it_is_a_rehearsal(study_folder, serve, capsys, where):
    free = ["--port", "0", "--dashboard-port", "0"]
    assert main(["session", "serve", str(study_folder), "--simulate", *free, *where]) == 2
    assert "--rehearsal" in capsys.readouterr().err
    assert any("nothing counts" in line for line in serve(study_folder, "--simulate", "--rehearsal", *where).said)


def test_collect_takes_participants_and_says_whom_it_left_out(study_folder, tmp_path, capsys):
    @run
    async def take_part():
        async with world(study_folder, simulated=BOTS) as here, here.client() as client:
            for simulated in (True, True, False):
                person = Person(client, here.served)
                await person.begin(simulated=simulated)
                await person.send_all()

    take_part()
    out = tmp_path / "t.csv"
    assert main(["session", "export", str(study_folder), "--source", "online", "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "10 trials of 1 sessions" in said and "2 simulated" in said and "--observers human simulated" in said
    assert "impossible_duration 10" in said and "unfinished 10" in said
    assert {(row.observer_kind, row.timing_ok) for row in read_table(out)} == {("human", False)}
    assert (
        main(
            [
                "session",
                "export",
                str(study_folder),
                "--source",
                "online",
                "--out",
                str(out),
                "--observers",
                "simulated",
            ]
        )
        == 0
    )
    assert {row.observer for row in read_table(out)} == {"simulated"}
    assert main(["session", "export", str(study_folder), "--source", "online", "--observers", "robot"]) == 2
    assert '"robot"' in capsys.readouterr().err


@run
async def test_an_export_of_kinds_that_do_not_exist_is_refused(study_folder):
    async with world(study_folder) as here:
        with pytest.raises(InputError, match="humen"):
            here.read(lambda c: export.trial_records(c, here.served, observers=("humen",)))
