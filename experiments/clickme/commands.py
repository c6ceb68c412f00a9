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


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the sub-verbs of ``rapidvision clickme``."""
    verbs = parser.add_subparsers(dest="what", required=True, metavar="WHAT")
    _add_serve(verbs)


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
