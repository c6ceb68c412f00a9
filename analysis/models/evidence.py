"""How a network's evidence goes with people's accuracy, image by image."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.numerics.ranks import unit_ranks
from rapidvision.seeds import stream

from ..table.trials import Trials

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class EvidenceCorrelation:
    """How a network's evidence goes with people's accuracy, image by image, level and class held constant.

    Attributes
    ----------
    model, group : str
        Who and whose maps.
    rho : float
        Partial Spearman correlation, given true class and level.
    interval : (float, float)
        95 %, images resampled.
    n : int
        Stimuli.
    """

    model: str
    group: str
    rho: float
    interval: tuple[float, float]
    n: int


def evidence_correlation(
    people: Trials, networks: Trials, model: str, group: str, *, seed: int, n_bootstrap: int = 500
) -> EvidenceCorrelation:
    """Correlate the network's evidence for the right answer with the share of people who gave it.

    Parameters
    ----------
    people, networks : Trials
        Of the same study.
    model, group : str
        Which network and group.
    seed, n_bootstrap : int
        Of the interval.

    Returns
    -------
    EvidenceCorrelation
        NaN with fewer than four shared stimuli.

    Raises
    ------
    InputError
        When the network has no decision values.
    """
    rows = networks.main()
    rows = rows[(rows["observer"] == model) & (rows["group"] == group)]
    if rows["decision_value"].isna().all():
        raise InputError(f"{networks.name}: {model} has no decision_value for {group}; observe it again with one")
    answers = people.people()
    answers = answers[(answers["group"] == group) & (answers["status"] == "ok")]
    keys = ["image_id", "level_index"]
    right = (answers["correct"] == True).groupby([answers[key] for key in keys]).mean()  # noqa: E712 (None is neither)
    evidence = rows.groupby(keys)[["decision_value", "correct_response"]].first()
    table = evidence.join(right.rename("share"), how="inner").reset_index().sort_values(keys)
    right, first = table["correct_response"], _first_option(rows)
    sign = np.where(right == first, 1.0, -1.0)
    value = table["decision_value"].to_numpy() * sign
    share = table["share"].to_numpy()
    cell = (table["level_index"] * 2 + (right == first)).to_numpy()
    image, images = pd.factorize(table["image_id"])
    rng = stream(seed, "analysis", "evidence", model, group)
    places: Mapping[int, NDArray[np.intp]] = {i: np.flatnonzero(image == i) for i in range(len(images))}
    again = []
    for _ in range(n_bootstrap if len(images) > 1 else 0):
        rows_again = np.concatenate([places[i] for i in rng.integers(len(images), size=len(images))])
        again.append(_partial_spearman(value[rows_again], share[rows_again], cell[rows_again]))
    finite = np.array(again)[np.isfinite(again)] if again else np.array([np.nan])
    low, high = np.percentile(finite, [2.5, 97.5]) if len(finite) else (np.nan, np.nan)
    rho = _partial_spearman(value, share, cell)
    return EvidenceCorrelation(model, group, rho, (float(low), float(high)), len(table))


def _first_option(rows: pd.DataFrame) -> str:
    """The option that a positive decision value is evidence for: what is answered most often with one."""
    chosen = rows.loc[rows["decision_value"] > 0, "response"]
    if chosen.empty:  # every answer was the other option
        other = rows["response"].mode()[0]
        return str(next((option for option in rows["correct_response"] if option != other), ""))
    return str(chosen.mode()[0])


def _partial_spearman(x: Floats, y: Floats, cell: NDArray[np.int64]) -> float:
    """Correlation of ranks after each cell's mean rank is taken out."""
    if len(x) < 4:
        return float("nan")
    ranks = unit_ranks(np.stack([x, y]))
    _, place = np.unique(cell, return_inverse=True)
    size = np.bincount(place)
    left = [values - (np.bincount(place, values) / size)[place] for values in ranks]
    length = np.sqrt((left[0] @ left[0]) * (left[1] @ left[1]))
    return float(left[0] @ left[1] / length) if length > 1e-12 else float("nan")
