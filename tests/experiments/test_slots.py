"""Slots: least filled first, no participant twice, two computers never the same."""

import multiprocessing
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapidvision.errors import InputError
from rapidvision.experiments.design.allocation import Slots
from rapidvision.experiments.lab.ledger import Ledger
from rapidvision.study import Study


def fresh(n_slots=12, seed=1):
    return Slots(["clickme", "salicon"], n_slots, seed=seed)


def test_120_participants_fill_120_slots():
    slots = fresh(60)
    taken = Counter((e.group, e.slot) for e in (slots.take(f"p{i}") for i in range(120)))
    assert len(taken) == 120
    assert set(taken.values()) == {1}


def test_groups_never_differ_by_more_than_one_and_their_order_is_not_foreseeable():
    slots = fresh(60)
    groups = [slots.take(f"p{i}").group for i in range(120)]
    for n in range(121):
        assert abs(groups[:n].count("clickme") - groups[:n].count("salicon")) <= 1
    first_of_pairs = Counter(groups[::2])
    assert 15 < first_of_pairs["clickme"] < 45


def test_a_returned_slot_is_given_out_next():
    slots = fresh()
    taken = [slots.take(f"p{i}", group="clickme") for i in range(5)]
    slots.close(taken[2].session_id, "returned")
    assert slots.take("new", group="clickme").slot == 2
    assert slots.take("newer", group="clickme").slot == 5


def test_a_full_study_refuses_unless_a_second_layer_is_asked_for():
    slots = fresh(2)
    for i in range(2):
        slots.take(f"p{i}", group="salicon")
    with pytest.raises(InputError, match=r"all 2 slots are taken.*--n-per-group.*--reuse-slot"):
        slots.take("p2", group="salicon")
    assert len(slots.last) == 2


def test_a_second_layer_is_given_out_as_evenly_as_the_first():
    slots = fresh(2)
    entries = [slots.take(f"p{i}", group="salicon", reuse=True) for i in range(5)]
    assert [e.slot for e in entries] == [0, 1, 0, 1, 0]
    assert len({e.session_id for e in entries}) == 5


@pytest.mark.parametrize(
    ("event", "message"), [(None, "session resume"), ("finished", "already taken part"), ("returned", "given up")]
)
def test_a_participant_is_refused_a_second_time(event, message):
    slots = fresh()
    entry = slots.take("p1")
    if event:
        slots.close(entry.session_id, event)
    with pytest.raises(InputError, match=message):
        slots.take("p1")


@pytest.mark.parametrize(
    "name",
    [
        "",
        "a/b",
        "a\\b",
        "..",
        "a b",
        "x" * 65,
        "a\nb",
        "a:b",
        ".p",
        "p.",
        "a,b",
        "-p",
        "_p",
        "CON",
        "nul",
        "Com1",
        "=1+1",
        "@SUM(1)",
        "+1",
        "é",
        "e\u0301",
        "ｐ１",
        "p１",
    ],
)
def test_an_id_that_files_or_tables_would_change_is_refused(name):
    with pytest.raises(InputError, match="participant: got"):
        fresh().take(name)


@pytest.mark.parametrize("name", ["1e5", "12E3", "1-2", "2026-11-30", "mar-1", "SEPT2", "1dec", "TRUE", "false"])
def test_an_id_that_a_spreadsheet_turns_into_a_number_or_a_date_is_refused(name):
    with pytest.raises(InputError, match="spreadsheets change this"):
        fresh().take(name)


@pytest.mark.parametrize("name", ["p01", "P-1_b", "60", "007", "5f3a1b2c9d8e7f6a5b4c3d2e", "march", "a1e5", "x" * 64])
def test_ordinary_ids_are_taken(name):
    assert fresh().take(name).participant_id == name


@pytest.mark.parametrize(
    ("name", "suggested"), [("=1+1", "p11"), ("José", "Jose"), ("p.", "p"), ("a,b", "ab"), ("CON", "pCON")]
)
def test_a_refused_id_comes_with_one_that_can_be_used(name, suggested):
    with pytest.raises(InputError, match=f'Use "{suggested}"'):
        fresh().take(name)


@pytest.mark.parametrize("other", ["P01", "p-01", "p_01", "p1", "P-1", "p001"])
def test_one_id_in_two_spellings_is_refused(other):
    slots = fresh()
    slots.take("p01")
    with pytest.raises(InputError, match='"p01" has taken part'):
        slots.take(other)


@pytest.mark.parametrize("other", ["p10", "p02", "p011", "q01", "p0"])
def test_ids_that_differ_in_more_than_spelling_are_taken(other):
    slots = fresh()
    slots.take("p01")
    assert slots.take(other).participant_id == other


def test_an_unknown_group_and_an_unknown_session_are_refused():
    with pytest.raises(InputError, match='no "clckme"; it has clickme, salicon'):
        fresh().take("p1", group="clckme")
    with pytest.raises(InputError, match="not in this study's ledger"):
        fresh().close("p9", "finished")


def test_a_finished_session_stays_finished():
    slots = fresh()
    entry = slots.take("p1")
    slots.close(entry.session_id, "finished")
    with pytest.raises(InputError, match="already finished"):
        slots.close(entry.session_id, "returned")


@given(st.lists(st.sampled_from(["take", "finish", "return"]), max_size=60))
def test_no_slot_is_ever_two_ahead_of_another(events):
    slots, open_, number = fresh(3), [], 0
    for event in events:
        if event == "take":
            filled = slots.filled()
            entry = slots.take(f"p{number}", reuse=True)
            number += 1
            open_.append(entry.session_id)
            least = min(filled[entry.group, s] for s in range(3))
            assert filled[entry.group, entry.slot] == least
        elif open_:
            slots.close(open_.pop(), "finished" if event == "finish" else "returned")
    again = Slots(["clickme", "salicon"], 3, seed=1, entries=slots.last.values())
    assert again.filled() == slots.filled()


def _take_many(folder, name, n):
    for i in range(n):
        Ledger(Study(folder)).take(f"{name}-{i}")


def test_four_computers_take_eight_different_slots_at_once(study):
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_take_many, args=(study.folder, f"c{i}", 2)) for i in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    filled = Ledger(study).slots().filled()
    assert len(filled) == 8
    assert set(filled.values()) == {1}


def test_the_ledger_survives_a_torn_last_line_and_names_a_damaged_one(study):
    ledger = Ledger(study)
    first = ledger.take("p1")
    with ledger.path.open("ab") as file:
        file.write(b'{"event":"taken","sess')
    second = ledger.take("p2")
    assert set(ledger.slots().last) == {first.session_id, second.session_id}
    ledger.path.write_bytes(ledger.path.read_bytes().replace(b'"taken"', b'"tken"', 1))
    with pytest.raises(InputError, match="line 1 is damaged"):
        ledger.take("p3")
