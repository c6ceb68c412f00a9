"""The door: one verb per room, reached by name when it is called, so that ``--help`` costs nothing.

A room's ``commands`` module has ``add_arguments(parser)``, which adds its sub-verbs and sets ``run`` on each: a
function that takes the parsed arguments and returns an exit code (or None for 0).
"""

import argparse
import importlib
import sys
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

Verbs: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001  no public name for it


class Verb(NamedTuple):
    """Where a verb lives and what it does."""

    module: str
    summary: str


VERBS = {
    "demo": Verb(
        "rapidvision.commands.demo", "bundled pictures to Fig. 2B in under a minute; `demo render` draws new pictures"
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
  rapidvision demo                          everything once, on bundled pictures and simulated participants
  rapidvision stimuli build recipe.toml     a reproducible stimulus set from your pictures and maps
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
        0 done, 1 a check failed, 2 bad input, 3 stopped and can be resumed.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or words[0] in ("-h", "--help"):
        print(_help())  # noqa: T201
        return 0 if words else 2
    if words[0] == "--version":
        from rapidvision import __version__

        print(f"rapidvision {__version__}")  # noqa: T201
        return 0
    name = ALIASES.get(words[0], words[0])
    if name not in VERBS:
        from rapidvision.errors import did_you_mean

        return _refuse(f'no verb "{words[0]}". {did_you_mean(words[0], [*VERBS, *ALIASES])}')
    return _run(name, words[1:])


def _run(name: str, words: list[str]) -> int:
    from rapidvision.errors import RapidVisionError

    try:
        commands = importlib.import_module(VERBS[name].module)
        parser = parser_of(name, commands)
        arguments = parser.parse_args(words)
        return int(arguments.run(arguments) or 0)
    except RapidVisionError as error:
        _refuse(str(error))
        return error.exit_code
    except SystemExit as stop:  # argparse has spoken
        return stop.code if isinstance(stop.code, int) else 2
    except KeyboardInterrupt:
        _refuse("stopped; the same command goes on from here")
        return 3
    except BrokenPipeError:
        sys.stderr.close()
        return 0


def parser_of(name: str, commands: object) -> argparse.ArgumentParser:
    """Return the parser of a verb, filled by its room."""
    parser = argparse.ArgumentParser(
        prog=f"rapidvision {name}",
        description=VERBS[name].summary,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands.add_arguments(parser)  # type: ignore[attr-defined]
    return parser


def add_verb(verbs: Verbs, name: str, summary: str, examples: str) -> argparse.ArgumentParser:
    """Add a verb of a room.

    Parameters
    ----------
    verbs : Verbs
        What ``add_subparsers`` returned.
    name, summary : str
        The word, and what it does in a line.
    examples : str
        Shown as they are at the end of the verb's help.

    Returns
    -------
    argparse.ArgumentParser
        For the verb's own arguments.
    """
    return verbs.add_parser(
        name,
        help=summary,
        description=summary[:1].upper() + summary[1:],
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def add_common_options(parser: argparse.ArgumentParser, *, seed: bool = True) -> None:
    """Add the options that mean the same in every room: ``--quiet``, and ``--seed`` where randomness is used."""
    if seed:
        parser.add_argument(
            "--seed", type=_whole, help="seed of every random decision (drawn, printed and stored if absent)"
        )
    parser.add_argument("--quiet", action="store_true", help="no progress, no summary; errors still speak")


def say(arguments: argparse.Namespace, text: str) -> None:
    """Print a result line unless ``--quiet`` was given."""
    if not getattr(arguments, "quiet", False):
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
        "usage: rapidvision VERB ... [--help] [--version]\n\n"
        "Which parts of a picture let a person, or a network, recognise it at a glance.\n\n"
        f"verbs (analyze is analyse):\n{verbs}\n\n{EXAMPLES}"
    )


def _refuse(message: str) -> int:
    print(f"rapidvision: {message}", file=sys.stderr)  # noqa: T201
    return 2
