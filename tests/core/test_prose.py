"""The documents are written in plain words: a short list of figurative words does not occur in them."""

import importlib
import inspect
import re
from pathlib import Path

import pytest

from rapidvision.system.lazy import read_stub

ROOT = Path(__file__).parents[2]
#: Words of an older, figurative style. Write the field's term: package, core, entry point, participant, session, resume.
BANNED = (
    "house",
    "room",
    "rooms",
    "ground",
    "door",
    "doors",
    "go on",
    "goes on",
    "went on",
    "nobody",
    "whoever",
    "speak",
    "speaks",
    "as it is",
)
WORD = re.compile(rf"\b(?:{'|'.join(map(re.escape, BANNED))})\b", re.IGNORECASE)
#: Quoted sentences that may have one of the words, each with its reason: (page, sentence, reason).
QUOTED: tuple[tuple[str, str, str], ...] = ()
#: Blocks of commands and code are not prose.
CODE = re.compile(r"```.*?^ *```|`[^`\n]*`", re.DOTALL | re.MULTILINE)
PAGES = sorted(
    path
    for path in [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        ROOT / "SECURITY.md",
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "examples" / "gallery").glob("*"),
    ]
    if path.suffix in (".md", ".py", ".rst") and "_build" not in path.relative_to(ROOT).parts
)


def banned(text):
    """The banned words of a text with their line, code left out."""
    prose = CODE.sub(lambda block: "\n" * block.group().count("\n"), text)
    return [(prose.count("\n", 0, found.start()) + 1, found.group()) for found in WORD.finditer(prose)]


def test_the_search_finds_words_and_leaves_code_out():
    assert banned("The House\n`room`\n```sh\ndoor\n```\nIt goes on; background.") == [(1, "House"), (6, "goes on")]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_page_is_written_in_plain_words(page):
    text = page.read_text(encoding="utf-8")
    for name, sentence, _ in QUOTED:
        if name == page.name:
            text = text.replace(sentence, "")
    assert not banned(text)


def test_quoted_sentences_are_still_there_and_have_a_reason():
    for name, sentence, reason in QUOTED:
        assert any(sentence in page.read_text(encoding="utf-8") for page in PAGES if page.name == name)
        assert len(reason.split()) > 3


@pytest.mark.parametrize(
    "stub",
    sorted(path for path in ROOT.glob("*/__init__.pyi") if path.parent.name != "tests"),
    ids=lambda path: path.parent.name,
)
def test_docstrings_of_public_objects_are_written_in_plain_words(stub):
    package = "rapidvision" if stub.parent.name == "rapidvision" else f"rapidvision.{stub.parent.name}"
    module = importlib.import_module(package)
    try:
        explained = {name: inspect.getdoc(getattr(module, name)) or "" for name in read_stub(stub)}
    except ImportError as error:
        pytest.skip(f"an optional package is missing: {error}")
    assert not {name: words for name, text in explained.items() if (words := banned(text))}
