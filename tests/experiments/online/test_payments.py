"""Whom to pay: every row of the decision table, the service's export, and the files, from sessions to uploads."""

import csv
import json
import stat
from decimal import Decimal

import pytest

from rapidvision import cli
from rapidvision.errors import InputError
from rapidvision.experiments.online.payments.attended import Attended
from rapidvision.experiments.online.payments.decisions import Speed, decide, fast_limit_s
from rapidvision.experiments.online.payments.pairing import paired
from rapidvision.experiments.online.payments.submissions import Submission, read_submissions
from rapidvision.experiments.online.study.settings import OnlineSettings

from .client import Later, Person, run, world
from .conftest import write_settings

FLAGS = ("impossible_duration in 9 trials",)
SLOW, FAST = Speed(500, 600, 300), Speed(20, 600, 300)
TABLE = [
    ("finished", "AWAITING REVIEW", (), SLOW, "approve"),
    ("finished", "", (), None, "approve"),
    ("finished", "AWAITING REVIEW", FLAGS, SLOW, "look"),
    ("finished", "AWAITING REVIEW", FLAGS, None, "look"),
    ("finished", "AWAITING REVIEW", FLAGS, FAST, "reject"),
    ("finished", "TIMED-OUT", (), SLOW, "bonus"),
    ("finished", "RETURNED", (), SLOW, "bonus"),
    ("finished", "RETURNED", FLAGS, FAST, "look"),
    ("finished", "ACTIVE", (), SLOW, "wait"),
    ("finished", "APPROVED", FLAGS, FAST, "settled"),
    ("finished", "REJECTED", (), SLOW, "look"),
    ("failed", "ACTIVE", (), None, "partial"),
    ("failed", "AWAITING REVIEW", (), None, "partial"),
    ("left", "RETURNED", (), None, "none"),
    ("left", "AWAITING REVIEW", (), None, "return"),
    ("left", "TIMED-OUT", (), None, "none"),
    ("running", "ACTIVE", (), None, "wait"),
    ("running", "AWAITING REVIEW", (), None, "return"),
    ("unknown", "AWAITING REVIEW", (), None, "ask"),
    ("unknown", "RETURNED", (), None, "none"),
    ("unknown", "SCREENED OUT", (), None, "settled"),
    ("withdrew_finished", "AWAITING REVIEW", (), None, "approve"),
    ("withdrew_finished", "TIMED-OUT", (), None, "bonus"),
    ("withdrew", "AWAITING REVIEW", (), None, "return"),
    ("second", "AWAITING REVIEW", (), None, "look"),
    ("second", "RETURNED", (), None, "none"),
]


@pytest.mark.parametrize(("outcome", "status", "flags", "speed", "word"), TABLE)
def test_a_row_of_the_table(outcome, status, flags, speed, word):
    decision = decide(outcome, status, flags=flags, speed=speed)
    assert decision.word == word and decision.reason
    assert (decision.category, len(decision.message) >= 100) == (
        ("TOO_QUICKLY", True) if word == "reject" else ("", False)
    )


def test_the_rule_of_three_sd_rejects_no_one_where_the_times_vary_much():
    mean_s, limit_s = fast_limit_s([200.0, 900.0, 300.0, 1500.0])
    assert mean_s == 725 and limit_s < 0 and not Speed(1.0, mean_s, limit_s).is_exceptional
    assert not Speed(0.0, *fast_limit_s([5.0])).is_exceptional


def somebody(name, outcome="finished", *, key=None, n=10, taken_s=600.0, **ids):
    ids = {"PROLIFIC_PID": name, **ids}
    return Attended(name, name, "prolific", key or f"k{name}", ids, 0.0, taken_s, outcome, n, 10, ())


def words(pairs):
    return [(pair.external_id, pair.submission_id, pair.outcome, pair.decision.word) for pair in pairs]


def test_of_two_sessions_or_two_submissions_of_a_person_the_first_one_counts():
    ours = [somebody("ann", SESSION_ID="s2"), somebody("ann2", key="kann"), somebody("bob"), somebody("cid", "left")]
    theirs = [Submission("s1", "ann", "RETURNED", None), Submission("s2", "ann", "AWAITING REVIEW", 610.0)]
    assert words(paired(ours, [*theirs, Submission("s3", "cid", "RETURNED", None)], lambda name: f"k{name}")) == [
        ("ann", "s2", "finished", "approve"),
        ("ann2", "", "second", "look"),
        ("bob", "", "finished", "look"),
        ("cid", "s3", "left", "none"),
        ("ann", "s1", "second", "none"),
    ]


def test_a_script_among_many_is_rejected_by_the_rule_and_a_slow_person_is_not():
    people = [somebody(f"p{i}", taken_s=600.0 + i) for i in range(30)]
    theirs = [Submission(f"s{i}", f"p{i}", "AWAITING REVIEW", 2.0 if i == 7 else 600.0 + i) for i in range(30)]
    theirs[8] = theirs[8]._replace(taken_s=900.0)
    found = [pair.decision.word for pair in paired(people, theirs, lambda name: f"k{name}")]
    assert found == ["reject" if i == 7 else "approve" for i in range(30)]


@pytest.mark.parametrize(
    ("outcome", "status", "n", "amount"),
    [("failed", "ACTIVE", 3, "0.45"), ("failed", "ACTIVE", 0, "0.00"), ("finished", "TIMED-OUT", 10, "1.50")],
)
def test_a_bonus_is_the_reward_or_the_share_of_trials(outcome, status, n, amount):
    [pair] = paired([somebody("ann", outcome, n=n)], [Submission("s", "ann", status, None)], lambda name: f"k{name}")
    assert str(pair.bonus(Decimal("1.50"))) == amount


