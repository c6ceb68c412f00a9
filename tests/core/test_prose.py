"""Documents and code are written in plain words: a short list of figurative words does not occur in them."""

import importlib
import inspect
import io
import re
import tokenize
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
    "once around",
    "honest",
    "believes",
    "picture",
    "pictures",
)
WORD = re.compile(r"\b(?:" + "|".join(BANNED).replace(" ", r"\s+") + r")\b", re.IGNORECASE)
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


#: Folders and files where some of the words have their plain meaning: (where, words).
PLAIN_MEANING = (
    # scenes are drawn there: house, room, ground and door are things that can be seen in them
    (
        ("stimuli/render", "stimuli/bundled", "tests/stimuli/render"),
        {"house", "room", "rooms", "ground", "door", "doors"},
    ),
    # participants and players read these; they say picture
    (
        (
            "experiments/design/languages",
            "experiments/online/words",
            "experiments/online/study/settings.py",
            "experiments/online/static/index.html",
            "experiments/online/static/bundle/index.html",
            "experiments/clickme/page",
            "tests/experiments/online/test_bundle.py",
        ),
        {"picture", "pictures"},
    ),
    # columns of other programs' tables, and options that the suite does not have
    (("analysis/importers", "tests/analysis", "tests/core/test_options.py"), {"picture", "pictures"}),
)
FOLDERS = (
    "rapidvision",
    "stimuli",
    "experiments",
    "analysis",
    "gala_models",
    "benchmarks",
    "tools",
    "tests",
    "examples",
)
#: Texts beside Python; long lines of them are data.
TEXTS = (".css", ".html", ".ini", ".j2", ".js", ".json", ".pyi", ".sh", ".toml")
PARTS = re.compile(r"(?<=[a-z])(?=[A-Z])|_")


def words_of(source):
    """Comments, strings and names of Python code as (line, text); lines of one comment are one text."""
    texts, place, last = [], 0, -1
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            text = token.string.lstrip("#: ")
            if last == token.start[0] - 1:
                texts[place] = (texts[place][0], f"{texts[place][1]}\n{text}")
            else:
                place = len(texts)
                texts.append((token.start[0], text))
            last = token.start[0]
        elif token.type == tokenize.NAME:
            texts.append((token.start[0], PARTS.sub(" ", token.string)))
        elif token.type == tokenize.STRING or tokenize.tok_name[token.type] == "FSTRING_MIDDLE":
            texts.append((token.start[0], token.string))
    return texts


def banned_in_code(path):
    """The banned words of a file of code with their line."""
    source = path.read_text(encoding="utf-8")
    if not re.search("|".join(BANNED).replace(" ", r"[\s_#:]+"), source, re.IGNORECASE):
        return []
    texts = words_of(source) if path.suffix == ".py" else [(1, source)]
    found = [(start + line - 1, word) for start, text in texts for line, word in banned(text)]
    place = path.relative_to(ROOT).as_posix()
    plain = {word for where, words in PLAIN_MEANING if place.startswith(where) for word in words}
    return [(line, word) for line, word in found if word.lower() not in plain]


def test_the_search_of_code_finds_comments_strings_and_names(tmp_path, monkeypatch):
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    text = 'class BigHouse:\n    """A door."""\n# it goes\n# on\ndef as_it_is(background):\n    return f"no room {1}"\n'
    (tmp_path / "stimuli" / "render").mkdir(parents=True)
    for name in ("code.py", "stimuli/render/code.py"):
        (tmp_path / name).write_text(text, encoding="utf-8")
    found = [(1, "House"), (2, "door"), (3, "goes\non"), (5, "as it is"), (6, "room")]
    assert banned_in_code(tmp_path / "code.py") == found
    assert banned_in_code(tmp_path / "stimuli" / "render" / "code.py") == found[2:4]


@pytest.mark.parametrize("folder", FOLDERS)
def test_code_is_written_in_plain_words(folder):
    found = (path for path in (ROOT / folder).rglob("*") if "node_modules" not in path.parts)  # of others
    files = [path for path in found if path.suffix in (".py", *TEXTS) and path != Path(__file__)]
    names = {path: path.relative_to(ROOT).as_posix() for path in files}
    assert files
    found = {names[path]: banned_in_code(path) for path in files}
    assert not {name: words for name, words in found.items() if words}
