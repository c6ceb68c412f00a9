"""Fig. 2B: accuracy of the groups against the percentage of the image revealed by their feature source."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.system.figures import figure_style, new_figure

from ..models.curves import NetworkCurve
from ..table.accuracy import Curve, Level
from .annotations import Fig2bData, draw_ceilings, draw_insets, draw_stars, legend, models_of
from .style import DASHES, GREY, MARKERS, RC, Drawing, draw_chance, level_axis_label, per_cent_axis


def draw_fig2b(data: Fig2bData, *, ax: Axes | None = None) -> Drawing:
    """Draw Fig. 2B: log axis, broken before "full", S.E.M., stars, chance, ceilings, insets, networks.

    Parameters
    ----------
    data : Fig2bData
        What to draw.
    ax : matplotlib.axes.Axes, optional
        Where to draw, with the style that is in force; the intact image gets a narrow axes at its right. Without it,
        a new figure in the suite's own style.

    Returns
    -------
    Drawing
        The figure that was drawn into.
    """
    if ax is None:
        with figure_style(RC):
            figure, main, full = _new_axes(data)
            _draw(main, full, data)
            draw_insets(figure, data)
            return Drawing("fig2b", figure)
    from mpl_toolkits.axes_grid1 import make_axes_locatable

    if data.insets:
        raise InputError("fig2b: insets need a figure of their own; leave out stimulus_set where ax is given")
    _draw(ax, make_axes_locatable(ax).append_axes("right", size="10.5%", pad=0.06, sharey=ax), data)
    figure = ax.figure if isinstance(ax.figure, Figure) else ax.figure.figure
    return Drawing("fig2b", figure)


def _new_axes(data: Fig2bData) -> tuple[Figure, Axes, Axes]:
    figure = new_figure(5.6 if not data.insets else 6.6, 4.1)
    right = 0.985 if not data.insets else 0.81
    grid = figure.add_gridspec(
        1, 2, width_ratios=(11, 1.15), wspace=0.05, left=0.105, right=right, bottom=0.19, top=0.965
    )
    main = figure.add_subplot(grid[0])
    return figure, main, figure.add_subplot(grid[1], sharey=main)


def _draw(main: Axes, full: Axes, data: Fig2bData) -> None:
    models = models_of(data)
    x, places, full_place = _positions(data.levels)
    for number, curve in enumerate(data.curves):
        _draw_group(main, full, x, curve, full_place, data=data, number=number)
    for network in data.networks:
        _draw_network(
            main,
            full,
            x,
            network,
            full_place,
            colour=data.colour(network.group),
            dash=DASHES[models.index(network.model) % 5],
            band=len(models) == 1,
        )
    _axes(main, full, data, x, places, full_place)
    draw_stars(main, full, data, x, full_place)
    draw_ceilings(main, data, x)
    legend(main, data, models)


def _positions(levels: tuple[Level, ...]) -> tuple[NDArray[np.float64], list[int], int | None]:
    """Return x of every level (log10 per cent, else its number), those on the axis, and full's place."""
    places = [place for place, level in enumerate(levels) if not level.full]
    full = next((place for place, level in enumerate(levels) if level.full), None)
    percent = np.array([level.percent for level in levels])
    known = np.isfinite(percent[places]).all() if places else False
    x = np.log10(np.where(np.isfinite(percent), percent, 1.0)) if known else np.arange(len(levels), dtype=float)
    return x, places, full


def _draw_group(
    main: Axes,
    full: Axes,
    x: NDArray[np.float64],
    curve: Curve,
    full_place: int | None,
    *,
    data: Fig2bData,
    number: int,
) -> None:
    group, n_groups = data.groups[number], len(data.groups)
    style: dict[str, Any] = {
        "color": data.colour(group),
        "marker": MARKERS[number % 6],
        "ms": 4,
        "lw": 1.6,
        "elinewidth": 1.0,
        "capsize": 0,
        "zorder": 3,
    }
    on_axis = [place for place in range(len(x)) if place != full_place]
    main.errorbar(
        x[on_axis],
        curve.mean[on_axis],
        curve.sem[on_axis],
        label=f"{data.label(group)} (n = {int(curve.n.max())})",
        **style,
    )
    if full_place is not None:
        at = 0.22 * (number - (n_groups - 1) / 2)
        full.errorbar([at], [curve.mean[full_place]], [curve.sem[full_place]], **style)


