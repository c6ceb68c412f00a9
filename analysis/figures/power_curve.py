"""Power against the number of participants, from a pilot, with its Monte-Carlo band."""

import pandas as pd

from rapidvision.system.figures import figure_style, new_figure

from .style import COLOURS, GREY, RC, Drawing, per_cent_axis


def draw_pilot_power(table: pd.DataFrame, what: str) -> Drawing:
    """One curve over the participants of both conditions; the band is what the number of experiments leaves open."""
    with figure_style(RC):
        figure = new_figure(4.2, 3.0)
        figure.subplots_adjust(left=0.13, right=0.98, bottom=0.2, top=0.91)
        axes = figure.add_subplot()
        rows = table.sort_values(["n_first", "n_second"])
        equal = (rows["n_first"] == rows["n_second"]).all()
        x = rows["n_first"] if equal else rows["n_first"] + rows["n_second"]
        axes.fill_between(x, rows["low"], rows["high"], color=COLOURS[0], alpha=0.2, lw=0)
        axes.plot(x, rows["power"], color=COLOURS[0], marker="o", ms=3.5, lw=1.4)
        axes.axhline(0.8, color=GREY, lw=0.7, ls=(0, (1, 2)))
        axes.set_ylim(0, 1.02)
        per_cent_axis(axes)
        names = [f"{a}" if equal else f"{a} + {b}" for a, b in zip(rows["n_first"], rows["n_second"], strict=True)]
        axes.set_xticks(list(x), names)
        axes.set_xlabel("Participants per condition" if equal else "Participants of the first + second condition")
        axes.set_ylabel("Significant experiments")
        axes.set_title(what, fontsize=7)
        return Drawing("pilot_power", figure)
