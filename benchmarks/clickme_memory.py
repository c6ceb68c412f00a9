"""Memory of a ClickMe server that 2,000 players have visited and left."""

import asyncio
import gc
import os
import tempfile
from pathlib import Path

from benchmarks.clickme_partner import suite
from benchmarks.harness import NotMeasured, at_most
from rapidvision.experiments.clickme.game.partner import Loaded, Table
from rapidvision.experiments.clickme.game.rules import Rules
from rapidvision.experiments.clickme.game.settings import Game
from rapidvision.experiments.clickme.server import game_loop
from rapidvision.experiments.clickme.server.game_loop import LiveGame
from rapidvision.experiments.clickme.storage import tables
from rapidvision.experiments.clickme.storage.images import read_deck
from tests.experiments.clickme.conftest import make_folder
from tests.experiments.clickme.test_memory import visit

N_PLAYERS = 2000
#: Come and go before memory is looked at: caches of images and of the database are full then.
N_BEFORE = 300


def resident_mb():
    gc.collect()
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError as error:
        raise NotMeasured("there is no /proc here") from error
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


async def visits(game, first, n):
    for number in range(first, first + n):
        await visit(game, f"player {number}", 1)
    while game._tasks:
        await asyncio.sleep(0.05)


@suite.figure(f"memory after {N_PLAYERS} players came and went, over that after {N_BEFORE}", unit="MB", bar=at_most(30))
def growth():
    older, game_loop.LEFT_AFTER_S = game_loop.LEFT_AFTER_S, 0.01
    with tempfile.TemporaryDirectory() as scratch:
        deck = read_deck(make_folder(Path(scratch) / "images", per_category=12, n_categories=8))
        store = tables.open_store(f"sqlite:///{scratch}/game.sqlite")
        table = Table(Loaded(None, "none", deck.categories))

        async def play():
            game = LiveGame(Game(practice_rounds=0, rules=Rules(round_ms=300)), deck, store, table)
            await visits(game, 0, N_BEFORE)
            before = resident_mb()
            await visits(game, N_BEFORE, N_PLAYERS)
            return resident_mb() - before

        try:
            return asyncio.run(play())
        finally:
            game_loop.LEFT_AFTER_S = older
            table.close()
            store.close()
