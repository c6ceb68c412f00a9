"""One round's bubbles as the server sees them: it checks each against the rules, whatever the browser claims."""

from typing import NamedTuple

from .rules import Rules


class Bubble(NamedTuple):
    """A bubble: its number from 0, its centre in pixels, when the server got it, and the browser's own time."""

    seq: int
    x: int
    y: int
    at_ms: float
    client_ms: float


class Illegal(Exception):
    """A bubble that the rules forbid; `code` is for programs, the text for people. Nothing of it is kept."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class Stroke:
    """The legal bubbles of a round, in order.

    Parameters
    ----------
    rules : Rules
        What is legal.

    Examples
    --------
    >>> stroke = Stroke(Rules())
    >>> stroke.place(0, 100, 100, at_ms=0.0)
    True
    >>> stroke.place(0, 100, 100, at_ms=20.0)
    False
    >>> stroke.place(1, 108, 100, at_ms=50.0)
    Traceback (most recent call last):
        ...
    rapidvision.experiments.clickme.game.bubble_stroke.Illegal: bubble 1 lies 8.0 px from the one before, at most 7 are allowed
    """

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.bubbles: list[Bubble] = []

    def __len__(self) -> int:
        return len(self.bubbles)

    def place(self, seq: int, x: int, y: int, *, at_ms: float, client_ms: float = 0.0) -> bool:
        """Add a bubble; False when it is here already, so that sending twice is harmless.

        Raises
        ------
        Illegal
            ``conflict`` (another bubble has this number), ``gap`` (one before it is missing), ``over`` (after the
            round), ``too_many``, ``outside``, ``jump``, ``repeat`` (on the spot), ``too_early`` (faster than ticks).
        """
        if 0 <= seq < len(self.bubbles):
            known = self.bubbles[seq]
            if (known.x, known.y) != (x, y):
                raise Illegal("conflict", f"bubble {seq} is at ({known.x}, {known.y}) already")
            return False
        self._check(seq, x, y, at_ms)
        self.bubbles.append(Bubble(seq, x, y, at_ms, client_ms))
        return True

    def _check(self, seq: int, x: int, y: int, at_ms: float) -> None:
        rules = self.rules
        if seq != len(self.bubbles):
            raise Illegal("gap", f"bubble {seq} came before bubble {len(self.bubbles)}")
        if seq >= rules.max_bubbles:
            raise Illegal("too_many", f"a round has at most {rules.max_bubbles} bubbles")
        if at_ms > rules.round_ms:
            raise Illegal("over", f"the round ended {at_ms - rules.round_ms:.0f} ms ago")
        if not (0 <= x < rules.image_px and 0 <= y < rules.image_px):
            raise Illegal("outside", f"({x}, {y}) lies outside the image of {rules.image_px} px")
        if at_ms < seq * rules.tick_ms - rules.slack_ms:
            raise Illegal("too_early", f"bubble {seq} at {at_ms:.0f} ms: a bubble takes {rules.tick_ms} ms")
        if seq:
            last = self.bubbles[-1]
            squared = (x - last.x) ** 2 + (y - last.y) ** 2
            if squared > rules.step_px**2:
                raise Illegal(
                    "jump",
                    f"bubble {seq} lies {squared**0.5:.1f} px from the one before, at most {rules.step_px} are allowed",
                )
            if squared == 0:
                raise Illegal("repeat", f"bubble {seq} lies on the one before")
