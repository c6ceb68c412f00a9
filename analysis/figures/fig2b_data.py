"""Everything that Fig. 2B shows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..models.curves import NetworkCurve
from ..table.accuracy import Curve, Level
from .level_axis import Scale
from .measures import MEASURES, ErrorBars, Measure, error_words
from .style import COLOURS, GREY

Floats = NDArray[np.float64]
#: Names of the rows of stars.
LETTERS = "abcdefghijklmnopqrstuvwxyz"


class Marks(NamedTuple):
    """A row of stars.

    Attributes
    ----------
    name : str
        What is tested, for the footer where there are several rows.
    p : ndarray, shape (levels,)
        Corrected p.
    """

    name: str
    p: Floats


@dataclass(frozen=True, eq=False)
class Fig2bData:
    """Everything that the figure shows.

    Attributes
    ----------
    levels : tuple of Level
        In order, the intact image last.
    groups : tuple of str
        In the order of the test; one or more.
    curves : tuple of Curve
        One per group.
    marks : tuple of Marks
        Rows of stars, one per test; several are named by letters, which the footer explains.
    correction : str
        What it is corrected by, in words.
    networks : tuple of NetworkCurve
        Drawn broken, in their group's colour and with its marker, open.
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
    error : {"sem", "interval", "none"}
        What bars or bands show.
    band : bool
        A band around each curve instead of bars.
    points : tuple of ndarray, shape (participants, levels)
        Values of each group's participants; empty: not drawn.
    scale : {"auto", "log", "linear", "order"}
        Of the axis of levels.
    x_label, y_label : str or None
        The user's own.
    unit : str
        Of what the curves are means: participants, or images.
    """

    levels: tuple[Level, ...]
    groups: tuple[str, ...]
    curves: tuple[Curve, ...]
    marks: tuple[Marks, ...] = ()
    correction: str = ""
    networks: tuple[NetworkCurve, ...] = ()
    ceilings: tuple[tuple[str, Level | None], ...] = ()
    insets: tuple[tuple[str, NDArray[np.uint8]], ...] = ()
    chance: float | None = None
    note: str = ""
    measure: Measure = MEASURES["participant_mean"]
    colours: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    error: ErrorBars = "sem"
    band: bool = False
    points: tuple[Floats, ...] = ()
    scale: Scale = "auto"
    x_label: str | None = None
    y_label: str | None = None
    unit: str = "participant"

    @property
    def models(self) -> tuple[str, ...]:
        """The networks' names, each once, in order."""
        return tuple(dict.fromkeys(network.model for network in self.networks))

    @property
    def shows_chance(self) -> bool:
        """Whether the line of guessing is drawn."""
        return self.measure.is_accuracy and self.chance is not None

    def colour(self, group: str) -> str:
        """The colour of a group and of its networks; grey for a group without people."""
        if group in self.colours:
            return self.colours[group]
        return COLOURS[self.groups.index(group) % 6] if group in self.groups else GREY

    def label(self, group: str) -> str:
        """The name of a group in the figure."""
        return self.labels.get(group, group)

    def caption(self) -> tuple[str, ...]:
        """What observers, bars, points and stars are: a sentence each."""
        lines = [self.note] if self.note else []
        if words := error_words(self.measure, self.error).replace("participants", f"{self.unit}s"):
            lines.append(f"{'bands' if self.band else 'bars'}: {words}")
        if self.points:
            lines.append("points: participants")
        if self.networks:
            several = len(self.models) > 1
            lines.append("networks have none" if several else "band of the network: resampled images")
        caption = ["; ".join(lines)] if lines else []
        if self.marks:
            caption.append(f"*** p < .001  ** p < .01  * p < .05 ({self.correction})")
        if len(self.marks) > 1:
            caption.append("; ".join(f"{LETTERS[at]}: {row.name}" for at, row in enumerate(self.marks)))
        return tuple(caption)
