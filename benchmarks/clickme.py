"""The ClickMe game: answers of the partner under load, nothing lost under kills, maps recovered, bubbles per second."""

import asyncio
import functools
import os
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.harness import STATED, NotMeasured, Room, at_least, at_most
from rapidvision import extras
from rapidvision.errors import RapidVisionError
from rapidvision.experiments.clickme import collected, host, simulate, tables
from rapidvision.experiments.clickme.deck import read_maps
from rapidvision.experiments.clickme.drive import Visitor
from rapidvision.experiments.clickme.players import Player
from rapidvision.experiments.clickme.pooling import Form, map_of
from rapidvision.experiments.clickme.quality import judge
from rapidvision.experiments.clickme.settings import Game
from tests.experiments.clickme.chaos import chaos
from tests.experiments.clickme.conftest import make_folder
from tests.experiments.clickme.eye import COLOURS
from tests.experiments.clickme.running import Running

room = Room()
N_KILLS = 50
ENDLESS = "practice_rounds = 0\ndaily_limit = 100000\n[rules]\ntop_k = 1\n"


def rank_correlation(one, other):
    from scipy.stats import spearmanr

    return float(spearmanr(one, other, axis=None).statistic)


def answers_ms(partner, n_players, n_rounds, *, more=()):
    """Milliseconds from sending a bubble that asks to word of the partner's look, and how many were not answered."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        pictures = make_folder(folder / "pictures", per_category=12, n_categories=8, n_practice=0)
        try:
            running = Running(pictures, folder / "game", partner=partner, game=ENDLESS, more=more)
        except RuntimeError as error:
            raise NotMeasured(str(error).strip()) from error
        with running:
            players = [Player(f"player {n}", "off_target") for n in range(n_players)]
            visitors = [Visitor(running.url, one, lambda _picture: None, seed=n) for n, one in enumerate(players)]

            async def everybody():
                async def later(visitor, wait_s):
                    await asyncio.sleep(wait_s)
                    return await visitor.play(n_rounds)

                waits = np.linspace(0, 2, n_players)
                return await asyncio.gather(*[later(v, w) for v, w in zip(visitors, waits, strict=True)])

            rounds = [played for own in asyncio.run(everybody()) for played in own]
            running.stop()
        store = host.existing_store(folder / "game")
        try:
            guesses = [guess for record in collected.collect(store).rounds for guess in record.guesses]
        finally:
            store.close()
    seen = [ms for played in rounds for ms in played.answers_ms]
    wanted = [guess for guess in guesses if guess.status != "unneeded"]
    unanswered = sum(guess.status != "answered" for guess in wanted)
    return np.array(seen), unanswered / max(1, len(wanted))


@functools.cache
def bundled_50():
    return answers_ms("bundled", 50, 2)


@room.figure("bundled network, 50 players: answers within 250 ms", unit="%", bar=at_least(95))
def _bundled_within():
    seen, unanswered = bundled_50()
    return 100 * float(np.mean(seen <= 250)) * (1 - unanswered)


@room.figure("bundled network, 50 players: median answer", unit="ms", bar=STATED)
def _bundled_median():
    return float(np.median(bundled_50()[0]))


#: The bar is for three threads; a machine with fewer cores measures with those it has, and the name says so.
N_THREADS = min(3, os.cpu_count() or 1)


@functools.cache
def large():
    """A folder with a network of ResNet-50's architecture that names our categories: random weights, real cost."""
    extras.need("torch", extra="models")
    from rapidvision.gala_models.resnet import build, named
    from rapidvision.gala_models.weights import Card, Category, save_model

    scratch = tempfile.TemporaryDirectory()
    names = [*COLOURS, *(f"class {k}" for k in range(1000 - len(COLOURS)))]
    categories = tuple(Category(name=name, target=False) for name in names)
    card = Card(name="large", architecture=named("resnet50"), categories=categories)
    save_model(Path(scratch.name) / "large.safetensors", build("resnet50", seed=1), card)
    return scratch


def large_answers_ms(n_players, suffix=".safetensors", precision="float32"):
    more = ["--partner-threads", str(N_THREADS), "--partner-precision", precision]
    return answers_ms(str(Path(large().name) / f"large{suffix}"), n_players, 2, more=more)


@functools.cache
def large_onnx():
    for package in ("onnx", "onnxscript", "onnxruntime"):
        try:
            extras.need(package, extra="onnx")
        except RapidVisionError as reason:
            raise NotMeasured(str(reason)) from reason
    from rapidvision.gala_models.onnx_export import export_file

    folder = Path(large().name)
    export_file(folder / "large.safetensors", folder / "large.onnx")


