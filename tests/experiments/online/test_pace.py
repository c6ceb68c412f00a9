"""Trials that arrive sooner than they can have lasted are flagged; a bad connection and a set clock are not blamed."""

import time

import msgspec

from rapidvision.experiments.online.database.uptime import UpTime
from rapidvision.experiments.online.storage.pace import Pace, least_ms

from .client import Later, Person, rows_of, run, world


@run
async def test_a_script_that_answers_at_once_is_flagged_and_counted(study_folder, url):
    async with world(study_folder, url=url) as here, here.client() as client, here.client(here.dashboard) as desk:
        bot = Person(client, here.served)
        await bot.begin()
        await bot.send_all()
        assert (await bot.finish()).status_code == 200
        rows = rows_of(here)
        assert {row.flags for row in rows} == {"impossible_duration"} and {row.timing_ok for row in rows} == {False}
        await desk.post("/api/login", json={"password": "correct horse"})
        seen = (await desk.get("/api/overview")).json()
        assert seen["flags"] == {"impossible_duration": 10} and seen["timing"][0]["good"] == 0


@run
async def test_trials_that_waited_for_a_connection_are_not_flagged(study_folder, url):
    up = Later()
    async with world(study_folder, url=url, up=up) as here, here.client() as client:
        ann = Person(client, here.served)
        await ann.begin()
        up.wait(10 * 0.3)
        await ann.send_all()
        await ann.send_all()
        assert {(row.flags, row.timing_ok) for row in rows_of(here)} == {("unfinished", True)}


@run
async def test_a_wall_clock_that_is_set_flags_no_participant(study_folder, monkeypatch):
    up, now = Later(), time.time()
    async with world(study_folder, up=up) as here, here.client() as client:
        ann = Person(client, here.served)
        await ann.begin()
        monkeypatch.setattr(time, "time", lambda: now - 3600)
        up.wait(10 * 0.3)
        await ann.send_all()
        assert {row.flags for row in rows_of(here)} == {"unfinished"}


def test_the_sum_counts_and_a_repeated_write_does_not():
    now = [0.0]
    pace = Pace(UpTime(lambda: now[0]), wall=lambda: 1e9 + now[0])

    def asked(trial, needed_ms=1000.0):
        return pace.possible("s", trial, needed_ms, began=1e9, began_s=0.0)

    now[0] = 2.0
    assert [asked(0), asked(1), asked(1), asked(2)] == [True, True, True, False]
    now[0] = 60.0
    assert not asked(2), "what was decided stays"
    assert asked(3) and asked(4, 0.0)


def test_an_ordinary_pace_is_never_flagged_whatever_the_order_of_delivery(study_folder):
    """A session at 60 Hz: half a refresh less than planned, a clock that runs 1 % fast, bursts after silence."""
    now = [0.0]
    pace = Pace(UpTime(lambda: now[0]), wall=lambda: 1e9 + now[0])
    waiting = []
    for trial in range(500):
        now[0] += 0.99 * (1500 - 500 / 60) / 1000
        waiting.append(trial)
        if trial % 37 == 0:
            assert all(pace.possible("s", each, 1500.0, began=1e9, began_s=0.0) for each in reversed(waiting))
            waiting = []


def test_what_a_trial_takes_at_least(study_folder):
    from rapidvision.experiments.online.storage.trial_report import Measurement
    from rapidvision.experiments.online.study.plans import open_study

    plan = next(iter(open_study(study_folder, verify=False).plans.values()))
    measured = Measurement(stimulus_sha256="0" * 64, key_pressed="s", response_ms=40.0)
    timing = msgspec.structs.replace(plan.protocol.timing, response_ends_trial=True)
    ends = msgspec.structs.replace(plan, protocol=msgspec.structs.replace(plan.protocol, timing=timing))
    assert least_ms(plan, 150.0, measured) == 250.0 and least_ms(ends, 150.0, measured) == 190.0
    assert least_ms(plan, 150.0, Measurement(stimulus_sha256="0" * 64, aborted=True)) == 0.0
