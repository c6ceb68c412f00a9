"""Measure what the print needs to know: the tables of ``finish`` and the model of ``proof``.

``calibrate()`` writes ``balance.json`` and ``proof.json`` anew; both are needed when the renderer draws anything
otherwise than before (``tools/calibrate_images.py``). The tables are measured on unprinted images, the model on
shots printed with these tables.
"""

import json
from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rapidvision.system import files
from rapidvision.system.pools import pool_of

from ..decodability import rejection
from ..decodability.network import Net, log_odds
from ..tracing import equalize
from ..tracing.lens import GRAIN
from .folder import CATEGORIES, TARGETS

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Kinds = NDArray[np.int64]

SEED: Final = 20190507
"""Far from the seeds that anybody is likely to draw images with."""
N_ROUNDS: Final = 6
LARGEST: Final = 1.2
"""No gain goes beyond this in natural logarithms."""
TONE_STEPS: Final = 33
PROOF_ROUNDS: Final = 2
RIDGE: Final = 0.1
"""Penalty on the model's weights, in units of the number of images."""
HELD_OUT: Final = 5
"""Every fifth shot of a category is kept from the network, and tells how far to trust it."""

FitNet = Callable[[Floats, Bools, Floats], Net]
"""From spectra (n, 64, 33), which of them are targets', and weights, to a network."""


class Print(NamedTuple):
    """An image before it is printed: its display values, the object's cover, and its category's index."""

    display: Floats
    cover: Floats
    kind: int

    @property
    def target(self) -> bool:
        """Whether it shows a target."""
        return CATEGORIES[self.kind] in TARGETS

    @property
    def grey(self) -> "Print":
        """Its luminance alone; display of shape (side, side, 1)."""
        return self._replace(display=equalize.luminance(self.display)[..., None])


def negatives(n_per_category: int, *, size: int, seed: int = SEED, workers: int = 1) -> list[Print]:
    """Draw images up to the point where the tables come in; every first shot, kept or not."""
    jobs = [(kind, number, seed, size) for number in range(n_per_category) for kind in range(len(CATEGORIES))]
    with pool_of(workers) as pool:
        return list(pool.map(_negative, jobs, chunksize=16))


def _negative(job: tuple[int, int, int, int]) -> Print:
    from .drawn_image import composed, exposure

    kind, number, seed, size = job
    light = exposure(composed(CATEGORIES[kind], seed=seed, number=number), size)
    return Print(light.display, light.cover.astype(np.float64), kind)


def first_prints(n_per_category: int, *, seed: int = SEED, workers: int = 1) -> tuple[NDArray[np.uint8], Kinds]:
    """Return every first shot as the proof sees it, kept or not, and the index of each one's category.

    They are printed with the shipped tables; the categories take turns.
    """
    jobs = [(kind, number, seed) for number in range(n_per_category) for kind in range(len(CATEGORIES))]
    with pool_of(workers) as pool:
        images = np.stack(list(pool.map(_first_print, jobs, chunksize=64)))
    return images, np.array([kind for kind, _, _ in jobs])


def _first_print(job: tuple[int, int, int]) -> NDArray[np.uint8]:
    from .drawn_image import PROOF_PX, composed, taken

    kind, number, seed = job
    return taken(composed(CATEGORIES[kind], seed=seed, number=number), PROOF_PX)[0]


def measured(prints: list[Print], *, rounds: int = N_ROUNDS) -> equalize.Balance:
    """Return the tables that make the kinds' mean spectra and histograms equal.

    Parameters
    ----------
    prints : list of Print
        Greys of one size, as many targets as distractors.
    rounds : int, default 6
        Corrections, each measured on the result of the one before.
    """
    size = prints[0].cover.shape[0]
    target = np.array([one.target for one in prints])
    tables = equalize.Balance(
        np.zeros((equalize.bins_of(size, 1.0).n_bands, equalize.N_ORIENTATIONS)), np.zeros(TONE_STEPS)
    )
    for _ in range(rounds):
        printed = [_grainy(_printed(one, tables)[..., 0], number) for number, one in enumerate(prints)]
        amplitudes = np.stack([equalize.log_amplitudes(one) for one in printed])
        left = amplitudes[~target].mean(0) - amplitudes[target].mean(0)
        gain = np.clip(tables.log_gain + 0.8 * left, -LARGEST, LARGEST)
        tables = equalize.Balance(gain, tables.tone + 0.8 * _tone_left(np.stack(printed), target))
    return tables