NEW = "Submission id,Participant id,Status,Started at,Time taken,Completion code\n"
OLD = "submission_id,participant_id,submission_status,time_taken_seconds\n"


@pytest.mark.parametrize("text", [f"{NEW}s1,ann,AWAITING REVIEW,x,61.5,C1\n", f"{OLD}s1,ann,AWAITING_REVIEW,61.5\n"])
def test_both_headers_of_the_export_are_read(tmp_path, text):
    (tmp_path / "e.csv").write_text(text)
    assert read_submissions(tmp_path / "e.csv") == [Submission("s1", "ann", "AWAITING REVIEW", 61.5)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id,status\n1,APPROVED\n", 'no column "submission id"; it has id, status'),
        (f"{OLD}s1,ann,AWAITING,5\n", 'row 2, column "submission_status": got "AWAITING". Did you mean'),
        (f"{OLD}s1,ann,ACTIVE,soon\n", 'row 2, column "time_taken_seconds": got "soon"'),
        (f"{OLD}s1,ann,ACTIVE,\ns1,bob,ACTIVE,\n", "row 3: the submission stands in row 2 too"),
        (f"{OLD}s1,,ACTIVE,\n", 'row 2: column "participant_id" is empty'),
    ],
)
def test_a_wrong_export_is_refused_with_its_place(tmp_path, text, said):
    (tmp_path / "e.csv").write_text(text)
    with pytest.raises(InputError) as refused:
        read_submissions(tmp_path / "e.csv")
    assert said in str(refused.value)


def payments(folder, *more):
    assert cli.main(["session", "payments", str(folder), "--quiet", *map(str, more)]) == 0
    with (folder / "online" / "payments" / "payments.csv").open(encoding="utf-8") as file:
        return {row["external_id"] or row["outcome"]: row for row in csv.DictReader(file)}


@run
async def _take_part(folder):
    """Ann finishes; Bob leaves after 4; Cid finishes and withdraws; Dan's page fails; Eve lapses, then sends the others; Fay claims an end."""
    write_settings(folder, OnlineSettings(lapse_minutes=90))
    up = Later()
    async with world(folder, up=up) as here, here.client() as client:
        names = ("ann", "bob", "cid", "dan", "eve", "fay")
        ann, bob, cid, dan, eve, fay = (
            Person(client, here.served, PROLIFIC_PID=name, SESSION_ID=f"s-{name}") for name in names
        )
        for person in (bob, dan, eve):
            await person.begin()
            for trial in range(4):
                await person.send(trial)
        await client.post("/api/events", json={"kind": "error", "detail": "boom"}, headers=dan.headers)
        up.wait(91 * 60)
        for person in (ann, cid, fay):
            await person.begin()
        for person in (ann, cid):
            await person.send_all()
            assert (await person.finish()).status_code == 200
        for trial in range(4, 10):
            assert (await eve.send(trial)).status_code == 200
        await client.post("/api/events", json={"kind": "step", "detail": "finished"}, headers=fay.headers)
        for person in (cid, fay):
            assert (await client.post("/api/withdraw", headers=person.headers)).status_code == 200


def test_from_sessions_to_files_that_can_be_uploaded(study_folder, tmp_path, capsys):
    _take_part(study_folder)
    statuses = {"ann": "TIMED-OUT", "bob": "AWAITING REVIEW", "dan": "AWAITING REVIEW", "gus": "AWAITING REVIEW"}
    rows = [
        f"s-{name},{name},{statuses.get(name, 'AWAITING REVIEW')},600\n"
        for name in ("ann", "bob", "cid", "dan", "eve", "fay", "gus")
    ]
    (tmp_path / "export.csv").write_text(OLD + "".join(rows))
    alone = payments(study_folder)
    folder = study_folder / "online" / "payments"
    assert [path.name for path in folder.iterdir()] == ["payments.csv"], "a link's ids are in no file for the service"
    assert alone["ann"]["decision"] == "look" and "impossible_duration in" in alone["ann"]["flags"]
    assert alone["withdrew_finished"]["decision"] == "approve"
    found = payments(study_folder, "--submissions", tmp_path / "export.csv", "--reward", "1.50")
    assert {name: (row["outcome"], row["n_trials"]) for name, row in found.items()} == {
        "ann": ("finished", "10"),
        "bob": ("left", "4"),
        "cid": ("withdrew_finished", "0"),
        "dan": ("failed", "4"),
        "eve": ("finished", "10"),
        "fay": ("withdrew", "0"),
        "gus": ("unknown", ""),
    }
    words_of = {name: row["decision"] for name, row in found.items()}
    assert [words_of[name] for name in ("bob", "cid", "dan", "fay", "gus")] == [
        "return",
        "approve",
        "partial",
        "return",
        "ask",
    ]
    assert "s-cid\n" in (folder / "prolific-approve.txt").read_text()
    assert (folder / "prolific-return.txt").read_text() == "s-bob\ns-fay\n"
    assert "s-dan,0.60\n" in (folder / "prolific-bonuses.csv").read_text()
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    capsys.readouterr()
    assert cli.main(["session", "payments", str(study_folder), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["decisions"]


@pytest.mark.parametrize("reward", ["-1", "nan", "1,50"])
def test_a_reward_that_is_no_amount_is_refused(study_folder, reward, capsys):
    assert cli.main(["session", "payments", str(study_folder), f"--reward={reward}"]) != 0
    assert f"got {reward}" in capsys.readouterr().err
