"""``rapidvision stimuli``: build, verify and look at stimulus sets."""

import argparse
from fractions import Fraction
from pathlib import Path

from rapidvision.cli import add_common_options, add_plugin_option, add_verb, give, say
from rapidvision.system import files

from . import build_command
from .entrance import commands as entrance_commands


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the sub-verbs."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    entrance_commands.add_arguments(verbs)
    build_command.add_build(verbs)
    expand = add_verb(
        verbs, "expand", "write the PNG files of a packed set", "rapidvision stimuli expand packed --out set"
    )
    expand.add_argument(
        "folder", type=Path, metavar="PACKED", help="a set that was built with --format tar, series or recipe"
    )
    expand.add_argument("--out", type=Path, required=True, metavar="SET", help="a new folder")
    expand.add_argument(
        "--root", type=Path, metavar="DIR", help="folder of the images; for sets built with --format recipe"
    )
    add_plugin_option(expand)
    add_common_options(expand, seed=False)
    expand.set_defaults(run=_expand)
    show = add_verb(
        verbs, "show", "say what is in a set, and make its contact sheet", "rapidvision stimuli show set --out sheet"
    )
    show.add_argument("folder", type=Path, metavar="SET", help="a stimulus set")
    show.add_argument("--out", type=Path, metavar="DIR", help="write the contact sheet there: index.html and sheet.png")
    show.add_argument(
        "--recipe", metavar="RECIPE", help="recipe of the build (or `bundled`), so that the sheet can show the maps"
    )
    show.add_argument("--preset", metavar="NAME", help="preset that the build was given")
    show.add_argument(
        "--root", type=Path, metavar="DIR", help="folder that the recipe's paths are relative to (default: its own)"
    )
    add_plugin_option(show)
    add_common_options(show, seed=False, json=True)
    show.set_defaults(run=_show)
    verify = add_verb(verbs, "verify", "hash every file of a set again", "rapidvision stimuli verify set")
    verify.add_argument("folder", type=Path, metavar="SET", help="a stimulus set, packed or not")
    add_plugin_option(verify)
    add_common_options(verify, seed=False, json=True)
    verify.set_defaults(run=_verify)
    diff = add_verb(verbs, "diff", "compare two sets (exit code 1: they differ)", "rapidvision stimuli diff set other")
    diff.add_argument("first", type=Path, metavar="SET", help="a stimulus set")
    diff.add_argument("second", type=Path, metavar="OTHER", help="another")
    add_common_options(diff, seed=False)
    diff.set_defaults(run=_diff)
    movies = add_verb(
        verbs,
        "movies",
        "write each planned trial as a movie of all its phases",
        "rapidvision stimuli movies study --out study/movies --hz 60 --codec vp9",
    )
    movies.add_argument("study", type=Path, metavar="STUDY", help="a study with its plans")
    movies.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the movies and movies.csv")
    movies.add_argument(
        "--hz",
        type=_hz,
        default=Fraction(60),
        metavar="HZ",
        help="frames per second, as 60, 59.94 or 60000/1001 (default: 60)",
    )
    movies.add_argument("--codec", choices=("vp9", "h264"), default="vp9", help="video format (default: vp9)")
    movies.add_argument("--n-movies", type=int, metavar="N", help="stop after so many movies (default: all)")
    add_common_options(movies, seed=False)
    movies.set_defaults(run=_movies)
    importing = add_verb(
        verbs,
        "import-clickme",
        "turn the ClickMe release into an image folder",
        "rapidvision stimuli import-clickme clickme_train.tfrecords --out clickme --target-labels 0-397",
    )
    importing.add_argument("records", type=Path, metavar="RECORDS", help="a TFRecord file, or a folder of them")
    importing.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new folder")
    importing.add_argument(
        "--target-labels",
        type=_ranges,
        default=range(398),
        metavar="LABELS",
        help="labels that are targets (default: 0-397)",
    )
    importing.add_argument(
        "--class-names", type=Path, metavar="FILE", help="a text file with the name of a label per line"
    )
    importing.add_argument("--n-images", type=int, metavar="N", help="stop after so many images (default: all)")
    add_common_options(importing, seed=False)
    importing.set_defaults(run=_import_clickme)


def _verify(arguments: argparse.Namespace) -> int:
    from rapidvision.formats.manifest import StimulusSet

    from .builder.verify import open_set
    from .plugins import check_plugins, recorded_plugins

    found = open_set(arguments.folder)
    found.verify()
    description = found.description if isinstance(found, StimulusSet) else found.description.description
    absent = check_plugins(recorded_plugins(description.provenance), where=str(arguments.folder))
    say(arguments, f"{arguments.folder}: every file is as it was built")
    give(arguments, {"folder": arguments.folder, "verified": True, "notes": absent})
    for note in absent:
        say(arguments, f"note: {note}")
    return 0


def _expand(arguments: argparse.Namespace) -> int:
    from rapidvision.system.progress import progress

    from .builder.expand import expand
    from .builder.packed import read_packed

    n_images = len(read_packed(arguments.folder).description.description.images)
    with progress("images", n_images, quiet=arguments.quiet) as advance:
        found = expand(arguments.folder, arguments.out, root=arguments.root, advance=advance)
    say(arguments, f"{arguments.out}: {len(found.stimuli)} stimuli of {n_images} images, digest {found.digest[:16]}")
    return 0


def _show(arguments: argparse.Namespace) -> int:
    import msgspec

    from rapidvision.formats.manifest import read_set
    from rapidvision.system.progress import progress

    from .builder.build import read_recipe
    from .report.contact_sheet import contact_sheet, summary_of

    found = read_set(arguments.folder)
    say(arguments, summary_of(found))
    give(arguments, {"digest": found.digest, **msgspec.to_builtins(found.description)})
    if arguments.out is not None:
        inputs = None
        if arguments.recipe:
            inputs = read_recipe(arguments.recipe, root=arguments.root, preset=arguments.preset)
        with progress("images", len(found.description.images), quiet=arguments.quiet) as advance:
            page = contact_sheet(found, arguments.out, inputs=inputs, advance=advance)
        say(arguments, f"{page}")
    return 0


def _diff(arguments: argparse.Namespace) -> int:
    from rapidvision.formats.manifest import read_set

    from .report.compare import compare

    found = compare(read_set(arguments.first), read_set(arguments.second))
    for line in found.settings:
        say(arguments, line)
    for title, names in (
        (f"only in {arguments.first}", found.only_first),
        (f"only in {arguments.second}", found.only_second),
        ("different", found.changed),
    ):
        if names:
            more = f" and {len(names) - 10} more" if len(names) > 10 else ""
            say(arguments, f"{title}: {len(names)} stimuli: {', '.join(names[:10])}{more}")
    say(arguments, f"the same: {found.n_same} stimuli")
    return 0 if found.same else 1


def _movies(arguments: argparse.Namespace) -> int:
    from rapidvision.study import Study
    from rapidvision.system.progress import progress

    from .movies import planned_movies, write_movies

    study = Study(arguments.study)
    found, plans = study.stimulus_set(), study.plans()
    n_movies = len(list(planned_movies(plans))[: arguments.n_movies])
    with progress("movies", n_movies, quiet=arguments.quiet) as advance:
        write_movies(
            found,
            plans,
            arguments.out,
            hz=arguments.hz,
            codec=arguments.codec,
            limit=arguments.n_movies,
            advance=advance,
        )
    say(arguments, f"{arguments.out}: {n_movies} movies at {float(arguments.hz):g} Hz")
    return 0


def _import_clickme(arguments: argparse.Namespace) -> int:
    from .entrance.import_clickme import import_release

    names = files.read_text(arguments.class_names).splitlines() if arguments.class_names else ()
    done = import_release(
        arguments.records, arguments.out, targets=arguments.target_labels, names=names, limit=arguments.n_images
    )
    say(
        arguments,
        f"{arguments.out}: {done.n_images} images; left out {done.n_without_map} without a map, "
        f"{done.n_without_label} without a label",
    )
    return 0


def _hz(text: str) -> Fraction:
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise argparse.ArgumentTypeError(f'got "{text}", a rate like 60, 59.94 or 60000/1001 is needed') from None


def _ranges(text: str) -> list[int]:
    """``0-3,7`` → [0, 1, 2, 3, 7]."""
    out: list[int] = []
    for part in text.split(","):
        low, _, high = part.partition("-")
        if not low.isdigit() or (high and not high.isdigit()):
            raise argparse.ArgumentTypeError(f'got "{text}", whole numbers and ranges like 0-397,400 are needed')
        out += range(int(low), int(high or low) + 1)
    return out
