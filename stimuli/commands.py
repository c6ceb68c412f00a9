"""``rapidvision stimuli``: build, verify and look at stimulus sets."""

import argparse
import os
from pathlib import Path

from rapidvision.cli import add_common_options, say

_BUILD_EXAMPLES = """\
examples:
  rapidvision stimuli build bundled --out set
  rapidvision stimuli build recipe.toml --out set --workers 8
  rapidvision stimuli build osie.toml --root ~/data/osie --out set
  rapidvision stimuli build recipe.toml --out set --shard 3/16     one part of a SLURM array; a last build without
                                                                   --shard finishes the set
A build that was stopped goes on when the same command is given again."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the sub-verbs."""
    verbs = parser.add_subparsers(dest="what", required=True, metavar="VERB")
    _add_build(verbs)
    verify = _add(verbs, "verify", "hash every file of a set again", "rapidvision stimuli verify set")
    verify.add_argument("folder", type=Path, help="a stimulus set, packed or not")
    add_common_options(verify, seed=False)
    verify.set_defaults(run=_verify)


def _add(
    verbs: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, help_: str, example: str
) -> argparse.ArgumentParser:
    return verbs.add_parser(
        name,
        help=help_,
        description=help_,
        epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _add_build(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = verbs.add_parser(
        "build",
        help="build a stimulus set from a recipe",
        description="Build a stimulus set from pictures and importance maps.",
        epilog=_BUILD_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("recipe", help="a TOML file, or `bundled` for the pictures that come with RapidVision")
    parser.add_argument("--out", type=Path, required=True, metavar="SET", help="folder of the set")
    parser.add_argument("--root", type=Path, help="folder that the recipe's paths are relative to (default: its own)")
    parser.add_argument(
        "--as", dest="form", default="png", choices=("png", "tar", "series", "recipe"), help="storage form"
    )
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes (default: one per core)")
    parser.add_argument("--shard", type=_shard, default=(1, 1), metavar="I/N", help="build only this part")
    parser.add_argument(
        "--skip-bad", action="store_true", help="leave out unusable pictures and list them in rejects.csv"
    )
    add_common_options(parser)
    parser.set_defaults(run=_build)


def _build(arguments: argparse.Namespace) -> int:
    from rapidvision.progress import progress

    from .build import build, read_recipe

    recipe, root = read_recipe(arguments.recipe, root=arguments.root, seed=arguments.seed)
    from .jobs import jobs_of

    n_jobs = len(jobs_of(recipe, root)[arguments.shard[0] - 1 :: arguments.shard[1]])
    with progress("pictures", n_jobs, quiet=arguments.quiet) as advance:
        built = build(
            recipe,
            arguments.out,
            root=root,
            form=arguments.form,
            workers=arguments.workers,
            shard=arguments.shard,
            skip_bad=arguments.skip_bad,
            advance=advance,
        )
    for one in built.rejected:
        say(arguments, f"left out {one.job.image_id}: {one.reason}")
    kept = f", {built.n_kept} were there" if built.n_kept else ""
    left_out = f", {len(built.rejected)} left out" if built.rejected else ""
    say(arguments, f"{arguments.out}: {built.n_made} pictures made{kept}{left_out}, seed {recipe.seed}")
    if built.n_missing:
        say(arguments, f"{built.n_missing} pictures are still missing; a build without --shard finishes the set")
    return 0


def _verify(arguments: argparse.Namespace) -> int:
    from .sets import open_set

    found = open_set(arguments.folder)
    found.verify()
    say(arguments, f"{arguments.folder}: every file is as it was built")
    return 0


def _shard(text: str) -> tuple[int, int]:
    number, _, count = text.partition("/")
    if number.isdigit() and count.isdigit() and 1 <= int(number) <= int(count):
        return int(number), int(count)
    raise argparse.ArgumentTypeError(f'got "{text}", allowed are 1/N to N/N')
