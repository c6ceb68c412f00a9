"""An adaptive factor: its value follows from the answers so far, by a rule that the protocol names."""

from typing import Annotated, Literal

from msgspec import Meta

from rapidvision.recipes import Recipe

from .design import Count, Share


class Grid(Recipe, frozen=True):
    """Values of a parameter.

    Attributes
    ----------
    first, last : float
        Smallest and largest value.
    steps : int
        How many values.
    log : bool
        Spaced evenly on a logarithmic scale; then both ends are > 0.
    """

    first: float
    last: float
    steps: Count = 1
    log: bool = False

    def __post_init__(self) -> None:
        if self.log and not (self.first > 0 and self.last > 0):
            raise ValueError("a logarithmic grid needs first and last > 0")


class Quest(Recipe, frozen=True):
    """QUEST+ (Watson, 2017) with a Weibull function of log10 of the factor's value.

    Attributes
    ----------
    threshold, slope, lapse : Grid
        Values of the parameters over which the posterior is kept.
    guess : float or None
        Share of correct guesses, 0 to 1; one over the number of options when it is None.
    """

    threshold: Grid = Grid(first=0.01, last=1.0, steps=30, log=True)
    slope: Grid = Grid(first=1.0, last=8.0, steps=8, log=True)
    guess: Share | None = None
    lapse: Grid = Grid(first=0.0, last=0.08, steps=3)


class Staircase(Recipe, frozen=True):
    """A transformed up-down staircase over the ordered values.

    Attributes
    ----------
    start : {"easiest", "middle"}
        Where a track begins.
    down, up : int
        So many correct responses in a row make it harder by a step, so many wrong ones easier.
    step : int
        Values per step.
    """

    start: Literal["easiest", "middle"] = "easiest"
    down: Count = 2
    up: Count = 1
    step: Count = 1


class Adaptive(Recipe, frozen=True):
    """Which factor adapts, and how.

    Attributes
    ----------
    over : str
        The factor: ``level``, or one whose values are numbers.
    method : {"quest+", "staircase"}
        The rule.
    per : tuple of str
        Factors whose values have a track each.
    quest : Quest
        Settings of ``quest+``.
    staircase : Staircase
        Settings of ``staircase``.
    """

    over: str = "level"
    method: Annotated[Literal["quest+", "staircase"], Meta()] = "quest+"
    per: tuple[str, ...] = ()
    quest: Quest = Quest()
    staircase: Staircase = Staircase()
