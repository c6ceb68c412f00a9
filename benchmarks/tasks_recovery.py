"""Parameters put into simulated observers of each preset, and whether they come back from the trials tables.

An experiment is a few sessions of a preset through the session engine. A parameter's true value is covered where it lies
in the 95 % profile-likelihood interval: twice the log-likelihood lost by fixing it is at most 3.84. The likelihoods are
those of the observers (``participants.py``); lapse rate and chance are known to the fit. ``RV_RECOVERY_EXPERIMENTS`` is
the number of experiments.
"""

import functools
import math
import os
import statistics
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
from scipy.optimize import minimize, minimize_scalar
from scipy.special import expit, xlogy
from scipy.stats import chi2, norm

from benchmarks.harness import STATED, Suite, between
from rapidvision.experiments.design.planning import Planner
from rapidvision.experiments.engine.participants import Exposure, Masking, Observers, Sight
from rapidvision.experiments.engine.simulate import simulate_study
from rapidvision.formats.protocol_file import preset
from rapidvision.protocol import Protocol
from rapidvision.task.design import Factor

suite = Suite()
N_EXPERIMENTS = int(os.environ.get("RV_RECOVERY_EXPERIMENTS", "200"))
#: Twice the log-likelihood that may be lost within the interval.
LIMIT = float(chi2.ppf(0.95, 1))
LAPSE = 0.04
TRUE = {"clickme": Sight(threshold=0.06, slope=5.0), "salicon": Sight(threshold=0.14, slope=5.0)}
SLOPE = 5.0
CONFIDENCE = 0.8
CONFUSIONS = {"cat": {"dog": 3.0, "bear": 2.0, "cat": 1.0}, "car": {"truck": 3.0, "boat": 1.0}}
#: Evidence of the intact image, and what short exposures take of it.
INTACT, EXPOSURE, EXPOSURES_MS = 3.0, Exposure(loss=6.0, half_ms=40.0), (20, 50, 120, 300)
THRESHOLDS = ("paper", "authors-2017", "within", "threshold", "confidence")


class Estimate(NamedTuple):
    """A parameter in one experiment.

    Attributes
    ----------
    name : str
        The parameter.
    true, found : float
        Put in, and most likely.
    lost : float
        Twice the log-likelihood that the true value is below the most likely one.
    """

    name: str
    true: float
    found: float
    lost: float

    @property
    def covered(self) -> bool:
        """Whether the true value lies in the interval."""
        return self.lost <= LIMIT


@functools.cache
def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="rapidvision-recovery-"))


@functools.cache
def _set(sixteen: bool):
    from tests.experiments.sets import set_for

    return set_for("sixteen-way" if sixteen else "paper", _folder() / str(sixteen))


@functools.cache
def plans(name: str, n_slots: int):
    """Plans of a preset: so many slots of each group."""
    planner = Planner(_set(name == "sixteen-way"), exposures() if name == "exposure" else preset(name))
    return [planner.plan(group, slot) for slot in range(n_slots) for group in planner.conditions.groups]


def exposures() -> Protocol:
    """The intact image for four durations, without a mask, answered without haste."""
    masked, replace = preset("masked"), msgspec.structs.replace
    phases = [phase for phase in masked.phases if phase.id not in ("gap", "mask")]
    phases = tuple(replace(phase, duration_ms="exposure") if phase.kind == "stimulus" else phase for phase in phases)
    factor = Factor(name="exposure", values=EXPOSURES_MS)
    return replace(masked, name="exposure", phases=phases, design=replace(masked.design, blocks=5, factors=(factor,)))


def observers(name: str) -> Observers:
    """The observers of a preset: their thresholds differ by nothing but the source."""
    common = {"threshold_sd": 0.0, "lapse": LAPSE, "no_answer": 0.0, "confidence_slope": CONFIDENCE, "sources": TRUE}
    if name == "masked":
        return Observers(**common, intact=6.0, masking=Masking(loss=12.0, half_ms=50.0))
    if name == "exposure":
        return Observers(**common, intact=INTACT, exposure=EXPOSURE)
    if name == "go-nogo":
        return Observers(**common, intact=0.4)
    if name == "sixteen-way":
        return Observers(**common, intact=0.0, masking=Masking(loss=0.0), confusions=CONFUSIONS)
    return Observers(**common)


def experiment(name: str, seed: int, *, n_slots: int = 4) -> list[Estimate]:
    """Simulate an experiment of a preset and fit it."""
    rows = [
        row
        for row in simulate_study(plans(name, n_slots), observers(name), seed=seed)
        if row.phase == "main" and row.response not in (None, "none")
    ]
    if name == "sixteen-way":
        return confusion(rows)
    if name == "exposure":
        return exposure(rows)
    if name in ("masked", "go-nogo"):
        return [sensitivity(rows, observers(name), name)]
    revealed = [row for row in rows if row.reveal_fraction is not None]
    found = [threshold([row for row in revealed if row.map_source == source], source) for source in TRUE]
    return [*found, confidence(revealed)] if name == "confidence" else found


def _profile(
    negative: Callable[[np.ndarray], float], true: Sequence[float], which: int, name: str, scale: float = 0.1
) -> Estimate:
    """Compare the best fit with the best one under the true value of a parameter."""
    true = np.asarray(true, float)
    simplex = np.vstack([true, *(true + scale * np.eye(len(true))[k] for k in range(len(true)))])
    free = minimize(
        negative, true, method="Nelder-Mead", options={"initial_simplex": simplex, "xatol": 1e-6, "fatol": 1e-8}
    )
    others = np.delete(true, which)
    if len(others):
        rest = minimize_scalar(
            lambda x: negative(np.insert(np.array([x]), which, true[which])),
            bracket=(others[0] - scale, others[0] + scale),
        ).fun
    else:
        rest = negative(true)
    return Estimate(name, float(true[which]), float(free.x[which]), 2 * max(0.0, float(rest) - float(free.fun)))