@functools.cache
def torch_8(precision):
    return large_answers_ms(8, precision=precision)


@functools.cache
def onnx_players(n_players):
    large_onnx()
    return large_answers_ms(n_players, ".onnx")


def p99(found):
    return float(np.percentile(found[0], 99))


LARGE = f"ResNet-50, {N_THREADS} threads"


@room.figure(f"{LARGE}, torch bfloat16, 8 players: p99", unit="ms", bar=at_most(150))
def _torch_half():
    return p99(torch_8("bfloat16"))


@room.figure(f"{LARGE}, torch bfloat16, 8 players: views not answered", unit="%", bar=STATED)
def _torch_half_unanswered():
    return 100 * torch_8("bfloat16")[1]


@room.figure(f"{LARGE}, torch float32, 8 players: p99", unit="ms", bar=at_most(150))
def _torch_full():
    return p99(torch_8("float32"))


@room.figure(f"{LARGE}, onnxruntime float32, 8 players: p99", unit="ms", bar=at_most(150))
def _onnx_8():
    return p99(onnx_players(8))


@room.figure(f"{LARGE}, onnxruntime float32, 32 players: p99", unit="ms", bar=at_most(150))
def _onnx_32():
    return p99(onnx_players(32))


@room.figure(f"{LARGE}, onnxruntime float32, 32 players: views not answered", unit="%", bar=STATED)
def _onnx_32_unanswered():
    return 100 * onnx_players(32)[1]


@functools.cache
def killed():
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        pictures = make_folder(folder / "pictures", per_category=120, n_categories=8, n_practice=0)
        return chaos(pictures, folder / "game", n_kills=N_KILLS, n_players=8, seed=2019)


@room.figure(f"acknowledged bubbles lost, server killed {N_KILLS} times under play", unit="bubbles", bar=at_most(0))
def _lost():
    return killed().n_lost + killed().n_altered


@room.figure("  out of acknowledged bubbles", unit="bubbles", bar=STATED)
def _acknowledged():
    return killed().n_acknowledged


@functools.cache
def played():
    """Ten painters and four random players on 24 pictures, without a partner: rounds of full length."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = make_folder(Path(scratch) / "pictures", per_category=6)
        game = Game()
        deck = host.set_up(Path(scratch) / "game", folder, game)
        maps = read_maps(deck, "truth", game.rules.picture_px)
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


@room.figure("pooled map of 10 players against what they painted: Spearman", unit="rho", bar=at_least(0.8))
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


@room.figure("reliability between two players of a picture", unit="rho", bar=STATED)
def _reliability():
    return pairs()[0]


@room.figure("reliability minus null (other pictures)", unit="rho", bar=at_least(0.15))
def _above_null():
    return pairs()[0] - pairs()[1]


@room.figure("random players found by the quality filter", unit="%", bar=at_least(100))
def _random_found():
    everything, rules, _ = played()
    names = {record.player_id: record.player for record in everything.rounds}
    judged = judge(everything, rules)
    return 100 * float(np.mean(["off_target" in q.flags for p, q in judged.items() if names[p].startswith("random")]))


@room.figure("painters flagged by mistake", unit="%", bar=at_most(0))
def _painters_flagged():
    everything, rules, _ = played()
    names = {record.player_id: record.player for record in everything.rounds}
    judged = judge(everything, rules)
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


@room.figure("bubbles stored per second, SQLite, durable commits in groups", unit="1/s", bar=at_least(5000))
def _sqlite():
    with tempfile.TemporaryDirectory() as scratch:
        return bubbles_per_second(f"sqlite:///{scratch}/game.sqlite")


@room.figure("bubbles stored per second, PostgreSQL", unit="1/s", bar=STATED)
def _postgresql():
    from tests.experiments.clickme.postgres import Unavailable, postgres

    try:
        with postgres() as url:
            return bubbles_per_second(url)
    except (Unavailable, RapidVisionError) as reason:
        raise NotMeasured(str(reason)) from reason


@room.figure("round's end in the page against the server's clock, worst of 8", unit="ms", bar=at_most(100))
def _page_end():
    from tests.experiments.clickme.page import BrowserMissing, ends_in_page

    with tempfile.TemporaryDirectory() as scratch:
        pictures = make_folder(Path(scratch) / "pictures", per_category=6)
        try:
            return max(abs(ms) for ms in ends_in_page(pictures, Path(scratch) / "game", n_rounds=8))
        except BrowserMissing as reason:
            raise NotMeasured(str(reason)) from reason
