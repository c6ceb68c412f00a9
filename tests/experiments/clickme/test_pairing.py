"""Players who do not look are as likely to fit as chance has it, whatever decides how long their rounds are."""

import numpy as np
import pytest

from rapidvision.experiments.clickme.game.rules import Rules
from rapidvision.experiments.clickme.maps.pairing import FEWEST_MAPS, common_length, pairings
from tests.experiments.clickme.test_statistics import record

RULES = Rules()
N_IMAGES, N_PLAYERS = 16, 30


def drift(rng, n):
    steps = rng.integers(-6, 7, (n, 2)) + rng.integers(-2, 3, 2)
    return np.clip(rng.integers(20, 236, 2) + np.cumsum(steps, axis=0), 0, 255).astype(np.int16)


def game(rng, lengths, *, until=None):
    """Rounds of players who drift anywhere; a round lasts as long as its image, or until it meets a place."""
    rounds = []
    for player in range(N_PLAYERS):
        for image, n in enumerate(lengths):
            xy = drift(rng, n)
            result = "time"
            if until is not None:
                met = np.flatnonzero(np.abs(xy - until[image]).max(axis=1) < 40)
                if len(met):
                    xy, result = xy[: max(10, -(-(met[0] + 1) // 10) * 10)], "solved"
            one = record(0, player=f"p{player:02d}", image=f"i{image:02d}", result=result)
            rounds.append(type(one)(**{**fields_of(one), "round_id": f"{player}-{image}", "xy": xy}))
    return rounds


def fields_of(one):
    return {name: getattr(one, name) for name in type(one).__slots__ if hasattr(one, name)}


@pytest.mark.parametrize("ended_by", ["the image", "what was painted", "the clock"])
def test_ps_of_players_who_do_not_look_are_uniform(ended_by):
    """With lengths that follow the image a quarter of such players had p below .01."""
    ps = []
    for seed in (1, 2, 3):
        rng = np.random.default_rng(seed)
        lengths = np.full(N_IMAGES, 100)
        until = None
        if ended_by == "the image":
            lengths = rng.permutation(np.geomspace(10, 140, N_IMAGES).astype(int))
        elif ended_by == "what was painted":
            until = rng.integers(60, 196, (N_IMAGES, 2))
        found = pairings(game(rng, lengths, until=until), RULES, n_null=199, seed=seed)
        ps += [one.p for one in found.values()]
    ps = np.array(ps)
    assert (ps <= 0.05).mean() <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / len(ps))
    assert (ps <= 0.01).sum() <= 5
    assert 0.4 < ps.mean() < 0.75


def test_players_who_look_are_found_to_look_also_where_rounds_are_short():
    rng = np.random.default_rng(4)
    places = rng.integers(50, 206, (N_IMAGES, 2))
    lengths = rng.permutation(np.geomspace(10, 140, N_IMAGES).astype(int))
    rounds = game(rng, lengths)
    for player in range(10):
        for image, n in enumerate(lengths):
            one = record(0, player=f"look{player}", image=f"i{image:02d}", result="solved")
            xy = np.clip(places[image] + np.cumsum(rng.integers(-3, 4, (n, 2)), axis=0), 0, 255).astype(np.int16)
            rounds.append(type(one)(**{**fields_of(one), "round_id": f"look{player}-{image}", "xy": xy}))
    found = pairings(rounds, RULES, n_null=199, seed=1)
    assert max(one.p for player, one in found.items() if player.startswith("look")) <= 0.01
    assert common_length(rounds) == 10


def test_two_images_of_one_name_are_not_compared():
    """An image that was replaced under its name is another one."""
    rng = np.random.default_rng(5)
    rounds = game(rng, np.full(N_IMAGES, 60))
    mine = [one for one in rounds if one.player_id == "p00"]
    others = [one for one in rounds if one.player_id != "p00"]
    new = [type(one)(**{**fields_of(one), "image_sha256": "new"}) for one in mine]
    found = pairings([*others, *new], RULES, n_null=99, seed=1)["p00"]
    assert np.isnan(found.agreement)
    assert len(mine) > FEWEST_MAPS
