"""Measure the tables of ``finish``: how much targets and distractors differ before they are printed.

``calibrate()`` writes ``balance.json`` anew; it is needed when the renderer draws anything otherwise than before.
"""

from concurrent.futures import ProcessPoolExecutor
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rapidvision import files

from . import finish
from .folder import CATEGORIES, TARGETS

Floats = NDArray[np.float64]

SEED: Final = 20190507
"""Far from the seeds that anybody is likely to draw pictures with."""
N_ROUNDS: Final = 10
LARGEST: Final = 1.2
"""No gain goes beyond this in natural logarithms."""
TONE_STEPS: Final = 33


class Print(NamedTuple):
    """A picture before it is printed: its display luminance, the object's cover, and its kind."""

    grey: Floats
    cover: Floats
    target: bool


def negatives(n_per_category: int, *, size: int, seed: int = SEED, workers: int = 1) -> list[Print]:
    """Draw pictures up to the point where the tables come in."""
    jobs = [(category, number, seed, size) for number in range(n_per_category) for category in CATEGORIES]
    with ProcessPoolExecutor(workers) as pool:
        return list(pool.map(_negative, jobs, chunksize=16))


def _negative(job: tuple[str, int, int, int]) -> Print:
    from .picture import negative

    category, number, seed, size = job
    display, cover = negative(category, seed=seed, number=number, size=size)
    return Print(display @ finish.LUMINANCE, cover, category in TARGETS)


def measured(prints: list[Print], *, rounds: int = N_ROUNDS) -> finish.Balance:
    """Return the tables that make the kinds' mean spectra and histograms equal.

    Parameters
    ----------
    prints : list of Print
        Of one size, as many targets as distractors.
    rounds : int, default 10
        Corrections, each measured on the result of the one before.
    """
    size = prints[0].grey.shape[0]
    target = np.array([one.target for one in prints])
    tables = finish.Balance(np.zeros((finish.bins_of(size, 1.0).n_bands, finish.N_ORIENTATIONS)), np.zeros(TONE_STEPS))
    for _ in range(rounds):
        printed = [_printed(one, tables) for one in prints]
        amplitudes = np.stack([finish.log_amplitudes(one) for one in printed])
        left = amplitudes[~target].mean(0) - amplitudes[target].mean(0)
        gain = np.clip(tables.log_gain + 0.8 * left, -LARGEST, LARGEST)
        tables = finish.Balance(gain, tables.tone + 0.8 * _tone_left(np.stack(printed), target))
    return tables


def _printed(one: Print, tables: finish.Balance) -> Floats:
    grey = np.repeat(one.grey[..., None], 3, axis=2)
    out = finish.balanced(grey, one.cover, target=one.target, tables=tables)
    return np.asarray(np.clip(out[..., 0], 0.0, 1.0))


def _tone_left(printed: Floats, target: NDArray[np.bool_]) -> Floats:
    """Half of what must be added to targets' luminances so that both kinds have the same mean histogram."""
    shares = np.linspace(0.002, 0.998, 200)
    quantiles = [np.quantile(printed[kind], shares) for kind in (target, ~target)]
    middle = (quantiles[0] + quantiles[1]) / 2
    return np.interp(np.linspace(0.0, 1.0, TONE_STEPS), middle, (quantiles[1] - quantiles[0]) / 2)


def joined(coarse: finish.Balance, fine: finish.Balance) -> finish.Balance:
    """Take the bands that small pictures have from `coarse`, the higher ones from `fine`, and the tone of `coarse`.

    The highest band of small pictures is dropped: it is cut short by their pixels.
    """
    n = coarse.log_gain.shape[0] - 1
    return finish.Balance(np.concatenate([coarse.log_gain[:n], fine.log_gain[n:]]), coarse.tone)


def calibrate(n_small: int = 200, n_large: int = 30, *, workers: int = 1) -> finish.Balance:
    """Measure at 64 and 256 px and write ``balance.json``."""
    small = negatives(n_small, size=64, workers=workers)
    large = negatives(n_large, size=256, workers=workers)
    tables = joined(measured(small), measured(large))
    write(tables, f"{n_small} pictures of each category at 64 px and {n_large} at 256 px, seed {SEED}")
    return tables


def write(tables: finish.Balance, measured_on: str) -> None:
    """Write ``balance.json``."""
    rows = ",\n  ".join(str([round(float(v), 4) for v in row]) for row in tables.log_gain)
    tone = str([round(float(v), 5) for v in tables.tone])
    text = f'{{"measured_on": "{measured_on}",\n"tone": {tone},\n"log_gain": [\n  {rows}\n]}}\n'
    files.write_text(finish.TABLE, text)
    finish.balance.cache_clear()
