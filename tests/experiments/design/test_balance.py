"""The balance that is printed is the balance of the plans."""

import csv
import io

import pytest

from rapidvision.experiments.design.balance import as_csv, balance_of, exposure_csv, table
from rapidvision.experiments.design.figures.exposure import draw_balance, write_balance
from rapidvision.experiments.design.planning import Planner
from tests.experiments.sets import PROTOCOLS, protocol_of


def counts_of(balance):
    return {count.what: (count.fewest, count.most) for count in balance.counts}


def planned(stimulus_set, name, n):
    planner = Planner(stimulus_set, protocol_of(name))
    return [planner.plan(group, slot) for group in planner.conditions.groups for slot in range(n)]


def test_the_paper_s_design_is_exactly_even(plans):
    for group in balance_of(plans):
        counts = counts_of(group)
        assert group.n_slots == 60
        assert group.is_even
        assert counts["each image at each level"] == (5, 5)
        assert counts["each image"] == (60, 60)
        assert counts["each answer in a block"] == (8, 8)
        assert counts["each category in a block"] == (2, 2)
        assert counts["each level in a session"] == (6, 7)
        assert counts["each level of each answer in a session"] == (3, 4)
        assert counts["each level in a block"][1] <= 3
        assert group.inputs == {"s": {"target": 30, "distractor": 30}, "l": {"distractor": 30, "target": 30}}
        assert len(group.exposure) == 80
        assert len(group.cells) == 12


def test_an_uneven_design_says_so_and_what_would_be_even(plans):
    some = [p for p in plans if p.slot < 20]
    text = table(balance_of(some))
    assert "1 to 2" in text
    assert "a multiple of 12 slots" in text
    assert "uneven" not in table(balance_of(plans))


@pytest.mark.parametrize("slot", [0, 59])
def test_a_missing_plan_shows_in_the_count(plans, slot):
    rest = [p for p in plans if p.slot != slot and p.group == "clickme"]
    assert counts_of(balance_of(rest)[0])["each image at each level"] == (4, 5)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_the_stated_number_of_slots_is_even_for_every_protocol(set_of, name):
    few = balance_of(planned(set_of(name), name, 1), set_of(name).exemplars("main"))
    n = few[0].n_round
    assert all(balance.is_even for balance in balance_of(planned(set_of(name), name, n)))
    if n > 1:
        assert not few[0].is_even
        assert f"a multiple of {n} slots" in table(few)


def test_an_adaptive_factor_is_no_cell_and_one_between_participants_neither(set_of):
    assert balance_of(planned(set_of("threshold"), "threshold", 2))[0].factors == ("map_source",)
    assert balance_of(planned(set_of("cue"), "cue", 2))[0].factors == ("cue", "level")


def test_both_images_of_a_pair_count(set_of):
    exposure = balance_of(planned(set_of("same-different"), "same-different", 3))[0].exposure
    assert len(exposure) == 80
    assert all(row == [1, 1, 1] for row in exposure.values())


def test_the_tables_hold_every_count_and_every_image_in_every_cell(plans):
    balances = balance_of([p for p in plans if p.slot < 13])
    rows = list(csv.DictReader(io.StringIO(as_csv(balances))))
    assert len(rows) == sum(len(balance.counts) for balance in balances)
    assert rows[0] == {
        "group": "clickme",
        "count": "each image at each level",
        "fewest": "1",
        "most": "2",
        "mean": "1.08333",
    }
    cells = list(csv.DictReader(io.StringIO(exposure_csv(balances))))
    assert len(cells) == 2 * 80 * 12
    assert sum(int(row["presentations"]) for row in cells) == 26 * 80
    assert {row["level"] for row in cells} == {str(level) for level in range(12)}


@pytest.mark.parametrize("name", ["paper", "within", "sixteen-way"])
def test_the_image_shows_every_image_and_cell(set_of, name):
    balances = balance_of(planned(set_of(name), name, 2))
    figure = draw_balance(balances)
    heat = [axis for part in figure.subfigs for axis in part.axes if axis.images]
    assert len(heat) == len(balances)
    for axis, balance in zip(heat, balances, strict=True):
        shown = axis.images[0].get_array()
        assert shown.tolist() == list(balance.exposure.values())
        assert [label.get_text() for label in axis.get_xticklabels()] == list(balance.cell_labels)


def test_images_are_the_same_bytes_every_time(plans, tmp_path):
    balances = balance_of(plans[:1])
    for name in ("a.svg", "b.svg", "c.png"):
        write_balance(balances, tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    assert (tmp_path / "c.png").read_bytes()[1:4] == b"PNG"


def test_levels_are_called_by_their_labels(set_of):
    labels = balance_of(planned(set_of("paper"), "paper", 1))[0].cell_labels
    assert labels == tuple(set_of("paper").description.level_labels)
