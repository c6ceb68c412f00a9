"""The command line: one verb per package, imported by name when it is called, so that ``--help`` costs nothing.

A package's ``commands`` module has ``add_arguments(parser)``, which adds its sub-verbs and sets ``run`` on each: a
function that takes the parsed arguments and returns an exit code (or None for 0).
"""

import argparse
import importlib
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, TypeAlias

from rapidvision.system.command_line import Parser, output_is_closed, print_every_letter

Verbs: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001  no public name for it


class Verb(NamedTuple):
    """Where a verb lives and what it does."""

    module: str
    summary: str


VERBS = {
    "demo": Verb(
        "rapidvision.commands.demo", "bundled images to Fig. 2B in under a minute; `demo render` draws new images"
    ),
    "desk": Verb("rapidvision.experiments.desk.commands", "make, run and read studies on a page in the browser"),
    "study": Verb(
        "rapidvision.commands.study", "make a study by questions, see what comes next, archive it, verify an archive"
    ),
    "stimuli": Verb("rapidvision.stimuli.commands", "build, look at, verify and expand stimulus sets"),
    "session": Verb("rapidvision.experiments.commands", "plan, run, simulate, serve and export sessions"),
    "analyse": Verb("rapidvision.analysis.commands", "per-level randomization tests, Fig. 2B, comparisons, reports"),
    "models": Verb("rapidvision.gala_models.commands", "train, evaluate and observe GALA, SE and ResNet networks"),
    "clickme": Verb("rapidvision.experiments.clickme.commands", "collect importance maps with the ClickMe game"),
    "check": Verb("rapidvision.commands.check", "is everything installed, and does this screen keep time?"),
}
ALIASES = {"analyze": "analyse"}

EXAMPLES = """\
examples:
  rapidvision demo                          everything once, on bundled images and simulated participants
  rapidvision stimuli build recipe.toml     a reproducible stimulus set from your images and maps
  rapidvision session plan set/ --out study/
  rapidvision analyse fig2b study/trials.csv

exit codes: 0 done | 1 ran, and found what it checks for wrong | 2 bad input | 3 stopped, can be resumed
`rapidvision VERB --help` says more."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments without the program's name; those of the process by default.

    Returns
    -------
    int
        0 done, 1 a check failed, 2 bad input, 3 stopped and can be resumed; also 3 when the reader of standard output
        has gone before the end.
    """
    print_every_letter()
    words = list(sys.argv[1:] if argv is None else argv)
    if words[:1] == ["help"]:
        words = [*words[1:], "--help"]
    if not words or words[0] in ("-h", "--help"):
        print(_help())  # noqa: T201
        return 0 if words else 2
    if words[0].startswith("--print-completion"):
        return _print_completion(words)
    if words[0] == "--version":
        from rapidvision import __version__

        print(f"rapidvision {__version__}")  # noqa: T201
        return 0
    name = ALIASES.get(words[0], words[0])
    if name not in VERBS:
        from rapidvision.errors import did_you_mean

        return _refuse(f'no verb "{words[0]}". {did_you_mean(words[0], [*VERBS, *ALIASES])}')
    return _run(name, words[1:])


def whole_parser() -> argparse.ArgumentParser:
    """Return one parser of all verbs, with everything below them; it imports every package's commands."""
    parser = Parser(prog="rapidvision", description="Stimuli, sessions, statistics and networks.")
    verbs = parser.add_subparsers(metavar="VERB")
    for name, verb in VERBS.items():
        importlib.import_module(verb.module).add_arguments(verbs.add_parser(name, help=verb.summary))
    return parser


def _print_completion(words: list[str]) -> int:
    """Print the script that completes words in a shell."""
    import shtab

    shell = words[0].partition("=")[2] or "".join(words[1:2])
    if shell not in shtab.SUPPORTED_SHELLS:
        from rapidvision.errors import did_you_mean

        return _refuse(f'--print-completion: got "{shell}". {did_you_mean(shell, shtab.SUPPORTED_SHELLS)}')
    print(shtab.complete(whole_parser(), shell))  # noqa: T201
    return 0


def _run(name: str, words: list[str]) -> int:
    from rapidvision.errors import RapidVisionError

    try:
        _import_plugins(words)
        commands = importlib.import_module(VERBS[name].module)
        parser = parser_of(name, commands)
        arguments = parser.parse_args(words)
        if not getattr(arguments, "json", False):
            return int(arguments.run(arguments) or 0)
        return _run_for_json(arguments)
    except RapidVisionError as error:
        _refuse(str(error))
        return error.exit_code
    except SystemExit as stop:  # argparse has said why
        return stop.code if isinstance(stop.code, int) else 2
    except KeyboardInterrupt:
        _refuse("stopped; run the same command again to resume")
        return 3
    except BrokenPipeError:
        if not output_is_closed():
            raise
        return 3


