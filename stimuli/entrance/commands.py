"""``rapidvision stimuli init``, ``check`` and ``presets``: into a stimulus set."""

import argparse
import os
from pathlib import Path

from rapidvision.cli import Verbs, add_common_options, add_plugin_option, add_verb, give, say

_INIT_EXAMPLES = """\
  rapidvision stimuli init photos saliency gaze.csv --out study
  rapidvision stimuli init photos maps --out study --image-deg 8 --screen monitor.toml --targets animal"""
_CHECK_EXAMPLES = """\
  rapidvision stimuli check recipe.toml
  rapidvision stimuli check recipe.toml --out problems.csv --workers 8"""


def add_arguments(verbs: Verbs) -> None:
    """Add the sub-verbs."""
    init = add_verb(verbs, "init", "guess a recipe from folders of images, maps and tables of points", _INIT_EXAMPLES)
    init.add_argument("folders", type=Path, nargs="+", metavar="FOLDER", help="folders with all below them, or files")
    init.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder of images.csv, recipe.toml and look.html"
    )
    init.add_argument("--image-deg", type=float, metavar="DEG", help="side of the images in degrees of visual angle")
    init.add_argument("--screen", type=Path, metavar="FILE", help="monitor profile as TOML; needed for degrees")
    init.add_argument("--targets", nargs="+", metavar="WORD", help="categories that are targets")
    add_common_options(init, seed=False, json=True)
    init.set_defaults(run=_init)
    check = add_verb(
        verbs,
        "check",
        "list everything that a build would refuse, without building (exit code 1: something)",
        _CHECK_EXAMPLES,
    )
    check.add_argument("recipe", metavar="RECIPE", help="a TOML file, or `bundled`")
    check.add_argument(
        "--root", type=Path, metavar="DIR", help="folder that the recipe's paths are relative to (default: its own)"
    )
    check.add_argument("--out", type=Path, metavar="FILE", help="write all problems as a table (CSV)")
    check.add_argument(
        "--workers", type=int, default=os.cpu_count() or 1, metavar="N", help="processes (default: one per core)"
    )
    add_plugin_option(check)
    add_common_options(check, seed=False, json=True)
    check.set_defaults(run=_check)
    presets = add_verb(
        verbs,
        "presets",
        "list the data sets whose layout is known",
        "rapidvision stimuli presets\n  rapidvision stimuli presets osie-eye",
    )
    presets.add_argument("preset", nargs="?", metavar="PRESET", help="show all of one")
    add_common_options(presets, seed=False, json=True)
    presets.set_defaults(run=_presets)


def _init(arguments: argparse.Namespace) -> int:
    from rapidvision.screen import read_profile

    from .write import PAGE, RECIPE, guess_recipe

    screen = read_profile(arguments.screen) if arguments.screen is not None else None
    out = arguments.out
    guessed = guess_recipe(
        arguments.folders, out=out, image_deg=arguments.image_deg, screen=screen, targets=arguments.targets or ()
    )
    say(arguments, f"{out}: {len(guessed.rows)} images, {len(guessed.sources)} map sources")
    for source in guessed.sources:
        for reason in source.why:
            say(arguments, f"{source.keys['source']}: {reason}")
    for note in guessed.notes:
        say(arguments, f"note: {note}")
    if guessed.sources:
        say(arguments, f"look at {out / PAGE}, then: rapidvision stimuli check {out / RECIPE}")
    sources = [{**one.keys, "why": one.why, "n_maps": one.n_maps} for one in guessed.sources]
    give(arguments, {"out": out, "n_images": len(guessed.rows), "sources": sources, "notes": guessed.notes})
    return 0


def _check(arguments: argparse.Namespace) -> int:
    from rapidvision.system.progress import progress

    from .check import check_recipe, count_rows
    from .problems import lines_of, table_rows, write_problems

    n_rows = count_rows(arguments.recipe, root=arguments.root)
    with progress("images", n_rows, quiet=arguments.quiet) as advance:
        checked = check_recipe(arguments.recipe, root=arguments.root, workers=arguments.workers, advance=advance)
    if arguments.out is not None:
        write_problems(arguments.out, checked.problems)
    for line in lines_of(checked.problems):
        say(arguments, line)
    for note in checked.notes:
        say(arguments, f"note: {note}")
    left = f"{checked.n_usable} of {checked.n_images} images can be used"
    n = len(checked.problems)
    say(arguments, f"{arguments.recipe}: {n or 'no'} problem{'s' if n != 1 else ''}; {left}")
    found = {"n_images": checked.n_images, "n_usable": checked.n_usable, "notes": checked.notes}
    names = ("where", "image_id", "map_source", "problem")
    rows = [dict(zip(names, row, strict=True)) for row in table_rows(checked.problems)]
    give(arguments, {**found, "problems": rows})
    return 1 if checked.problems else 0


def _presets(arguments: argparse.Namespace) -> int:
    from rapidvision.errors import InputError

    from ..presets.read import described, preset_names, read_preset

    if arguments.preset is None:
        for name in preset_names():
            say(arguments, f"{name:<20} {read_preset(name).title}")
        give(arguments, {"presets": [described(name) for name in preset_names()]})
        return 0
    try:
        found = described(arguments.preset)
    except ValueError as error:
        raise InputError(str(error)) from None
    for key, value in found.items():
        if key == "facts":
            for fact in value:
                say(arguments, f"fact: {fact}")
        elif value:
            say(arguments, f"{key}: {value}")
    give(arguments, found)
    return 0
