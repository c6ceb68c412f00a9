"""The rules of the game on one page: every number of a round, as the paper and the game's own code give them.

Linsley et al. (2019), section 2 and Fig. 1. The paper names the 14 x 14 bubbles, the partner's 21 x 21 patches, the
seven seconds and the five best guesses; ticks, steps and the rhythm of the guesses are those of the original game.
"""

from typing import Literal

from rapidvision.recipes import Recipe

#: The paper's partner had to have the category among its five best of a thousand.
PAPER_TOP_K = 5


class Rules(Recipe, frozen=True):
    """What is legal in a round, and what the partner sees of it.

    Attributes
    ----------
    image_px : int
        Side of the square image; all coordinates are its pixels, x to the right and y down from 0.
    bubble_px : int
        Side of a player's bubble ("14 x 14 pixel bubbles").
    patch_px : int
        Side of what the partner sees around a bubble's centre ("21 x 21 pixels").
    tick_ms : int
        A bubble may be placed at every tick.
    step_px : int
        How far a bubble may lie from the one before.
    max_bubbles : int
        Most bubbles of a round.
    guess_every : int
        The partner is asked after so many bubbles.
    round_ms : int
        Length of a round.
    slack_ms : int
        How much earlier than its tick a bubble may arrive, since networks deliver in gusts.
    background : {"blank", "noise"}
        What the partner sees where nothing was painted: one grey ("only these bubbled parts were visible"), or the
        image darkened under noise, as in the original's code.
    noise_sd : float
        Standard deviation of that noise, as a share of the full range.
    top_k : int
        The round is won when the category is among the partner's `top_k` best; 0 chooses by the number of categories.
    gain : float
        And when the category's odds are at least this many times those that the partner gives it where nothing is
        painted, so that a fixed idea of the partner wins no round.
    latency : {"forgiven", "charged"}
        Whether the clock of the points stops at the bubble that let the partner see, or at its answer.
    answer_limit_ms : int
        An answer that takes longer does not count; the record says so.

    Examples
    --------
    >>> Rules().max_ticks, Rules().top_k_of(1000), Rules().top_k_of(8)
    (141, 5, 1)
    >>> Rules().points(at_ms=1750)
    0.75
    """

    image_px: int = 256
    bubble_px: int = 14
    patch_px: int = 21
    tick_ms: int = 50
    step_px: int = 7
    max_bubbles: int = 140
    guess_every: int = 10
    round_ms: int = 7000
    slack_ms: int = 400
    background: Literal["blank", "noise"] = "blank"
    noise_sd: float = 0.4
    top_k: int = 0
    gain: float = 2.0
    latency: Literal["forgiven", "charged"] = "forgiven"
    answer_limit_ms: int = 1000

    def __post_init__(self) -> None:
        if not 32 <= self.image_px <= 1024:
            raise ValueError(f"image_px must be 32 to 1024, got {self.image_px}")
        if not 1 <= self.bubble_px <= self.image_px or not 1 <= self.patch_px <= self.image_px:
            raise ValueError(f"bubble_px and patch_px must be 1 to {self.image_px}")
        if min(self.tick_ms, self.step_px, self.max_bubbles, self.guess_every, self.round_ms) < 1:
            raise ValueError("tick_ms, step_px, max_bubbles, guess_every and round_ms must be >= 1")
        if self.slack_ms < 0 or self.answer_limit_ms < 0 or self.top_k < 0:
            raise ValueError("slack_ms, answer_limit_ms and top_k must be >= 0")
        if not 1 <= self.gain < float("inf"):
            raise ValueError(f"gain must be 1 or more, got {self.gain}")
        if not 0 <= self.noise_sd <= 1:
            raise ValueError(f"noise_sd must be 0 to 1, got {self.noise_sd}")

    @property
    def max_ticks(self) -> int:
        """How many ticks a round has, the press that starts it counted."""
        return self.round_ms // self.tick_ms + 1

    def top_k_of(self, n_categories: int) -> int:
        """Return how many best guesses count for a partner that knows `n_categories`.

        A guess by chance is right at most one time in twenty where there are twenty categories or more, and never is
        one of more than the paper's five; with fewer categories it is one of them.
        """
        return self.top_k or min(PAPER_TOP_K, max(1, n_categories // 20))

    def points(self, *, at_ms: float) -> float:
        """Return the share of the time left at `at_ms` ("the proportion of time left on the timer"), 0 … 1."""
        return min(1.0, max(0.0, 1 - at_ms / self.round_ms))


def step_towards(last: tuple[int, int], cursor: tuple[int, int], step_px: int) -> tuple[int, int]:
    """Return where the next bubble goes: at the cursor, or `step_px` towards it, rounded back towards `last`.

    The browser computes the same; both are tested with one table.

    Examples
    --------
    >>> step_towards((0, 0), (100, 0), 7), step_towards((0, 0), (-3, 4), 7), step_towards((10, 10), (110, 110), 7)
    ((7, 0), (-3, 4), (14, 14))
    """
    dx, dy = cursor[0] - last[0], cursor[1] - last[1]
    squared = dx * dx + dy * dy
    if squared <= step_px * step_px:
        return cursor
    share = step_px / squared**0.5
    return last[0] + int(dx * share), last[1] + int(dy * share)


def span(centre: int, side_px: int, image_px: int) -> tuple[int, int]:
    """Return the first pixel and the one after the last of a square around `centre`, cut at the image's border.

    Examples
    --------
    >>> span(100, 14, 256), span(100, 21, 256), span(0, 21, 256)
    ((93, 107), (90, 111), (0, 11))
    """
    first = centre - side_px // 2
    return max(first, 0), min(first + side_px, image_px)