def _import_plugins(words: list[str]) -> None:
    """Import the modules named by ``--plugin`` before a verb's parser exists: its help lists what they register."""
    modules = [after for word, after in pairwise(words) if word == "--plugin"]
    modules += [word.partition("=")[2] for word in words if word.startswith("--plugin=")]
    if modules:
        from rapidvision.plugins.modules import import_plugins

        import_plugins(modules)


def _run_for_json(arguments: argparse.Namespace) -> int:
    """Run a verb with its text on the error stream, and print what it gave as one JSON object."""
    import contextlib
    import json

    from rapidvision.text.json_values import plain

    with contextlib.redirect_stdout(sys.stderr):
        code = int(arguments.run(arguments) or 0)
    print(json.dumps(plain(arguments.result), ensure_ascii=False, allow_nan=False), flush=True)  # noqa: T201
    return code


def parser_of(name: str, commands: object) -> argparse.ArgumentParser:
    """Return the parser of a verb, filled by its package."""
    parser = Parser(
        prog=f"rapidvision {name}",
        description=VERBS[name].summary,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands.add_arguments(parser)  # type: ignore[attr-defined]
    return parser


def add_verb(verbs: Verbs, name: str, summary: str, examples: str) -> argparse.ArgumentParser:
    """Add a verb of a package: the one way, so that every help looks the same.

    Parameters
    ----------
    verbs : Verbs
        What ``add_subparsers`` returned.
    name, summary : str
        The word, and what it does in a line.
    examples : str
        Command lines, and what is to be said about them; shown below "examples:" at the end of the verb's help.

    Returns
    -------
    argparse.ArgumentParser
        For the verb's own arguments.
    """
    return verbs.add_parser(
        name,
        help=summary,
        description=summary[:1].upper() + summary[1:],
        epilog="examples:\n" + (examples if examples.startswith("  ") else f"  {examples}"),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def add_common_options(parser: argparse.ArgumentParser, *, seed: bool = True, json: bool = False) -> None:
    """Add the options that mean the same in every verb.

    ``--quiet`` everywhere, ``--seed`` where random numbers are drawn, ``--json`` where :func:`give` hands a result over.
    """
    if seed:
        parser.add_argument(
            "--seed",
            type=_whole,
            metavar="SEED",
            help="seed of every random decision (default: that of the recipe or protocol, else drawn, printed and stored)",
        )
    parser.add_argument("--quiet", action="store_true", help="show no progress; results, notes and errors are shown")
    if json:
        parser.add_argument(
            "--json", action="store_true", help="print the result as one JSON object; text goes to the error stream"
        )


def give(arguments: argparse.Namespace, result: Any) -> None:
    """Hand over what a verb found; ``--json`` prints it.

    Parameters
    ----------
    arguments : argparse.Namespace
        Of the verb.
    result : dict
        What :func:`rapidvision.text.json_values.plain` can turn into an object.
    """
    arguments.result = result


def add_plugin_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--plugin``; :func:`main` has imported the modules by the time a verb runs."""
    parser.add_argument(
        "--plugin",
        action="append",
        default=[],
        metavar="MODULE",
        help="import this Python module first, for the parts that it registers; may be given several times",
    )


def list_names(
    parser: argparse.ArgumentParser, kinds: Mapping[str, Iterable[str] | Callable[[], Iterable[str]]]
) -> None:
    """End a verb's help with the names of parts, plug-ins included.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        The verb's.
    kinds : mapping
        Where the names are written → the registry, or what returns the names. It is asked only when the help is shown.
    """

    class _Formatter(argparse.RawDescriptionHelpFormatter):
        def format_help(self) -> str:
            width = max(map(len, kinds)) + 2
            found = {key: names() if callable(names) else names for key, names in kinds.items()}
            lines = [f"  {key:<{width}}{', '.join(names) or '(none)'}" for key, names in found.items()]
            return super().format_help() + "\nnames that may be used:\n" + "\n".join(lines) + "\n"

    parser.formatter_class = _Formatter


def say(_arguments: argparse.Namespace, text: str) -> None:
    """Print what a verb found, wrote or left out; ``--quiet`` hides progress, never this."""
    print(text, flush=True)  # noqa: T201


def _whole(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = -1
    if number < 0:
        raise argparse.ArgumentTypeError(f'got "{text}", a whole number from 0 is needed')
    return number


def _help() -> str:
    width = max(map(len, VERBS)) + 2
    verbs = "\n".join(f"  {name:<{width}}{verb.summary}" for name, verb in VERBS.items())
    return (
        "usage: rapidvision VERB ... [--help] [--version] [--print-completion bash|zsh|tcsh]\n\n"
        "Which parts of an image let a person, or a network, recognise it at a glance.\n\n"
        f"verbs (analyze is analyse):\n{verbs}\n\n{EXAMPLES}"
    )


def _refuse(message: str) -> int:
    print(f"rapidvision: {message}", file=sys.stderr)  # noqa: T201
    return 2
