"""``rapidvision clickme``: serve the game, let simulated players play, export the maps, report on what was played."""

import argparse
import importlib
from pathlib import Path
from typing import Any

from rapidvision.cli import Verbs, add_common_options, add_verb, say

from .output_commands import add_database, add_kind, add_output_verbs, work

_SERVE = """\
  rapidvision clickme serve bundled --out game/ --partner bundled         the images that come with RapidVision
  rapidvision clickme serve images/ --out game/ --partner bundled
  rapidvision clickme serve images/ --out game/ --partner my_lab.nets:make --port 9000
  rapidvision clickme serve images/ --out game/ --partner resnet50.onnx --partner-threads 3
  rapidvision clickme serve images/ --out game/ --partner none          by the clock alone
  rapidvision clickme serve images/ --out game/ --partner bundled --rehearsal
  rapidvision clickme serve images/ --out game/ --public-url https://lab.example/play --behind-proxy

images/ is an image folder: images.csv (image_id, path, category) and the files that it names.
game/ gets the settings, the database and the server's key; the same command continues a stopped game. Players of a
rehearsal are pilots: their rounds, points and names are apart from those of the game."""


_SIMULATE = """\
  rapidvision clickme simulate images/ --out game/ --map-source clickme --n-players 10 --partner bundled
  rapidvision clickme simulate images/ --out game/ --map-source clickme --n-players 10 --n-random 2 --n-off-target 1

Simulated players paint the maps of images/maps/clickme under the rules of the game. The game they leave in game/
is exported and reported with --observers simulated; people's maps, points and counts never hold theirs."""

_PLAYERS = """\
  rapidvision clickme players game/                                       everybody, with rounds and points
  rapidvision clickme players game/ --rename "Old name" "New name" --why "offensive"
  rapidvision clickme players game/ --hide "A name" --why "a program"     gone from the others' leaderboard
  rapidvision clickme players game/ --show "A name" --why "a mistake"
  rapidvision clickme players game/ --data "A name"                       all that is stored about a player
  rapidvision clickme players game/ --erase "A name"                      deletes it, where the game is not served
  rapidvision clickme players game/ --check-export maps/                  whether an export holds somebody erased
  rapidvision clickme players game/ --log                                 what was done, when, by whom and why
  rapidvision clickme players game/ --observers pilot                     those of rehearsals

Names may be changed while the game is served; pages follow within seconds, and rounds and maps stay as they are."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the sub-verbs of ``rapidvision clickme``."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    _add_serve(verbs)
    _add_simulate(verbs)
    _add_players(verbs)
    add_output_verbs(verbs)


def _add_serve(verbs: Verbs) -> None:
    parser = add_verb(verbs, "serve", "serve the game to players", _SERVE)
    parser.add_argument("images", metavar="IMAGES", help="image folder, or bundled")
    parser.add_argument("--out", type=Path, required=True, metavar="GAME", help="the game's folder")
    parser.add_argument(
        "--partner",
        required=True,
        metavar="PARTNER",
        help="module:function, bundled, a .safetensors or .onnx file, none",
    )
    parser.add_argument(
        "--partner-threads", type=int, metavar="N", help="of a network of RapidVision (default: all cores but one)"
    )
    parser.add_argument(
        "--partner-precision",
        choices=("float32", "bfloat16"),
        default="float32",
        help="of the same (default: %(default)s)",
    )
    parser.add_argument(
        "--settings", type=Path, metavar="FILE", help="settings (default: GAME/game.toml, or the paper's)"
    )
    parser.add_argument(
        "--rehearsal", action="store_true", help="those who play are pilots, who count for nothing else"
    )
    parser.add_argument(
        "--host", default="127.0.0.1", metavar="HOST", help="address to listen on (default: %(default)s)"
    )
    parser.add_argument(
        "--port", type=int, default=8007, metavar="PORT", help="port, 0 for any free one (default: %(default)s)"
    )
    parser.add_argument("--public-url", default="", metavar="URL", help="the address that players use")
    parser.add_argument("--behind-proxy", action="store_true", help="a proxy on this computer hands requests on")
    parser.add_argument("--insecure", action="store_true", help="allow players from outside without https")
    add_database(parser)
    add_common_options(parser, seed=False)
    parser.set_defaults(run=_serve)


def _serve(arguments: argparse.Namespace) -> None:
    host = work("server.host")
    serve = importlib.import_module("rapidvision.experiments.web.serve")
    game = host.read_game(arguments.out, arguments.settings)
    deck = host.set_up(arguments.out, host.image_folder(arguments.images))
    partner = host.make_partner(
        arguments.partner,
        deck,
        game,
        n_threads=arguments.partner_threads,
        precision=arguments.partner_precision,
    )
    n_known, n_main = len(partner.categories), len(deck.main)
    say(
        arguments,
        f"{n_main} images, {len(deck.of('practice'))} for practice, {len(deck.of('catch'))} to catch, {n_known} categories",
    )
    say(arguments, f"partner: {partner.name}; it must have the word among its best {game.rules.top_k_of(n_known)}")
    _warn(arguments, deck, partner, game)
    address = serve.Address(arguments.host, arguments.port, arguments.public_url, arguments.behind_proxy)
    host.serve(
        arguments.out,
        deck,
        game,
        partner,
        address,
        database_url=arguments.database_url,
        insecure=arguments.insecure,
        players="pilot" if arguments.rehearsal else "human",
        ready=lambda url: say(arguments, f"the game is at {url} (Ctrl-C stops it)"),
    )


def _warn(arguments: argparse.Namespace, deck: Any, partner: Any, game: Any) -> None:
    """Say what makes a game's maps doubtful before it is played."""
    for sentence in work("game.blank_view").doubts(partner, game.rules):
        say(arguments, f"partner: {sentence}")
    small = work("storage.images").doubtful(deck, game.rules.image_px)
    if small:
        named = "; ".join(f"{name} {text}" for name, text in list(small.items())[:3])
        say(arguments, f"images: {len(small)} of doubtful size ({named}{' …' if len(small) > 3 else ''})")


