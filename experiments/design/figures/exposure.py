"""A figure of the balance: how often each image comes in each cell, and the range of every count."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rapidvision.system import files
from rapidvision.system.figures import figure_bytes, figure_style, new_figure

from ..balance import Balance, largest

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_STYLE: dict[str, Any] = {"font.size": 7, "axes.spines.top": False, "axes.spines.right": False, "axes.linewidth": 0.5}
_DPI = 150
#: More images or cells than this are drawn without their names.
_MOST_NAMES = 120
_MOST_CELLS = 40


def draw_balance(balances: Sequence[Balance]) -> "Figure":
    """Return the figure: for each group images down and cells across, below the range of each count.

    Parameters
    ----------
    balances : sequence of Balance
        At least one.
    """
    n_images, n_cells = len(balances[0].exposure), len(balances[0].cells)
    n_counts = len(balances[0].counts)
    named = n_images <= _MOST_NAMES
    tall = min(12.0, 0.11 * n_images) if named else 6.0
    wide = 1.4 + min(6.0, max(1.2, 0.2 * n_cells))
    low = 0.5 + 0.17 * n_counts
    figure = new_figure(wide * len(balances) + 1.0, tall + low + 2.0, layout="constrained")
    parts: Any = figure.subfigures(2, 1, height_ratios=[tall + 1.2, low + 0.8])
    upper, lower = parts
    axes = np.atleast_1d(upper.subplots(1, len(balances), sharey=True))
    most = max(1, largest(balances))
    for axis, balance in zip(axes, balances, strict=True):
        counts = np.array(list(balance.exposure.values()))
        image = axis.imshow(counts, aspect="auto", cmap="Blues", vmin=0, vmax=most, interpolation="nearest")
        fewest, highest = int(counts.min()), int(counts.max())
        range_ = f"{fewest}" if fewest == highest else f"{fewest} to {highest}"
        axis.set_title(f"{balance.group}, {balance.n_slots} slots:\n{range_} presentations in each cell", fontsize=7)
        axis.set_xlabel(" x ".join(balance.factors) or "")
        if n_cells <= _MOST_CELLS:
            axis.set_xticks(range(n_cells), balance.cell_labels, rotation=90, fontsize=5)
        if named:
            axis.set_yticks(range(n_images), list(balance.exposure), fontsize=4)
        else:
            axis.set_ylabel(f"{n_images} images")
    bar = upper.colorbar(image, ax=list(axes), shrink=0.5)
    bar.set_label("presentations")
    bar.locator = _whole_numbers()
    bar.update_ticks()
    _draw_ranges(lower.subplots(1, 1), balances)
    return figure


def _draw_ranges(axis: "Axes", balances: Sequence[Balance]) -> None:
    names = [count.what for count in balances[0].counts]
    for k, balance in enumerate(balances):
        shift = 0.6 * (k + 0.5) / len(balances) - 0.3
        rows = np.arange(len(balance.counts)) + shift
        low = np.array([count.fewest for count in balance.counts])
        high = np.array([count.most for count in balance.counts])
        axis.hlines(rows, low, high, color=f"C{k}", linewidth=2)
        axis.plot([count.mean for count in balance.counts], rows, "o", color=f"C{k}", markersize=3, label=balance.group)
    axis.set_yticks(range(len(names)), names)
    axis.invert_yaxis()
    axis.set_xlim(left=0)
    axis.set_xlabel("fewest to most, and mean")
    if len(balances) > 1:
        axis.legend(frameon=False, loc="best")


def _whole_numbers() -> Any:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(integer=True)


def write_balance(balances: Sequence[Balance], path: Path | str) -> None:
    """Write the figure; the ending of `path` (``.svg``, ``.png``, ``.pdf``) is its format."""
    with figure_style(_STYLE):
        files.write_bytes(path, figure_bytes(draw_balance(balances), Path(path).suffix[1:].lower(), dpi=_DPI))