def _draw_network(
    main: Axes,
    full: Axes,
    x: NDArray[np.float64],
    network: NetworkCurve,
    full_place: int | None,
    *,
    colour: str,
    dash: Any,
    band: bool,
) -> None:
    on_axis = [place for place in range(len(x)) if place != full_place]
    main.plot(x[on_axis], network.mean[on_axis], color=colour, ls=dash, lw=1.0, alpha=0.9, zorder=2)
    if band and np.isfinite(network.low).any():
        main.fill_between(
            x[on_axis], network.low[on_axis], network.high[on_axis], color=colour, alpha=0.12, lw=0, zorder=1
        )
    if full_place is not None:
        full.plot([-0.45, 0.45], [network.mean[full_place]] * 2, color=colour, ls=dash, lw=1.0, alpha=0.9, zorder=2)


def _y_axis(main: Axes, data: Fig2bData) -> None:
    """Accuracy from 40 % (or lower) to above 100 %; shares from 0; times where they lie."""
    main.set_ylabel(data.measure.label)
    # bands of networks may leave the frame; means and standard errors may not
    low = [np.nanmin(curve.mean - np.nan_to_num(curve.sem)) for curve in data.curves]
    high = [np.nanmax(curve.mean + np.nan_to_num(curve.sem)) for curve in data.curves]
    if data.measure.is_share:
        per_cent_axis(main)
    if data.measure.is_accuracy:
        lowest = min(low + [float(np.nanmin(network.mean)) for network in data.networks])
        below = 0.4 if data.chance is None else max(data.chance - 0.1, 0.0)
        main.set_ylim(min(below, max(np.floor(lowest * 10) / 10, 0.0)), 1.04)
        main.set_yticks(np.arange(np.ceil(main.get_ylim()[0] * 10) / 10, 1.001, 0.1))
    else:  # space for the legend above, and for stars
        bottom = 0.0 if data.measure.is_share else min(low) - 0.1 * (max(high) - min(low))
        main.set_ylim(bottom, max(high) + 0.35 * max(max(high) - bottom, 1e-3))


def _chance(main: Axes, full: Axes | None, chance: float) -> None:
    """The dashed line of guessing, named where no curve runs: beside the intact image."""
    for axes in (main, full):
        if axes is not None:
            draw_chance(axes, chance)
    axes, at, side = (main, 1.0, "right") if full is None else (full, 0.5, "center")
    axes.annotate("chance", (at, chance), xycoords=("axes fraction", "data"), xytext=(0, 2),
                  textcoords="offset points", ha=side, va="bottom", fontsize=6.5, color=GREY)  # fmt: skip


def _axes(
    main: Axes, full: Axes, data: Fig2bData, x: NDArray[np.float64], places: list[int], full_place: int | None
) -> None:
    _y_axis(main, data)
    main.set_xlabel(level_axis_label(data.levels))
    step = 0.5 * float(np.median(np.diff(x[places]))) if len(places) > 1 else 0.5
    main.set_xlim(x[places].min() - step, x[places].max() + step)
    main.set_xticks(x[places], [data.levels[place].label for place in places])
    if data.measure.is_accuracy and data.chance is not None:
        _chance(main, full if full_place is not None else None, data.chance)
    full.set_visible(full_place is not None)
    full.spines["left"].set_visible(False)
    full.tick_params(left=False, labelleft=False)
    full.set_xlim(-0.6, 0.6)
    full.set_xticks([0], ["full"])
    if full_place is not None:
        for axes, at in ((main, 1), (full, 0)):
            axes.plot(
                [at],
                [0],
                marker=[(-1, -2), (1, 2)],
                ms=6,
                color="k",
                mec="k",
                mew=0.8,
                transform=axes.transAxes,
                clip_on=False,
                ls="none",
                zorder=5,
            )
    if data.note:
        main.annotate(
            data.note,
            (0, 1),
            xycoords="axes fraction",
            xytext=(6, 4),
            textcoords="offset points",
            ha="left",
            va="top",
            fontsize=6.5,
            color=GREY,
            style="italic",
        )
