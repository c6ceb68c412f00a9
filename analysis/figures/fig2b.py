"""Fig. 2B: accuracy of the groups against the percentage of the image revealed by their feature source."""

from dataclasses import dataclass, field
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ..accuracy import Curve, Level
from ..networks import NetworkCurve
from .style import COLOURS, DASHES, GREY, MARKERS, RC, Drawing, new_figure, per_cent_axis, stars

X_LABEL = "Percentage of image revealed by feature source"


@dataclass(frozen=True, eq=False)
class Fig2bData:
    """Everything that the figure shows.

    Attributes
    ----------
    levels : tuple of Level
        In order, the intact picture last.
    groups : tuple of str
        The two groups, in the order of the test.
    curves : tuple of Curve
        One per group.
    p : ndarray or None
        Corrected p per level, for the stars.
    correction : str
        What it is corrected by, in words.
    networks : tuple of NetworkCurve
        Drawn dashed in their group's colour.
    ceilings : tuple of (str, Level or None)
        Group and its ceiling, marked on the axis.
    insets : tuple of (str, ndarray)
        Group and a picture of the level where all features are visible.
    chance : float
        Where guessing lies.
    note : str
        Who the observers are, written into the figure when they are not people.
    """

    levels: tuple[Level, ...]
    groups: tuple[str, ...]
    curves: tuple[Curve, ...]
    p: NDArray[np.float64] | None = None
    correction: str = ""
    networks: tuple[NetworkCurve, ...] = ()
    ceilings: tuple[tuple[str, Level | None], ...] = ()
    insets: tuple[tuple[str, NDArray[np.uint8]], ...] = ()
    chance: float = 0.5
    note: str = ""
    colours: dict[str, str] = field(default_factory=dict)


def draw_fig2b(data: Fig2bData) -> Drawing:
    """Draw Fig. 2B: log axis, broken before "full", S.E.M., stars, chance, ceilings, insets, networks."""
    with mpl.rc_context(RC):
        models = models_of(data)
        figure = new_figure(5.6 if not data.insets else 6.6, 4.1)
        right = 0.985 if not data.insets else 0.81
        grid = figure.add_gridspec(
            1, 2, width_ratios=(11, 1.15), wspace=0.05, left=0.105, right=right, bottom=0.19, top=0.965
        )
        main = figure.add_subplot(grid[0])
        full = figure.add_subplot(grid[1], sharey=main)
        x, places, full_place = _positions(data.levels)
        for number, (group, curve) in enumerate(zip(data.groups, data.curves, strict=True)):
            _draw_group(main, full, x, curve, full_place, group=group, number=number, n_groups=len(data.groups))
        for network in data.networks:
            number = data.groups.index(network.group) if network.group in data.groups else len(data.groups)
            _draw_network(
                main,
                full,
                x,
                network,
                full_place,
                number=number,
                dash=DASHES[models.index(network.model) % 5],
                band=len(models) == 1,
            )
        _axes(main, full, data, x, places, full_place)
        _draw_stars(main, full, data, x, full_place)
        _draw_ceilings(main, data, x)
        _legend(main, data, models)
        _draw_insets(figure, data)
        return Drawing("fig2b", figure)


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
    group: str,
    number: int,
    n_groups: int,
) -> None:
    style: dict[str, Any] = {
        "color": COLOURS[number % 6],
        "marker": MARKERS[number % 6],
        "ms": 4,
        "lw": 1.6,
        "elinewidth": 1.0,
        "capsize": 0,
        "zorder": 3,
    }
    on_axis = [place for place in range(len(x)) if place != full_place]
    main.errorbar(
        x[on_axis], curve.mean[on_axis], curve.sem[on_axis], label=f"{group} (n = {int(curve.n.max())})", **style
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
    number: int,
    dash: Any,
    band: bool,
) -> None:
    colour = COLOURS[number % 6] if number < 6 else GREY
    on_axis = [place for place in range(len(x)) if place != full_place]
    main.plot(x[on_axis], network.mean[on_axis], color=colour, ls=dash, lw=1.0, alpha=0.9, zorder=2)
    if band and np.isfinite(network.low).any():
        main.fill_between(
            x[on_axis], network.low[on_axis], network.high[on_axis], color=colour, alpha=0.12, lw=0, zorder=1
        )
    if full_place is not None:
        full.plot([-0.45, 0.45], [network.mean[full_place]] * 2, color=colour, ls=dash, lw=1.0, alpha=0.9, zorder=2)


