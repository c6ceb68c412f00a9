"""The ClickMe export at the size of the paper's game, from a database that is filled by this file: memory and time."""

import functools
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.clickme_partner import suite
from benchmarks.harness import STATED, at_most

#: The paper's: images, maps, bubbles, players.
IMAGES, MAPS, BUBBLES, PLAYERS = 196_499, 472_946, 35_000_000, 1_235
#: The share of that which is measured; RAPIDVISION_SCALE=1 measures all of it.
SHARE = float(os.environ.get("RAPIDVISION_SCALE", "0.02"))
_EXPORT = """
import resource, sys
from rapidvision.cli import main
code = main(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
sys.exit(code)
"""


def fill(folder, share):
    """A game's folder with `share` of the paper's images, rounds and bubbles, painted at random around a place."""
    from PIL import Image

    from rapidvision.experiments.clickme.game.settings import Game, settings_row
    from rapidvision.experiments.clickme.server import host
    from rapidvision.experiments.clickme.storage import tables
    from rapidvision.experiments.clickme.storage.displayed import displayed_image

    rng = np.random.default_rng(7)
    n_images, n_rounds = round(IMAGES * share), round(MAPS * share)
    per_round, n_players = round(BUBBLES / MAPS), max(4, round(PLAYERS * share))
    images = folder / "images"
    images.mkdir(parents=True)
    smooth = rng.integers(0, 256, (20, 16, 16, 3), dtype=np.uint8)
    hashes = []
    for number, small in enumerate(smooth):
        Image.fromarray(small).resize((500, 375), Image.Resampling.BICUBIC).save(images / f"{number}.jpg", quality=90)
        hashes.append(displayed_image(images / f"{number}.jpg", 256).sha256)
    lines = ["image_id,path,category"]
    for number in range(n_images):
        os.link(images / f"{number % 20}.jpg", images / f"i{number:06d}.jpg")
        lines.append(f"i{number:06d},i{number:06d}.jpg,c{number % 20:02d}")
    (images / "images.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    data, game = folder / "game", Game()
    host.set_up(data, images)
    host.keep_game(data, game)
    store = host.game_store(data)
    row, utc = settings_row(game), "2026-01-01T00:00:00.000Z"
    people = [
        {"player_id": f"{n:032x}", "kind": "human", "name": f"n{n}", "name_key": f"n{n}", "joined_utc": utc, "hidden": False}
        for n in range(n_players)
    ]  # fmt: skip
    store.submit(lambda c: (tables.insert_new(c, tables.settings, [row]), tables.insert_new(c, tables.players, people)))
    for first in range(0, n_rounds, 2000):
        rounds, bubbles = [], []
        for number in range(first, min(first + 2000, n_rounds)):
            image, round_id = number % n_images, f"{number:032x}"
            rounds.append({
                "round_id": round_id, "player_id": people[number % n_players]["player_id"], "image_id": f"i{image:06d}",
                "image_sha256": hashes[image % 20], "category": f"c{image % 20:02d}", "phase": "main", "dealt_utc": utc,
                "started_utc": utc, "ended_utc": utc, "result": "time", "points": 0.0, "duration_ms": 7000.0,
                "settings": row["digest"],
            })  # fmt: skip
            walk = 60 + image % 120 + np.cumsum(rng.integers(-4, 5, (per_round, 2)), axis=0)
            bubbles += [
                {"round_id": round_id, "seq": seq, "x": x, "y": y, "at_ms": 50.0 * seq, "client_ms": 50.0 * seq}
                for seq, (x, y) in enumerate(np.clip(walk, 0, 255).tolist())
            ]
        store.submit(lambda c, r=rounds: tables.insert_new(c, tables.rounds, r))
        store.submit(lambda c, b=bubbles: tables.insert_new(c, tables.bubbles, b)).result()
    store.close()
    return data


@functools.cache
def exported(share):
    """Peak of memory in MB and seconds of an export of all forms."""
    with tempfile.TemporaryDirectory() as scratch:
        data = fill(Path(scratch), share)
        words = ["clickme", "export", str(data), "--out", f"{scratch}/maps", "--tfrecords", "raw", "--keep-flagged"]
        started = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", _EXPORT, *words, "--quiet"],
            capture_output=True,
            text=True,
            check=False,
            encoding="utf-8",
        )
        if done.returncode:
            raise RuntimeError(done.stderr)
        return int(done.stdout.split()[-1]) / 1024, time.perf_counter() - started


@suite.figure(f"export, {SHARE:g} of the paper's images, rounds and bubbles: peak of memory", unit="MB", bar=STATED)
def _memory():
    return exported(SHARE)[0]


@suite.figure(f"  the same at the paper's size, from {SHARE:g} and {SHARE / 4:g} of it", unit="MB", bar=at_most(1000))
def _memory_all():
    more, less = exported(SHARE)[0], exported(SHARE / 4)[0]
    return more + (more - less) * (1 - SHARE) / (0.75 * SHARE)


@suite.figure("  time of the same at the paper's size, in proportion", unit="min", bar=at_most(30))
def _time_all():
    return exported(SHARE)[1] / SHARE / 60
