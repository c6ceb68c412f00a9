"""What stands in and around Fig. 2B: stars, ceilings, legend, footer, insets; and everything that it shows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ..models.curves import NetworkCurve
from ..table.accuracy import Curve, Level
from .style import COLOURS, DASHES, GREY, stars


class Measure(NamedTuple):
    """What the y axis shows.

    Attributes
    ----------
    label : str
        Of the axis.
    is_accuracy : bool
        Whether chance, ceilings and networks belong beside it.
    is_share : bool
        Whether it is shown in per cent.
    error : str
        What the error bars are.
    """

    label: str = "Categorization accuracy"
    is_accuracy: bool = True
    is_share: bool = True
    error: str = "S.E.M. over participants"


_JACKKNIFE = "jackknife S.E. over participants"
#: By the name of the statistic.
MEASURES: dict[str, Measure] = {
    "participant_mean": Measure(),
    "pooled": Measure("Categorization accuracy, all trials together", error=_JACKKNIFE),
    "dprime": Measure("Sensitivity (d′)", is_accuracy=False, is_share=False, error=_JACKKNIFE),
    "criterion": Measure("Criterion (c)", is_accuracy=False, is_share=False, error=_JACKKNIFE),
    "response_ms": Measure("Median response time, correct answers (ms)", is_accuracy=False, is_share=False),
    "late_share": Measure("Late, early and missing answers", is_accuracy=False),
}


def measure_of(statistic: str) -> Measure:
    """Return how a statistic is drawn; a plug-in's is labelled with its name, and is no share.

    Examples
    --------
    >>> measure_of("dprime").label, measure_of("my_score").label
    ('Sensitivity (d′)', 'my score')
    """
    return MEASURES.get(statistic) or Measure(statistic.replace("_", " "), is_accuracy=False, is_share=False)


@dataclass(frozen=True, eq=False)
class Fig2bData:
    """Everything that the figure shows.

    Attributes
    ----------
    levels : tuple of Level
        In order, the intact image last.
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
        Group and an image of the level where all features are visible.
    chance : float or None
        Share of answers that guessing gets right, drawn as a line beside accuracy; None where it is unknown.
    note : str
        Who the observers are, written into the figure when they are not people.
    measure : Measure
        What the y axis shows.
    colours, labels : mapping of str to str
        Group → colour, group → name in the figure, where they differ from the usual ones.
    """

    levels: tuple[Level, ...]
    groups: tuple[str, ...]
    curves: tuple[Curve, ...]
    p: NDArray[np.float64] | None = None
    correction: str = ""
    networks: tuple[NetworkCurve, ...] = ()
    ceilings: tuple[tuple[str, Level | None], ...] = ()
    insets: tuple[tuple[str, NDArray[np.uint8]], ...] = ()
    chance: float | None = None
    note: str = ""
    measure: Measure = MEASURES["participant_mean"]
    colours: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)

    def colour(self, group: str) -> str:
        """The colour of a group and of its networks; grey for a group without people."""
        if group in self.colours:
            return self.colours[group]
        return COLOURS[self.groups.index(group) % 6] if group in self.groups else GREY

    def label(self, group: str) -> str:
        """The name of a group in the figure."""
        return self.labels.get(group, group)


def models_of(data: Fig2bData) -> tuple[str, ...]:
    """The networks' names, each once, in order."""
    return tuple(dict.fromkeys(network.model for network in data.networks))


def draw_stars(main: Axes, full: Axes, data: Fig2bData, x: NDArray[np.float64], full_place: int | None) -> None:
    """Stars above the higher of the two curves, where the corrected p is small."""
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


def draw_ceilings(main: Axes, data: Fig2bData, x: NDArray[np.float64]) -> None:
    """A triangle on the x axis under the level where each group reaches its ceiling."""
    for number, (group, level) in enumerate(data.ceilings):
        if level is None:
            continue
        at = x[[one.index for one in data.levels].index(level.index)]
        colour = data.colour(group)
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


def legend(main: Axes, data: Fig2bData, models: tuple[str, ...]) -> None:
    """Groups with their sizes, networks with their dashes, and the footer."""
    from matplotlib.lines import Line2D

    handles, labels = main.get_legend_handles_labels()
    for number, model in enumerate(models):
        handles.append(Line2D([], [], color=GREY, ls=DASHES[number % 5], lw=1.0))
        labels.append(model)
    main.legend(handles, labels, loc="upper left", bbox_to_anchor=(0.0, 0.965), handlelength=2.6, labelspacing=0.35)
    footer(main, data)


def footer(main: Axes, data: Fig2bData) -> None:
    """One line below the axis: what the bars are and what the stars mean."""
    lines = [f"bars: {data.measure.error}"]
    if data.networks:
        lines[0] += "; networks have none" if len(models_of(data)) > 1 else "; band of the network: resampled images"
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


def draw_insets(figure: Figure, data: Fig2bData) -> None:
    """An image per group beside the axes, framed in its colour."""
    for number, (group, image) in enumerate(data.insets[:4]):
        colour = data.colour(group)
        axes = figure.add_axes((0.835, 0.58 - 0.40 * number, 0.15, 0.30))
        axes.imshow(image, cmap="gray", vmin=0, vmax=255, interpolation="none")
        axes.set_xticks([])
        axes.set_yticks([])
        for spine in axes.spines.values():
            spine.set_visible(True)
            spine.set_color(colour)
            spine.set_linewidth(1.5)
        axes.set_title(f"{data.label(group)}, 100 %", fontsize=7, color=colour, pad=3)
