"""Columns of fractions as whole numbers, so that sums are exact in any order and equal sums are equal.

A share such as 3/10 has no finite binary form, and sums of such numbers differ in their last digits. So a column is
multiplied by the common denominator of its values. Values that come as floating-point numbers are read as the nearest
fraction with a denominator up to 10,000, if it lies within rounding of the value. Only where a column has no common
denominator that leaves its sums exact does a fine grid stand in, and then sums that are nearly equal count as equal.
"""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .resampling import TIE

Floats = NDArray[np.float64]

#: Denominators up to this are looked for behind a floating-point number.
MOST_DENOMINATOR = 10_000
#: A fraction stands for a value when it lies within this share of the largest value. By chance, a number has a fraction
#: with such a denominator within 1e-8 of it, so a match within 1e-12 is none by chance.
_ROUNDING = 1e-12
#: Sums up to this are exact in float64, with a bit to spare.
MOST_EXACT = 2**52
#: A common denominator above this is not looked for: nothing could be counted with it.
_MOST_COMMON = 2**256
#: Sums on the grid that stands in reach up to this.
_GRID = 2**51


class Wholes(NamedTuple):
    """A column as whole numbers.

    Attributes
    ----------
    numbers : list of int
        Proportional to the column's values where `slack` is 0, rounded to a grid otherwise.
    slack : int
        Sums that differ by no more are equal; 0 where the whole numbers are the values themselves.
    """

    numbers: list[int]
    slack: int

    @property
    def exact(self) -> bool:
        """Whether the whole numbers are the values themselves, up to one factor."""
        return self.slack == 0


def fraction_of(value: float, *, scale: float) -> Fraction | None:
    """The fraction that a floating-point number stands for, or None.

    Parameters
    ----------
    value : float
        Finite.
    scale : float
        Largest absolute value of its column, which says how large rounding is.

    Examples
    --------
    >>> fraction_of(0.3 - 0.2, scale=1.0), fraction_of(2 ** 0.5, scale=1.0)
    (Fraction(1, 10), None)
    """
    found = Fraction(value).limit_denominator(MOST_DENOMINATOR)
    return found if abs(float(found) - value) <= _ROUNDING * scale else None


def fractions_of(values: Floats) -> list[Fraction] | None:
    """The fractions behind floating-point numbers; None when one of them stands for none."""
    scale = float(np.abs(values).max(initial=0.0))
    known: dict[float, Fraction] = {}
    for value in values.tolist():
        if value not in known:
            found = fraction_of(value, scale=scale)
            if found is None:
                return None
            known[value] = found
    return [known[value] for value in values.tolist()]


def whole_numbers(fractions: Sequence[Fraction]) -> list[int] | None:
    """Multiply by the common denominator and divide by the common divisor; None where that denominator is beyond use.

    Examples
    --------
    >>> whole_numbers([Fraction(1, 3), Fraction(-1, 2), Fraction(0)])
    [2, -3, 0]
    """
    common = 1
    for below in {one.denominator for one in fractions}:
        common = math.lcm(common, below)
        if common > _MOST_COMMON:
            return None
    values = [one.numerator * (common // one.denominator) for one in fractions]
    divisor = math.gcd(*values) or 1
    return [value // divisor for value in values]


def gridded(values: Sequence[float]) -> Wholes:
    """Round to a grid so fine that sums reach 2**51, and say which sums count as equal.

    Examples
    --------
    >>> one = gridded([math.pi, math.pi, -2 * math.pi])
    >>> abs(sum(one.numbers)) <= one.slack
    True
    """
    total = math.fsum(abs(value) for value in values)
    if total == 0:
        return Wholes([0] * len(values), 0)
    factor = 2.0 ** (math.floor(math.log2(_GRID)) - math.ceil(math.log2(total)))
    return Wholes([round(value * factor) for value in values], math.ceil(TIE * total * factor) + len(values))


def wholes_of(values: Floats, denominators: NDArray[np.int64] | None = None, *, null: float = 0.0) -> Wholes:
    """One column, less a null value, as whole numbers.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Finite; numerators where `denominators` are given.
    denominators : ndarray of int, shape (n,), optional
        Above 0.
    null : float
        Subtracted from each value.

    Returns
    -------
    Wholes
        Exact where the values and the null value are fractions; their size is not limited.

    Examples
    --------
    >>> wholes_of(np.array([0.1, 0.25, -0.05]), null=-0.05).numbers
    [1, 2, 0]
    """
    shift = fraction_of(null, scale=abs(null) or 1.0)
    if shift is not None:
        # many of ten thousand participants have equal values, and arithmetic of fractions is slow
        cells = values[:, None] if denominators is None else np.stack([values, denominators], axis=1)
        distinct, places = np.unique(cells, axis=0, return_inverse=True)
        found = _as_given(distinct[:, 0], None if denominators is None else distinct[:, 1])
        whole = None if found is None else whole_numbers([one - shift for one in found])
        if whole is not None:
            return Wholes([whole[place] for place in places.ravel().tolist()], 0)
    plain = values if denominators is None else values / denominators
    return gridded((plain - null).tolist())


def _as_given(values: Floats, denominators: NDArray[np.int64] | None) -> list[Fraction] | None:
    if denominators is not None:
        pairs = zip(values.tolist(), denominators.tolist(), strict=True)
        return [Fraction(int(above), int(below)) for above, below in pairs]
    if np.array_equal(values, np.rint(values)):
        return [Fraction(int(value)) for value in values.tolist()]
    return fractions_of(values)
