"""Where options stand on the screen, for drawing them and for what a click means; no window is needed here."""

import math
from collections.abc import Sequence
from typing import NamedTuple

#: Side of an option's place and the space between two, in pixels, as in Geirhos et al. (2018); less where it does not fit.
CELL_PX, GAP_PX = 129, 10
#: So many options stand in one row; more in a square, column by column.
MOST_IN_A_ROW = 4
#: Height of a place in the strip below an image, and its least width.
STRIP_PX, NARROWEST_PX = 44, 100
_SHARE_OF_WINDOW = 0.94


class Area(NamedTuple):
    """Place of an option: its centre from the middle of the window, y upwards, and its size; all in pixels."""

    option: str
    x: float
    y: float
    width: float
    height: float

    def contains(self, x: float, y: float) -> bool:
        """Whether a point, from the middle of the window, lies in it."""
        return abs(x - self.x) <= self.width / 2 and abs(y - self.y) <= self.height / 2


def grid(options: Sequence[str], window_px: tuple[int, int]) -> tuple[Area, ...]:
    """Return the places of options on the response screen: a row of up to four, else a square, column by column.

    Examples
    --------
    >>> [(area.option, area.x) for area in grid(["left", "right"], (800, 600))]
    [('left', -69.5), ('right', 69.5)]
    >>> names = [str(n) for n in range(16)]
    >>> [(area.x, area.y) for area in grid(names, (1920, 1080))[:2]]
    [(-208.5, 208.5), (-208.5, 69.5)]
    """
    n = len(options)
    rows = 1 if n <= MOST_IN_A_ROW else math.ceil(math.sqrt(n))
    columns = max(1, math.ceil(n / rows))
    step = min(CELL_PX + GAP_PX, _SHARE_OF_WINDOW * window_px[0] / columns, _SHARE_OF_WINDOW * window_px[1] / rows)
    cell = step * CELL_PX / (CELL_PX + GAP_PX)
    found = []
    for place, option in enumerate(options):
        column, row = divmod(place, rows)
        x, y = (column - (columns - 1) / 2) * step, ((rows - 1) / 2 - row) * step
        found.append(Area(option, x, y, cell, cell))
    return tuple(found)


def strip(options: Sequence[str], window_px: tuple[int, int]) -> tuple[Area, ...]:
    """Return the places of options that stand below an image: rows at the lower edge of the window.

    Examples
    --------
    >>> [(area.option, round(area.x), area.y) for area in strip(["left", "right"], (800, 600))]
    [('left', -70, -278.0), ('right', 70, -278.0)]
    """
    width = _SHARE_OF_WINDOW * window_px[0]
    columns = max(1, min(len(options), int(width // (NARROWEST_PX + GAP_PX))))
    rows = max(1, math.ceil(len(options) / columns))
    columns = max(1, math.ceil(len(options) / rows))
    step = min(CELL_PX + GAP_PX, width / columns)
    found = []
    for place, option in enumerate(options):
        row, column = divmod(place, columns)
        x = (column - (columns - 1) / 2) * step
        y = -window_px[1] / 2 + STRIP_PX / 2 + (rows - 1 - row) * STRIP_PX
        found.append(Area(option, x, y, step - GAP_PX, STRIP_PX - GAP_PX))
    return tuple(found)


def option_at(areas: Sequence[Area], x: float, y: float) -> str | None:
    """Return the option at a point, from the middle of the window; None where there is none."""
    return next((area.option for area in areas if area.contains(x, y)), None)
