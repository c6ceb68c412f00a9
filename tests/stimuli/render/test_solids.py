"""Solids that are left out of a sum of distances are too far away to matter in it."""

import numpy as np

from rapidvision.stimuli.render.bundle import drawn_image
from rapidvision.stimuli.render.shapes import solids


def test_a_row_that_is_left_out_is_farther_away_than_what_was_found_and_its_blend():
    rng = np.random.default_rng(0)
    n_left_out = 0
    for category in ("cat", "umbrella", "couch", "table"):
        rows = drawn_image.composed(category, seed=5, number=0).rows
        balls = solids.balls_of(rows)
        for i in range(len(rows)):
            for _ in range(100):
                point = rows[i, solids.BOUND : solids.BOUND + 3] + rng.normal(0, 2.5 * rows[i, solids.BOUND + 3], 3)
                near = float(rng.normal(0, rows[i, solids.BOUND + 3]))
                if solids.away(balls, i, *point, near):
                    n_left_out += 1
                    assert solids.distance_to(rows, i, *point) >= near + rows[i, solids.SMOOTH]
    assert n_left_out > 1000
