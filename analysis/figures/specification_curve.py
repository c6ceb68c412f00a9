"""The specification curve: effects of all analyses in order, and below each the choices that made it."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from rapidvision.system.figures import figure_style, new_figure

from .style import COLOURS, GREY, RC, Drawing
from .texts import points_of, text_size


def draw_specifications(table: pd.DataFrame, choices: Sequence[str], groups: tuple[str, str]) -> Drawing:
    """Draw a multiverse.

    Parameters
    ----------
    table : DataFrame
        One row per analysis, the one reported first: the choices, `effect`, `same_answer`, `same_everywhere`.
    choices : sequence of str
        Columns that say what was chosen.
    groups : (str, str)
        First minus second.

    Returns
    -------
    Drawing
        Effects above; below, a dot for the value of each choice. The analysis reported is ringed.
    """
    order = np.argsort(table["effect"].to_numpy(), kind="stable")
    x = np.arange(len(order))
    rows = [(name, value) for name in choices for value in dict.fromkeys(table[name])]
    with figure_style(RC):
        size = points_of(RC["ytick.labelsize"])
        labels = [f"{name}: {value.replace('_', ' ')}" for name, value in rows]
        left = max(text_size(label, size)[0] for label in labels) + 0.2
        width, above, line = 6.6, 1.9, 0.145
        below = line * len(rows) + 0.1
        height = above + below + 0.75
        figure = new_figure(width, height)
        span = (width - left - 0.1) / width
        top = figure.add_axes((left / width, (below + 0.45) / height, span, above / height))
        dots = figure.add_axes((left / width, 0.15 / height, span, below / height), sharex=top)
        effect, same, everywhere = (
            table[name].to_numpy()[order] for name in ("effect", "same_answer", "same_everywhere")
        )
        kinds = (
            (everywhere, COLOURS[0], "o", "decides alike at every level"),
            (same & ~everywhere, COLOURS[5], "D", "same answer, other levels"),
            (~same, COLOURS[1], "s", "another answer"),
        )
        for which, colour, marker, label in kinds:
            if which.any():
                top.plot(x[which], effect[which], ls="none", marker=marker, ms=3, color=colour, mew=0,
                         label=f"{label} ({int(which.sum())} of {len(x)})")  # fmt: skip
        first = int(np.flatnonzero(order == 0)[0])
        top.plot([first], [effect[first]], ls="none", marker="o", ms=7, mfc="none", mec="k", mew=0.8, label="reported")
        top.axhline(0, color=GREY, lw=0.7, ls=(0, (3, 2)), zorder=0)
        top.set_ylabel(f"{groups[0]} minus {groups[1]},\nstandard errors (mean of levels)")
        top.tick_params(bottom=False, labelbottom=False)
        top.spines["bottom"].set_visible(False)
        figure.legend(*top.get_legend_handles_labels(), loc="upper left", ncols=2, bbox_to_anchor=(left / width, 1.0),
                      borderaxespad=0.2, handlelength=1.2)  # fmt: skip
        for place, (name, value) in enumerate(rows):
            chosen = (table[name] == value).to_numpy()[order]
            dots.plot(x[chosen], np.full(int(chosen.sum()), place), ls="none", marker="|", ms=5, color="#333333")
        dots.set_yticks(range(len(rows)), labels)
        dots.set_ylim(len(rows) - 0.4, -0.6)
        dots.set_xlim(-1, len(x))
        dots.tick_params(left=False, bottom=False, labelbottom=False)
        dots.spines[["left", "bottom"]].set_visible(False)
        return Drawing("multiverse", figure)
