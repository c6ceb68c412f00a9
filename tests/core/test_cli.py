"""The command line: exit codes, hints, progress on and off a terminal."""

import argparse
import importlib
import io
import json
import os
import subprocess
import sys
import tomllib
import types
from pathlib import Path

import numpy as np
import pytest
from packaging.requirements import Requirement

from rapidvision import __version__, cli, errors
from rapidvision.system import extras
from rapidvision.system.progress import progress

ROOT = Path(__file__).parents[2]


@pytest.fixture
def verb(monkeypatch):
    """Install a verb `try` whose run does what the test says."""

    def install(run):
        def add_arguments(parser):
            parser.set_defaults(run=run)
            cli.add_common_options(parser)

        monkeypatch.setitem(cli.VERBS, "try", cli.Verb("try_commands", "a verb for tests"))
        monkeypatch.setattr(
            cli.importlib, "import_module", lambda name: types.SimpleNamespace(add_arguments=add_arguments)
        )

    return install


def raising(error):
    def run(arguments):
        raise error

    return run


@pytest.mark.parametrize(
    ("run", "code"),
    [
        (lambda arguments: None, 0),
        (lambda arguments: 1, 1),
        (raising(errors.CheckFailed("x")), 1),
        (raising(errors.InputError("x")), 2),
        (raising(errors.Aborted("x")), 3),
        (raising(KeyboardInterrupt()), 3),
    ],
)
def test_exit_codes_tell_bad_input_from_failed_checks_and_stops(verb, run, code):
    verb(run)
    assert cli.main(["try"]) == code


def test_an_error_is_one_line_without_a_traceback(verb, capsys):
    verb(raising(errors.InputError("map.png: no such file")))
    cli.main(["try"])
    assert capsys.readouterr().err == "rapidvision: map.png: no such file\n"


def test_a_programming_error_is_not_hidden(verb):
    verb(raising(ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        cli.main(["try"])


def test_unknown_words_are_refused_with_a_hint(capsys):
    assert cli.main(["stimulli"]) == 2
    assert 'Did you mean "stimuli"?' in capsys.readouterr().err


@pytest.mark.parametrize("value", ["x", "-1", "1.5"])
def test_a_seed_that_is_no_whole_number_is_refused(verb, value, capsys):
    verb(lambda arguments: None)
    assert cli.main(["try", f"--seed={value}"]) == 2
    assert "whole number" in capsys.readouterr().err


def test_version_and_help(capsys):
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out.strip() == f"rapidvision {__version__}"
    assert cli.main(["--help"]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in cli.VERBS)
    assert "exit codes" in out
    assert cli.main([]) == 2


def test_analyze_is_analyse(monkeypatch):
    called = []
    monkeypatch.setattr(cli, "_run", lambda name, words: called.append(name) or 0)
    cli.main(["analyze", "bins"])
    assert called == ["analyse"]


@pytest.mark.parametrize("name", list(cli.VERBS))
def test_every_verb_has_help(name, capsys):
    assert cli.main([name, "--help"]) == 0
    assert f"rapidvision {name}" in capsys.readouterr().out


def test_quiet_hides_progress_and_never_a_result(verb, capsys):
    def run(arguments):
        with progress("images", 2, quiet=arguments.quiet) as advance:
            advance(2)
        cli.say(arguments, "p = .03")

    verb(run)
    said = {}
    for words in (["try"], ["try", "--quiet"]):
        assert cli.main(words) == 0
        said[len(words)] = capsys.readouterr().out
    assert said[1] == said[2] == "p = .03\n"


def test_what_is_installed_is_listed_when_quiet_too(capsys):
    assert cli.main(["check", "install", "--quiet"]) == 0
    assert "numpy" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "usage", "hint"),
    [
        (["analyse", "bin"], "usage: rapidvision analyse ", 'got "bin". Did you mean "bins"?'),
        (["stimuli", "verify", "set", "--seed", "4"], "usage: rapidvision stimuli verify ", "--seed 4"),
        (["analyse", "bins", "x.csv", "--n-resample", "9"], "usage: rapidvision analyse bins ", '"--n-resamples"?'),
        (["analyse", "import", "jspych", "x"], "usage: rapidvision analyse import ", 'Did you mean "jspsych"?'),
        (["demo", "rendr"], "usage: rapidvision demo ", 'Did you mean "render"?'),
        (["check", "instal"], "usage: rapidvision check ", 'Did you mean "install"?'),
    ],
)
def test_words_below_a_verb_are_refused_with_its_usage_and_a_hint(words, usage, hint, capsys):
    assert cli.main(words) == 2
    said = capsys.readouterr().err
    assert said.startswith(usage)
    assert hint in said


