"""A figure of the times between flips, as a screen was measured."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from rapidvision.system.figures import figure_bytes, figure_style, new_figure

from ...engine.refresh import Refresh

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_intervals(stamps_s: Sequence[float], refresh: Refresh) -> "Figure":
    """Return the figure of the times between flips: one bar per flip, one and two refresh periods as lines."""
    intervals = np.diff(np.asarray(stamps_s)) * 1000
    period = 1000 / refresh.hz
    figure = new_figure(7.6, 2.4, layout="constrained")
    axis = figure.subplots()
    colours = np.where(intervals > 1.5 * period, "firebrick", "steelblue")
    axis.bar(np.arange(1, len(intervals) + 1), intervals, width=0.8, color=colours)
    for n in (1, 2):
        axis.axhline(n * period, color="grey", linewidth=0.5)
    axis.set_yticks([0, period, 2 * period], ["0", f"{period:.2f} ms", f"{2 * period:.2f} ms"])
    axis.set_xlabel(f"time between flips, {len(intervals)} in a row")
    axis.set_title(f"{refresh.hz:.3f} Hz, {refresh.missed} missed of {refresh.n}, jitter {refresh.jitter_ms:.3f} ms")
    return figure


def intervals_svg(stamps_s: Sequence[float], refresh: Refresh) -> bytes:
    """Return the figure of the times between flips as SVG."""
    with figure_style({"font.size": 8}):
        return figure_bytes(draw_intervals(stamps_s, refresh), "svg", dpi=100)
