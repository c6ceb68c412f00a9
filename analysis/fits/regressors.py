"""Trials as the rows of a regression: accuracy ~ log reveal x group."""

import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError

from ..table.trials import Trials

Floats = NDArray[np.float64]


def design(
    trials: Trials, groups: tuple[str, str]
) -> tuple[Floats, Floats, NDArray[np.object_], NDArray[np.object_], tuple[str, ...]]:
    """Accuracy ~ log reveal × group, for trials answered in time on levels with a per cent.

    Parameters
    ----------
    trials : Trials
        Participants' trials; the intact image has no place on the axis and is left out.
    groups : (str, str)
        The second is the reference, so effects say what the first adds.

    Returns
    -------
    y, X, participant, image, names
        Ready for :func:`fit_crossed`; log10 per cent is centred.

    Raises
    ------
    InputError
        When nothing is left.
    """
    frame = trials.people()
    chosen = (frame["status"] == "ok") & frame["reveal_fraction"].notna() & frame["group"].isin(groups)
    frame = frame[chosen]
    if frame.empty:
        raise InputError(f"{trials.name}: no trials in time on levels with a reveal fraction; a mixed model needs them")
    if frame["image_id"].isna().any():
        raise InputError(
            f"{trials.name}: some trials do not name their image; a mixed model needs participant and image"
        )
    x = np.log10(frame["reveal_fraction"].to_numpy(dtype=float) * 100)
    x = x - x.mean()
    g = (frame["group"] == groups[0]).to_numpy(dtype=float)
    X = np.stack([np.ones(len(x)), x, g, x * g], axis=1)
    y = (frame["correct"] == True).to_numpy(dtype=float)  # noqa: E712 (None is neither)
    names = ("(intercept)", "log10 percent", groups[0], f"log10 percent:{groups[0]}")
    who, what = (np.asarray(frame[name], dtype=object) for name in ("participant_id", "image_id"))
    return np.asarray(y), np.asarray(X), who, what, names
