"""The smaller figures: individual curves, psychometric fits, response times, power."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from numpy.typing import NDArray

from rapidvision.system.figures import figure_style, new_figure

from ..fits.level_axis import LevelAxis
from ..fits.thresholds import GroupFit
from ..models.curves import NetworkCurve
from ..table.accuracy import Cells, Curve, Level
from .level_axis import level_axis_label
from .style import COLOURS, DASHES, GREY, MARKERS, RC, Drawing, draw_chance, per_cent_axis

#: Participants times levels above which thin lines become an image.
_MOST_LINES_DRAWN = 10_000


def draw_individuals(table: Cells, groups: tuple[str, ...], curves: tuple[Curve, ...]) -> Drawing:
    """Every participant's curve, thin, under the group's mean, one panel per group."""
    with figure_style(RC):
        figure = new_figure(3.0 * len(groups), 2.9)
        figure.subplots_adjust(left=0.62 / (3.0 * len(groups)), right=0.985, bottom=0.235, top=0.915, wspace=0.08)
        panels = figure.subplots(1, len(groups), sharey=True, squeeze=False)[0]
        x = np.arange(len(table.levels), dtype=float)
        for number, (axes, group, curve) in enumerate(zip(panels, groups, curves, strict=True)):
            _draw_people(axes, x, table.accuracy[table.of(group)], COLOURS[number % 6])
            axes.plot(x, curve.mean, color=COLOURS[number % 6], marker=MARKERS[number % 6], ms=3.5, lw=1.8)
            axes.set_title(f"{group} (n = {int(curve.n.max())})", color=COLOURS[number % 6])
            draw_chance(axes, table.guess)
            _level_ticks(axes, table.levels)
        panels[0].set_ylim(-0.03, 1.03)
        per_cent_axis(panels[0])
        panels[0].set_ylabel("Categorization accuracy")
        figure.supxlabel(level_axis_label(table.levels), fontsize=8, y=0.02)
        return Drawing("individuals", figure)


def draw_response_times(levels: tuple[Level, ...], groups: tuple[str, ...], curves: tuple[Curve, ...]) -> Drawing:
    """Median response time of correct answers in time: mean over participants with S.E.M."""
    with figure_style(RC):
        figure = new_figure(4.2, 2.9)
        figure.subplots_adjust(left=0.13, right=0.985, bottom=0.245, top=0.97)
        axes = figure.add_subplot()
        x = np.arange(len(levels))
        for number, (group, curve) in enumerate(zip(groups, curves, strict=True)):
            axes.errorbar(x + 0.1 * (number - 0.5), curve.mean, curve.sem, color=COLOURS[number % 6],
                          marker=MARKERS[number % 6], ms=3.5, lw=1.4, elinewidth=0.9, label=group)  # fmt: skip
        _level_ticks(axes, levels)
        axes.set_xlabel(level_axis_label(levels))
        axes.set_ylabel("Median response time (ms)")
        axes.legend()
        return Drawing("response_times", figure)


def draw_fits(
    axis: LevelAxis,
    groups: tuple[str, ...],
    curves: tuple[Curve, ...],
    fits: tuple[GroupFit, ...],
    *,
    chance: float,
    label: str,
) -> Drawing:
    """Data and fitted psychometric functions, with thresholds and their intervals on the axis."""
    with figure_style(RC):
        figure = new_figure(4.4, 3.1)
        figure.subplots_adjust(left=0.125, right=0.985, bottom=0.14, top=0.97)
        axes = figure.add_subplot()
        x, on_axis = axis.x, np.isfinite(axis.x)
        least = min(float(np.nanmin(curve.mean - np.nan_to_num(curve.sem))) for curve in curves)
        low_end = min(chance, least) - 0.05
        fine = np.linspace(x[on_axis].min(), x[on_axis].max(), 200)
        for number, (group, curve, one) in enumerate(zip(groups, curves, fits, strict=True)):
            colour = COLOURS[number % 6]
            axes.errorbar(x[on_axis], curve.mean[on_axis], curve.sem[on_axis], color=colour, marker=MARKERS[number % 6],
                          ms=3.5, ls="none", elinewidth=0.9)  # fmt: skip
            low, high = one.value_interval
            axes.plot(fine, one.fit.predict(fine)[0], color=colour, lw=1.5,
                      label=f"{group}: {axis.text(one.fit.threshold[0])} ({low:.3g} to {high:.3g})")  # fmt: skip
            at = low_end - 0.02 * number
            axes.plot(one.threshold_interval, [at, at], color=colour, lw=1.5)
            axes.plot(one.fit.threshold, [at], color=colour, marker=MARKERS[number % 6], ms=4)
        draw_chance(axes, chance)
        of_percent = axis.unit == "%" and axis.log
        ticks = np.log10([1, 2.5, 6.3, 16, 40, 100]) if of_percent else x[on_axis]
        axes.set_xticks(ticks, [f"{tick:.3g}" for tick in axis.value(ticks)], rotation=0 if of_percent else 60)
        per_cent_axis(axes)
        axes.set_ylim(low_end - 0.02 * len(groups) - 0.03, 1.02)
        axes.set_xlabel(label)
        axes.set_ylabel("Categorization accuracy")
        axes.legend(title="threshold (95 %)", loc="upper left", title_fontsize=7)
        return Drawing("psychometric", figure)


def draw_networks(
    levels: tuple[Level, ...],
    groups: tuple[str, ...],
    curves: tuple[Curve, ...],
    networks: tuple[NetworkCurve, ...],
    *,
    chance: float | None,
) -> Drawing:
    """One panel per network: its curves with bands over resampled images, and the people's with S.E.M."""
    with figure_style(RC):
        names = list(dict.fromkeys(network.model for network in networks))
        across = 2 if len(names) == 4 else min(len(names), 3)
        down = -(-len(names) // across)
        width, height = 2.45 * across + 0.6, 2.1 * down + 0.6
        figure = new_figure(width, height)
        figure.subplots_adjust(
            left=0.55 / width,
            right=1 - 0.06 / width,
            bottom=0.62 / height,
            top=1 - 0.22 / height,
            wspace=0.08,
            hspace=0.42,
        )
        panels = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False)
        x = np.arange(len(levels))
        for axes, name in zip(panels.flat, names, strict=False):
            for number, (group, curve) in enumerate(zip(groups, curves, strict=True)):
                colour = COLOURS[number % 6]
                axes.errorbar(x, curve.mean, curve.sem, color=colour, marker=MARKERS[number % 6], ms=2.5, lw=0.9,
                              elinewidth=0.7, label=group)  # fmt: skip
                for one in (one for one in networks if (one.model, one.group) == (name, group)):
                    axes.plot(x, one.mean, color=colour, ls=DASHES[0], lw=1.2, label=f"network, {group}")
                    axes.fill_between(x, one.low, one.high, color=colour, alpha=0.15, lw=0)
            axes.set_title(name)
            draw_chance(axes, chance)
            _level_ticks(axes, levels)
        for axes in panels.flat[len(names) :]:
            axes.set_visible(False)
        per_cent_axis(panels[0, 0])
        panels[0, 0].legend(fontsize=6)
        figure.supylabel("Categorization accuracy", fontsize=8, x=0.06 / width)
        figure.supxlabel(level_axis_label(levels), fontsize=8, y=0.08 / height)
        return Drawing("networks", figure)