def test_help_is_a_verb_too(capsys):
    assert cli.main(["help"]) == 0
    assert "verbs (" in capsys.readouterr().out
    assert cli.main(["help", "session", "plan"]) == 0
    assert "usage: rapidvision session plan" in capsys.readouterr().out


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_a_terminal_that_lacks_a_letter_gets_its_number(encoding):
    code = "from rapidvision import cli; cli.VERBS['demo'] = cli.Verb('', 'λ ≤ 2'); sys.exit(cli.main(['--help']))"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; {code}"],
        env={**os.environ, "PYTHONIOENCODING": encoding},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert b"\\u03bb \\u2264 2" in done.stdout


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_is_a_bar_on_a_terminal_plain_elsewhere_and_silent_when_quiet(monkeypatch):
    terminal, pipe, quiet = Terminal(), io.StringIO(), Terminal()
    monkeypatch.setattr("rapidvision.system.progress._LINE_EVERY_S", 0.0)
    for stream, silent in ((terminal, False), (pipe, False), (quiet, True)):
        with progress("images", 2, quiet=silent, stream=stream) as advance:
            advance(1)
            advance(1)
    assert "100%" in terminal.getvalue()
    assert pipe.getvalue() == "images: 1 of 2\nimages: 2 of 2\n"
    assert quiet.getvalue() == ""


def test_a_missing_extra_names_the_command_that_installs_it():
    with pytest.raises(errors.MissingExtra, match=r'pip install "rapidvision\[lab\]"'):
        extras.need("no_such_package", extra="lab", purpose="a lab session")


def test_the_newest_python_of_the_lab_is_the_one_that_its_extra_allows():
    (requirement,) = [
        line
        for line in tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
            "optional-dependencies"
        ]["lab"]
        if line.startswith("psychopy")
    ]
    assert Requirement(requirement).marker.evaluate({"python_version": "3.12"})
    assert not Requirement(requirement).marker.evaluate({"python_version": "3.13"})
    assert extras.NEWEST_PYTHON["psychopy"] == (3, 12)
    for python, words in (((3, 12), "pip install"), ((3, 13), "it needs Python 3.12"), ((3, 14), "this is 3.14")):
        assert words in extras.remedy("psychopy", extra="lab", python=python)


