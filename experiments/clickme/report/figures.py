"""The report's figures: Fig. 5, bubbles per round, success, and the gallery of Figs. 1, 2A and 6."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rapidvision.system import files
from rapidvision.system.figures import figure_bytes, figure_style, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Okabe & Ito's colours, which colour-blind readers tell apart; the paper outlines animals blue, the rest red.
BLUE, RED, GREY = "#0072B2", "#D55E00", "#666666"
_SUFFIXES = ("png", "pdf")


@figure_style()
def histogram(out: Path, name: str, counts: Mapping[int, int], *, label: str, what: str) -> None:
    """Draw how often each whole number occurs (Fig. 5: images by number of players)."""
    from matplotlib.ticker import MaxNLocator

    figure = new_figure(4.2, 3, layout="constrained")
    axes = figure.add_subplot()
    axes.bar(list(counts), list(counts.values()), color=BLUE, width=0.85)
    axes.set(xlabel=label, ylabel=what, xlim=(0, max(counts, default=0) + 1))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    _bare(axes)
    _save(figure, out, name)


@figure_style()
def bubbles(out: Path, name: str, solved: Sequence[int], unsolved: Sequence[int], *, most: int) -> None:
    """Draw the distribution of bubbles per round, solved and not."""
    figure = new_figure(4.2, 3, layout="constrained")
    axes = figure.add_subplot()
    edges = [float(edge) for edge in range(0, most + 11, 10)]
    axes.hist([list(solved), list(unsolved)], edges, stacked=True, color=[BLUE, GREY], label=["recognised", "not"])
    axes.set(xlabel="Bubbles in a round", ylabel="Rounds")
    axes.legend(frameon=False)
    _bare(axes)
    _save(figure, out, name)


@figure_style()
def gallery(
    out: Path,
    name: str,
    panels: Sequence[tuple[str, NDArray[np.uint8], NDArray[np.floating], str]],
    *,
    n_columns: int = 6,
) -> None:
    """Draw images whose opacity is the share of players who painted there.

    Parameters
    ----------
    out, name : Path, str
        Folder and name without suffix.
    panels : sequence of (title, image, share, colour)
        Image uint8 (height, width, 3), share 0 … 1 (height, width), colour of the outline.
    n_columns : int
        Panels per row.
    """
    n_rows = -(-len(panels) // n_columns)
    figure = new_figure(1.5 * n_columns, 1.72 * n_rows, layout="constrained")
    for place, (title, image, share, colour) in enumerate(panels, start=1):
        axes = figure.add_subplot(n_rows, n_columns, place)
        opacity = np.rint(255 * np.clip(share, 0, 1)).astype(np.uint8)
        axes.imshow(np.dstack([image, opacity]), interpolation="none")
        axes.set_title(title, fontsize=8)
        axes.set(xticks=[], yticks=[])
        for spine in axes.spines.values():
            spine.set(edgecolor=colour, linewidth=1.5)
    _save(figure, out, name)


def _bare(axes: object) -> None:
    axes.spines[["top", "right"]].set_visible(False)  # type: ignore[attr-defined]


def _save(figure: "Figure", out: Path, name: str) -> None:
    for suffix in _SUFFIXES:
        files.write_bytes(out / f"{name}.{suffix}", figure_bytes(figure, suffix, dpi=160))
