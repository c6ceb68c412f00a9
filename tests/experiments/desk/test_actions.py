"""Every button of the desk: its commands are commands, and its Python makes the same files."""

import importlib
import json
from pathlib import Path

import pytest

from rapidvision import cli
from rapidvision.errors import InputError
from rapidvision.experiments.desk.action import values_of
from rapidvision.experiments.desk.app import ACTIONS, BY_NAME
from rapidvision.experiments.desk.project import Project, projects_in
from tests.experiments.sets import make_set

CHOICES = {"run": {"participant": "p01"}, "resume": {"participant": "p01"}}


@pytest.fixture
def at_the_desk(tmp_path, monkeypatch):
    """A function: the name of a project that has a stimulus set, in a desk of its own."""

    def made(desk, name="one"):
        folder = tmp_path / desk
        (folder / name).mkdir(parents=True, exist_ok=True)
        monkeypatch.chdir(folder)
        if not (folder / name / "set").exists():
            make_set(folder / name / "set", per_category=2, practice=1, n_levels=3)
        return Project(Path(), name)

    return made


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_the_commands_of_a_button_are_commands_of_the_program(action, at_the_desk):
    project = at_the_desk("desk")
    (project.folder / "study").mkdir()
    (project.folder / "study" / "simulated.csv").write_text("")
    values = values_of(action, CHOICES.get(action.name, {}))
    steps = action.steps(project, values)
    assert steps
    for step in steps:
        verb = cli.VERBS[step[0]]
        cli.parser_of(step[0], importlib.import_module(verb.module)).parse_args(step[1:])
    compile("\n".join(action.python(project, values)), action.name, "exec")


def files_below(folder):
    kept = {".png", ".pdf"}  # drawn by both, compared as SVG
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix not in kept and "command" not in path.name
    }


def test_buttons_and_their_python_make_the_same_files(at_the_desk, capsys):
    done = [("task", {"preset": "paper"}), ("plan", {"n_per_group": "3"}), ("simulate", {"seed": "5"})]
    done += [("report", {"seed": "2"}), ("archive", {"report": "yes"})]
    for name, given in done:
        project = at_the_desk("commands")
        action = BY_NAME[name]
        assert action.ready(project) == ""
        for step in action.steps(project, values_of(action, given)):
            assert cli.main(step) == 0, capsys.readouterr()
    for name, given in done:
        project = at_the_desk("python")
        action = BY_NAME[name]
        exec("\n".join(action.python(project, values_of(action, given))), {})
    commands, python = (files_below(at_the_desk(desk).folder) for desk in ("commands", "python"))
    assert commands.keys() == python.keys()
    differ = {name for name in commands if commands[name] != python[name]}
    told = {
        "report/results.json",
        "report/report.html",
        "one.zip",
    }  # these say which command made them, and hold one that does
    assert differ <= told
    results = [json.loads(found["report/results.json"]) for found in (commands, python)]
    for each in results:
        del each["provenance"]["command"]
    assert results[0] == results[1]


@pytest.mark.parametrize(
    ("name", "given", "told"),
    [
        ("plan", {"n_per_group": "many"}, 'Participants per group: got "many"; a whole number is needed'),
        ("plan", {"n_per_group": ""}, "Participants per group: nothing was given"),
        ("task", {"preset": "papr"}, 'Task: got "papr", allowed are'),
        ("resume", {"participant": "--accept-timing"}, "a value cannot begin with -"),
    ],
)
def test_a_bad_value_is_refused_with_its_field(name, given, told):
    with pytest.raises(InputError) as error:
        values_of(BY_NAME[name], given)
    assert told in str(error.value)


@pytest.mark.parametrize("name", ["", "..", "a/b", "con", "-x", "ä", "a" * 61, ".hidden"])
def test_names_that_are_no_folder_everywhere_are_refused(name, tmp_path):
    with pytest.raises(InputError, match="name of the study"):
        Project(tmp_path, name)


def test_only_folders_of_studies_are_projects(tmp_path, at_the_desk):
    project = at_the_desk("desk")
    for name in ("empty", "con-fused", ".desk"):
        (tmp_path / "desk" / name).mkdir()
    (tmp_path / "desk" / "note.txt").write_text("")
    assert [one.name for one in projects_in(Path())] == [project.name]
