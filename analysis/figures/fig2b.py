"""Fig. 2B: the groups' values over the levels, for print: nothing is printed over anything else."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.system.figures import figure_style, new_figure

from ..models.curves import NetworkCurve
from .annotations import (
    CEILING_ROW_IN,
    draw_ceilings,
    draw_footer,
    draw_insets,
    draw_legend,
    draw_stars,
    footer_height,
    footer_lines,
    group_label,
    legend_entries,
    legend_layout,
    star_row_in,
)
from .fig2b_data import Fig2bData
from .level_axis import LevelAxis, level_axis, level_axis_label, level_ticks
from .measures import half_width
from .style import DASHES, MARKERS, RC, Drawing, draw_chance, per_cent_axis, width_in
from .texts import LINE, lines_of, points_of

Floats = NDArray[np.float64]
#: Width of the figure without a choice, mm.
USUAL_MM = 142.0
_LEAST_HEIGHT_IN = 1.7
#: Share of the width that the axes of the intact image take.
_FULL_SHARE = 0.095
_EDGE_IN = 0.08


def draw_fig2b(data: Fig2bData, *, ax: Axes | None = None, width: str | float = USUAL_MM) -> Drawing:
    """Draw Fig. 2B: broken before "full", with stars, chance, ceilings, insets, networks.

    Parameters
    ----------
    data : Fig2bData
        What to draw.
    ax : matplotlib.axes.Axes, optional
        Where to draw, with the style that is in force; the intact image gets a narrow axes at its right. Without it,
        a new figure in the suite's own style.
    width : {"single", "double"} or float
        Of a new figure: one column, two columns, or mm.

    Returns
    -------
    Drawing
        The figure that was drawn into.
    """
    if ax is None:
        with figure_style(RC):
            return Drawing("fig2b", _own_figure(data, width_in(width)))
    from mpl_toolkits.axes_grid1 import make_axes_locatable

    if data.insets:
        raise InputError("fig2b: insets need a figure of their own; leave out stimulus_set where ax is given")
    figure = ax.figure if isinstance(ax.figure, Figure) else ax.figure.figure
    full = make_axes_locatable(ax).append_axes("right", size="10.5%", pad=0.06, sharey=ax)
    box = ax.get_window_extent()
    size = (box.width / figure.dpi, box.height / figure.dpi)
    _draw(ax, full, data, level_axis(data.levels, data.scale), size)
    ax.set_ylabel(data.y_label or data.measure.label)
    ax.set_xlabel(level_axis_label(data.levels, data.x_label))
    ax.legend(*legend_entries(data), loc="best")
    return Drawing("fig2b", figure)


def _own_figure(data: Fig2bData, wide: float) -> Figure:
    """A figure whose height follows from what stands around its axes."""
    axis = level_axis(data.levels, data.scale)
    inset = max(0.7, 0.15 * wide) if data.insets else 0.0
    right = wide - _EDGE_IN - (inset + 0.1 if inset else 0.0)
    label_pt = points_of(RC["axes.labelsize"])
    line = label_pt * LINE / 72
    high = max(_LEAST_HEIGHT_IN, 0.66 * (right - 0.5)) + star_row_in(data) * max(len(data.marks) - 1, 0)
    y_lines = lines_of(data.y_label or data.measure.label, label_pt, high)
    left = 0.40 + line * len(y_lines)
    figure = new_figure(wide, 10.0)
    main, full = _panels(figure, axis, left=left, right=right, wide=wide)
    size = (_main_width(axis, right - left), high)
    ticks = _draw(main, full, data, axis, size)
    x_lines = lines_of(level_axis_label(data.levels, data.x_label), label_pt, size[0])
    foot = footer_lines(data, right - _EDGE_IN)
    below = 0.10 + ticks + 0.05 + line * len(x_lines) + 0.05 + footer_height(foot) + 0.03
    legend = legend_layout(data, right - left)
    total = below + high + 0.08 + legend.height_in + _EDGE_IN
    figure.set_size_inches(wide, total)
    for axes, (start, end) in zip((main, full), _spans(axis, left, right), strict=True):
        axes.set_position((start / wide, below / total, (end - start) / wide, high / total))
    draw_legend(figure, legend, left_in=left, top_in=total - _EDGE_IN / 2)
    middle = (left + size[0] / 2) / wide
    for number, text in enumerate(x_lines):
        at = below - 0.10 - ticks - 0.05 - line * (number + 0.75)
        figure.text(middle, at / total, text, fontsize=label_pt, ha="center", va="baseline")
    main.set_ylabel("\n".join(y_lines))
    main.yaxis.set_label_coords(-(left - 0.03) / size[0], 0.5)
    main.yaxis.label.set_verticalalignment("top")
    draw_footer(figure, foot, left_in=_EDGE_IN, bottom_in=0.03)
    if data.insets:
        draw_insets(figure, data, left_in=right + 0.1, width_in=inset, top_in=total - _EDGE_IN)
    return figure


def _spans(axis: LevelAxis, left: float, right: float) -> tuple[tuple[float, float], tuple[float, float]]:
    """Left and right edge in inches of the axes of levels, and of that of the intact image."""
    middle = left + _main_width(axis, right - left)
    return (left, middle), (middle + 0.05 if axis.full is not None else middle - 0.01, right)


def _main_width(axis: LevelAxis, width: float) -> float:
    return width if axis.full is None else width * (1 - _FULL_SHARE) - 0.05


def _panels(figure: Figure, axis: LevelAxis, *, left: float, right: float, wide: float) -> tuple[Axes, Axes]:
    (start, end), (full_start, full_end) = _spans(axis, left, right)
    main = figure.add_axes((start / wide, 0.2, (end - start) / wide, 0.7))
    return main, figure.add_axes((full_start / wide, 0.2, (full_end - full_start) / wide, 0.7), sharey=main)


def _draw(main: Axes, full: Axes, data: Fig2bData, axis: LevelAxis, size: tuple[float, float]) -> float:
    """Draw into axes of a size in inches, and return the height of the labels of the levels."""
    _x_limits(main, axis)
    for number in range(len(data.groups)):
        _draw_group(main, full, data, axis, number)
    for network in data.networks:
        _draw_network(main, full, data, axis, network)
    _y_axis(main, data, size[1])
    if data.shows_chance:
        for axes in (main, full):
            draw_chance(axes, data.chance)
    draw_stars(main, full, data, axis, size_in=size)
    draw_ceilings(main, data, axis, height_in=size[1])
    ticks = level_ticks(main, axis, data.levels, width_in=size[0])
    full.set_visible(axis.full is not None)
    full.spines["left"].set_visible(False)
    full.tick_params(left=False, labelleft=False)
    full.set_xlim(-0.6, 0.6)
    full.set_xticks([0], ["full"])
    if axis.full is not None:
        for axes, at in ((main, 1), (full, 0)):
            axes.plot([at], [0], marker=[(-1, -2), (1, 2)], ms=6, color="k", mec="k", mew=0.8,
                      transform=axes.transAxes, clip_on=False, ls="none", zorder=5)  # fmt: skip
    return ticks


def _x_limits(main: Axes, axis: LevelAxis) -> None:
    x = axis.x[axis.places]
    step = 0.5 * float(np.median(np.diff(x))) if len(x) > 1 else 0.5
    main.set_xlim(x.min() - step, x.max() + step)


def _draw_group(main: Axes, full: Axes, data: Fig2bData, axis: LevelAxis, number: int) -> None:
    """Curve, bars or band, and participants of one group; bars of several groups stand side by side."""
    curve, colour, n_groups = data.curves[number], data.colour(data.groups[number]), len(data.groups)
    half = half_width(curve, data.error)
    low, high = main.get_xlim()
    step = min(0.008 * (high - low), 0.15 * (high - low) / max(len(axis.places), 1) / n_groups)
    aside = number - (n_groups - 1) / 2
    x = axis.x[axis.places] + (0 if data.band else step * aside)
    style: dict[str, Any] = {"color": colour, "marker": MARKERS[number % 6], "ms": 4, "zorder": 3}
    mean, bars = curve.mean[axis.places], half[axis.places]
    main.plot(x, mean, lw=1.6, label=group_label(data, number), **style)
    drawn = data.error != "none"
    if drawn and data.band:
        main.fill_between(x, mean - bars, mean + bars, color=colour, alpha=0.2, lw=0, zorder=1)
    elif drawn:
        main.errorbar(x, mean, bars, ls="none", color=colour, elinewidth=1.0, capsize=0, zorder=3)
    if axis.full is not None:
        at = 0.22 * aside
        full.plot([at], [curve.mean[axis.full]], **style)
        if drawn:
            full.errorbar([at], [curve.mean[axis.full]], [half[axis.full]], ls="none", color=colour, elinewidth=1.0)
    if data.points:
        values = data.points[number]
        _draw_points(main, axis.x[axis.places], values[:, axis.places], colour, step * 2.5, aside)
        if axis.full is not None:
            _draw_points(full, np.array([0.0]), values[:, [axis.full]], colour, 0.2, aside)


def _draw_points(axes: Axes, x: Floats, values: Floats, colour: str, step: float, aside: float) -> None:
    """Participants as small points beside their group's marker, spread by their place among those of equal value."""
    spread = (np.arange(len(values)) * 0.6180339887 % 1 - 0.5)[:, None] * step  # evenly, whatever their number
    places = np.broadcast_to(x + step * aside * 1.6 + spread, values.shape)
    axes.plot(places.ravel(), values.ravel(), marker=".", ms=2.2, mew=0, ls="none", color=colour, alpha=0.35, zorder=1,
              rasterized=values.size > 5_000)  # fmt: skip


