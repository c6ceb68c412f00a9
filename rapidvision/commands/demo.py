"""``rapidvision demo``: the whole main job on bundled images, as the very commands a user would type.

Nothing here is special to the demo: it prints each command and runs it through the same function. The participants are
simulated, and the output says so.
"""

import argparse
import importlib
import shlex
import time
from collections.abc import Sequence
from pathlib import Path

from rapidvision import cli, protocol
from rapidvision.errors import InputError, MissingExtra
from rapidvision.system import extras

_EPILOG = """\
examples:
  rapidvision demo                       into ./demo, in under a minute on two cores
  rapidvision demo --out /tmp/first      somewhere else
  rapidvision demo --n-per-group 12      smaller groups
  rapidvision demo render --help         draw new images with the renderer of the bundled ones"""

_RENDER = "rapidvision.stimuli.render.commands"
_FOLDER = "rapidvision.stimuli.render.bundle.folder"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the demo's options, and ``render`` as its one sub-verb."""
    parser.epilog = _EPILOG
    parser.add_argument(
        "--out", type=Path, default=Path("demo"), metavar="DIR", help="where everything goes (default: demo)"
    )
    parser.add_argument(
        "--n-per-group",
        type=int,
        default=protocol.N_PARTICIPANTS_PER_GROUP,
        metavar="N",
        help="simulated participants per group (default: %(default)s, as in the paper)",
    )
    parser.add_argument("--without-networks", action="store_true", help="leave out the bundled networks")
    cli.add_common_options(parser)
    parser.set_defaults(run=run)
    verbs = parser.add_subparsers(title="instead of the demo", metavar="VERB")
    importlib.import_module(_RENDER).add_arguments(
        verbs.add_parser("render", help="draw images with their maps and parts")
    )


def draw_images(
    out: Path, *, n: int, side_px: int, seed: int, map_sources: Sequence[str], n_workers: int, quiet: bool
) -> None:
    """Draw an image folder with the renderer of the bundled images, as ``demo render --n-images`` does.

    Parameters
    ----------
    out : Path
        The folder to make.
    n : int
        Images in all, balanced over the categories.
    side_px : int
        Their side.
    seed : int
        They follow from it.
    map_sources : sequence of {"clickme", "salicon"}
        Whose maps are drawn too.
    n_workers : int
        Processes; the bytes do not depend on it.
    quiet : bool
        No progress.
    """
    folder = importlib.import_module(_FOLDER)
    items = folder.plan(folder.balanced(n))
    folder.render(out, items, seed=seed, size=side_px, maps=map_sources, workers=n_workers, quiet=quiet)


def commands(
    out: Path,
    *,
    n_per_group: int,
    seed: int | None,
    networks: bool,
    quiet: bool,
    n_resamples: int = protocol.N_RELABELLINGS,
) -> list[list[str]]:
    """Return the demo as a list of command lines, without the program's name.

    Parameters
    ----------
    out : Path
        The folder that everything goes to.
    n_per_group : int
        Simulated participants per group, ≥ 1.
    seed : int or None
        Seed of the simulated participants and of the relabellings; None for the study's own.
    networks : bool
        Whether the bundled networks are run on the study too.
    quiet : bool
        Passed on to every command.
    n_resamples : int
        Random relabellings of the per-level tests.

    Returns
    -------
    list of list of str
        In the order in which they run.
    """
    stimulus_set, study, report = str(out / "stimuli"), str(out / "study"), str(out / "report")
    with_seed = ["--seed", str(2019 if seed is None else seed)]
    models = str(out / "study" / "models.csv")
    steps = [
        ["stimuli", "build", "bundled", "--out", stimulus_set],
        ["session", "plan", stimulus_set, "--out", study, "--n-per-group", str(n_per_group)],
        ["session", "simulate", study, *with_seed],
    ]
    if networks:
        steps.append(["models", "observe", study, "--model", "bundled", "--out", models])
    analysis = ["analyse", "report", f"{study}/simulated.csv", "--set", stimulus_set, "--out", report]
    analysis += ["--n-resamples", str(n_resamples), *with_seed]
    steps.append([*analysis, "--models", models] if networks else analysis)
    return [[*step, "--quiet"] if quiet else step for step in steps]


def run(arguments: argparse.Namespace) -> int:
    """Run the demo and say where the figure is."""
    if arguments.n_per_group < 1:
        raise InputError(f"--n-per-group: got {arguments.n_per_group}, at least 1 per group is needed")
    networks = not arguments.without_networks and _has_torch(arguments)
    started = time.perf_counter()
    steps = commands(
        arguments.out,
        n_per_group=arguments.n_per_group,
        seed=arguments.seed,
        networks=networks,
        quiet=arguments.quiet,
    )
    for step in steps:
        if not arguments.quiet:
            cli.say(arguments, f"$ rapidvision {shlex.join(step)}")
        code = cli.main(step)
        if code:
            return code
    report = arguments.out / "report"
    cli.say(
        arguments,
        f"\nDone in {time.perf_counter() - started:.0f} s. The participants are SIMULATED, with known thresholds; no person was tested.\n"
        f"Fig. 2B: {report / 'figures' / 'fig2b.png'} (also .pdf, .svg)\nReport:  {report / 'report.html'}",
    )
    return 0


def _has_torch(arguments: argparse.Namespace) -> bool:
    try:
        extras.need("torch", extra="models", purpose="the networks' curve")
    except MissingExtra as error:
        cli.say(arguments, f"Without networks: {error}")
        return False
    return True
