"""Shape bias on images whose shape and texture belong to two categories (Geirhos et al., 2019)."""

import re
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rapidvision.errors import InputError, did_you_mean

from ..scores.answers import Answers, answers
from ..scores.measure import Measure
from ..table.trials import TrialsSource
from .cue_conflict import TEXTURE

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class ShapeBias(Measure):
    """Shape bias by condition, and by shape category.

    Attributes
    ----------
    participants : DataFrame
        One row per participant and condition: trials answered with the shape's and the texture's category, and the bias.
    categories : DataFrame
        One row per condition and shape category.

    Examples
    --------
    >>> import rapidvision as rv
    >>> trials = rv.analysis.Design(n_per_group=3).simulate(seed=1)
    >>> frame = trials.frame.assign(surface="object")  # targets with the texture of distractors
    >>> frame = frame[frame["target"]].assign(surface="distractor")
    >>> rv.analysis.shape_bias(frame, texture="surface").to_frame()["n"].tolist()
    [3, 3]
    """

    participants: pd.DataFrame = field(default_factory=pd.DataFrame)
    categories: pd.DataFrame = field(default_factory=pd.DataFrame)


def shape_bias(trials: TrialsSource, *, by: str | None = None, texture: str = TEXTURE) -> ShapeBias:
    """Compute how often the shape decides where shape and texture disagree.

    Parameters
    ----------
    trials : Trials, DataFrame or path-like
        The trials table; `correct_response` is the category of the shape.
    by : str, optional
        Column that holds the conditions; groups by default. Networks are compared with people in a table of each.
    texture : str
        Column that holds the category of the texture; or a regular expression with a group named ``texture`` that is
        searched in `image_id`. By default that of the published cue-conflict images, ``bear1-bottle2``.

    Returns
    -------
    ShapeBias
        `bias`: answers of the shape's category over answers of the shape's or texture's, mean over participants with its
        95 % t interval; `share_of_either`: answers that were one of the two.

    Raises
    ------
    InputError
        When textures are unknown, or no image has different categories of shape and texture.

    Examples
    --------
    >>> import rapidvision as rv
    >>> frame = rv.analysis.Design(n_per_group=3).simulate(seed=1).frame
    >>> frame = frame[frame["target"]].assign(surface="distractor")
    >>> found = rv.analysis.shape_bias(frame, texture="surface")
    >>> bool(found.to_frame()["bias"].between(0, 1).all())
    True
    """
    from scipy.stats import t as student

    found = answers(trials, by=by)
    shape, surface = found.frame["correct_response"], _texture(found, texture)
    if (unknown := found.frame["response"].isna() | shape.isna()).any():
        raise InputError(
            f"shape bias: {found.name} has {int(unknown.sum()):,} trials without answer or shape; import answers and truths"
        )
    conflict = (surface.notna() & (surface != shape)).to_numpy()
    if not conflict.any():
        raise InputError(
            f"shape bias: no image of {found.name} has a texture of another category than its shape; name the column or the "
            "regular expression that gives the texture (texture)"
        )
    use = conflict & found.counted
    said = found.frame["response"]
    by_shape, by_texture = (said == shape).to_numpy() & use, (said == surface).to_numpy() & use
    rows = pd.DataFrame(
        {
            "participant_id": found.frame["participant_id"],
            "condition": [found.conditions[code] for code in found.condition],
            "category": shape,
            "n_trials": use.astype(int),
            "shape": by_shape.astype(int),
            "texture": by_texture.astype(int),
        }
    )[use]
    people = _bias(rows.groupby(["participant_id", "condition"], sort=True)[["n_trials", "shape", "texture"]].sum())
    categories = _bias(rows.groupby(["condition", "category"], sort=True)[["n_trials", "shape", "texture"]].sum())
    grouped = people.groupby("condition")
    table = pd.DataFrame({"n": grouped["bias"].count(), "bias": grouped["bias"].mean()})
    half = student.ppf(0.975, np.maximum(table["n"] - 1, 1)) * grouped["bias"].sem()
    table["low"], table["high"] = np.maximum(table["bias"] - half, 0), np.minimum(table["bias"] + half, 1)
    sums = grouped[["n_trials", "shape", "texture"]].sum()
    table["n_trials"] = sums["n_trials"]
    table["share_of_either"] = (sums["shape"] + sums["texture"]) / sums["n_trials"]
    notes = [
        "bias: answers of the shape's category over answers of the shape's or texture's; participants weigh the same"
    ]
    if same := int((~conflict & found.counted).sum()):
        notes.append(f"{same:,} answers to images whose shape and texture agree (or have no texture) are left out")
    return ShapeBias(table.reset_index(), found.notes, tuple(notes), people, categories)


def _bias(sums: pd.DataFrame) -> pd.DataFrame:
    either = sums["shape"] + sums["texture"]
    return sums.assign(bias=(sums["shape"] / either).where(either > 0)).reset_index()


def _texture(found: Answers, texture: str) -> "pd.Series[str]":
    """Category of every row's texture; missing where there is none."""
    frame = found.frame
    if texture in frame:
        return frame[texture].astype(object)
    if "(?P<texture>" not in texture:
        raise InputError(
            f'texture: no column "{texture}". {did_you_mean(texture, [str(one) for one in frame])} A regular expression needs '
            "a group named texture: (?P<texture>[a-z]+)"
        )
    try:
        pattern = re.compile(texture)
    except re.error as error:
        raise InputError(f'texture: "{texture}" is no regular expression ({error})') from error
    found_in = {name: pattern.search(str(name)) for name in frame["image_id"].dropna().unique()}
    names = {name: match["texture"] if match else None for name, match in found_in.items()}
    return frame["image_id"].map(names).astype(object)
