"""A partner that sees colours: each category of the test images has its own. Deterministic, fast, and easily fooled."""

import os
import time

import numpy as np

COLOURS = {
    "bird": (220, 40, 40),
    "cat": (40, 200, 60),
    "couch": (50, 70, 230),
    "table": (230, 210, 40),
    "zebra": (210, 60, 220),
    "umbrella": (40, 210, 220),
    "elephant": (240, 140, 30),
    "refrigerator": (140, 240, 130),
}


def make(categories):
    unknown = sorted(set(categories) - set(COLOURS))
    if unknown:
        raise LookupError(f"unknown: {', '.join(unknown)}")
    colours = np.array([COLOURS[name] for name in categories], dtype=np.int16)

    def look(batch):
        flat = batch[:, ::4, ::4].reshape(len(batch), -1, 1, 3).astype(np.int16)
        near = (np.abs(flat - colours).max(axis=-1) < 24).sum(axis=1) + 1e-3
        return near / near.sum(axis=1, keepdims=True)

    return look


def make_slow(categories):
    look, pause_s = make(categories), float(os.environ.get("EYE_PAUSE_S", "0.5"))

    def later(batch):
        if len(batch) < 2 or batch.std():  # the first look, at nothing, is quick
            time.sleep(pause_s)
        return look(batch)

    return later


def make_failing(categories):
    look = make(categories)

    def fail(batch):
        if batch.std():
            raise RuntimeError("out of order")
        return look(batch)

    return fail


def make_narrow(categories):
    return lambda batch: np.ones((len(batch), 1))


def make_nan(categories):
    return lambda batch: np.full((len(batch), len(categories)), np.nan)
