"""``rapidvision clickme``: serve the game, let simulated players play, export the maps, report on what was played."""

import argparse
import importlib
from pathlib import Path
from typing import Any, TypeAlias

from rapidvision.cli import add_common_options, say

Verbs: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001  the standard library has no public name

_SERVE = """\
examples:
  rapidvision clickme serve pictures/ --out game/ --partner bundled
  rapidvision clickme serve pictures/ --out game/ --partner my_lab.nets:make --port 9000
  rapidvision clickme serve pictures/ --out game/ --partner none          by the clock alone
  rapidvision clickme serve pictures/ --out game/ --public-url https://lab.example/play --behind-proxy

pictures/ is a picture folder: images.csv (image_id, path, category) and the files that it names.
game/ gets the settings, the database and the server's key; the same command goes on where it stopped."""


_SIMULATE = """\
examples:
  rapidvision clickme simulate pictures/ --out game/ --maps clickme --players 10 --partner bundled
  rapidvision clickme simulate pictures/ --out game/ --maps clickme --players 10 --random 2 --off-target 1

Simulated players paint the maps of pictures/maps/clickme under the rules of the game. The game they leave in game/
is exported and reported like a real one; every round says that it was automated."""

_EXPORT = """\
examples:
  rapidvision clickme export game/ --out maps/
  rapidvision clickme export game/ --out maps/ --blur gauss:7 --min-players 3 --keep-flagged
  rapidvision clickme export game/ --out maps/ --per-player --tfrecords
  rapidvision stimuli build maps/recipe.toml --out stimuli/

Usernames stay in the game; the files know players by random ids."""

_REPORT = """\
examples:
  rapidvision clickme report game/ --out report/

Writes report.html with figures and report.json: players per map, bubbles, time-outs, success, learning, contests,
agreement of players, and a gallery of maps."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the sub-verbs of ``rapidvision clickme``."""
    verbs = parser.add_subparsers(dest="what", required=True, metavar="WHAT")
    _add_serve(verbs)
    _add_simulate(verbs)
    _add_export(verbs)
    _add_report(verbs)


