"""A small image folder with known maps: an object in its category's colour, whose middle matters most."""

import csv

import numpy as np
import pytest
from PIL import Image

from tests.experiments.clickme.eye import COLOURS
from tests.experiments.clickme.quickgame import QUICK
from tests.experiments.clickme.running import Running

SIDE = 256


def draw(category, rng):
    """An image, the map that painters have in mind (float, 0 … 1), and the object's mask."""
    x, y = rng.integers(64, SIDE - 64, size=2)
    radius = int(rng.integers(28, 44))
    rows, columns = np.mgrid[:SIDE, :SIDE]
    distance = np.hypot(rows - y, columns - x)
    inside = distance <= radius
    image = np.clip(rng.normal(120, 12, (SIDE, SIDE, 1)), 0, 255).repeat(3, axis=2).astype(np.uint8)
    image[inside] = COLOURS[category]
    return image, np.exp(-0.5 * (distance / (0.6 * radius)) ** 2), inside


def make_folder(folder, *, per_category=2, n_categories=4, n_practice=2, n_catch=0, seed=1):
    for name in ("images", "maps/truth", "objects"):
        (folder / name).mkdir(parents=True)
    rng = np.random.default_rng(seed)
    rows = []
    for category in sorted(COLOURS)[:n_categories]:
        extra = n_practice + n_catch if category == sorted(COLOURS)[0] else 0
        for number in range(per_category + extra):
            name = f"{category}-{number:02d}"
            image, truth, mask = draw(category, rng)
            Image.fromarray(image).save(folder / "images" / f"{name}.png")
            Image.fromarray(np.rint(truth * 65535).astype(np.uint16)).save(folder / "maps" / "truth" / f"{name}.png")
            Image.fromarray(mask.astype(np.uint8)).save(folder / "objects" / f"{name}.png")
            phase = "main" if number < per_category else "practice" if number < per_category + n_practice else "catch"
            rows.append([name, f"images/{name}.png", category, int(category in ("bird", "cat")), phase, "test", "CC0"])
    with (folder / "images.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["image_id", "path", "category", "target", "phase", "credit", "licence"])
        writer.writerows(rows)
    return folder


@pytest.fixture(scope="session")
def images(tmp_path_factory):
    return make_folder(tmp_path_factory.mktemp("images"))


@pytest.fixture
def rules():
    from rapidvision.experiments.clickme.game.rules import Rules

    return Rules()


@pytest.fixture(scope="session")
def played(tmp_path_factory, seed):
    """A simulated game without a partner, so that all rounds are long: ten painters and five others."""
    from rapidvision.experiments.clickme.game.settings import Game
    from rapidvision.experiments.clickme.server import host
    from rapidvision.experiments.clickme.simulation import simulate
    from rapidvision.experiments.clickme.simulation.simulated_player import Player
    from rapidvision.experiments.clickme.storage import collected
    from rapidvision.experiments.clickme.storage.images import read_maps

    folder = make_folder(tmp_path_factory.mktemp("played") / "images", per_category=4)
    data = folder.parent / "game"
    game = Game()
    deck = host.set_up(data, folder)
    maps = read_maps(deck, "truth", 256)
    players = [Player(f"painter {n}") for n in range(10)]
    players += [Player(f"random {n}", "random") for n in range(3)]
    players += [Player("avoider", "off_target"), Player("copyist", "scripted")]
    store = host.game_store(data)
    partner = host.make_partner("none", deck, game)
    simulate.simulate(deck, game, store, partner, players, maps, rounds_per_player=16, seed=seed)
    everything = collected.collect(store)
    host.keep_game(data, game)
    store.close()
    return Played(folder, data, deck, game, maps, everything)


class Played:
    def __init__(self, folder, data, deck, game, maps, everything):
        self.folder, self.data, self.deck, self.game = folder, data, deck, game
        self.maps, self.everything = maps, everything
        self.rules = game.rules
        self.name_of = {record.player_id: record.player for record in everything.rounds}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server of quick rounds, for all tests of a file; at its end it stops in order and has not stumbled."""
    folder = tmp_path_factory.mktemp("server")
    images = make_folder(folder / "images", per_category=12)
    with Running(images, folder / "game", game=QUICK) as running:
        running.data = folder / "game"
        yield running
        assert running.stop() == 0
        assert "Traceback" not in "".join(running.errors)
