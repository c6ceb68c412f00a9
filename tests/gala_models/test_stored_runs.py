"""The documentation prints the stored runs as they are stored."""

import re
from pathlib import Path

import pytest

pytest.importorskip("torch")

from benchmarks.attached_tables import tables

HOW_TO = Path(__file__).parents[2] / "docs" / "howto"
PAGES = {"attach-gala.md": ("held out", "answers", "trade-off"), "attributions.md": ("untouched",)}


@pytest.mark.parametrize("page", PAGES)
def test_the_tables_of_a_page_are_those_of_the_stored_run(page):
    text = (HOW_TO / page).read_text(encoding="utf-8")
    found = dict(re.findall(r"<!-- table: ([\w -]+) -->\n\n?(.*?)\n?\n?<!-- end -->", text, re.DOTALL))
    wanted = tables()
    assert {name: wanted[name] for name in PAGES[page]} == found
