"""Answers to questions: stored once by their number, checked against the question, in rows and in a table of their own."""

import csv
import io

import msgspec
import pytest

from rapidvision.experiments.design.planning import make_study
from rapidvision.experiments.online.database.owed import owed
from rapidvision.experiments.online.output.export import answers_csv
from rapidvision.experiments.online.output.result_files import from_files
from rapidvision.experiments.online.study.question_places import Place, places_of
from rapidvision.plan import Gate, Run
from rapidvision.task.questions import Question
from rapidvision.task.session import Practice

from .client import Person, rows_of, run, world
from .conftest import QUICK

QUESTIONS = (
    Question(name="age", kind="number", ask="start", range=(18.0, 99.0)),
    Question(name="confidence", kind="rating", options=("1", "2", "3", "4"), when="answered"),
    Question(name="effort", kind="choice", ask="block", options=("low", "high")),
    Question(name="remarks", kind="text", ask="end", required=False, max_length=20),
)


@pytest.fixture(scope="session")
def asking_template(tiny_set, tmp_path_factory):
    folder = tmp_path_factory.mktemp("asking")
    make_study(tiny_set, msgspec.structs.replace(QUICK, questions=QUESTIONS), folder, n_slots=1)
    return folder


@pytest.fixture
def asking(asking_template, copied):
    return copied(asking_template)


def numbers_of(person):
    """Question -> the numbers of its places in the participant's plan."""
    found = {}
    for step in person.seat["plan"]["steps"]:
        places = step["ask"] if step["step"] == "run" else [step] if step["step"] == "ask" else []
        for place in places:
            found.setdefault(place["question"], []).append(place["number"])
    return found


def test_every_place_has_a_number_behind_those_of_the_trials(asking):
    from rapidvision.experiments.online.study.plans import open_study

    plan = next(iter(open_study(asking, verify=False).plans.values()))
    places = places_of(plan)
    assert sorted(places) == list(range(10, 10 + 1 + 10 + 2 + 1))
    assert places[10] == Place("age") and places[11] == Place("confidence", trial=0)
    assert [place for place in places.values() if place.question == "effort"] == [
        Place("effort", block=0),
        Place("effort", block=1),
    ]


@run
async def test_answers_are_stored_once_and_found_in_both_tables(asking, url):
    async with world(asking, url=url) as here, here.client() as client:
        ann = Person(client, here.served)
        assert (await ann.begin()).json()["answered"] == []
        numbers = numbers_of(ann)
        assert (await ann.answer(numbers["age"][0], "age", 33)).json() == {"stored": 10, "duplicate": False}
        assert (await ann.answer(numbers["age"][0], "age", 33)).json() == {"stored": 10, "duplicate": True}
        changed = await ann.answer(numbers["age"][0], "age", 34)
        assert (changed.status_code, changed.json()["error"]) == (409, "differs")
        await ann.send_all()
        await ann.answer(numbers["confidence"][2], "confidence", "4")
        await ann.answer(numbers["effort"][1], "effort", "high")
        await ann.answer(numbers["remarks"][0], "remarks", "=HYPERLINK(1)")
        assert sorted((await ann.begin()).json()["answered"]) == sorted(
            [numbers["age"][0], numbers["confidence"][2], numbers["effort"][1], numbers["remarks"][0]]
        )
        rows = rows_of(here)
        assert [row.more["confidence"] for row in rows] == [None, None, 4] + [None] * 7
        assert rows[2].more["confidence_ms"] == 900.5
        table = list(csv.DictReader(io.StringIO(here.read(lambda c: answers_csv(c, here.served)))))
        found = [(row["question"], row["ask"], row["block"], row["answer"]) for row in table]
        assert found == [
            ("age", "start", "", "33"),
            ("effort", "block", "1", "high"),
            ("remarks", "end", "", "'=HYPERLINK(1)"),
        ]
        assert (await ann.finish()).status_code == 200
        assert (await ann.answer(numbers["remarks"][0], "remarks", "=HYPERLINK(1)")).json()["duplicate"]
        assert (await ann.answer(numbers["effort"][0], "effort", "low")).status_code == 409
        gone = await client.post("/api/withdraw", headers=ann.headers)
        assert gone.status_code == 200
        assert here.read(lambda c: answers_csv(c, here.served)).count("\n") == 1


