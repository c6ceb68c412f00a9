"""Trials tables with known truth for the tests of the measures: beta-binomial participants, times, images, blocks."""

import numpy as np
import pandas as pd

from rapidvision.analysis import read_trials

LEVELS = ("10", "20", "40", "80")


def rows_of(participant, group, level, correct, *, target=None, image=None, response_ms=400.0, block=0, **more):
    """Rows of the trials table; every argument is a value or one value per row."""
    n = max(len(np.atleast_1d(one)) for one in (participant, level, correct))
    target = np.arange(n) % 2 == 0 if target is None else np.broadcast_to(target, n).astype(bool)
    correct = np.broadcast_to(correct, n).astype(bool)
    level = np.broadcast_to(level, n)
    participant = np.broadcast_to(participant, n).astype(object)
    words = np.array(["distractor", "target"], dtype=object)
    frame = pd.DataFrame(
        {
            "schema_version": 3,
            "study_id": "known",
            "session_id": participant,
            "participant_id": participant,
            "observer": "human",
            "observer_kind": "human",
            "group": np.broadcast_to(group, n).astype(object),
            "slot": np.full(n, np.nan),
            "phase": "main",
            "block": np.broadcast_to(block, n),
            "trial": 0,
            "image_id": np.array([f"image-{i:04d}" for i in range(n)], dtype=object) if image is None else image,
            "stimulus_sha256": None,
            "category": None,
            "target": target,
            "map_source": "none",
            "level_index": level,
            "level_label": np.array(LEVELS, dtype=object)[level],
            "reveal_fraction": np.array(LEVELS, dtype=float)[level] / 100,
            "revealed_px": np.full(n, np.nan),
            "correct_response": words[target.astype(int)],
            "response": words[(target == correct).astype(int)],
            "input": np.where(target == correct, "s", "l").astype(object),
            "correct": correct.astype(object),
            "response_ms": np.broadcast_to(np.asarray(response_ms, dtype=float), n),
            "status": "ok",
            "late_refreshes": 0,
            "refresh_hz": 60.0,
            "timing_ok": None,
            "attempt": 1,
            "flags": None,
            "decision_value": np.nan,
            "ignored": None,
            "utc": None,
            **{name: np.broadcast_to(value, n) for name, value in more.items()},
        }
    )
    frame["trial"] = frame.groupby("session_id", sort=False).cumcount()
    frame["image_id"] = frame["image_id"].astype(object)
    return frame


def table(*frames):
    """The checked table of several rows_of."""
    frame = pd.concat(frames, ignore_index=True)
    frame["trial"] = frame.groupby("session_id", sort=False).cumcount()
    for column in ("slot", "revealed_px"):
        frame[column] = frame[column].astype(float)
    return read_trials(frame, name="known", repeats="keep")


def betas(rng, n, share, rho, shape=()):
    """True accuracies of n participants."""
    return rng.beta(share * (1 / rho - 1), (1 - share) * (1 / rho - 1), (n, *shape))


def accuracies(rng, n, share, rho, t):
    """Accuracies of n participants at every level, independent between levels."""
    share = np.broadcast_to(share, np.shape(share) or (1,))
    return rng.binomial(t, np.stack([betas(rng, n, one, rho) for one in share], axis=1)) / t


def two_conditions(rng, *, n, shares, within, t=10, spread=0.6):
    """Two conditions a and b (column factor_view) at four levels: logit-normal participants, t answers a cell."""
    level = np.repeat(np.arange(4), t)
    frames = []
    for person in range(n if within else 2 * n):
        offset = rng.normal(0, spread)
        for name in "ab" if within else "ab"[person // n]:
            share = np.asarray(shares["ab".index(name)], dtype=float)
            chance = 1 / (1 + np.exp(-(np.log(share / (1 - share)) + offset)))
            image = np.array([f"{name}-{i:03d}" for i in range(len(level))], dtype=object)
            correct = rng.random(len(level)) < np.broadcast_to(chance, 4)[level]
            group = "all" if within else name
            frames.append(rows_of(f"p{person:02d}", group, level, correct, image=image, factor_view=name))
    return table(*frames)
