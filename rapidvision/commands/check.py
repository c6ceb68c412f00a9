"""``rapidvision check``: what is installed, and whether this screen keeps time."""

import argparse
import importlib
import importlib.metadata
import importlib.util
import shutil
from pathlib import Path
from typing import NamedTuple

from rapidvision.cli import add_common_options, add_verb, give, say
from rapidvision.system.extras import need, remedy


class Part(NamedTuple):
    """A package that may be installed: its import name, extra and purpose, and its name on PyPI where that differs."""

    name: str
    extra: str
    purpose: str
    distribution: str = ""


PARTS = (
    Part("numpy", "", "everything"),
    Part("scipy", "", "everything"),
    Part("skimage", "", "stimuli", "scikit-image"),
    Part("pandas", "", "analysis"),
    Part("matplotlib", "", "figures"),
    Part("statsmodels", "", "mixed models"),
    Part("PIL", "", "stimuli", "pillow"),
    Part("msgspec", "", "everything"),
    Part("numba", "fast", "fast stimuli; the same bytes without it"),
    Part("psychopy", "lab", "lab sessions", "psychopy-lib"),
    Part("psychtoolbox", "lab", "key times in lab sessions"),
    Part("serial", "lab", "serial triggers", "pyserial"),
    Part("parallel", "triggers", "parallel ports on Linux", "pyparallel"),
    Part("pylsl", "triggers", "markers for the Lab Streaming Layer"),
    Part("torch", "models", "networks"),
    Part("safetensors", "models", "networks"),
    Part("starlette", "online", "online sessions"),
    Part("uvicorn", "online", "online sessions"),
    Part("sqlalchemy", "online", "online sessions"),
    Part("psycopg", "online", "online sessions with PostgreSQL"),
    Part("av", "online", "movies"),
    Part("distributed", "cluster", "stimulus sets on a cluster"),
    Part("pyarrow", "", "Parquet tables; CSV needs nothing"),
)
_REQUIRED = {part.name for part in PARTS if not part.extra and part.name != "pyarrow"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the sub-verbs of ``rapidvision check``."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    install = add_verb(
        verbs,
        "install",
        "list what is installed, and how to add what is not",
        "  rapidvision check install\n  rapidvision check install --load",
    )
    install.add_argument("--load", action="store_true", help="import every package, to find broken ones (seconds)")
    add_common_options(install, seed=False, json=True)
    install.set_defaults(run=_install)
    timing = add_verb(
        verbs,
        "timing",
        "measure this display, the keyboard and the clock, as before every session",
        "  rapidvision check timing --screen lab.toml\n  rapidvision check timing --figures figures/",
    )
    timing.add_argument("--screen", type=Path, metavar="FILE", help="monitor profile as TOML, to compare the rate with")
    timing.add_argument("--screen-index", type=int, default=0, metavar="N", help="which monitor, from 0")
    timing.add_argument("--paced", type=float, metavar="HZ", help="paced test mode, for displays without refreshes")
    timing.add_argument("--no-press", action="store_true", help="do not ask for a key")
    timing.add_argument(
        "--figures", type=Path, metavar="DIR", help="folder for intervals.svg, the intervals between flips"
    )
    timing.add_argument("--out", type=Path, metavar="FILE", help="write the checks")
    add_common_options(timing, seed=False)
    timing.set_defaults(run=_timing)
    trigger = add_verb(
        verbs,
        "trigger",
        "send a staircase of codes to a trigger port, and measure what comes back",
        "  rapidvision check trigger --trigger parallel:0x378\n"
        "  rapidvision check trigger --trigger serial-pulse:COM3@115200 --loop-back wired\n"
        "  rapidvision check trigger --trigger serial:/dev/ttyUSB0 --loop-back serial:/dev/ttyUSB1\n\n"
        "The codes are 1, 2, 4, ..., 128 and 255, ten a second. A loop-back reads them: `wired` where the port's own\n"
        "output is wired to its input, or a second serial port. The exit code is 1 when one is lost or does not fall.",
    )
    trigger.add_argument("--trigger", required=True, metavar="PORT", help="as in `session run`")
    trigger.add_argument(
        "--trigger-ms", type=float, metavar="MS", help="width of pulses; default: 5, or half a refresh in sessions"
    )
    trigger.add_argument("--loop-back", metavar="wired|PORT", help="where the codes are read again")
    trigger.add_argument(
        "--n-rounds", type=int, default=1, metavar="N", help="how often the staircase is sent; default: 1"
    )
    trigger.add_argument("--out", type=Path, metavar="FILE", help="write what was found as JSON")
    add_common_options(trigger, seed=False, json=True)
    trigger.set_defaults(run=_trigger)


def found(part: Part, *, load: bool = False) -> tuple[bool, str]:
    """Return whether a part is here, and its version or what is wrong with it.

    Examples
    --------
    >>> found(Part("msgspec", "", "everything"))[0]
    True
    """
    if importlib.util.find_spec(part.name) is None:
        return False, "absent"
    if load:
        try:
            importlib.import_module(part.name)
        except Exception as error:
            return False, f"does not load: {error}"
    try:
        return True, importlib.metadata.version(part.distribution or part.name)
    except importlib.metadata.PackageNotFoundError:
        return True, "here"


def _install(arguments: argparse.Namespace) -> int:
    broken, parts = 0, []
    for part in PARTS:
        here, words = found(part, load=arguments.load)
        way = "" if here or not part.extra else f"; {remedy(part.name, extra=part.extra)}"
        way = "; pip install pyarrow" if part.name == "pyarrow" and not here else way
        broken += not here and (part.name in _REQUIRED or words.startswith("does not load"))
        parts.append(
            {
                "name": part.name,
                "installed": here,
                "version": words if here else None,
                "trouble": None if here else words,
                "extra": part.extra,
                "purpose": part.purpose,
            }
        )
        say(arguments, f"{'yes' if here else 'no':<4}{part.name:<16}{words:<16} {part.purpose}{way}")
    for program, purpose in (("Xvfb", "tests of lab sessions"), ("chromium", "tests of online sessions")):
        say(arguments, f"{'yes' if shutil.which(program) else 'no':<4}{program:<16}{'':<16} {purpose}")
    give(arguments, {"packages": parts, "n_broken": broken})
    return 1 if broken else 0


def _trigger(arguments: argparse.Namespace) -> int:
    commands = need("rapidvision.experiments.commands.check_trigger", extra="triggers", purpose="check trigger")
    return int(commands.run(arguments))


def _timing(arguments: argparse.Namespace) -> int:
    commands = need("rapidvision.experiments.commands.check_timing", extra="lab", purpose="check timing")
    return int(commands.run(arguments))
