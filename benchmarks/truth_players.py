"""Random players of the game are found, also where a partner ends the rounds; odd images come out right or refused.

The players here have hands of their own, not those of ``clickme simulate``, and so have the partners. Each figure is
the worst of two seeds.
"""

import dataclasses
import functools
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np

from benchmarks.harness import STATED, Suite, at_least, at_most
from benchmarks.odd_images import HEIGHT, WIDTH, odd_files, outcome
from rapidvision.experiments.clickme.game.partner import Loaded
from rapidvision.experiments.clickme.game.settings import Game
from rapidvision.experiments.clickme.maps.quality import player_quality
from rapidvision.experiments.clickme.server import host
from rapidvision.experiments.clickme.simulation import simulate
from rapidvision.experiments.clickme.simulation.simulated_player import Move, Player
from rapidvision.experiments.clickme.storage import collected
from rapidvision.experiments.clickme.storage.displayed import displayed_image
from rapidvision.experiments.clickme.storage.images import read_deck, read_maps
from rapidvision.experiments.clickme.storage.selection import select

SEEDS = (5, 11)
N_PAINTERS, N_RANDOM, N_IMAGES = 15, 25, 19
SIDE, GREY, EVERY = 256, 128, 4
suite = Suite()


def hand(player, importance, rules, rng):
    """Drift towards one place after the other: places follow the map with some lapses, or nothing for random players.

    With so many lapses, two painters of an image agree about as well as the paper's players (rho .58).
    """
    lapses = 1.0 if player.kind == "random" else 0.15
    weights = (1 - lapses) * importance.ravel() / importance.sum() + lapses / importance.size
    cumulated = np.cumsum(weights)
    pace_px, patience = rng.uniform(3, 7), rng.uniform(0.5, 0.9)

    def somewhere():
        row, column = divmod(min(int(np.searchsorted(cumulated, rng.random())), SIDE * SIDE - 1), SIDE)
        return np.array([column, row], dtype=float)

    at = aim = somewhere()
    last = tuple(np.rint(at).astype(int))
    yield Move(int(last[0]), int(last[1]), 0.0)
    for tick in range(1, rules.max_ticks - 1):
        if rng.random() > patience:
            continue
        gap = aim - at
        if np.hypot(*gap) < 6:
            aim = somewhere() if rng.random() < 0.25 else np.clip(at + rng.normal(0, 12, 2), 0, SIDE - 1)
            gap = aim - at
        far = np.hypot(*gap)
        at = at + gap * min(1.0, pace_px / max(far, 1e-9))
        here = tuple(np.clip(np.floor(at), 0, SIDE - 1).astype(int))
        step = np.hypot(here[0] - last[0], here[1] - last[1])
        if here != last and step <= rules.step_px:
            last = here
            yield Move(int(here[0]), int(here[1]), float(tick * rules.tick_ms))


def recognising(deck, maps, seed, *, by_object):
    """A partner that knows the images: it finds the word once enough of an image is to be seen, easily or hardly.

    `by_object` counts only what is seen of the important tenth of the image, else whatever is seen anywhere.
    """
    names = deck.main[:N_IMAGES]
    known = np.stack([displayed_image(deck.cards[name].path, SIDE).pixels[::EVERY, ::EVERY] for name in names]).astype(
        np.int16
    )
    rng = np.random.default_rng([seed, 77])
    needed = rng.permutation(np.geomspace(0.01, 0.25, len(names)))
    counted = np.ones(known.shape[:3], bool)
    if by_object:
        important = np.stack([maps[name][::EVERY, ::EVERY] for name in names])
        counted = important >= np.quantile(important, 0.9, axis=(1, 2), keepdims=True)
    column = {word: number for number, word in enumerate(deck.categories)}
    words = np.array([column[deck.cards[name].category] for name in names])

    def partner(batch):
        out = np.full((len(batch), len(column)), 1.0)
        for row, view in enumerate(batch):
            small = view[::EVERY, ::EVERY].astype(np.int16)
            painted = (small != GREY).any(axis=2)
            if painted.any():
                which = int(np.argmin(np.abs(known[:, painted] - small[painted]).sum(axis=(1, 2))))
                seen = (painted & counted[which]).sum() / counted[which].sum()
                out[row, words[which]] = 100.0 if seen >= needed[which] else 1.0
        return out / out.sum(axis=1, keepdims=True)

    return partner