def _add_simulate(verbs: Verbs) -> None:
    parser = add_verb(verbs, "simulate", "let simulated players paint known maps", _SIMULATE)
    parser.add_argument("images", metavar="IMAGES", help="image folder, or bundled")
    parser.add_argument("--out", type=Path, required=True, metavar="GAME", help="the game's folder")
    parser.add_argument(
        "--map-source", required=True, metavar="SOURCE", help="what players have in mind: IMAGES/maps/SOURCE"
    )
    parser.add_argument("--partner", default="none", metavar="PARTNER", help="as for serve (default: %(default)s)")
    parser.add_argument(
        "--settings", type=Path, metavar="FILE", help="settings (default: GAME/game.toml, or the paper's)"
    )
    parser.add_argument(
        "--n-players", type=int, default=10, metavar="N", help="players who paint (default: %(default)s)"
    )
    parser.add_argument("--n-random", type=int, default=0, metavar="N", help="players who paint anywhere")
    parser.add_argument("--n-off-target", type=int, default=0, metavar="N", help="players who avoid what matters")
    parser.add_argument(
        "--n-rounds", type=int, default=50, metavar="N", help="rounds per player (default: %(default)s)"
    )
    add_database(parser)
    add_common_options(parser)
    parser.set_defaults(run=_simulate)


def _simulate(arguments: argparse.Namespace) -> None:
    from rapidvision.seeds import fresh_seed
    from rapidvision.system.progress import progress

    from .simulation.simulated_player import Player

    host, simulate = work("server.host"), work("simulation.simulate")
    seed = fresh_seed() if arguments.seed is None else arguments.seed
    game = host.read_game(arguments.out, arguments.settings)
    deck = host.set_up(arguments.out, host.image_folder(arguments.images))
    maps = work("storage.images").read_maps(deck, arguments.map_source, game.rules.image_px)
    partner = host.make_partner(arguments.partner, deck, game)
    _warn(arguments, deck, partner, game)
    players = [Player(f"painter {n + 1:03d}") for n in range(arguments.n_players)]
    players += [Player(f"random {n + 1:03d}", "random") for n in range(arguments.n_random)]
    players += [Player(f"off-target {n + 1:03d}", "off_target") for n in range(arguments.n_off_target)]
    store = host.game_store(arguments.out, arguments.database_url)
    try:
        with work("storage.lock").only_one(store), progress("players", len(players), quiet=arguments.quiet) as advance:
            host.keep_game(arguments.out, game)
            done = simulate.simulate(
                deck,
                game,
                store,
                partner,
                players,
                maps,
                rounds_per_player=arguments.n_rounds,
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


def _add_players(verbs: Verbs) -> None:
    parser = add_verb(verbs, "players", "list players; rename or hide one, with a reason that is kept", _PLAYERS)
    parser.add_argument("game", type=Path, metavar="GAME", help="the game's folder")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--rename", nargs=2, metavar=("NAME", "NEW"), help="give a player another username")
    what.add_argument("--hide", metavar="NAME", help="take a player off the others' leaderboard")
    what.add_argument("--show", metavar="NAME", help="bring a hidden player back")
    what.add_argument("--data", metavar="NAME", help="print everything that is stored about a player, as JSON")
    what.add_argument(
        "--erase", metavar="NAME", help="delete a player and all their rounds, while the game is not served"
    )
    what.add_argument(
        "--check-export", type=Path, metavar="DIR", help="say whether an export holds players who were erased since"
    )
    what.add_argument("--log", action="store_true", help="list what was done")
    parser.add_argument("--why", default="", metavar="TEXT", help="the reason, needed with a change")
    add_kind(parser)
    add_database(parser)
    add_common_options(parser, seed=False)
    parser.set_defaults(run=_players)


def _players(arguments: argparse.Namespace) -> None:
    host, moderation = work("server.host"), work("server.moderation")
    if any((arguments.data, arguments.erase, arguments.check_export)):
        work("rights_command").run(arguments)
        return
    blocked = host.read_game(arguments.game).blocked_names
    store = host.existing_store(arguments.game, arguments.database_url)
    try:
        if arguments.log:
            for step in moderation.history(store):
                say(arguments, "  ".join((step.utc, step.who, step.action, f"{step.before} -> {step.after}", step.why)))
            return
        for action in ("rename", "hide", "show"):
            if (given := getattr(arguments, action)) is None:
                continue
            name, new = given if action == "rename" else (given, "")
            step = moderation.moderate(
                store, action, name, why=arguments.why, new_name=new, blocked=blocked, kind=arguments.observers
            )
            say(arguments, f"{step.action}: {step.before} -> {step.after} ({step.why})")
            return
        say(arguments, f"{'username':<20} {'rounds':>6} {'points':>7}  joined")
        for one in moderation.players(store, arguments.observers):
            mark = "  hidden" if one.hidden else ""
            say(arguments, f"{one.name:<20} {one.n_rounds:>6} {one.points:>7}  {one.joined_utc[:10]}{mark}")
    finally:
        store.close()
