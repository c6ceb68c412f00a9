"""How large a text is on paper, and how it is broken into lines that fit."""

from functools import lru_cache
from typing import Any

from matplotlib.font_manager import FontProperties, font_scalings
from matplotlib.textpath import TextPath

#: Height of a line over the size of its letters.
LINE = 1.35
_POINTS_PER_INCH = 72


def points_of(size: Any) -> float:
    """A font size in points; a word such as ``medium`` is relative to the size in force.

    Examples
    --------
    >>> points_of(7), points_of("medium") > 0
    (7.0, True)
    """
    from matplotlib import rcParams

    if isinstance(size, str):
        return float(font_scalings[size] * rcParams["font.size"])
    return float(size)


def text_size(text: str, points: float) -> tuple[float, float]:
    """Width and height in inches of one line in the font in force, whatever draws it.

    Examples
    --------
    >>> text_size("mm", 8)[0] > text_size("ii", 8)[0]
    True
    """
    from matplotlib import rcParams

    return _size(text, points, str(rcParams["font.family"][0]))


@lru_cache(maxsize=2048)
def _size(text: str, points: float, family: str) -> tuple[float, float]:
    if not text.strip():
        return 0.0, 0.0
    box = TextPath((0, 0), text, size=points, prop=FontProperties(family=[family])).get_extents()
    return float(box.x1) / _POINTS_PER_INCH, points * LINE / _POINTS_PER_INCH


def lines_of(text: str, points: float, width_in: float) -> list[str]:
    """Break a text at blanks into lines no wider than `width_in`; a word that is wider stays whole.

    Examples
    --------
    >>> lines_of("one two three", 8, 0.5)
    ['one two', 'three']
    """
    lines: list[str] = []
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_size(longer, points)[0] <= width_in:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines
