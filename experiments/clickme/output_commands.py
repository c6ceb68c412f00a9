"""The verbs that read a game: ``export`` and ``report``; and what all verbs of the game share."""

import argparse
import importlib
from pathlib import Path
from typing import Any

from rapidvision.cli import Verbs, add_common_options, add_verb, say

from .game.kinds import KINDS

_EXPORT = """\
  rapidvision clickme export game/ --out maps/
  rapidvision clickme export game/ --out maps/ --blur gauss:7 --min-players 3 --keep-flagged
  rapidvision clickme export game/ --out maps/ --per-player --tfrecords raw
  rapidvision clickme export rehearsal/ --out maps/ --observers simulated
  rapidvision stimuli build maps/recipe.toml --out stimuli/

Usernames stay in the game; the files know players by random ids."""

_REPORT = """\
  rapidvision clickme report game/ --out report/
  rapidvision clickme report game/ --out report/ --compare-with clicktionary
  rapidvision clickme report rehearsal/ --out report/ --observers simulated

Writes report.html with figures and report.json: players per map, bubbles, time-outs, success, learning, contests,
agreement of players, and a gallery of maps."""


def add_output_verbs(verbs: Verbs) -> None:
    """Add ``export`` and ``report``."""
    _add_export(verbs)
    _add_report(verbs)


def work(name: str) -> Any:
    """Import the module that does the work, saying which extra is missing where one is."""
    from rapidvision.system import extras

    for package in ("starlette", "sqlalchemy"):
        extras.need(package, extra="online", purpose="the ClickMe game")
    return importlib.import_module(f"{__package__}.{name}")


def add_database(parser: argparse.ArgumentParser) -> None:
    """Add the option that names another database."""
    parser.add_argument("--database-url", default="", metavar="URL", help="postgresql://… instead of the file in GAME")


def add_kind(parser: argparse.ArgumentParser) -> None:
    """Add the option that names whose rounds are meant."""
    parser.add_argument(
        "--observers",
        choices=KINDS,
        default="human",
        help="whose rounds: people's, those of rehearsals, or of `clickme simulate` (default: %(default)s)",
    )


def _judged(part: Any, deck: Any, *, automated: bool) -> Any:
    objects = work("storage.images").read_objects(deck, part.rules.image_px)
    images = work("storage.played_images").Images(deck)
    return work("maps.quality").player_quality(
        part.collected, part.rules, objects=objects, images=images, automated=automated
    )


def _add_game(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("game", type=Path, metavar="GAME", help="the game's folder, made by serve or simulate")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new folder")
    parser.add_argument("--images", type=Path, metavar="DIR", help="image folder, if it has moved")
    add_kind(parser)
    parser.add_argument(
        "--rules", default="", metavar="DIGEST", help="of the rules under which the game was played, if several; or all"
    )
    parser.add_argument("--keep-automated", action="store_true", help="keep rounds of remote-controlled pages")
    add_database(parser)


def _add_export(verbs: Verbs) -> None:
    parser = add_verb(verbs, "export", "write importance maps and clicks", _EXPORT)
    _add_game(parser)
    parser.add_argument(
        "--blur",
        default="paper",
        metavar="BLUR",
        help="none, paper (49 x 49 box), gala_tpu, gauss:SIGMA, disc:RADIUS in pixels (default: %(default)s)",
    )
    parser.add_argument("--pool", choices=("players", "bubbles"), default="players", help="what is shared out")
    parser.add_argument("--min-bubbles", type=int, default=10, metavar="N", help="per map (default: %(default)s)")
    parser.add_argument("--min-players", type=int, default=1, metavar="N", help="per image (default: %(default)s)")
    parser.add_argument(
        "--max-reports", type=int, default=3, metavar="N", help="reports that drop an image, 0: none (default: 3)"
    )
    parser.add_argument(
        "--keep-flagged", action="store_true", help="keep players flagged off_target, failed_catch or scripted"
    )
    parser.add_argument("--drop-mobile", action="store_true", help="leave out phones and tablets")
    parser.add_argument("--per-player", action="store_true", help="write each player's maps too")
    parser.add_argument(
        "--tfrecords",
        choices=("raw", "jpeg"),
        default="",
        help="write the release's TFRecords too: raw float32 with click counts (2019), or JPEG (Harmonization's)",
    )
    add_common_options(parser, seed=False)
    parser.set_defaults(run=_export)


def _export(arguments: argparse.Namespace) -> None:
    from rapidvision.system.progress import progress

    export, keep, pooling = work("maps.export"), work("maps.filters"), work("maps.pooling")
    part, deck, _ = _played(arguments, times=False)
    judged = _judged(part, deck, automated=arguments.keep_automated)
    filters = keep.Filters(
        min_bubbles=arguments.min_bubbles,
        min_players=arguments.min_players,
        report_limit=arguments.max_reports,
        drop_flags=() if arguments.keep_flagged else keep.Filters().drop_flags,
        drop_mobile=arguments.drop_mobile,
        drop_automated=not arguments.keep_automated,
    )
    form = pooling.Form(arguments.blur, arguments.pool, arguments.per_player, arguments.tfrecords)
    with progress("images", len(deck.main), quiet=arguments.quiet) as advance:
        done = export.export(
            part.collected,
            deck,
            part.rules,
            arguments.out,
            quality=judged,
            filters=filters,
            form=form,
            others=part.left_out,
            advance=advance,
        )
    say(arguments, f"{arguments.out}: {done.summary()}")
    for reason, names in done.changed.items():
        say(arguments, f"{reason}: {', '.join(names[:5])}{' …' if len(names) > 5 else ''} ({len(names)} images)")


def _add_report(verbs: Verbs) -> None:
    parser = add_verb(verbs, "report", "statistics, figures and a gallery of maps", _REPORT)
    _add_game(parser)
    parser.add_argument("--compare-with", metavar="SOURCE", help="maps of another experiment: IMAGES/maps/SOURCE")
    add_common_options(parser)
    parser.set_defaults(run=_report)


def _report(arguments: argparse.Namespace) -> None:
    report = work("report.page")
    part, deck, game = _played(arguments, times=True)
    seed = game.seed if arguments.seed is None else arguments.seed
    judged = _judged(part, deck, automated=arguments.keep_automated)
    if not arguments.keep_automated:
        part = work("storage.selection").by_hand(part)
    numbers = report.write_report(
        part, deck, game, arguments.out, quality=judged, seed=seed, compare_with=arguments.compare_with
    )
    say(
        arguments,
        f"{numbers.n_players} players, {numbers.n_rounds} rounds, {numbers.n_bubbles} bubbles on {numbers.n_images} "
        f"images; {100 * numbers.success:.0f} % recognised: {arguments.out / 'report.html'}",
    )
    if part.left_out:
        say(arguments, "left out: " + ", ".join(f"{n} rounds {reason}" for reason, n in part.left_out.items()))


def _played(arguments: argparse.Namespace, *, times: bool) -> tuple[Any, Any, Any]:
    """Return the rounds that are meant, the images, and the settings of a game."""
    host, collected, selection = work("server.host"), work("storage.collected"), work("storage.selection")
    store = host.existing_store(arguments.game, arguments.database_url)
    try:
        data = collected.collect(store, times=times)
    finally:
        store.close()
    part = selection.select(data, players=arguments.observers, rules=arguments.rules)
    return part, host.images_of(arguments.game, arguments.images), host.read_game(arguments.game)
