"""Put a game together and serve it: settings, images, partner, database, page."""

import os
from collections.abc import Callable
from importlib import resources
from pathlib import Path

from starlette.applications import Starlette

from rapidvision import recipes
from rapidvision.errors import InputError
from rapidvision.system import files

from ...web.app import create_app
from ...web.serve import Address, listen, run, serve_apps
from ...web.store import Store, sqlite_url
from ...web.tokens import Keyring, server_secret
from ..game.kinds import PlayerKind
from ..game.partner import Loaded, Table, load
from ..game.settings import Game
from ..storage.images import Deck, read_deck
from ..storage.lock import only_one
from ..storage.tables import open_store
from .app import Server
from .game_loop import LiveGame

#: Package of the bundled images; reached by name, since packages meet in names and files only.
BUNDLED = "rapidvision.stimuli"
SETTINGS, DATABASE, IMAGES = "game.toml", "game.sqlite", "images.txt"


def read_game(data: Path, given: Path | None = None) -> Game:
    """Return the settings: those given, else those of the game's folder, else the paper's."""
    if given is not None:
        return recipes.read(given, Game)
    path = data / SETTINGS
    return recipes.read(path, Game) if path.is_file() else Game()


def game_store(data: Path, database_url: str = "") -> Store:
    """Open the game's database: a SQLite file in its folder unless a URL is given."""
    return open_store(database_url or sqlite_url(data / DATABASE))


def existing_store(data: Path, database_url: str = "") -> Store:
    """Open the database of a game that has been played.

    Raises
    ------
    InputError
        When there is none.
    """
    if not database_url and not (data / DATABASE).is_file():
        raise InputError(f"{data}: no {DATABASE}; give the folder that `clickme serve --out` made, or --database-url")
    return game_store(data, database_url)


def image_folder(given: str) -> Path:
    """Return the image folder of a name: a path, or ``bundled`` for the images that come with RapidVision."""
    return Path(str(resources.files(BUNDLED) / "bundled")) if given == "bundled" else Path(given)


def set_up(data: Path, folder: Path) -> Deck:
    """Make the game's folder and note where its images are.

    Raises
    ------
    InputError
        When the folder belongs to a game with other images.
    """
    deck = read_deck(folder)
    data.mkdir(parents=True, exist_ok=True)
    note = data / IMAGES
    here = str(folder.resolve())
    if note.is_file() and (was := files.read_text(note).strip()) != here:
        raise InputError(f"{data}: its game is played with {was}, not with {here}; choose another --out")
    files.write_text(note, here + "\n")
    return deck


def keep_game(data: Path, game: Game) -> None:
    """Write the settings as resolved to the game's folder, for the next start; each round keeps its own in the store."""
    recipes.write(data / SETTINGS, game)


def images_of(data: Path, given: Path | None = None) -> Deck:
    """Return the images of a game that has been played."""
    if given is not None:
        return read_deck(given)
    note = data / IMAGES
    if not note.is_file():
        raise InputError(f"{data}: does not say where its images are; give --images")
    return read_deck(Path(files.read_text(note).strip()))


def app_of(live: LiveGame, keys: Keyring, address: Address) -> Starlette:
    """Return the web app of a game."""
    server = Server(live, keys, https=address.https, root_path=address.root_path)
    return create_app(server.routes(), https=address.https, root_path=address.root_path)


def serve(
    data: Path,
    deck: Deck,
    game: Game,
    partner: Loaded,
    address: Address,
    *,
    database_url: str = "",
    insecure: bool = False,
    players: PlayerKind = "human",
    ready: Callable[[str], None] | None = None,
) -> None:
    """Serve a game until the process is told to stop.

    Parameters
    ----------
    data : Path
        The game's folder.
    deck, game, partner : Deck, Game, Loaded
        What is played with.
    address : Address
        Where.
    database_url : str
        Another database than the SQLite file.
    insecure : bool
        Allow to be public without https.
    players : {"human", "pilot"}
        What those who join are; ``pilot`` for a rehearsal.
    ready : callable, optional
        Called with the page's address when it answers.

    Raises
    ------
    InputError
        When another process plays the same game.
    """
    address.check(insecure=insecure)
    keys = Keyring(server_secret(data))
    sock = listen(address)
    store = game_store(data, database_url)
    table = Table(partner)
    try:
        with only_one(store):
            keep_game(data, game)
            live = LiveGame(game, deck, store, table, players=players)
            app = app_of(live, keys, address)
            shown = address.public_url or f"http://{address.host}:{sock.getsockname()[1]}/"
            run(serve_apps([(app, sock, address)], ready=(lambda: ready(shown)) if ready else None))
    finally:
        table.close()
        store.close()
        sock.close()


def make_partner(
    spec: str, deck: Deck, game: Game, *, n_threads: int | None = None, precision: str = "float32"
) -> Loaded:
    """Load the partner for the categories of a deck; networks leave one core to the game unless told otherwise."""
    n_threads = n_threads or max(1, (os.cpu_count() or 1) - 1)
    return load(spec, deck.categories, image_px=game.rules.image_px, n_threads=n_threads, precision=precision)
