"""The documents say what the code says."""

import argparse
import importlib
import re
import shlex
from pathlib import Path

import pytest

from rapidvision import __version__, cli, trials
from tests.chain import console

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    if "_build" not in path.relative_to(ROOT).parts
)
ROLE = re.compile(r"\{(?:func|class|meth|attr|data|mod|exc|obj)\}`(?:[^`<]*<)?~?([\w.]+)>?`")
#: Words that stand for something of the reader's, in command lines that are shown and not run.
OURS = re.compile(r"`(rapidvision [a-z][^`\n]*)`")


def test_the_trials_table_page_is_the_schema():
    page = (ROOT / "docs/reference/trials-table.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `(\w+)` \| ([^|]*) \| ([^|]*) \| ([^|]*) \|$", page, flags=re.M)
    assert [row[0] for row in listed] == [column.name for column in trials.COLUMNS]
    for (_, dtype, unit, meaning), column in zip(listed, trials.COLUMNS, strict=True):
        assert dtype == column.dtype + (" or empty" if column.nullable else "")
        assert unit.strip() == column.unit
        assert meaning.startswith(column.meaning)


def test_one_version_everywhere():
    assert f'version = "{__version__}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f"version: {__version__}" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")


def test_links_between_documents_lead_somewhere():
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_page_has_a_title_and_a_description_for_search_engines():
    generated = {"changelog.md", "measured.md"}
    for page in (ROOT / "docs").rglob("*.md"):
        text = page.read_text(encoding="utf-8")
        if "_build" not in page.parts and page.name not in generated:
            assert re.match(
                r'---\nmyst:\n  html_meta:\n    description: ".{40,}"\n    keywords: ".+"\n---\n\n# \S', text
            ), page.name


@pytest.mark.parametrize(
    "phrase",
    [
        "reveal stimuli",
        "rapid categorization task",
        "ClickMe game",
        "permutation tests per level",
        "Fig. 2B",
        "GALA networks",
    ],
)
def test_a_page_has_what_people_search_for_in_its_title(phrase):
    titles = [re.search(r"^# (.+)$", page.read_text(encoding="utf-8"), re.M) for page in PAGES]
    assert any(title and phrase.lower() in title[1].lower() for title in titles)


def named_object(name):
    """What a dotted name stands for, attributes of records included; None where there is no such thing."""
    parts = name.split(".")
    for n in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:n]))
        except ModuleNotFoundError:
            continue
        for part in parts[n:]:
            if not hasattr(found, part) and part in getattr(found, "__annotations__", {}):
                return part
            found = getattr(found, part, None)
        return found
    return None


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_function_and_option_that_a_page_names_exists(page):
    names = ROLE.findall(page.read_text(encoding="utf-8"))
    assert not [name for name in names if named_object(name) is None]


#: A file of the repository, in backticks: it has a folder of ours and a suffix.
FOLDERS = "rapidvision|stimuli|experiments|analysis|gala_models|tests|benchmarks|tools|examples|docs"
FILE = re.compile(rf"`((?:{FOLDERS})/[\w./-]+\.[a-z]+)`")


#: Modules whose settings are written by users.
RECIPES = (
    "stimuli.recipe",
    "experiments.clickme.game.settings",
    "experiments.online.study.settings",
    "gala_models.training.recipe",
)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_file_that_a_page_names_exists(page):
    named = FILE.findall(page.read_text(encoding="utf-8"))
    assert not [name for name in named if not (ROOT / name).exists()]


def paper_rows():
    page = (ROOT / "docs/paper.md").read_text(encoding="utf-8")
    return [line.strip("| ").split(" | ") for line in page.splitlines() if re.match(r"\| (?!the paper \|)", line)]


def test_the_page_about_the_paper_has_every_step():
    page = (ROOT / "docs/paper.md").read_text(encoding="utf-8")
    assert len(set(ROLE.findall(page))) > 90
    assert len(paper_rows()) > 110


@pytest.mark.parametrize("row", paper_rows(), ids=lambda row: row[0][:60])
def test_every_sentence_of_the_paper_leads_to_a_module(row):
    assert ROLE.findall(row[1]) or FILE.findall(row[1]), "name the module, not a command alone"


def decisions():
    page = (ROOT / "docs/decisions.md").read_text(encoding="utf-8")
    return [
        [cell.strip() for cell in line.strip("| ").split(" | ")]
        for line in re.sub(r"\|$", "", page, flags=re.MULTILINE).splitlines()
        if re.match(r"\| (?!question \|)", line)
    ]


def recipe_fields():
    """Every option that a recipe, a protocol or settings may have."""
    from rapidvision.recipes import Recipe

    for package in ("rapidvision.protocol", *(f"rapidvision.{name}" for name in RECIPES)):
        importlib.import_module(package)
    found, classes = set(), [Recipe]
    while classes:
        one = classes.pop()
        classes += one.__subclasses__()
        found.update(one.__struct_fields__)
    return found


def test_every_decision_has_a_rule_and_a_reason():
    assert len(decisions()) > 150
    assert not [row[0] for row in decisions() if len(row) != 3 or not all(row)]


def test_every_option_that_a_decision_names_exists():
    page = (ROOT / "docs/decisions.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(\w+) = [^`]+`", page)) - {"option"}
    assert len(named) > 15
    assert not named - recipe_fields()


def subparser(words):
    """The parser that the words of a command line lead to, and the words that are left."""
    name = cli.ALIASES.get(words[0], words[0])
    assert name in cli.VERBS, f"no verb {name}"
    parser, rest = cli.parser_of(name, importlib.import_module(cli.VERBS[name].module)), words[1:]
    while rest and not rest[0].startswith("-"):
        below = next((a for a in parser._actions if isinstance(a, argparse._SubParsersAction)), None)
        if below is None:
            break
        if rest[0] not in below.choices:
            assert not below.required, f"{parser.prog}: no {rest[0]}"
            break
        parser, rest = below.choices[rest[0]], rest[1:]
    return parser, rest


def command_lines(page):
    blocks = [step.text for step in console.commands(page)]
    return [*blocks, *OURS.findall(page.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_command_that_a_page_names_has_that_verb_and_these_options(page):
    for line in command_lines(page):
        words = console.rapidvision_words(line)
        if words and not words[0].startswith(("-", "VERB")):
            parser, rest = subparser(words)
            given = {word.partition("=")[0] for word in rest if word.startswith("--")}
            known = {option for action in parser._actions for option in action.option_strings}
            assert given <= known, f"{line}: no {given - known}"


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_complete_command_line_is_one_that_the_program_accepts(page, capsys, tmp_path):
    for step in console.steps(page):
        if isinstance(step, console.File):  # a plug-in's names are known to a process that imports its module
            (tmp_path / step.name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / step.name).write_text(step.content, encoding="utf-8")
    for command in console.commands(page):
        words = console.rapidvision_words(command.text)
        if words and "--plugin" in words:
            code = "import sys\nfrom rapidvision import cli\nfrom tests.core.test_documents import subparser\n"
            code += (
                "cli._import_plugins(sys.argv[1:])\nparser, rest = subparser(sys.argv[1:])\nparser.parse_args(rest)\n"
            )
            done = console.run(shlex.join(["python", "-c", code, *words]), tmp_path)
            assert done.returncode == 0, f"{command.text}\n{done.stderr}"
        elif words and words[0] in cli.VERBS and "--help" not in words:
            parser, rest = subparser(words)
            try:
                parser.parse_args(rest)
            except SystemExit:
                pytest.fail(f"{command.text}\n{capsys.readouterr().err}")
