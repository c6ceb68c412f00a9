"""``rapidvision stimuli build``."""

import argparse
import os
from pathlib import Path

from rapidvision.cli import Verbs, add_common_options, add_plugin_option, add_verb, list_names, say
from rapidvision.formats.masks import KINDS

from .registries import BACKGROUNDS, READERS, REVEAL_MODES

#: Flags that a build prints.
MOST_FLAGS = 20

_BUILD_EXAMPLES = """\
  rapidvision stimuli build bundled --out set
  rapidvision stimuli build recipe.toml --out set --workers 8
  rapidvision stimuli build bundled --out set --masks noise
  rapidvision stimuli build osie.toml --root ~/data/osie --out set
  rapidvision stimuli build recipe.toml --out set --shard 3/16     one part of a SLURM array; a last build without
                                                                   --shard finishes the set
A build that was stopped resumes when the same command is given again."""


def add_build(verbs: Verbs) -> None:
    """Add the sub-verb."""
    parser = add_verb(verbs, "build", "build a stimulus set from images and importance maps", _BUILD_EXAMPLES)
    list_names(parser, {"reveal.mode": REVEAL_MODES, "canvas.kind": BACKGROUNDS, "maps.reader": READERS})
    parser.add_argument(
        "recipe", metavar="RECIPE", help="a TOML file, or `bundled` for the images that come with RapidVision"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="SET", help="folder of the set")
    parser.add_argument(
        "--root", type=Path, metavar="DIR", help="folder that the recipe's paths are relative to (default: its own)"
    )
    parser.add_argument("--format", default="png", choices=("png", "tar", "series", "recipe"), help="storage form")
    parser.add_argument(
        "--workers", type=int, default=os.cpu_count() or 1, metavar="N", help="processes (default: one per core)"
    )
    parser.add_argument("--shard", type=_shard, default=(1, 1), metavar="I/N", help="build only this part")
    parser.add_argument("--scheduler", metavar="ADDRESS", help="let a dask.distributed cluster do the work")
    parser.add_argument(
        "--skip-bad", action="store_true", help="leave out unusable images and list them in rejects.csv"
    )
    parser.add_argument(
        "--preset",
        metavar="NAME",
        help="controlled: canvases that cannot tell the category, and map sources that reveal alike; stands before the "
        "recipe's key `preset` (default: paper)",
    )
    parser.add_argument(
        "--masks",
        action="append",
        default=[],
        choices=KINDS,
        metavar="KIND",
        help="add masks that the recipe does not name: noise, phase-scrambled or checkerboard; may be given again",
    )
    add_plugin_option(parser)
    add_common_options(parser)
    parser.set_defaults(run=_build)


def _build(arguments: argparse.Namespace) -> int:
    from rapidvision.system.progress import progress

    from .builder.build import build, read_recipe
    from .masks.make import counts_of

    recipe, root = read_recipe(
        arguments.recipe,
        root=arguments.root,
        seed=arguments.seed,
        masks=arguments.masks,
        preset=arguments.preset,
    )
    from .pipeline.image_list import image_entries

    n_jobs = len(image_entries(recipe, root)[arguments.shard[0] - 1 :: arguments.shard[1]])
    with progress("images", n_jobs, quiet=arguments.quiet) as advance:
        built = build(
            recipe,
            arguments.out,
            root=root,
            form=arguments.format,
            workers=arguments.workers,
            shard=arguments.shard,
            scheduler=arguments.scheduler,
            skip_bad=arguments.skip_bad,
            advance=advance,
        )
    for one in built.rejected:
        say(arguments, f"left out {one.job.image_id}: {one.reason}")
    kept = f", {built.n_kept} were there" if built.n_kept else ""
    left_out = f", {len(built.rejected)} left out" if built.rejected else ""
    say(arguments, f"{arguments.out}: {built.n_made} images made{kept}{left_out}, seed {recipe.seed}")
    if recipe.mask_families and built.result is not None:
        counts = counts_of(arguments.out)
        say(arguments, f"masks: {', '.join(f'{n} {name}' for name, n in counts.items())}")
    for note in built.notes:
        say(arguments, f"note: {note}")
    for flag in built.flags[:MOST_FLAGS]:
        say(arguments, f"flag: {flag.image_id} {flag.map_source}: {flag.text}")
    if len(built.flags) > MOST_FLAGS:
        say(arguments, f"and {len(built.flags) - MOST_FLAGS} more flags; see `rapidvision stimuli show --out`")
    if built.n_missing:
        say(arguments, f"{built.n_missing} images are still missing; a build without --shard finishes the set")
    return 0


def _shard(text: str) -> tuple[int, int]:
    number, _, count = text.partition("/")
    if number.isdigit() and count.isdigit() and 1 <= int(number) <= int(count):
        return int(number), int(count)
    raise argparse.ArgumentTypeError(f'got "{text}", allowed are 1/N to N/N')
