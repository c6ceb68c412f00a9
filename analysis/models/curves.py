"""Curves of networks on the levels that people saw, with bars that say what they are.

A network that gives the same answer to the same image has no participants, so it never gets an error bar over them.
Its bar, if any, resamples images: how much would the curve change with other images?
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.seeds import stream

from ..table.accuracy import Level
from ..table.trials import Trials

N_BOOTSTRAP = 2000


@dataclass(frozen=True, eq=False)
class NetworkCurve:
    """Accuracy of one network on one map source.

    Attributes
    ----------
    model, group : str
        The network's id, and the group whose trials it saw.
    levels : tuple of int
        Level indices.
    mean : ndarray
        Share of correct answers over the trials of the level; NaN where there are none.
    low, high : ndarray
        Image bootstrap: mean ± one standard deviation over resampled images; NaN when it was not asked for.
    n_images, n_trials : int
        How many images and trials it stands on.
    deterministic : bool
        Whether the same image file always got the same answer.
    """

    model: str
    group: str
    levels: tuple[int, ...]
    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    n_images: int
    n_trials: int
    deterministic: bool

    @property
    def bar(self) -> str:
        """What the error bar is, in words."""
        kind = "the same answer to the same image" if self.deterministic else "answers vary"
        if np.isfinite(self.low).any():
            return f"± 1 SD over {self.n_images} resampled images (image bootstrap); {kind}"
        return f"no bar; {kind}"


def network_curves(
    trials: Trials, levels: tuple[Level, ...], *, seed: int, n_bootstrap: int = N_BOOTSTRAP
) -> tuple[NetworkCurve, ...]:
    """Curves of every network in a table, one per group (map source).

    Parameters
    ----------
    trials : Trials
        Rows whose observer is a network; people's rows are left out.
    levels : tuple of Level
        The levels of the people's table; the networks' must be the same.
    seed : int
        Of the image bootstrap.
    n_bootstrap : int
        Resamples; 0 for no bars.

    Returns
    -------
    tuple of NetworkCurve
        Ordered by network and group.

    Raises
    ------
    InputError
        When there is no network, or a level is not among the people's.
    """
    frame = trials.main()
    frame = frame[frame["observer_kind"] == "model"]
    if frame.empty:
        raise InputError(f"{trials.name}: no network answered here (observer is {', '.join(trials.observers)})")
    known = {level.index: level.label for level in levels}
    for index, label in set(zip(frame["level_index"], frame["level_label"], strict=True)):
        if known.get(index) != label:
            raise InputError(
                f"{trials.name}: level {index} ({label}) is not a level of the participants' table; "
                "were the networks run on the same study?"
            )
    return tuple(
        _curve(rows, str(model), str(group), tuple(known), seed=seed, n_bootstrap=n_bootstrap)
        for (model, group), rows in frame.groupby(["observer", "group"], sort=True)
    )


def _curve(
    rows: pd.DataFrame, model: str, group: str, levels: tuple[int, ...], *, seed: int, n_bootstrap: int
) -> NetworkCurve:
    image, images = pd.factorize(rows["image_id"], sort=True)
    place = {index: number for number, index in enumerate(levels)}
    column = rows["level_index"].map(place).to_numpy()
    correct = (rows["correct"] == True).to_numpy()  # noqa: E712 (None is neither)
    shape = (len(images), len(levels))
    cell = image * len(levels) + column
    k = np.bincount(cell, weights=correct, minlength=shape[0] * shape[1]).reshape(shape)
    n = np.bincount(cell, minlength=shape[0] * shape[1]).reshape(shape).astype(float)
    with np.errstate(invalid="ignore"):
        mean = k.sum(axis=0) / n.sum(axis=0)
    spread = np.full(len(levels), np.nan)
    if n_bootstrap:
        rng = stream(seed, "analysis", "image bootstrap", model, group)
        weights = rng.multinomial(len(images), np.full(len(images), 1 / len(images)), size=n_bootstrap).astype(float)
        with np.errstate(invalid="ignore"):
            spread = np.std((weights @ k) / (weights @ n), axis=0)
    answers = rows.groupby("stimulus_sha256")["response"].nunique()
    return NetworkCurve(
        model=model,
        group=group,
        levels=levels,
        mean=mean,
        low=np.maximum(mean - spread, 0.0),
        high=np.minimum(mean + spread, 1.0),
        n_images=len(images),
        n_trials=len(rows),
        deterministic=bool((answers == 1).all()),
    )