def _draw_network(main: Axes, full: Axes, data: Fig2bData, axis: LevelAxis, network: NetworkCurve) -> None:
    """A broken curve: the dash is the network's, colour and open marker are its group's."""
    colour = data.colour(network.group)
    dash = DASHES[data.models.index(network.model) % len(DASHES)]
    marker = MARKERS[data.groups.index(network.group) % 6] if network.group in data.groups else "x"
    style: dict[str, Any] = {"color": colour, "ls": dash, "lw": 1.0, "alpha": 0.9, "zorder": 2}
    main.plot(axis.x[axis.places], network.mean[axis.places], marker=marker, ms=3, mfc="white", mew=0.7, **style)
    if len(data.models) == 1 and np.isfinite(network.low).any():
        main.fill_between(axis.x[axis.places], network.low[axis.places], network.high[axis.places], color=colour,
                          alpha=0.12, lw=0, zorder=1)  # fmt: skip
    if axis.full is not None:
        full.plot([-0.45, 0.45], [network.mean[axis.full]] * 2, **style)


def _y_axis(main: Axes, data: Fig2bData, height_in: float) -> None:
    """Limits that leave a row for the stars above all curves, and one per ceiling below."""
    halves = [np.nan_to_num(half_width(curve, data.error)) for curve in data.curves]
    low = [np.nanmin(curve.mean - half) for curve, half in zip(data.curves, halves, strict=True)]
    high = [np.nanmax(curve.mean + half) for curve, half in zip(data.curves, halves, strict=True)]
    low += [np.nanmin(values) for values in data.points] + [np.nanmin(one.mean) for one in data.networks]
    high += [np.nanmax(values) for values in data.points] + [np.nanmax(one.mean) for one in data.networks]
    bottom, top = float(min(low)), float(max(high))
    if data.measure.is_share:
        per_cent_axis(main)
    if data.measure.is_accuracy:
        below = 0.4 if data.chance is None else max(data.chance - 0.1, 0.0)
        bottom, top = min(below, max(np.floor(bottom * 10) / 10, 0.0)), max(1.015, top)
    else:
        extra = 0.05 * max(top - bottom, 1e-3)
        bottom, top = (0.0 if data.measure.is_share else bottom - extra), top + extra
    stars_in = star_row_in(data) * len(data.marks) or 0.02
    marks_in = CEILING_ROW_IN * len(data.ceilings)
    per_inch = (top - bottom) / max(height_in - stars_in - marks_in, 0.3)
    main.set_ylim(bottom - marks_in * per_inch, top + stars_in * per_inch)
    if data.measure.is_accuracy:
        step = 1 if top - bottom < 0.75 or height_in > 3 else 2  # tenths
        main.set_yticks([tenth / 10 for tenth in range(10, -1, -step) if tenth / 10 >= bottom - 1e-9])
    if data.measure.is_share:
        main.spines["left"].set_bounds(main.get_ylim()[0], top)