def threshold(rows, source) -> Estimate:
    """log10 of a source's threshold; the slope is fitted too."""
    x, right = np.log10([row.reveal_fraction for row in rows]), np.array([row.correct for row in rows])

    def negative(parameters):
        known = (1 - LAPSE) * expit(abs(parameters[1]) * (x - parameters[0]))
        p = 0.5 + 0.5 * known
        return -float(np.where(right, np.log(p), np.log1p(-p)).sum())

    return _profile(negative, (math.log10(TRUE[source].threshold), SLOPE), 0, f"threshold {source}")


def confidence(rows) -> Estimate:
    """Steps of the rating per logit of evidence; one threshold shift is fitted too."""
    z0 = np.array([SLOPE * math.log10(row.reveal_fraction / TRUE[row.map_source].threshold) for row in rows])
    right = np.array([row.correct for row in rows])
    step = np.array([row.more["confidence"] for row in rows])

    def negative(parameters):
        slope, z = abs(parameters[0]), z0 - parameters[1]
        above = expit(z - (step - 1) / slope) - np.where(step == 4, 0.0, expit(z - step / slope))
        guessed = 0.5 * (1 - (1 - LAPSE) * expit(z)) * (step == 1)
        p = np.where(right, (1 - LAPSE) * above + guessed, guessed)
        return -float(np.log(np.maximum(p, 1e-300)).sum())

    return _profile(negative, (CONFIDENCE, 0.0), 0, "confidence slope")


def exposure(rows) -> list[Estimate]:
    """What short exposures take: the loss at 0 ms and log2 of the duration that halves it, each with the other fitted."""
    ms, right = (
        np.array([row.more["factor_exposure"] for row in rows], float),
        np.array([row.correct for row in rows]),
    )

    def negative(parameters):
        known = (1 - LAPSE) * expit(INTACT - parameters[0] * np.exp2(-ms / np.exp2(parameters[1])))
        p = 0.5 + 0.5 * known
        return -float(np.where(right, np.log(p), np.log1p(-p)).sum())

    true = (EXPOSURE.loss, math.log2(EXPOSURE.half_ms))
    return [_profile(negative, true, 0, "loss"), _profile(negative, true, 1, "half")]


def sensitivity(rows, simulated: Observers, name: str) -> Estimate:
    """Return d' of yes and no; the criterion is fitted too."""
    lost = simulated.lost("noise", 50) if name == "masked" else 0.0
    known = (1 - LAPSE) * simulated.know("clickme", None, lost=lost)
    true = 2 * float(norm.ppf(known + 0.5 * (1 - known)))
    first = preset(name).response.options[0].name
    counts = [
        (sum(row.response == first for row in rows if row.target is kind), sum(row.target is kind for row in rows))
        for kind in (True, False)
    ]

    def negative(parameters):
        d, c = parameters
        p = norm.cdf([d / 2 - c, -d / 2 - c])
        return -float(sum(xlogy(k, q) + xlogy(n - k, 1 - q) for (k, n), q in zip(counts, p, strict=True)))

    return _profile(negative, (true, 0.0), 0, "d'")


def confusion(rows) -> list[Estimate]:
    """Probabilities of four wrong answers, each by itself."""
    found = []
    known = (1 - LAPSE) * 0.5
    for shown, answered in (("cat", "dog"), ("cat", "bear"), ("car", "truck"), ("car", "boat")):
        some = [row for row in rows if row.category == shown]
        k, n = sum(row.response == answered for row in some), len(some)
        true = (1 - known) * CONFUSIONS[shown][answered] / sum(CONFUSIONS[shown].values())
        best = k / n
        lost = 2 * float(xlogy(k, best / true) + xlogy(n - k, (1 - best) / (1 - true)))
        found.append(Estimate(f"{shown} as {answered}", true, best, lost))
    return found


@functools.cache
def estimates(name: str, n: int = N_EXPERIMENTS) -> list[Estimate]:
    """Every parameter of a preset in so many experiments."""
    n_slots = 8 if name in ("sixteen-way", "exposure") else 4
    return [one for seed in range(n) for one in experiment(name, 1000 + seed, n_slots=n_slots)]


def coverage(name: str, word: str) -> float:
    """Share of experiments whose interval holds the true value."""
    return statistics.mean(one.covered for one in estimates(name) if one.name.startswith(word))


def bias(name: str, word: str) -> float:
    """Mean difference of what was found and what was put in."""
    return statistics.mean(one.found - one.true for one in estimates(name) if one.name.startswith(word))


def _add(name: str, word: str, unit: str) -> None:
    bar = between(0.93, 0.97)
    suite.figure(f"{name}: {word}, coverage of 95 % in {N_EXPERIMENTS} experiments", unit="1", bar=bar)(
        functools.partial(coverage, name, word)
    )
    suite.figure(f"  {name}: {word}, mean error", unit=unit, bar=STATED)(functools.partial(bias, name, word))


for _name in THRESHOLDS:
    _add(_name, "threshold", "log10")
_add("confidence", "confidence", "steps per logit")
_add("masked", "d'", "1")
_add("go-nogo", "d'", "1")
_add("sixteen-way", "ca", "1")
_add("exposure", "loss", "logits")
_add("exposure", "half", "log2 ms")
