"""What surrounds the trials of a session: practice, breaks, feedback, and how everything looks."""

from typing import Annotated, Literal

from msgspec import Meta

from rapidvision.recipes import Recipe

from .design import Count, Share
from .phases import Ms

Colour = Annotated[int, Meta(ge=0, le=255)]


class Practice(Recipe, frozen=True):
    """Trials before the experiment, with images of their own. The paper says "brief"; the numbers are ours.

    Attributes
    ----------
    n_trials : int
        Practice trials in a round; half targets. 0 leaves practice out.
    criterion : float or None
        Share of correct responses, 0 to 1, that ends practice; None for a single round.
    max_rounds : int
        Most rounds.
    failed : {"continue", "stop"}
        What follows when the last round misses the criterion; recorded in any case.
    levels : {"upper", "all"}
        Reveal levels in practice: the more visible half, or all.
    """

    n_trials: Annotated[int, Meta(ge=0)] = 8
    criterion: Share | None = None
    max_rounds: Count = 1
    failed: Literal["continue", "stop"] = "continue"
    levels: Literal["upper", "all"] = "upper"

    def __post_init__(self) -> None:
        if self.criterion is None and self.max_rounds > 1:
            raise ValueError(f"max_rounds: got {self.max_rounds} without a criterion to reach")


class Breaks(Recipe, frozen=True):
    """Pauses between blocks, and how long pages stand.

    Attributes
    ----------
    every_blocks : int
        A break after so many blocks.
    rest_ms : int
        How long a break lasts at least.
    unlock : {"participant", "experimenter"}
        Whose key ends a break; the experimenter's is ``f12``.
    page_ms : int
        How long a page must have been up before a key counts: a press meant for the trial before must not skip it.
    """

    every_blocks: Count = 1
    rest_ms: Ms = 0
    unlock: Literal["participant", "experimenter"] = "participant"
    page_ms: Ms = 500


class Feedback(Recipe, frozen=True):
    """What participants learn about their answers.

    Attributes
    ----------
    practice, main : {"none", "wrong", "all"}
        After which trials with a response in time the participant learns whether it was right.
    shows : {"words", "option"}
        What is shown then: "correct" or "wrong", or all options with the right one lit.
    show_ms : int
        How long it stands.
    too_slow_ms : int
        How long "too slow" stands after a trial without a response in time; a first response that comes meanwhile is
        recorded as late. With 0 there is none: a trial ends at the limit, and what is pressed after it is an early press of the
        next one.
    block : {"none", "accuracy"}
        What is shown after a block. "Participants were given feedback on their categorization accuracy at the end of
        each of the five experimental blocks."
    """

    practice: Literal["none", "wrong", "all"] = "all"
    main: Literal["none", "wrong", "all"] = "none"
    shows: Literal["words", "option"] = "words"
    show_ms: Ms = 800
    too_slow_ms: Ms = 1000
    block: Literal["none", "accuracy"] = "accuracy"


class Display(Recipe, frozen=True):
    """How it looks.

    Attributes
    ----------
    image_px : int
        Side of the image on the screen, in pixels.
    image_deg : float or None
        Side in degrees of visual angle; needs a screen whose size and distance are known, in the lab. Browsers refuse it.
    background : (int, int, int)
        Colour behind the image, 0 to 255; white in the paper.
    reminder : bool
        Whether the meaning of the keys stays on the screen.
    progress : {"none", "blocks"}
        Whether breaks say how many blocks are done.
    """

    image_px: Count = 256
    image_deg: Annotated[float, Meta(gt=0, lt=180)] | None = None
    background: tuple[Colour, Colour, Colour] = (255, 255, 255)
    reminder: bool = True
    progress: Literal["none", "blocks"] = "none"
