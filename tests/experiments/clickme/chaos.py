"""Players at a server that is killed again and again: what was acknowledged must be there, as it was sent."""

import asyncio
import itertools
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa

from rapidvision.errors import InputError
from rapidvision.experiments.clickme.server import host
from rapidvision.experiments.clickme.simulation.browser_player import Visitor
from rapidvision.experiments.clickme.simulation.simulated_player import Player
from rapidvision.experiments.clickme.storage.collected import collect
from tests import asynchronous
from tests.experiments.clickme.running import Running

GAME = "practice_rounds = 0\ndaily_limit = 100000\n[rules]\nround_ms = 1000\nanswer_limit_ms = 200\n"


@dataclass
class Survived:
    n_kills: int
    n_acknowledged: int
    n_lost: int
    n_altered: int
    results: set


def chaos(images, data, *, n_kills, n_players, seed, between_s=(0.4, 1.6)):
    rng = np.random.default_rng(seed)
    running = Running(images, data, partner="none", game=GAME)
    port = running.port
    visitors = [
        Visitor(running.url, Player(f"visitor {n}", "random"), lambda _image: None, seed=seed, patience_s=60)
        for n in range(n_players)
    ]

    async def play(visitor):
        for target in itertools.count(1):
            try:
                played = await visitor.play(target)
            except InputError:
                return
            if sum(bool(one.result) for one in played) < target:
                return  # no more images

    async def disturb():
        nonlocal running
        tasks = [asyncio.create_task(play(visitor)) for visitor in visitors]
        for _ in range(n_kills):
            await asyncio.sleep(rng.uniform(*between_s))
            await asyncio.to_thread(running.kill)
            running = await asyncio.to_thread(lambda: Running(images, data, partner="none", port=port))
        await asyncio.sleep(1)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    try:
        asynchronous.run(disturb())
    finally:
        running.kill()
    return compare(visitors, data, n_kills)


def compare(visitors, data, n_kills):
    store = host.existing_store(data)
    rows = store.read(lambda c: c.execute(sa.text("select round_id, seq, x, y from clickme_bubbles")).all())
    everything = collect(store)
    store.close()
    there = {(round_id, seq): (x, y) for round_id, seq, x, y in rows}
    n_acknowledged = n_lost = n_altered = 0
    for visitor in visitors:
        for played in visitor.rounds:
            for seq in range(played.acknowledged):
                n_acknowledged += 1
                found = there.get((played.round_id, seq))
                n_lost += found is None
                n_altered += found is not None and found != played.placed[seq]
    return Survived(n_kills, n_acknowledged, n_lost, n_altered, {record.result for record in everything.rounds})
