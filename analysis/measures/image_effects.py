"""Effects image by image: how far each image lies above or below its level, shrunken by how little is known of it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.numerics.sign_flip import SignFlipTest, sign_flip_test
from rapidvision.protocol import N_RELABELLINGS
from rapidvision.seeds import fresh_seed

from ..scores.answers import Answers, answers
from ..scores.measure import Measure
from ..table.first_lines import LateRule
from ..table.trials import TrialsSource

Floats = NDArray[np.float64]
_Z = 1.959964


@dataclass(frozen=True, eq=False, repr=False)
class ImageEffects(Measure):
    """One row per image (and condition, or pair of conditions).

    Attributes
    ----------
    spread : dict of str to float
        Condition (or ``first minus second``) → estimated SD of the images' true effects, in accuracy.
    test : SignFlipTest or None
        Of the difference of two conditions with images as units: does it hold for other images?
    seed : int
        Of the test.

    Examples
    --------
    >>> import rapidvision as rv
    >>> trials = rv.analysis.Design(n_per_group=20).simulate(seed=1)
    >>> found = rv.analysis.image_effects(trials, n_resamples=99, seed=1)
    >>> len(found.to_frame()), sorted(found.spread)
    (240, ['clickme', 'clickme minus salicon', 'salicon'])
    """

    spread: dict[str, float] | None = None
    test: SignFlipTest | None = None
    seed: int = 0


def image_effects(
    trials: TrialsSource,
    *,
    by: str | None = None,
    conditions: Sequence[str] | None = None,
    late: LateRule = "exclude",
    n_resamples: int = N_RELABELLINGS,
    seed: int | None = None,
) -> ImageEffects:
    """Estimate every image's effect on accuracy, and the difference of two conditions image by image.

    Parameters
    ----------
    trials : Trials, DataFrame or path-like
        The trials table, with image ids.
    by : str, optional
        Column that holds the conditions; groups by default.
    conditions : (str, str), optional
        First minus second; needed for differences where there are more than two.
    late : {"exclude", "wrong", "half"}
        What an answer outside the window counts as.
    n_resamples, seed : int
        Of the sign flips over images.

    Returns
    -------
    ImageEffects
        `effect`: mean over the image's answers of the score minus the mean of its condition and level; `se`; `shrunken`:
        the effect times `weight`, with the 95 % interval `low`, `high` around it. `accuracy` and `n` are as observed.

    Raises
    ------
    InputError
        When the table does not name its images.

    Notes
    -----
    Empirical Bayes with normal effects: weight = tau² / (tau² + se²), where tau² is the Paule-Mandel estimate of the variance
    of true effects between images; tau² = 0 shrinks every image to 0. se is binomial, from the means of condition and level.
    Intervals hold for the images as a whole, not for the one that was chosen because it is extreme before shrinking.

    Examples
    --------
    >>> import rapidvision as rv
    >>> trials = rv.analysis.Design(n_per_group=20).simulate(seed=1)
    >>> table = rv.analysis.image_effects(trials, n_resamples=99, seed=1).to_frame()
    >>> one = table[table["condition"] == "clickme"]
    >>> bool((one["shrunken"].abs() <= one["effect"].abs()).all())
    True
    """
    found = answers(trials, by=by, late=late)
    if found.frame["image_id"].isna().any():
        raise InputError(f"{found.name}: images are not named (image_id is empty); import a column with them")
    seed = fresh_seed() if seed is None else seed
    images, sums = _sums(found)
    n, right, gap, variance = sums
    with np.errstate(invalid="ignore", divide="ignore"):
        effect, se, accuracy = gap / n, np.sqrt(variance) / n, right / n
    parts, spread, notes = [], {}, list[str]()
    for c, condition in enumerate(found.conditions):
        here = n[:, c] > 0
        part, spread[condition] = _shrunken(effect[here, c], se[here, c])
        parts.append(_table(condition, images[here], n[here, c], accuracy[here, c], part))
    test = None
    if len(found.conditions) > 1 and (conditions or len(found.conditions) == 2):
        pair = found.pair(conditions)
        a, b = (found.conditions.index(name) for name in pair)
        here = (n[:, a] > 0) & (n[:, b] > 0)
        if here.any():
            # the conditions' own levels are part of their difference, so the joint means are taken away
            _, joint = _sums(found, joint=True)
            with np.errstate(invalid="ignore", divide="ignore"):
                apart = joint[2] / joint[0]
            difference = (apart[:, a] - apart[:, b])[here]
            name = f"{pair[0]} minus {pair[1]}"
            part, spread[name] = _shrunken(
                difference, np.hypot(se[here, a], se[here, b]), centre=float(difference.mean())
            )
            parts.append(
                _table(name, images[here], n[here, a] + n[here, b], accuracy[here, a] - accuracy[here, b], part)
            )
            test = sign_flip_test(difference, n_resamples=n_resamples, seed=seed)
            notes.append(
                f"{name} with images as units: {test.mean[0]:.3f} over {int(test.n[0])} images, p = {test.p_best[0]:.4g} "
                "(sign flips over images)"
            )
    notes += [f"{name}: SD of true effects between images {value:.3f}" for name, value in spread.items()]
    notes.append("shrunken = effect x weight (differences: towards their mean); weight = tau2 / (tau2 + se2)")
    return ImageEffects(pd.concat(parts, ignore_index=True), found.notes, tuple(notes), spread, test, seed)


def _sums(found: Answers, *, joint: bool = False) -> tuple[NDArray[np.object_], Floats]:
    """Per image and condition: answers, right ones, sum of score minus expected, and its binomial variance."""
    codes, images = pd.factorize(found.frame["image_id"], sort=True)
    score = found.halves / 2
    key = found.level if joint else found.condition * len(found.levels) + found.level
    count = np.bincount(key[found.counted], minlength=int(key.max()) + 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(key[found.counted], score[found.counted], minlength=len(count)) / count
    expected = mean[key]
    use, size = found.counted, len(images) * len(found.conditions)
    place = codes * len(found.conditions) + found.condition
    weights = (np.ones(len(score)), score, score - expected, expected * (1 - expected))
    sums = [np.bincount(place[use], weight[use], minlength=size) for weight in weights]
    return np.asarray(images, dtype=object), np.stack(sums).astype(float).reshape(4, len(images), len(found.conditions))


def _table(
    condition: str, images: NDArray[np.object_], n: Floats, accuracy: Floats, part: dict[str, Floats]
) -> pd.DataFrame:
    return pd.DataFrame({"condition": condition, "image_id": images, "n": n.astype(int), "accuracy": accuracy, **part})


def _shrunken(effect: Floats, se: Floats, *, centre: float = 0.0) -> tuple[dict[str, Floats], float]:
    # an image whose levels no participant ever gets wrong (or right) has no binomial variance: that of one half trial is assumed
    floor = se[se > 0].min() if (se > 0).any() else 1.0
    se = np.where(se > 0, se, floor)
    tau2 = between_variance(effect - centre, se)
    weight = tau2 / (tau2 + se**2)
    shrunken = centre + weight * (effect - centre)
    half = _Z * se * np.sqrt(weight)
    return {
        "effect": effect,
        "se": se,
        "weight": weight,
        "shrunken": shrunken,
        "low": shrunken - half,
        "high": shrunken + half,
    }, float(np.sqrt(tau2))


def between_variance(effects: Floats, se: Floats) -> float:
    """Variance of true effects between units (Paule & Mandel, 1982): the one at which they scatter as expected.

    Examples
    --------
    >>> round(between_variance(np.array([0.3, -0.3, 0.3, -0.3]), np.full(4, 0.1)), 3)
    0.11
    >>> between_variance(np.array([0.01, -0.01]), np.full(2, 0.1))
    0.0
    """
    from scipy.optimize import brentq

    if len(effects) < 2:
        return 0.0

    def excess(tau2: float) -> float:
        w = 1 / (tau2 + se**2)
        mean = (w * effects).sum() / w.sum()
        return float((w * (effects - mean) ** 2).sum() - (len(effects) - 1))

    if excess(0.0) <= 0:
        return 0.0
    high = float(effects.var(ddof=1)) + 1e-12
    while excess(high) > 0:
        high *= 2
    return float(brentq(excess, 0.0, high))