def _printed(one: Print, tables: equalize.Balance) -> Floats:
    out = equalize.balanced(one.display, one.cover, target=one.target, tables=tables)
    return np.asarray(np.clip(out, 0.0, 1.0))


def _grainy(grey: Floats, number: int) -> Floats:
    """Add the middling sensor's noise, which every print gets, the same in each round."""
    noise = np.random.default_rng(number).normal(0.0, sum(GRAIN) / 2 / 255.0, grey.shape)
    return np.asarray(grey + noise * np.sqrt(0.3 + 1.4 * grey))


def _tone_left(printed: Floats, target: Bools) -> Floats:
    """Half of what must be added to targets' luminances so that both kinds have the same mean histogram."""
    shares = np.linspace(0.002, 0.998, 200)
    quantiles = [np.quantile(printed[kind], shares) for kind in (target, ~target)]
    middle = (quantiles[0] + quantiles[1]) / 2
    return np.interp(np.linspace(0.0, 1.0, TONE_STEPS), middle, (quantiles[1] - quantiles[0]) / 2)


def joined(coarse: equalize.Balance, fine: equalize.Balance) -> equalize.Balance:
    """Take the bands that small images have from `coarse`, the higher ones from `fine`, and the tone of `coarse`."""
    n = coarse.log_gain.shape[0]
    return equalize.Balance(np.concatenate([coarse.log_gain, fine.log_gain[n:]]), coarse.tone)


def shares_kept(odds: Floats, kind: Kinds, target: Bools) -> tuple[Floats, Floats]:
    """Return each shot's probability of being kept, and its weight among the images that are: equal sums per category."""
    share = np.exp(np.minimum(0.0, np.where(target, -odds, odds)))
    per_category = np.bincount(kind, share) / np.bincount(kind)
    return share, share / per_category[kind]


def judged(
    found: Floats,
    kind: Kinds,
    *,
    rounds: int = PROOF_ROUNDS,
    ridge: float = RIDGE,
    before: rejection.Model | None = None,
    offset: Floats | float = 0.0,
) -> rejection.Model:
    """Fit the log odds that make the images that are kept alike.

    Every category ends up with equally many images, however many of its shots are dropped; so the odds are fitted
    again to the shots as they are kept, and added up, until what is kept no longer tells targets from distractors.

    Parameters
    ----------
    found : ndarray of float, shape (n, n_features)
        ``proof.features`` of printed shots.
    kind : ndarray of int, shape (n,)
        Index of each one's category.
    rounds : int, default 2
        So often.
    ridge : float, default 0.1
        Penalty on the weights of each round.
    before : Model, optional
        What the new odds are added to.
    offset : ndarray of float, shape (n,), optional
        Log odds of each shot that come from elsewhere.
    """
    target = np.array([name in TARGETS for name in CATEGORIES])[kind]
    if before is None:
        middle, spread = found.mean(0), np.maximum(found.std(0), 1e-6)
        before = rejection.Model(middle, spread, np.zeros(2 * middle.size + 1))
    x = rejection.expanded(found, before.middle, before.spread)
    weights = before.weights
    for _ in range(rounds):
        _, weight = shares_kept(x @ weights + offset, kind, target)
        weights = weights + _logistic(x, target, weight, ridge)
    return before._replace(weights=weights)


def completed(model: rejection.Model, found: Floats, spectra: Floats, kind: Kinds, fit_net: FitNet) -> rejection.Model:
    """Add a network, fitted to the shots as the model keeps them, and fit the rest once more beside it.

    How far the network's odds are trusted, and what is fitted beside them, rests on shots that it was not fitted to.
    """
    target = np.array([name in TARGETS for name in CATEGORIES])[kind]
    odds = rejection.expanded(found, model.middle, model.spread) @ model.weights
    _, weight = shares_kept(odds, kind, target)
    held = np.arange(kind.size) // len(CATEGORIES) % HELD_OUT == 0
    net = fit_net(spectra[~held], target[~held], weight[~held] / weight[~held].mean())
    added = np.array([log_odds(net, one) for one in spectra[held]])
    trust = trusted(added, target[held], weight[held])
    net = net._replace(last=net.last * trust, constant=net.constant * trust)
    return judged(found[held], kind[held], rounds=1, before=model._replace(net=net), offset=added * trust)