def test_an_extra_that_is_broken_says_why(tmp_path, monkeypatch):
    (tmp_path / "broken_extra.py").write_text("import no_such_library_of_its_own\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(errors.MissingExtra, match="no_such_library_of_its_own"):
        extras.need("broken_extra", extra="lab")


def every_action():
    """Every verb's arguments: (command, action)."""

    def below(parser, words):
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                for name, child in action.choices.items():
                    yield from below(child, [*words, name])
            else:
                yield " ".join(words), action

    for name, verb in cli.VERBS.items():
        yield from below(cli.parser_of(name, importlib.import_module(verb.module)), [name])


@pytest.mark.parametrize(
    "line", ["raise OSError('libcudart.so.12: cannot open')", "raise AttributeError('numpy.core')"]
)
def test_a_package_whose_import_fails_in_its_own_way_is_named(tmp_path, monkeypatch, line):
    name = f"broken_{len(line)}"
    (tmp_path / f"{name}.py").write_text(line, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(errors.MissingExtra, match=f"{name}, which is installed and does not load"):
        extras.need(name, extra="models")


def test_what_is_to_be_filled_in_is_written_in_capitals():
    lower = [
        (command, action.dest)
        for command, action in every_action()
        if not action.option_strings
        and not action.choices
        and (action.metavar or action.dest) != (action.metavar or "").upper()
    ]
    assert lower == []


def test_every_verb_that_writes_names_where_by_out():
    folders = {"DIR", "SET", "STUDY", "GAME", "STORE"}
    others = {
        "--set",
        "--root",
        "--images",
        "--map-folder",
        "--store",
        "--figures",
        "--cache",
        "--held-out",
        "--check-export",
    }  # what is read, and a second output
    odd = [
        (command, action.option_strings)
        for command, action in every_action()
        if action.option_strings
        and action.metavar in folders
        and not {"--out"} & {*action.option_strings}
        and not others & {*action.option_strings}
    ]
    assert odd == []


def test_a_reader_that_has_gone_stops_the_command_without_calling_it_done():
    """`rapidvision … | head -1`: what came after was not done, so the exit code is not 0, and no traceback is shown."""
    code = (
        "import sys; from rapidvision import cli\n"
        "def add_arguments(parser):\n    parser.set_defaults(run=lambda a: [cli.say(a, 'x' * 1000) for _ in range(9999)] and 0)\n"
        "sys.modules['long_verb'] = sys.modules['__main__']; cli.VERBS['try'] = cli.Verb('long_verb', '')\n"
        "sys.exit(cli.main(['try']))"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        child.stdout.read(1)
        child.stdout.close()
        assert child.stderr.read() == b""
        assert child.wait() == 3


def test_a_broken_connection_to_something_else_is_not_taken_for_the_output(verb):
    verb(raising(BrokenPipeError()))
    with pytest.raises(BrokenPipeError):
        cli.main(["try"])


def test_json_prints_one_object_and_text_goes_to_the_error_stream(monkeypatch, capsys):
    def add_arguments(parser):
        cli.add_common_options(parser, json=True)
        parser.set_defaults(run=run)

    def run(arguments):
        cli.say(arguments, "p = .03")
        cli.give(arguments, {"p": np.float64(0.03), "levels": np.arange(2), "none": float("nan"), "out": Path("a")})
        return 1

    monkeypatch.setitem(cli.VERBS, "try", cli.Verb("try_commands", "a verb for tests"))
    monkeypatch.setattr(cli.importlib, "import_module", lambda name: types.SimpleNamespace(add_arguments=add_arguments))
    assert cli.main(["try", "--json"]) == 1
    out, err = capsys.readouterr()
    assert json.loads(out) == {"p": 0.03, "levels": [0, 1], "none": None, "out": "a"}
    assert err == "p = .03\n"


def test_what_is_installed_as_json(capsys):
    assert cli.main(["check", "install", "--json"]) == 0
    packages = {one["name"]: one for one in json.loads(capsys.readouterr().out)["packages"]}
    assert packages["numpy"]["installed"] and packages["numpy"]["version"] == np.__version__


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_a_shell_completes_verbs_and_options(shell, capsys):
    assert cli.main(["--print-completion", shell]) == 0
    script = capsys.readouterr().out
    assert "--n-per-group" in script and "attention-maps" in script


def test_bash_accepts_the_completion_script(tmp_path, capsys):
    assert cli.main(["--print-completion=bash"]) == 0
    (tmp_path / "completion").write_text(capsys.readouterr().out, encoding="utf-8")
    assert subprocess.run(["bash", "-n", tmp_path / "completion"], check=False).returncode == 0


def test_a_shell_that_is_not_known_is_refused(capsys):
    assert cli.main(["--print-completion", "bsh"]) == 2
    assert 'Did you mean "bash"' in capsys.readouterr().err
