"""The axis of levels: where each level lies, on a log, a linear or an ordinal scale, and what the axis is called."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from rapidvision.errors import InputError, did_you_mean

from ..table.accuracy import Level

Floats = NDArray[np.float64]
#: How levels are spaced: by their logarithm, by their value, by their order, or by what suits them.
Scale = Literal["auto", "log", "linear", "order"]
SCALES: tuple[Scale, ...] = ("auto", "log", "linear", "order")
#: Label of the axis of reveal levels.
REVEALED = "Percentage of image revealed by feature source"
#: Inches between the labels of two ticks, at least.
_GAP = 0.03


class LevelAxis(NamedTuple):
    """Where the levels lie.

    Attributes
    ----------
    x : ndarray, shape (levels,)
        Place of each level; that of the intact image is not used.
    places : list of int
        Levels on the axis.
    full : int or None
        The intact image, which has an axes of its own.
    scale : {"log", "linear", "order"}
        How they are spaced.
    """

    x: Floats
    places: list[int]
    full: int | None
    scale: Scale


def level_axis(levels: Sequence[Level], scale: Scale = "auto") -> LevelAxis:
    """Place the levels of a table.

    Parameters
    ----------
    levels : sequence of Level
        In order.
    scale : {"auto", "log", "linear", "order"}
        ``auto``: log where the levels' logarithms are spaced more evenly than the levels, else linear; by order where
        the labels are no numbers.

    Raises
    ------
    InputError
        When the scale is unknown, or a log axis is asked for levels that are not all above 0.

    Examples
    --------
    >>> from rapidvision.analysis.sample_size.simulation import Design
    >>> level_axis(Design().levels).scale
    'log'
    >>> levels = [Level(at, str(10 * at), float("nan"), float("nan")) for at in range(4)]
    >>> level_axis(levels).x, level_axis(levels).scale
    (array([ 0., 10., 20., 30.]), 'linear')
    """
    if scale not in SCALES:
        raise InputError(f'scale: got "{scale}". {did_you_mean(scale, SCALES)}')
    places = [place for place, level in enumerate(levels) if not level.full]
    full = next((place for place, level in enumerate(levels) if level.full), None)
    order = np.arange(len(levels), dtype=float)
    values = np.array([_value(level) for level in levels])
    on_axis = values[places]
    known = bool(len(places)) and bool(np.isfinite(on_axis).all()) and bool((np.diff(on_axis) > 0).all())
    if scale == "order" or (scale == "auto" and not known):
        return LevelAxis(order, places, full, "order")
    if not known:
        raise InputError(f"scale {scale}: the levels are no rising numbers ({_first(levels)}); choose order")
    if scale == "log" and on_axis.min() <= 0:
        raise InputError(f"scale log: a level is {on_axis.min():g}, and all must be above 0; choose linear")
    if scale == "auto":
        scale = "log" if on_axis.min() > 0 and _unevenness(np.log10(on_axis)) < _unevenness(on_axis) else "linear"
    x = np.where(np.isfinite(values), values, 1.0)
    return LevelAxis(np.log10(x) if scale == "log" else x, places, full, scale)


def _value(level: Level) -> float:
    """Per cent of a level where it has one, else its label as a number."""
    if np.isfinite(level.percent):
        return float(level.percent)
    try:
        return float(level.label)
    except ValueError:
        return float("nan")


def _first(levels: Sequence[Level]) -> str:
    return ", ".join(level.label for level in levels[:4])


def _unevenness(x: Floats) -> float:
    """Standard deviation of the steps over their mean."""
    steps = np.diff(x)
    return float(steps.std() / steps.mean()) if len(steps) else 0.0


def level_axis_label(levels: Sequence[Level], label: str | None = None) -> str:
    """Return the label of an axis of levels.

    Parameters
    ----------
    levels : sequence of Level
        Of the table.
    label : str, optional
        The user's own, returned as it came.

    Returns
    -------
    str
        Fig. 2B's where the table says how many pixels were revealed; "Level (%)" for other per cent; else "Level".

    Examples
    --------
    >>> from rapidvision.analysis.sample_size.simulation import Design
    >>> level_axis_label(Design().levels)
    'Percentage of image revealed by feature source'
    >>> level_axis_label([Level(0, "5", 5.0, float("nan"))]), level_axis_label([], "Contrast (%)")
    ('Level (%)', 'Contrast (%)')
    """
    if label is not None:
        return label
    shown = [level for level in levels if not level.full]
    if shown and all(level.percent > 0 for level in shown):
        return REVEALED if all(level.image_percent > 0 for level in shown) else "Level (%)"
    return "Level"


def level_ticks(axes: Axes, axis: LevelAxis, levels: Sequence[Level], *, width_in: float) -> float:
    """Put a tick at every level, and as many labels as fit without touching: upright, else turned, else some.

    Parameters
    ----------
    axes : Axes
        With its limits set.
    axis : LevelAxis
        Where the levels lie.
    levels : sequence of Level
        For their labels.
    width_in : float
        Of the axes, in inches.

    Returns
    -------
    float
        Height of the labels in inches.
    """
    from matplotlib import rcParams

    from .texts import points_of, text_size

    x = axis.x[axis.places]
    labels = [levels[place].label for place in axis.places]
    low, high = axes.get_xlim()
    at = (x - low) / (high - low) * width_in
    points = points_of(rcParams["xtick.labelsize"])
    sizes = [text_size(label, points) for label in labels]
    height = max((size[1] for size in sizes), default=0.1)
    if not _touching(at, np.array([size[0] for size in sizes])):
        axes.set_xticks(x, labels)
        return height
    shown, last = [], -np.inf
    for place, label in zip(at, labels, strict=True):  # turned by a right angle, its width is its height
        fits = place - last >= height + _GAP
        shown.append(label if fits else "")
        last = place if fits else last
    axes.set_xticks(x, shown, rotation=90)
    return max((size[0] for size in sizes), default=0.1)


def _touching(at: Floats, widths: Floats) -> bool:
    return bool((np.diff(at) < (widths[1:] + widths[:-1]) / 2 + _GAP).any())