def trusted(odds: Floats, target: Bools, weight: Floats) -> float:
    """Return by what log odds must be multiplied to be right: the least cross entropy between .2 and 1.5."""
    factors = np.linspace(0.2, 1.5, 131)
    right = np.where(target, odds, -odds)
    return float(factors[np.argmin([(weight * np.logaddexp(0.0, -factor * right)).sum() for factor in factors])])


def _logistic(x: Floats, target: Bools, weight: Floats, ridge: float, steps: int = 6) -> Floats:
    """Weights of a penalised logistic regression, by Newton's steps; the constant is not penalised."""
    beta = np.zeros(x.shape[1])
    penalty = np.full(x.shape[1], ridge * weight.sum())
    penalty[-1] = 0.0
    for _ in range(steps):
        p = 1.0 / (1.0 + np.exp(-(x @ beta)))
        curvature = (x * (weight * p * (1.0 - p))[:, None]).T @ x + np.diag(penalty)
        slope = x.T @ (weight * (target - p)) - penalty * beta
        beta = beta + np.linalg.solve(curvature + 1e-9 * np.eye(beta.size), slope)
    return np.asarray(beta)


def calibrate(fit_net: FitNet, n_small: int = 150, n_large: int = 14, n_proof: int = 3200, *, workers: int = 1) -> None:
    """Draw shots, fit, and write ``balance.json`` and ``proof.json``.

    Parameters
    ----------
    fit_net : callable
        Fits the network of the proof.
    n_small, n_large : int
        Shots of each category at 64 and 256 px, for the tables; 0 small ones leave the tables as they are.
    n_proof : int
        Shots of each category, for the proof.
    workers : int, default 1
        Processes.
    """
    if n_small:
        small = negatives(n_small, size=64, workers=workers)
        large = negatives(n_large, size=256, workers=workers)
        tables = joined(measured([one.grey for one in small]), measured([one.grey for one in large]))
        write_balance(tables, f"{n_small} images of each category at 64 px and {n_large} at 256 px, seed {SEED}")
    images, kind = first_prints(n_proof, workers=workers)
    parts = np.array_split(images, max(len(images) // 256, 1))
    found, spectra = (np.concatenate([look(part) for part in parts]) for look in (rejection.features, rejection.planes))
    model = completed(judged(found, kind), found, spectra, kind, fit_net)
    write_proof(model, f"{n_proof} shots of each category, seed {SEED}")


def write_balance(tables: equalize.Balance, measured_on: str) -> None:
    """Write ``balance.json``."""
    rows = ",\n  ".join(str([round(float(v), 4) for v in row]) for row in tables.log_gain)
    tone = str([round(float(v), 5) for v in tables.tone])
    text = f'{{"measured_on": "{measured_on}",\n"tone": {tone},\n"log_gain": [\n  {rows}\n]}}\n'
    files.write_text(equalize.TABLE, text)
    equalize.balance.cache_clear()


def write_proof(model: rejection.Model, measured_on: str) -> None:
    """Write ``proof.json``."""
    assert model.net is not None
    content: dict[str, object] = {"measured_on": measured_on}
    content |= {name: _rounded(getattr(model, name)) for name in ("middle", "spread", "weights")}
    net = model.net
    content["net"] = {
        "middle": _rounded(net.middle),
        "kernels": [_rounded(one) for one in net.kernels],
        "biases": [_rounded(one) for one in net.biases],
        "last": _rounded(net.last),
        "constant": round(net.constant, 6),
    }
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(value)}" for name, value in content.items())
    files.write_text(rejection.MODEL, "{" + lines + "}\n")
    rejection.model.cache_clear()


def _rounded(values: Floats) -> object:
    return np.round(values, 6).tolist()
