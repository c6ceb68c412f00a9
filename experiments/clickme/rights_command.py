"""What ``clickme players`` does about a player's rights: a copy of the data, erasure, exports that hold the erased."""

import argparse
import json

from rapidvision.cli import say
from rapidvision.errors import InputError
from rapidvision.formats.game import players as export_players

from ..web.store import Store
from .server import host
from .storage import rights
from .storage.lock import only_one


def run(arguments: argparse.Namespace) -> None:
    """Do the one thing that was asked."""
    store = host.existing_store(arguments.game, arguments.database_url)
    try:
        if arguments.data:
            player_id = rights.named(store, arguments.data, arguments.observers)
            found = store.read(lambda connection: rights.own_data(connection, player_id))
            say(arguments, json.dumps(found, ensure_ascii=False, indent=1))
        elif arguments.erase:
            with only_one(store):
                done = rights.erase_named(store, arguments.erase, arguments.observers)
            text = f"erased: {done.n_rounds} rounds, {done.n_bubbles} bubbles; delete older exports and backups"
            say(arguments, f"{text} (see --check-export)")
        else:
            _check(arguments, store)
    finally:
        store.close()


def _check(arguments: argparse.Namespace, store: Store) -> None:
    """Raise where an export holds players whom the game does not have any more."""
    folder = arguments.check_export
    table = export_players.TABLE.read(folder / export_players.NAME)
    gone = rights.unknown_players(store, {row.user_id: row.user_id.removeprefix("p_") for row in table})
    if gone:
        raise InputError(
            f"{folder}: {len(gone)} of its {len(table)} players are not in the game any more ({', '.join(gone[:3])}"
            f"{' …' if len(gone) > 3 else ''}); delete the folder and export again"
        )
    say(arguments, f"{folder}: all {len(table)} players are in the game")
