"""What is left of a ClickMe player after an erasure: in the database, its log, and an export made afterwards."""

import functools
import tempfile
from pathlib import Path

from benchmarks.clickme_partner import suite
from benchmarks.harness import at_least, at_most
from rapidvision.cli import main
from rapidvision.experiments.clickme.server import host
from rapidvision.experiments.clickme.storage import rights
from tests.experiments.clickme.conftest import make_folder

KIND = ("--observers", "simulated", "--quiet")


def places(folders, texts):
    """How often any of the texts stands in any file of the folders."""
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return sum(path.read_bytes().count(text.encode()) for path in files for text in texts)


@functools.cache
def erased():
    """Places of one of four players before the erasure, and after it with a new export."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        images = make_folder(folder / "images", per_category=4)
        game, out = folder / "game", folder / "maps"
        words = ["clickme", "simulate", str(images), "--out", str(game), "--map-source", "truth", "--seed", "4"]
        if main([*words, "--n-players", "4", "--n-rounds", "12", "--quiet"]):
            raise RuntimeError("simulate failed")
        store = host.existing_store(game)
        player_id = rights.named(store, "painter 002", "simulated")
        data = store.read(lambda connection: rights.own_data(connection, player_id))
        store.close()
        texts = ["painter 002", player_id, *(row["round_id"] for row in data["rounds"])]
        before = places([game], texts)
        for words in (["players", str(game), "--erase", "painter 002"], ["export", str(game), "--out", str(out)]):
            if main(["clickme", *words, *KIND]):
                raise RuntimeError(f"{words[0]} failed")
        return before, places([game, out], texts)


@suite.figure(
    "places that name an erased player or their rounds: database, log and the next export",
    unit="places",
    bar=at_most(0),
)
def _after():
    return erased()[1]


@suite.figure("  before the erasure, database and log", unit="places", bar=at_least(1))
def _before():
    return erased()[0]