def _axes(
    main: Axes, full: Axes, data: Fig2bData, x: NDArray[np.float64], places: list[int], full_place: int | None
) -> None:
    # bands of networks may leave the frame; means and standard errors may not
    lowest = min(
        [np.nanmin(curve.mean - np.nan_to_num(curve.sem)) for curve in data.curves]
        + [float(np.nanmin(network.mean)) for network in data.networks]
    )
    main.set_ylim(min(0.4, np.floor(lowest * 10) / 10), 1.04)
    main.set_yticks(np.arange(np.ceil(main.get_ylim()[0] * 10) / 10, 1.001, 0.1))
    per_cent_axis(main)
    main.set_ylabel("Categorization accuracy")
    main.set_xlabel(X_LABEL if np.isfinite([data.levels[p].percent for p in places]).all() else "Level")
    step = 0.5 * float(np.median(np.diff(x[places]))) if len(places) > 1 else 0.5
    main.set_xlim(x[places].min() - step, x[places].max() + step)
    main.set_xticks(x[places], [data.levels[place].label for place in places])
    for axes in (main, full):
        axes.axhline(data.chance, color="#999999", lw=0.8, ls=(0, (3, 2)), zorder=0)
    main.annotate(
        "chance",
        (1, data.chance),
        xycoords=("axes fraction", "data"),
        xytext=(-2, 2),
        textcoords="offset points",
        ha="right",
        va="bottom",
        fontsize=6.5,
        color=GREY,
    )
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


def _draw_stars(main: Axes, full: Axes, data: Fig2bData, x: NDArray[np.float64], full_place: int | None) -> None:
    if data.p is None:
        return
    top = np.nanmax([curve.mean + np.nan_to_num(curve.sem) for curve in data.curves], axis=0)
    for place, p in enumerate(data.p):
        if not stars(p):
            continue
        axes, at = (full, 0.0) if place == full_place else (main, x[place])
        axes.annotate(
            stars(p),
            (at, top[place]),
            xytext=(0, 1.5),
            textcoords="offset points",
            ha="center",
            va="bottom",
            fontsize=7,
        )


def _draw_ceilings(main: Axes, data: Fig2bData, x: NDArray[np.float64]) -> None:
    """A triangle on the x axis under the level where each group reaches its ceiling."""
    for number, (group, level) in enumerate(data.ceilings):
        if level is None:
            continue
        at = x[[one.index for one in data.levels].index(level.index)]
        colour = COLOURS[data.groups.index(group) % 6]
        main.plot(
            [at],
            [0.012 + 0.035 * number],
            marker="^",
            ms=5,
            color=colour,
            mec="none",
            transform=main.get_xaxis_transform(),
            clip_on=False,
            zorder=4,
        )
        main.annotate(
            "ceiling",
            (at, 0.012 + 0.035 * number),
            xycoords=main.get_xaxis_transform(),
            xytext=(-5, 0),
            textcoords="offset points",
            ha="right",
            va="center",
            fontsize=6.5,
            color=colour,
        )


def _legend(main: Axes, data: Fig2bData, models: tuple[str, ...]) -> None:
    from matplotlib.lines import Line2D

    handles, labels = main.get_legend_handles_labels()
    for number, model in enumerate(models):
        handles.append(Line2D([], [], color=GREY, ls=DASHES[number % 5], lw=1.0))
        labels.append(model)
    main.legend(handles, labels, loc="upper left", bbox_to_anchor=(0.0, 0.965), handlelength=2.6, labelspacing=0.35)
    _footer(main, data)


def _footer(main: Axes, data: Fig2bData) -> None:
    """One line below the axis: what the bars are and what the stars mean."""
    lines = ["bars: S.E.M. over participants"]
    if data.networks:
        lines[0] += "; networks have none" if len(models_of(data)) > 1 else "; band of the network: resampled pictures"
    if data.p is not None:
        lines.append(f"*** p < .001   ** p < .01   * p < .05   ({data.correction})")
    main.annotate(
        "\n".join(lines),
        (0, 0),
        xycoords="axes fraction",
        xytext=(0, -32),
        textcoords="offset points",
        ha="left",
        va="top",
        fontsize=6,
        color=GREY,
        linespacing=1.35,
    )


def models_of(data: Fig2bData) -> tuple[str, ...]:
    """The networks' names, each once, in order."""
    return tuple(dict.fromkeys(network.model for network in data.networks))


def _draw_insets(figure: Figure, data: Fig2bData) -> None:
    for number, (group, picture) in enumerate(data.insets[:4]):
        colour = COLOURS[data.groups.index(group) % 6] if group in data.groups else GREY
        axes = figure.add_axes((0.835, 0.58 - 0.40 * number, 0.15, 0.30))
        axes.imshow(picture, cmap="gray", vmin=0, vmax=255, interpolation="none")
        axes.set_xticks([])
        axes.set_yticks([])
        for spine in axes.spines.values():
            spine.set_visible(True)
            spine.set_color(colour)
            spine.set_linewidth(1.5)
        axes.set_title(f"{group}, 100 %", fontsize=7, color=colour, pad=3)
