"""``rapidvision demo render``: draw new images with their maps."""

import argparse
from pathlib import Path

from rapidvision.cli import add_common_options, say
from rapidvision.formats import image_folder

EPILOG = """\
examples:
  rapidvision demo render --out images/ --seed 1
  rapidvision demo render --out practice/ --n-images-per-category 2 --size 256 --seed 5
  rapidvision demo render --out training/ --n-images 3000 --size 96 --seed 7 --workers 2 --map-sources clickme

the folder can be named in a stimuli recipe: images = "images.csv", and a [[maps]] table with reader = "folder" and
path = "maps/clickme". It also holds parts/ and objects/ (which part and which thing each pixel shows; parts.json)."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``demo render``."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.description = "Draw images of the eight categories from a seed, with maps, parts and objects."
    parser.epilog = EPILOG
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the image folder to make")
    count = parser.add_mutually_exclusive_group()
    count.add_argument(
        "--n-images-per-category", type=int, metavar="N", help="main images of each category (default 10)"
    )
    count.add_argument("--n-images", type=int, metavar="N", help="main images in all, balanced over the categories")
    parser.add_argument(
        "--n-practice-per-category", type=int, default=0, metavar="N", help="practice images besides (default 0)"
    )
    parser.add_argument("--size", type=int, default=256, metavar="PX", help="side in pixels (default 256)")
    parser.add_argument(
        "--n-candidates",
        type=int,
        metavar="N",
        help="draw N candidates per category and keep the most varied (docs/datasheet.md)",
    )
    parser.add_argument(
        "--map-sources",
        default="clickme,salicon",
        metavar="SOURCES",
        help="clickme, salicon, both with a comma, or none",
    )
    parser.add_argument(
        "--format",
        default="png",
        choices=("png", "webp"),
        help="of the images; webp keeps every pixel too, in smaller files",
    )
    parser.add_argument(
        "--workers", type=int, default=1, metavar="N", help="processes (default 1); the bytes do not depend on it"
    )
    add_common_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Draw the folder that the arguments ask for."""
    from rapidvision.errors import InputError
    from rapidvision.seeds import fresh_seed

    from .bundle import folder

    n, each = arguments.n_images, arguments.n_images_per_category
    practice, candidates = arguments.n_practice_per_category, arguments.n_candidates
    each = 10 if each is None else each
    if (n is not None and n < 1) or each < 0 or practice < 0:
        raise InputError(
            "render: --n-images must be 1 or more, --n-images-per-category and --n-practice-per-category 0 or more"
        )
    if (arguments.out / image_folder.TABLE).exists():
        raise InputError(f"{arguments.out}: holds an image folder already; choose another --out or remove it")
    seed = fresh_seed() if arguments.seed is None else arguments.seed
    maps = [] if arguments.map_sources == "none" else [name.strip() for name in arguments.map_sources.split(",")]
    if candidates is None:
        items = folder.plan(folder.balanced(n) if n is not None else [each] * 8, practice)
    else:
        if n is not None or candidates < each + practice:
            raise InputError(
                "render: --n-candidates goes with --n-images-per-category and must not be smaller than what is kept"
            )
        items = folder.chosen(each, practice, candidates, seed=seed, workers=arguments.workers, quiet=arguments.quiet)
    folder.render(
        arguments.out,
        items,
        seed=seed,
        size=arguments.size,
        maps=maps,
        form=arguments.format,
        workers=arguments.workers,
        quiet=arguments.quiet,
    )
    say(arguments, f"{len(items)} images of {arguments.size} px in {arguments.out}, seed {seed}")
    return 0