def draw_power(table: pd.DataFrame) -> Drawing:
    """Power against participants per group; one colour per effect, one dash per rule."""
    with figure_style(RC):
        figure = new_figure(5.6, 3.1)
        figure.subplots_adjust(left=0.1, right=0.755, bottom=0.14, top=0.97)
        axes = figure.add_subplot()
        rules = list(dict.fromkeys(table["rule"]))
        for number, (effect, rows) in enumerate(table.groupby("effect_log10", sort=True)):
            for rule, line in rows.groupby("rule", sort=False):
                band = [line["power"] - line["low"], line["high"] - line["power"]]  # what the experiments leave open
                axes.errorbar(line["n_per_group"], line["power"], band, color=COLOURS[number % 6],
                              ls=DASHES[rules.index(str(rule)) % 5], marker=MARKERS[number % 6], ms=3, lw=1.2,
                              elinewidth=0.7, label=f"{float(str(effect)):g} log10, {rule}")  # fmt: skip
        axes.axhline(0.8, color=GREY, lw=0.7, ls=(0, (1, 2)))
        axes.set_ylim(0, 1.02)
        per_cent_axis(axes)
        axes.set_xticks(sorted(set(table["n_per_group"])))
        axes.set_xlabel("Participants per group")
        axes.set_ylabel("Experiments with a significant difference")
        axes.legend(fontsize=6, title="difference, rule", title_fontsize=7, loc="upper left", bbox_to_anchor=(1.02, 1.02),
                    handlelength=3.6)  # fmt: skip
        return Drawing("power", figure)


def _draw_people(axes: Axes, x: NDArray[np.float64], accuracy: NDArray[np.float64], colour: str) -> None:
    """A thin line per participant; of many participants, dots of an image instead of lines that a browser must draw."""
    lines = np.stack([np.broadcast_to(x, accuracy.shape), accuracy], axis=2)
    many = accuracy.size > _MOST_LINES_DRAWN
    axes.add_collection(
        LineCollection(list(lines), colors=colour, linewidths=0.4, alpha=0.05 if many else 0.25, rasterized=many),
        autolim=False,
    )


def _level_ticks(axes: Axes, levels: tuple[Level, ...]) -> None:
    axes.set_xticks(np.arange(len(levels)), [level.label for level in levels], rotation=60)
