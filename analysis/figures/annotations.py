"""What stands in and around Fig. 2B: stars, ceilings, legend, footer, insets."""

from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from .fig2b_data import LETTERS, Fig2bData
from .level_axis import LevelAxis
from .style import CHANCE, DASHES, GREY, MARKERS, stars
from .texts import LINE, lines_of, text_size

#: Inches that the row of stars takes.
STAR_ROW_IN = 0.17
#: Inches that it takes among others, with stars that are turned.
TURNED_ROW_IN = 0.19
#: Inches that a group's mark of its ceiling takes.
CEILING_ROW_IN = 0.09
_STAR_PT, _FOOTER_PT, _LEGEND_PT = 7.0, 6.0, 7.0
#: Inches that a legend's handle and the space around it take.
_HANDLE_IN = 0.40
_COLUMN_GAP_IN = 0.14


def draw_stars(main: Axes, full: Axes, data: Fig2bData, axis: LevelAxis, *, size_in: tuple[float, float]) -> None:
    """Rows of stars above all curves, where a corrected p is small; turned where levels lie close."""
    low, high = main.get_xlim()
    rows = [
        [(axis.x[place], stars(row.p[place])) for place in axis.places if stars(row.p[place])] for row in data.marks
    ]
    turned = False
    for found in rows:
        at = np.array([(x - low) / (high - low) * size_in[0] for x, _ in found])
        wide = np.array([text_size(text, _STAR_PT)[0] for _, text in found])
        turned = turned or (len(at) > 1 and bool((np.diff(at) < (wide[1:] + wide[:-1]) / 2 + 0.02).any()))
    style: dict[str, Any] = {"ha": "center", "va": "top", "fontsize": _STAR_PT, "rotation": 90 if turned else 0}
    for number, (row, found) in enumerate(zip(data.marks, rows, strict=True)):
        top = 0.995 - number * star_row_in(data) / size_in[1]
        for x, text in found:
            main.text(x, top, text, transform=main.get_xaxis_transform(), **style)
        if axis.full is not None and stars(row.p[axis.full]):
            full.text(0.0, top, stars(row.p[axis.full]), transform=full.get_xaxis_transform(), **style)
        if len(data.marks) > 1:
            main.text(-0.05 / size_in[0], top, LETTERS[number], transform=main.transAxes, ha="right", va="top",
                      fontsize=_STAR_PT)  # fmt: skip


def star_row_in(data: Fig2bData) -> float:
    """Inches that each row of stars takes: one may hold turned stars, and of several all may."""
    return STAR_ROW_IN if len(data.marks) < 2 else TURNED_ROW_IN


def draw_ceilings(main: Axes, data: Fig2bData, axis: LevelAxis, *, height_in: float) -> None:
    """A triangle above the x axis at the level where each group reaches its ceiling, a row for each group."""
    for number, (group, level) in enumerate(data.ceilings):
        if level is None:
            continue
        at = axis.x[[one.index for one in data.levels].index(level.index)]
        main.plot([at], [(number + 0.5) * CEILING_ROW_IN / height_in], marker="^", ms=4.5, color=data.colour(group),
                  mec="none", ls="none", transform=main.get_xaxis_transform(), clip_on=False, zorder=4)  # fmt: skip


def group_label(data: Fig2bData, number: int) -> str:
    """A group's name in the figure, with its size."""
    return f"{data.label(data.groups[number])} (n = {int(data.curves[number].n.max())})"


def legend_entries(data: Fig2bData) -> tuple[list[Any], list[str]]:
    """Groups with their sizes, networks with their dashes, ceiling and chance."""
    handles: list[Any] = []
    labels: list[str] = []
    for number, group in enumerate(data.groups):
        handles.append(Line2D([], [], color=data.colour(group), marker=MARKERS[number % 6], ms=4, lw=1.6))
        labels.append(group_label(data, number))
    for number, model in enumerate(data.models):
        handles.append(Line2D([], [], color=GREY, ls=DASHES[number % len(DASHES)], lw=1.0))
        labels.append(model)
    if any(level is not None for _, level in data.ceilings):
        handles.append(Line2D([], [], color=GREY, marker="^", ms=4.5, mec="none", ls="none"))
        labels.append("ceiling")
    if data.shows_chance:
        handles.append(Line2D([], [], color=CHANCE, lw=0.8, ls=(0, (3, 2))))
        labels.append(f"chance ({data.chance:.3g})" if not data.measure.is_share else f"chance ({data.chance:.0%})")
    return handles, labels


