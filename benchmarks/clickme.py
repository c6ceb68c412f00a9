"""The ClickMe game: nothing lost under kills, maps recovered, players found, bubbles per second."""

import functools
import tempfile
import time
from pathlib import Path

import numpy as np

import benchmarks.clickme_rights  # noqa: F401 (adds its figures)
import benchmarks.clickme_scale  # noqa: F401 (adds its figures)
from benchmarks.clickme_partner import suite
from benchmarks.harness import STATED, NotMeasured, at_least, at_most
from rapidvision.errors import RapidVisionError
from rapidvision.experiments.clickme.game.settings import Game
from rapidvision.experiments.clickme.maps.pooling import Form, map_of
from rapidvision.experiments.clickme.maps.quality import player_quality
from rapidvision.experiments.clickme.server import host
from rapidvision.experiments.clickme.simulation import simulate
from rapidvision.experiments.clickme.simulation.simulated_player import Player
from rapidvision.experiments.clickme.storage import collected, tables
from rapidvision.experiments.clickme.storage.images import read_maps
from tests.experiments.clickme.chaos import chaos
from tests.experiments.clickme.conftest import make_folder

N_KILLS = 50


def rank_correlation(one, other):
    from scipy.stats import spearmanr

    return float(spearmanr(one, other, axis=None).statistic)


@functools.cache
def killed():
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        images = make_folder(folder / "images", per_category=120, n_categories=8, n_practice=0)
        return chaos(images, folder / "game", n_kills=N_KILLS, n_players=8, seed=2019)


@suite.figure(f"acknowledged bubbles lost, server killed {N_KILLS} times under play", unit="bubbles", bar=at_most(0))
def _lost():
    return killed().n_lost + killed().n_altered


@suite.figure("  out of acknowledged bubbles", unit="bubbles", bar=STATED)
def _acknowledged():
    return killed().n_acknowledged


@functools.cache
def played():
    """Ten painters and four random players on 24 images, without a partner: rounds of full length."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = make_folder(Path(scratch) / "images", per_category=6)
        game = Game()
        deck = host.set_up(Path(scratch) / "game", folder)
        maps = read_maps(deck, "truth", game.rules.image_px)
        players = [Player(f"painter {n}") for n in range(10)] + [Player(f"random {n}", "random") for n in range(4)]
        store = host.game_store(Path(scratch) / "game")
        partner = host.make_partner("none", deck, game)
        simulate.simulate(deck, game, store, partner, players, maps, rounds_per_player=24, seed=2019)
        everything = collected.collect(store)
        store.close()
    return everything, game.rules, maps


def painter_maps():
    everything, rules, maps = played()
    own = {}
    for record in everything.played:
        if record.player.startswith("painter"):
            own.setdefault(record.image_id, []).append(record)
    return own, rules, maps


@suite.figure("pooled map of 10 players against what they painted: Spearman", unit="rho", bar=at_least(0.8))
def _recovery():
    own, rules, maps = painter_maps()
    return float(
        np.mean([rank_correlation(map_of(records, rules, Form()), maps[name]) for name, records in own.items()])
    )


@functools.cache
def pairs():
    own, rules, _ = painter_maps()
    first = {name: map_of(records[:1], rules, Form()) for name, records in own.items()}
    second = {name: map_of(records[1:2], rules, Form()) for name, records in own.items()}
    names = sorted(own)
    same = float(np.mean([rank_correlation(first[name], second[name]) for name in names]))
    other = [rank_correlation(first[a], second[b]) for a, b in zip(names, [*names[1:], names[0]], strict=True)]
    return same, float(np.mean(other))


@suite.figure("reliability between two players of an image", unit="rho", bar=STATED)
def _reliability():
    return pairs()[0]


@suite.figure("reliability minus null (other images)", unit="rho", bar=at_least(0.15))
def _above_null():
    return pairs()[0] - pairs()[1]


@suite.figure("random players found by the quality filter", unit="%", bar=at_least(100))
def _random_found():
    everything, rules, _ = played()
    names = {record.player_id: record.player for record in everything.rounds}
    judged = player_quality(everything, rules)
    return 100 * float(np.mean(["off_target" in q.flags for p, q in judged.items() if names[p].startswith("random")]))


@suite.figure("painters flagged by mistake", unit="%", bar=at_most(0))
def _painters_flagged():
    everything, rules, _ = played()
    names = {record.player_id: record.player for record in everything.rounds}
    judged = player_quality(everything, rules)
    return 100 * float(np.mean(["off_target" in q.flags for p, q in judged.items() if names[p].startswith("painter")]))


def bubbles_per_second(url, n_bubbles=40_000, at_once=4000):
    """Store packets of one bubble each, as pages send them, each acknowledged after its commit."""
    store = tables.open_store(url)
    try:
        row = {"player_id": "p", "name": "p", "name_key": "p", "joined_utc": ""}
        store.submit(lambda connection: tables.insert_new(connection, tables.players, [row])).result()
        started = time.perf_counter()
        for first in range(0, n_bubbles, at_once):
            waiting = [
                store.submit_item(
                    tables.BUBBLES,
                    [{"round_id": f"r{n // 140}", "seq": n % 140, "x": 1, "y": 2, "at_ms": 50.0 * n, "client_ms": 0.0}],
                )
                for n in range(first, first + at_once)
            ]
            for one in waiting:
                one.result()
        return n_bubbles / (time.perf_counter() - started)
    finally:
        store.close()


@suite.figure("bubbles stored per second, SQLite, durable commits in groups", unit="1/s", bar=at_least(5000))
def _sqlite():
    with tempfile.TemporaryDirectory() as scratch:
        return bubbles_per_second(f"sqlite:///{scratch}/game.sqlite")


@suite.figure("bubbles stored per second, PostgreSQL", unit="1/s", bar=STATED)
def _postgresql():
    from tests.experiments.clickme.postgres import Unavailable, postgres

    try:
        with postgres() as url:
            return bubbles_per_second(url)
    except (Unavailable, RapidVisionError) as reason:
        raise NotMeasured(str(reason)) from reason


@suite.figure("round's end in the page against the server's clock, worst of 8", unit="ms", bar=at_most(100))
def _page_end():
    from tests.experiments.clickme.page import BrowserMissing, ends_in_page

    with tempfile.TemporaryDirectory() as scratch:
        images = make_folder(Path(scratch) / "images", per_category=6)
        try:
            return max(abs(ms) for ms in ends_in_page(images, Path(scratch) / "game", n_rounds=8))
        except BrowserMissing as reason:
            raise NotMeasured(str(reason)) from reason
