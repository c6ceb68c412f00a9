"""Where levels lie on the axis of a curve: per cent of the features or any unit, logarithmic or linear."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rapidvision.errors import InputError, did_you_mean

from ..table.accuracy import Level
from .choices import SCALES, AxisScale

Floats = NDArray[np.float64]
#: Units that are logarithms already, or have no zero that means "nothing".
_LINEAR_UNITS = ("db", "log", "log10", "deg", "degree", "degrees", "°", "logmar", "jnd")
_NUMBER = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(\D*?)\s*")
#: Span of a linear axis inside the fit, so that the weak prior on the slope means the same as over two decades.
_SPAN = 2.0


@dataclass(frozen=True, eq=False)
class LevelAxis:
    """Positions of levels, and how to say a position in the levels' unit.

    Attributes
    ----------
    x : ndarray, shape (levels,)
        Positions; infinity for the intact image. Logarithmic: log10 of the level. Linear: from 0 (lowest) to 2 (highest).
    log : bool
        Whether the axis is logarithmic.
    unit : str
        ``%`` for the per cent of the features; empty where levels are bare numbers.
    low, step : float
        On a linear axis the level is ``low + step * x``.
    """

    x: Floats
    log: bool
    unit: str
    low: float = 0.0
    step: float = 1.0

    def value(self, x: ArrayLike) -> Floats:
        """Positions in the levels' unit."""
        at = np.asarray(x, dtype=float)
        return np.asarray(10**at if self.log else self.low + self.step * at)

    @property
    def name(self) -> str:
        """What the axis shows, as ``log10 percent`` or ``level (dB)``."""
        unit = "percent" if self.unit == "%" else self.unit or "level"
        return f"log10 {unit}" if self.log else f"level ({unit})" if self.unit else "level"

    def text(self, x: float) -> str:
        """A position with its unit.

        Examples
        --------
        >>> LevelAxis(np.array([0.0, 1.0]), True, "%").text(1.0), LevelAxis(np.array([0.0, 2.0]), False, "dB", -20.0, 5.0).text(1.0)
        ('10 %', '-15 dB')
        """
        return f"{float(self.value(x)):.3g} {self.unit}".rstrip()


def level_axis(levels: Sequence[Level], scale: AxisScale = "auto") -> LevelAxis:
    """Place levels on an axis.

    Parameters
    ----------
    levels : sequence of Level
        In order; the intact image has no place among them.
    scale : {"auto", "log", "linear"}
        ``auto``: logarithmic, unless the unit is a logarithm or an angle (dB, degrees), or a level is not above 0.

    Returns
    -------
    LevelAxis
        Of the per cent of the features, else of the numbers in the labels.

    Raises
    ------
    InputError
        When a label has no number, labels have several units, or a level is not above 0 on a logarithmic axis.

    Examples
    --------
    >>> named = [Level(i, label, float("nan"), float("nan")) for i, label in enumerate(["-20 dB", "-10 dB", "0 dB"])]
    >>> level_axis(named).x, level_axis(named).log
    (array([0., 1., 2.]), False)
    """
    if scale not in SCALES:
        raise InputError(f'axis: got "{scale}". {did_you_mean(scale, SCALES)}')
    shown = [level for level in levels if not level.full]
    values, unit = _values(shown)
    log = scale == "log" or (scale == "auto" and unit.lower() not in _LINEAR_UNITS and bool((values > 0).all()))
    if log and (values <= 0).any():
        lowest = shown[int(np.argmin(values))].label
        raise InputError(
            f'axis: level "{lowest}" is not above 0 and has no place on a logarithmic axis; use axis linear'
        )
    x = np.full(len(levels), np.inf)
    places = [place for place, level in enumerate(levels) if not level.full]
    if log or len(values) == 0:
        x[places] = np.log10(values)
        return LevelAxis(x, True, unit)
    low, span = float(values.min()), float(np.ptp(values))
    step = span / _SPAN if span > 0 else 1.0
    x[places] = (values - low) / step
    return LevelAxis(x, False, unit, low, step)


def _values(shown: Sequence[Level]) -> tuple[Floats, str]:
    percent = np.array([level.percent for level in shown], dtype=float)
    if not np.isnan(percent).any():
        return percent, "%"
    numbers, units = [], set()
    for level in shown:
        found = _NUMBER.fullmatch(level.label)
        if found is None:
            raise InputError(
                "curve: levels have no per cent of the features and no number, and a psychometric function needs an axis "
                f'(the first is "{level.label}")'
            )
        numbers.append(float(found[1]))
        units.add(found[2])
    if len(units) > 1:
        raise InputError(f"curve: levels have several units ({', '.join(sorted(units))}); an axis has one")
    return np.array(numbers), units.pop()
