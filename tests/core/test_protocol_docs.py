"""What the documentation says of protocols: its examples are read, its tables are those of the code."""

import importlib
import re
from pathlib import Path

import pytest

from rapidvision.errors import RecipeError
from rapidvision.formats.protocol_file import PRESETS, parse_protocol, preset
from rapidvision.grammar.runners import RUNNERS
from tools import preset_pages

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "own-task.md"
BLOCKS = re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.S)


def test_the_whole_file_of_the_page_is_a_protocol():
    protocol = parse_protocol(BLOCKS[0])
    assert [phase.id for phase in protocol.phases] == ["fixation", "stimulus", "mask", "wait"]


@pytest.mark.parametrize("block", BLOCKS[1:])
def test_every_other_block_fits_a_preset(block):
    """A table that the preset has too stands in its place."""
    base = "within" if "[adaptive]" in block else "paper"
    text = _without(_text(base), re.findall(r"^\[(\w+)\]$", block, flags=re.M))
    parse_protocol(block_first(text, block))


def _text(name):
    from rapidvision.formats import protocol_file

    return protocol_file.path_of(name).read_text(encoding="utf-8")


def _without(text, tables):
    for table in tables:
        text = re.sub(rf"^\[{table}\]\n(?:(?!\[).*\n)*", "", text, flags=re.M)
    return text


def block_first(text, block):
    """The block before the first table of a list of the preset that it could disturb."""
    if "fixed = { map_source" in block:
        text = re.sub(r'\[\[design\.factors\]\]\nname = "map_source"\n(vary = .*\n)?', "", text)
        text = re.sub(r'"design\.factors\.map_source".*\n', "", text)
    return f"{text}\n{block}" if "[sources]" not in text else text.replace("[sources]", f"{block}\n[sources]")


def test_the_page_lists_every_preset_and_runner():
    text = PAGE.read_text(encoding="utf-8")
    for name in PRESETS:
        assert f"| [`{name}`](../presets/{name}.md) |" in text
    for runner in set(RUNNERS) - {"lab", "simulation"}:
        assert re.search(rf"^\| {runner}s? \|", text, flags=re.M), runner


def test_a_misspelt_field_of_the_page_is_refused():
    with pytest.raises(RecipeError):
        parse_protocol(BLOCKS[0].replace("limit_ms", "limit"))


def test_the_page_of_the_fields_is_made_from_the_types(monkeypatch):
    docs = PAGE.parents[1]
    monkeypatch.syspath_prepend(str(docs))
    page = importlib.import_module("protocol_reference").page()
    assert page == (docs / "reference" / "protocol.md").read_text(encoding="utf-8"), "run docs/protocol_reference.py"


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_has_its_page_and_timeline(name):
    docs = PAGE.parents[1]
    assert preset_pages.page(name) == (docs / "presets" / f"{name}.md").read_text(encoding="utf-8"), (
        "run python -m tools.preset_pages"
    )
    assert (docs / "images" / "tasks" / f"{name}.png").stat().st_size > 10_000
    assert f"presets/{name}" in (docs / "index.md").read_text(encoding="utf-8")


def test_presets_differ():
    assert len({preset(name).digest for name in PRESETS}) == len(PRESETS)
