"""Slots: least filled first, nobody twice, two computers never the same."""

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


def test_a_full_study_starts_a_second_layer():
    slots = fresh(2)
    entries = [slots.take(f"p{i}", group="salicon") for i in range(5)]
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


@pytest.mark.parametrize("name", ["", "a/b", "a\\b", "..", "a b", "x" * 65, "a\nb", "a:b", ".p"])
def test_an_id_that_cannot_be_a_file_name_is_refused(name):
    with pytest.raises(InputError, match="participant: got"):
        fresh().take(name)


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
            entry = slots.take(f"p{number}")
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