def answering_at_random(deck, seed):
    """A partner that guesses, sure of itself."""
    rng = np.random.default_rng([seed, 78])

    def partner(batch):
        out = np.full((len(batch), len(deck.categories)), 0.01)
        out[np.arange(len(batch)), rng.integers(len(deck.categories), size=len(batch))] = 0.9
        return out

    return partner


@functools.cache
def judged(kind, seed):
    """Return (found, random players), (flagged, painters) and the share of rounds that the partner ended."""
    deck = read_deck(host.images_in_folder("bundled"))
    some = {name: deck.cards[name] for name in sorted(deck.main)[:: len(deck.main) // N_IMAGES][:N_IMAGES]}
    deck = type(deck)(deck.folder, some)
    maps = read_maps(deck, "clickme", SIDE)
    make = {
        "none": lambda: None,
        "random": lambda: answering_at_random(deck, seed),
        "by image": lambda: recognising(deck, maps, seed, by_object=False),
        "by object": lambda: recognising(deck, maps, seed, by_object=True),
    }[kind]
    blank = np.full(len(deck.categories), 1 / len(deck.categories)) if kind != "none" else None
    players = [Player(f"painter {n}") for n in range(N_PAINTERS)] + [
        Player(f"r {n}", "random") for n in range(N_RANDOM)
    ]
    with tempfile.TemporaryDirectory() as scratch:
        store = host.game_store(Path(scratch))
        partner = Loaded(make(), kind, deck.categories, blank)
        simulate.simulate(
            deck,
            Game(practice_rounds=0),
            store,
            partner,
            players,
            maps,
            rounds_per_player=N_IMAGES,
            seed=seed,
            hand=hand,
        )
        everything = collected.collect(store)
        store.close()
    part = select(everything, players="simulated")
    names = {record.player_id: record.player for record in everything.rounds}
    off = {names[who]: "off_target" in one.flags for who, one in player_quality(part.collected, part.rules).items()}
    solved = float(np.mean([record.result == "solved" for record in everything.rounds]))
    found = sum(flagged for name, flagged in off.items() if name.startswith("r "))
    mistaken = sum(flagged for name, flagged in off.items() if name.startswith("painter"))
    return found, mistaken / N_PAINTERS, solved


for _kind in ("by image", "by object", "random", "none"):
    _where = (
        "without a partner"
        if _kind == "none"
        else f"partner answers {_kind}"
        if _kind != "random"
        else "random partner"
    )

    @suite.figure(f"random players found of {N_RANDOM}, {_where}", unit="players", bar=at_least(24))
    def _found(kind=_kind):
        return min(judged(kind, seed)[0] for seed in SEEDS)

    @suite.figure(f"  painters flagged, {_where}", unit="share", bar=at_most(0.05))
    def _flagged(kind=_kind):
        return float(np.mean([judged(kind, seed)[1] for seed in SEEDS]))

    @suite.figure(f"  rounds that the partner ended, {_where}", unit="share", bar=STATED)
    def _ended(kind=_kind):
        return float(np.mean([judged(kind, seed)[2] for seed in SEEDS]))


def middle(values):
    """What the game shows of an image whose shorter side is the game's: the middle square."""
    height, width = values.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return values[top : top + side, left : left + side]


@functools.cache
def odd():
    """Count the outcomes of odd images (right, refused by name, or wrong), and whether a good loader reads the file."""
    found = Counter()
    with tempfile.TemporaryDirectory() as folder:
        for file in odd_files(seed=14, rounds=6):
            if not file.is_map:
                cut = file if file.truth is None else dataclasses.replace(file, truth=middle(np.asarray(file.truth)))
                how = outcome(cut, folder, lambda path: displayed_image(path, min(HEIGHT, WIDTH)).pixels)
                found[how, file.whole and file.truth is not None] += 1
    return found


@suite.figure("odd images shown neither right nor refused", unit="files", bar=at_most(0))
def _odd_wrong():
    return odd()["wrong", True] + odd()["wrong", False]


@suite.figure("  of the undamaged ones shown", unit="share", bar=at_least(1))
def _odd_read():
    return odd()["right", True] / sum(n for (_, whole), n in odd().items() if whole)


@suite.figure("  out of odd images (seed 14)", unit="files", bar=at_least(200))
def _odd_all():
    return sum(odd().values())