def _verb(verbs: Verbs, name: str, summary: str, examples: str) -> argparse.ArgumentParser:
    return verbs.add_parser(
        name,
        help=summary,
        description=summary,
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _work(name: str) -> Any:
    """Import the module that does the work, saying which extra is missing where one is."""
    from rapidvision import extras

    for package in ("starlette", "sqlalchemy"):
        extras.need(package, extra="online", purpose="the ClickMe game")
    return importlib.import_module(f"{__package__}.{name}")


def _add_serve(verbs: Verbs) -> None:
    parser = _verb(verbs, "serve", "serve the game to players", _SERVE)
    parser.add_argument("pictures", type=Path, metavar="PICTURES", help="picture folder")
    parser.add_argument("--out", type=Path, required=True, metavar="GAME", help="the game's folder")
    parser.add_argument("--partner", required=True, help="module:function, bundled, a .safetensors file, or none")
    parser.add_argument("--game", type=Path, metavar="FILE", help="settings (default: GAME/game.toml, or the paper's)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8007, help="port, 0 for any free one (default: %(default)s)")
    parser.add_argument("--public-url", default="", metavar="URL", help="the address that players use")
    parser.add_argument("--behind-proxy", action="store_true", help="a proxy on this computer hands requests on")
    parser.add_argument("--insecure", action="store_true", help="allow players from outside without https")
    parser.add_argument("--database-url", default="", metavar="URL", help="postgresql://… instead of a file in GAME")
    add_common_options(parser, seed=False)
    parser.set_defaults(run=_serve)


def _serve(arguments: argparse.Namespace) -> None:
    host = _work("host")
    serve = importlib.import_module("rapidvision.experiments.online.serve")
    game = host.read_game(arguments.out, arguments.game)
    deck = host.set_up(arguments.out, arguments.pictures, game)
    partner = host.make_partner(arguments.partner, deck, game)
    n_known, n_main = len(partner.categories), len(deck.main)
    say(arguments, f"{n_main} pictures and {len(deck.practice)} for practice, {n_known} categories")
    say(arguments, f"partner: {partner.name}; it must have the word among its best {game.rules.top_k_of(n_known)}")
    address = serve.Address(arguments.host, arguments.port, arguments.public_url, arguments.behind_proxy)
    host.serve(
        arguments.out,
        deck,
        game,
        partner,
        address,
        database_url=arguments.database_url,
        insecure=arguments.insecure,
        ready=lambda url: say(arguments, f"the game is at {url} (Ctrl-C stops it)"),
    )


def _add_simulate(verbs: Verbs) -> None:
    parser = _verb(verbs, "simulate", "let simulated players paint known maps", _SIMULATE)
    parser.add_argument("pictures", type=Path, metavar="PICTURES", help="picture folder")
    parser.add_argument("--out", type=Path, required=True, metavar="GAME", help="the game's folder")
    parser.add_argument(
        "--maps", required=True, metavar="SOURCE", help="what players have in mind: PICTURES/maps/SOURCE"
    )
    parser.add_argument("--partner", default="none", help="as for serve (default: %(default)s)")
    parser.add_argument("--game", type=Path, metavar="FILE", help="settings (default: GAME/game.toml, or the paper's)")
    parser.add_argument("--players", type=int, default=10, metavar="N", help="players who paint (default: %(default)s)")
    parser.add_argument("--random", type=int, default=0, metavar="N", help="players who paint anywhere")
    parser.add_argument("--off-target", type=int, default=0, metavar="N", help="players who avoid what matters")
    parser.add_argument("--rounds", type=int, default=50, metavar="N", help="rounds per player (default: %(default)s)")
    parser.add_argument("--database-url", default="", metavar="URL", help="postgresql://… instead of a file in GAME")
    add_common_options(parser)
    parser.set_defaults(run=_simulate)


def _simulate(arguments: argparse.Namespace) -> None:
    from rapidvision.progress import progress
    from rapidvision.seeds import fresh_seed

    from .players import Player

    host, simulate = _work("host"), _work("simulate")
    seed = fresh_seed() if arguments.seed is None else arguments.seed
    game = host.read_game(arguments.out, arguments.game)
    deck = host.set_up(arguments.out, arguments.pictures, game)
    maps = simulate.read_maps(deck, arguments.maps, game.rules.picture_px)
    partner = host.make_partner(arguments.partner, deck, game)
    players = [Player(f"painter {n + 1:03d}") for n in range(arguments.players)]
    players += [Player(f"random {n + 1:03d}", "random") for n in range(arguments.random)]
    players += [Player(f"off-target {n + 1:03d}", "off_target") for n in range(arguments.off_target)]
    store = host.game_store(arguments.out, arguments.database_url)
    try:
        with progress("players", len(players), quiet=arguments.quiet) as advance:
            done = simulate.simulate(
                deck,
                game,
                store,
                partner,
                players,
                maps,
                rounds_per_player=arguments.rounds,
                seed=seed,
                advance=advance,
            )
    finally:
        store.close()
    say(
        arguments,
        f"{done.n_players} SIMULATED players, {done.n_rounds} rounds, {done.n_bubbles} bubbles, "
        f"{done.n_solved} rounds solved by the partner; seed {seed}",
    )


def _add_game(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("game", type=Path, metavar="GAME", help="the game's folder, made by serve or simulate")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new folder")
    parser.add_argument("--pictures", type=Path, metavar="DIR", help="picture folder, if it has moved")
    parser.add_argument("--database-url", default="", metavar="URL", help="postgresql://… instead of the file in GAME")


def _add_export(verbs: Verbs) -> None:
    parser = _verb(verbs, "export", "write importance maps and clicks", _EXPORT)
    _add_game(parser)
    parser.add_argument("--blur", default="paper", help="none, paper (49 x 49 box), gauss:SIGMA (default: %(default)s)")
    parser.add_argument("--pool", choices=("players", "bubbles"), default="players", help="what is shared out")
    parser.add_argument("--min-bubbles", type=int, default=10, metavar="N", help="per map (default: %(default)s)")
    parser.add_argument("--min-players", type=int, default=1, metavar="N", help="per picture (default: %(default)s)")
    parser.add_argument(
        "--report-limit", type=int, default=3, metavar="N", help="reports that drop a picture, 0: none (default: 3)"
    )
    parser.add_argument("--keep-flagged", action="store_true", help="keep players flagged as off target or scripted")
    parser.add_argument("--drop-mobile", action="store_true", help="leave out phones and tablets")
    parser.add_argument("--per-player", action="store_true", help="write each player's maps too")
    parser.add_argument("--tfrecords", action="store_true", help="write the release's TFRecord form too")
    add_common_options(parser, seed=False)
    parser.set_defaults(run=_export)


def _export(arguments: argparse.Namespace) -> None:
    from rapidvision.progress import progress

    export, quality = _work("export"), _work("quality")
    collected, deck, game = _played(arguments)
    judged = quality.judge(collected, game.rules, objects=export.read_objects(deck, game.rules))
    filters = quality.Filters(
        min_bubbles=arguments.min_bubbles,
        min_players=arguments.min_players,
        report_limit=arguments.report_limit,
        drop_flags=() if arguments.keep_flagged else quality.Filters().drop_flags,
        drop_mobile=arguments.drop_mobile,
    )
    form = export.Form(arguments.blur, arguments.pool, arguments.per_player, arguments.tfrecords)
    with progress("pictures", len(deck.main), quiet=arguments.quiet) as advance:
        done = export.export(
            collected, deck, game.rules, arguments.out, quality=judged, filters=filters, form=form, advance=advance
        )
    say(arguments, f"{arguments.out}: {done.summary()}")


def _add_report(verbs: Verbs) -> None:
    parser = _verb(verbs, "report", "statistics, figures and a gallery of maps", _REPORT)
    _add_game(parser)
    add_common_options(parser)
    parser.set_defaults(run=_report)


def _report(arguments: argparse.Namespace) -> None:
    export, quality, report = _work("export"), _work("quality"), _work("report")
    collected, deck, game = _played(arguments)
    seed = game.seed if arguments.seed is None else arguments.seed
    judged = quality.judge(collected, game.rules, objects=export.read_objects(deck, game.rules))
    numbers = report.write_report(collected, deck, game, arguments.out, quality=judged, seed=seed)
    say(
        arguments,
        f"{numbers.n_players} players, {numbers.n_rounds} rounds, {numbers.n_bubbles} bubbles on {numbers.n_images} "
        f"pictures; {100 * numbers.success:.0f} % recognised: {arguments.out / 'report.html'}",
    )


def _played(arguments: argparse.Namespace) -> tuple[Any, Any, Any]:
    """Return what was played, the pictures, and the settings of a game."""
    host, collected = _work("host"), _work("collected")
    store = host.existing_store(arguments.game, arguments.database_url)
    try:
        data = collected.collect(store)
    finally:
        store.close()
    return data, host.pictures_of(arguments.game, arguments.pictures), host.read_game(arguments.game)
