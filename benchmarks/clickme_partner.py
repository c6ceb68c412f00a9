"""The ClickMe game's partner: how soon it answers, a bundled network and one of ResNet-50's size, many players at once."""

import asyncio
import functools
import os
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.harness import STATED, NotMeasured, Suite, at_least, at_most
from rapidvision.errors import RapidVisionError
from rapidvision.experiments.clickme.server import host
from rapidvision.experiments.clickme.simulation.browser_player import Visitor
from rapidvision.experiments.clickme.simulation.simulated_player import Player
from rapidvision.experiments.clickme.storage import collected
from rapidvision.system import extras
from tests.experiments.clickme.conftest import make_folder
from tests.experiments.clickme.eye import COLOURS
from tests.experiments.clickme.running import Running

suite = Suite()
ENDLESS = "practice_rounds = 0\ndaily_limit = 100000\n[rules]\ntop_k = 1\n"


def answers_ms(partner, n_players, n_rounds, *, more=()):
    """Milliseconds from sending a bubble that asks to word of the partner's look, and how many were not answered."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        images = make_folder(folder / "images", per_category=12, n_categories=8, n_practice=0)
        try:
            running = Running(images, folder / "game", partner=partner, game=ENDLESS, more=more)
        except RuntimeError as error:
            raise NotMeasured(str(error).strip()) from error
        with running:
            players = [Player(f"player {n}", "off_target") for n in range(n_players)]
            visitors = [Visitor(running.url, one, lambda _image: None, seed=n) for n, one in enumerate(players)]

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


@suite.figure("bundled network, 50 players: answers within 250 ms", unit="%", bar=at_least(95))
def _bundled_within():
    seen, unanswered = bundled_50()
    return 100 * float(np.mean(seen <= 250)) * (1 - unanswered)


@suite.figure("bundled network, 50 players: median answer", unit="ms", bar=STATED)
def _bundled_median():
    return float(np.median(bundled_50()[0]))


#: The bar is for three threads; a machine with fewer cores measures with those it has, and the name says so.
N_THREADS = min(3, os.cpu_count() or 1)


@functools.cache
def large():
    """A folder with a network of ResNet-50's architecture that names our categories: random weights, real cost."""
    extras.need("torch", extra="models")
    from rapidvision.gala_models.layers.architecture import named
    from rapidvision.gala_models.layers.resnet import build
    from rapidvision.gala_models.weights.card import Card, Category
    from rapidvision.gala_models.weights.load import save_model

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


@suite.figure(f"{LARGE}, torch bfloat16, 8 players: p99", unit="ms", bar=at_most(150))
def _torch_half():
    return p99(torch_8("bfloat16"))


@suite.figure(f"{LARGE}, torch bfloat16, 8 players: views not answered", unit="%", bar=STATED)
def _torch_half_unanswered():
    return 100 * torch_8("bfloat16")[1]


@suite.figure(f"{LARGE}, torch float32, 8 players: p99", unit="ms", bar=at_most(150))
def _torch_full():
    return p99(torch_8("float32"))


@suite.figure(f"{LARGE}, onnxruntime float32, 8 players: p99", unit="ms", bar=at_most(150))
def _onnx_8():
    return p99(onnx_players(8))


@suite.figure(f"{LARGE}, onnxruntime float32, 32 players: p99", unit="ms", bar=at_most(150))
def _onnx_32():
    return p99(onnx_players(32))


@suite.figure(f"{LARGE}, onnxruntime float32, 32 players: views not answered", unit="%", bar=STATED)
def _onnx_32_unanswered():
    return 100 * onnx_players(32)[1]
