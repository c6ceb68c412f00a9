"""A game with rounds of little more than a second, and what its store holds."""

import io
import itertools

import numpy as np
import sqlalchemy as sa
from PIL import Image

from rapidvision.experiments.clickme.server import host
from rapidvision.experiments.clickme.storage.collected import collect

QUICK = """
name = "Test game"
practice_rounds = 0
daily_limit = 40
[rules]
round_ms = 1200
answer_limit_ms = 300
slack_ms = 1200
"""
names = (f"guest {number}" for number in itertools.count())


def stored(running):
    store = host.existing_store(running.data)
    try:
        return collect(store)
    finally:
        store.close()


def bubbles_of(running, round_id):
    store = host.existing_store(running.data)
    try:
        query = "select x, y from clickme_bubbles where round_id = :round order by seq"
        return [tuple(row) for row in store.read(lambda c: c.execute(sa.text(query), {"round": round_id}).all())]
    finally:
        store.close()


def line(n, start=20):
    return [[start + 5 * k, 30] for k in range(n)]


def coloured_place(png):
    """The middle of what has colour in an image: there the partner looks."""
    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("HSV"))
    rows, columns = np.nonzero(pixels[..., 1] > 100)
    return int(columns.mean()), int(rows.mean())