@pytest.mark.parametrize(
    ("question", "value", "status"),
    [
        ("age", 17, 409),
        ("age", "33", 409),
        ("age", None, 200),
        ("confidence", "5", 409),
        ("confidence", 4, 409),
        ("effort", "low", 200),
        ("remarks", "x" * 21, 409),
        ("remarks", "x" * 5000, 422),
        ("remarks", "", 200),
        ("effort", True, 422),
    ],
)
@run
async def test_what_is_no_answer_of_the_question_is_refused(asking, question, value, status):
    async with world(asking) as here, here.client() as client:
        ann = Person(client, here.served)
        await ann.begin()
        number = numbers_of(ann)[question][0]
        assert (await ann.answer(number, question, value)).status_code == status
        assert (await ann.answer(number, "other", value)).status_code in (409, 422)
        assert (await ann.answer(9, question, value)).status_code in (404, 422), "a trial is no question"
        assert (await ann.answer(number, question, "low", response_ms=-1)).status_code == 422


@run
async def test_of_two_tabs_only_the_newest_may_answer(asking):
    async with world(asking) as here, here.client() as client:
        ann = Person(client, here.served)
        await ann.begin()
        old, number = ann.headers, numbers_of(ann)["age"][0]
        await ann.begin()
        ann.headers, new = old, ann.headers
        assert (await ann.answer(number, "age", 33)).json()["error"] == "elsewhere"
        ann.headers = new
        assert (await ann.answer(number, "age", 33)).status_code == 200


def test_a_result_file_holds_answers_and_a_wrong_one_is_named(asking, tmp_path):
    import json

    from rapidvision.errors import InputError
    from rapidvision.experiments.online.study.plans import open_study

    from .test_bundle import result_of

    study = open_study(asking, verify=False)
    good = {
        "10": {"question": "age", "value": 33, "response_ms": 1},
        "11": {"question": "confidence", "value": "2", "response_ms": 1},
    }
    (tmp_path / "a.json").write_text(json.dumps(result_of(study, answers=good)))
    rows, answers = from_files(study, [tmp_path / "a.json"])
    assert rows[0].more["confidence"] == 2 and [(a.question, a.answer) for a in answers] == [("age", "33")]
    for wrong in ({"10": good["11"]}, {"99": good["10"]}, {"x": good["10"]}):
        (tmp_path / "a.json").write_text(json.dumps(result_of(study, answers=wrong)))
        with pytest.raises(InputError, match="answer .*the file was changed"):
            from_files(study, [tmp_path / "a.json"])


@pytest.fixture(scope="session")
def gated_template(tiny_set, tmp_path_factory):
    folder = tmp_path_factory.mktemp("gated")
    practice = Practice(n_trials=2, criterion=1.0, max_rounds=3, failed="stop")
    make_study(tiny_set, msgspec.structs.replace(QUICK, practice=practice), folder, n_slots=1)
    return folder


@pytest.fixture
def gated(gated_template, copied):
    return copied(gated_template)


def test_what_a_session_owes_follows_from_its_practice(gated):
    from rapidvision.experiments.online.study.plans import open_study

    plan = next(iter(open_study(gated, verify=False).plans.values()))
    rounds = {-k: [t.trial for t in plan.trials() if t.block == -k] for k in (1, 2, 3)}
    main = [t.trial for t in plan.trials("main")]
    assert owed(plan, {}) == ([*rounds[-1], *rounds[-2], *rounds[-3], *main], False)
    passed = dict.fromkeys(rounds[-1], True)
    assert owed(plan, passed) == (main, False)
    missed = dict.fromkeys(rounds[-1], False)
    assert owed(plan, missed) == ([*rounds[-2], *rounds[-3], *main], False)
    second = missed | dict.fromkeys(rounds[-2], True)
    assert owed(plan, second) == (main, False)
    never = missed | dict.fromkeys([*rounds[-2], *rounds[-3]], False)
    assert owed(plan, never) == ([], True)
    assert sum(isinstance(step, Gate) for step in plan.steps) == 3
    assert sum(isinstance(step, Run) for step in plan.steps) == 14


@run
async def test_a_session_finishes_when_it_owes_nothing_and_says_if_practice_ended_it(gated):
    import sqlalchemy as sa

    from rapidvision.experiments.online.database.schema import session

    async with world(gated) as here, here.client() as client:
        good, bad = Person(client, here.served), Person(client, here.served)
        for person, wrong in ((good, False), (bad, True)):
            await person.begin()
            for trial, step in enumerate(person.runs):
                if step["phase"] == "practice" and (wrong or step["block"] == -1):
                    other = "distractor" if (step["correct"] == "target") == wrong else "target"
                    await person.send(trial, input=person.input_of(other))
        assert (await good.finish()).json()["text"].startswith("2 of 10 trials are stored")
        for trial, step in enumerate(good.runs):
            if step["phase"] == "main":
                await good.send(trial)
        assert (await good.finish()).status_code == 200
        assert (await bad.finish()).json()["completion_code"]
        steps = here.read(lambda c: list(c.scalars(sa.select(session.c.last_step).order_by(session.c.began))))
        assert steps == ["finished", "criterion missed"]
