"""The balance that is printed is the balance of the plans."""

import xml.etree.ElementTree as ET

import pytest

from rapidvision.experiments.design.balance import balance_of, picture, table


def test_the_paper_s_design_is_exactly_even(plans):
    for group in balance_of(plans):
        assert group.n_slots == 60
        assert group.cell == (5, 5)
        assert group.targets_in_block == (8, 8)
        assert group.category_in_block == (2, 2)
        assert group.keys == {"l": 30, "s": 30}
        assert group.level_in_session == (6, 7)
        assert group.most_of_a_level_in_block <= 3
        assert len(group.cells) == 80 * 12


def test_an_uneven_design_says_so_and_what_would_be_even(plans):
    some = [p for p in plans if p.slot < 20]
    text = table(balance_of(some))
    assert "1 to 2" in text
    assert "a multiple of 12 slots" in text
    assert "uneven" not in table(balance_of(plans))


def test_the_picture_shows_every_cell(plans):
    labels = [str(i) for i in range(12)]
    root = ET.fromstring(picture(balance_of(plans), labels))
    words = [node.text for node in root.iter("{http://www.w3.org/2000/svg}text")]
    assert words.count("5") >= 2 * 80 * 12
    assert any("target key l 30, s 30" in w for w in words)


@pytest.mark.parametrize("slot", [0, 59])
def test_a_missing_plan_shows_in_the_count(plans, slot):
    rest = [p for p in plans if p.slot != slot and p.group == "clickme"]
    assert balance_of(rest)[0].cell == (4, 5)