class LegendLayout(NamedTuple):
    """Entries of a legend in as many columns as fit, and the height that they take."""

    handles: list[Any]
    labels: list[str]
    n_columns: int
    height_in: float


def legend_layout(data: Fig2bData, width_in: float) -> LegendLayout:
    """Arrange the legend in a width."""
    handles, labels = legend_entries(data)
    labels = ["\n".join(lines_of(label, _LEGEND_PT, width_in - _HANDLE_IN)) for label in labels]
    wide = [max(text_size(line, _LEGEND_PT)[0] for line in label.split("\n")) + _HANDLE_IN for label in labels]
    n_columns, n_rows = 1, len(labels)
    for columns in range(min(len(labels), 4), 1, -1):
        rows = -(-len(labels) // columns)  # filled column by column, as Matplotlib does
        needed = [max(wide[start : start + rows]) for start in range(0, len(labels), rows)]
        if sum(needed) + _COLUMN_GAP_IN * (len(needed) - 1) <= width_in:
            n_columns, n_rows = len(needed), rows
            break
    n_lines = n_rows + sum(label.count("\n") for label in labels)
    return LegendLayout(handles, labels, n_columns, n_lines * _LEGEND_PT * LINE / 72 + 0.02)


def draw_legend(figure: Figure, layout: LegendLayout, *, left_in: float, top_in: float) -> None:
    """The legend above the axes."""
    width, height = figure.get_size_inches()
    figure.legend(layout.handles, layout.labels, loc="upper left", ncols=layout.n_columns, fontsize=_LEGEND_PT,
                  bbox_to_anchor=(left_in / width, top_in / height), borderaxespad=0, borderpad=0, labelspacing=0.3,
                  columnspacing=1.2, handletextpad=0.6, handlelength=2.2)  # fmt: skip


def footer_lines(data: Fig2bData, width_in: float) -> list[str]:
    """What the bars are and what the stars mean, in lines that fit."""
    return [line for sentence in data.caption() for line in lines_of(sentence, _FOOTER_PT, width_in)]


def footer_height(lines: list[str]) -> float:
    """Inches that the footer takes."""
    return len(lines) * _FOOTER_PT * LINE / 72


def draw_footer(figure: Figure, lines: list[str], *, left_in: float, bottom_in: float) -> None:
    """The footer at the lower edge."""
    width, height = figure.get_size_inches()
    for number, line in enumerate(reversed(lines)):
        at = bottom_in + (number + 0.25) * _FOOTER_PT * LINE / 72
        figure.text(left_in / width, at / height, line, fontsize=_FOOTER_PT, color=GREY, ha="left", va="baseline")


def draw_insets(figure: Figure, data: Fig2bData, *, left_in: float, width_in: float, top_in: float) -> None:
    """An image per group beside the axes, framed in its colour, its group's name above it."""
    width, height = figure.get_size_inches()
    for group, image in data.insets[:4]:
        colour = data.colour(group)
        title = lines_of(f"{data.label(group)}, 100 %", _LEGEND_PT, width_in)
        top_in -= len(title) * _LEGEND_PT * LINE / 72 + 0.03
        high = width_in * image.shape[0] / image.shape[1]
        top_in -= high
        axes = figure.add_axes((left_in / width, top_in / height, width_in / width, high / height))
        axes.imshow(image, cmap="gray", vmin=0, vmax=255, interpolation="none", aspect="auto")
        axes.set_xticks([])
        axes.set_yticks([])
        for spine in axes.spines.values():
            spine.set_visible(True)
            spine.set_color(colour)
            spine.set_linewidth(1.5)
        axes.set_title("\n".join(title), fontsize=_LEGEND_PT, color=colour, pad=3)
        top_in -= 0.12
