"""A round from deal to end, by the server's clock alone: a pure machine that is told times and answers.

The states are ``dealt`` (the image is up, the clock stands), ``running``, ``closing`` (time is over, the partner still
looks at bubbles that came in time) and ``over``.
"""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .blank_view import gained
from .bubble_stroke import Illegal, Stroke
from .masking import PartnerView
from .rules import Rules

State = Literal["dealt", "running", "closing", "over"]
#: How a round can end. ``interrupted`` is a round that the server did not live to see the end of.
Result = Literal["solved", "time", "skipped", "left", "interrupted"]
#: How a question to the partner can end.
GuessStatus = Literal["answered", "late", "superseded", "failed", "unneeded"]


@dataclass(slots=True)
class Guess:
    """A question to the partner and its answer; times in ms from the round's start.

    Attributes
    ----------
    seq : int
        The bubble that asked.
    asked_ms, answered_ms : float, float or None
        When that bubble came, and when the answer did.
    status : {"pending", "answered", "late", "superseded", "failed", "unneeded"}
        ``late`` answers do not count, whether they came at all or not; ``superseded`` questions gave way to a newer
        view; ``unneeded`` ones were open when the round ended for another reason than the clock.
    rank : int or None
        Place of the right category among the partner's, from 1.
    probability : float or None
        Its probability.
    best : str
        The partner's first choice.
    said : str
        The same where it is worth saying: the view tells more of it than an empty one. Not stored.
    sure : float
        Its probability; 0 where nothing is said.
    """

    seq: int
    asked_ms: float
    answered_ms: float | None = None
    status: GuessStatus | Literal["pending"] = "pending"
    rank: int | None = None
    probability: float | None = None
    best: str = ""
    said: str = ""
    sure: float = 0.0


@dataclass(slots=True)
class Round:
    """One image played by one player.

    Parameters
    ----------
    round_id, category : str
        Who this is, and the word above the image.
    categories : tuple of str
        What the partner knows, in the order of its answers.
    rules : Rules
        See there.
    view : PartnerView
        Grows with the bubbles.
    blank : ndarray of float, shape (n_categories,), or None
        The partner's answer to the view before the first bubble. No round is won before it is known.

    Attributes
    ----------
    state : str
        See the module.
    result : str or None
        Set at the end.
    points : float
        0 … 1.
    ended_ms : float or None
        When it ended, from the start.
    decided_by : int or None
        The bubble that let the partner see.
    guesses : list of Guess
        Every question.
    """

    round_id: str
    category: str
    categories: tuple[str, ...]
    rules: Rules
    view: PartnerView
    blank: NDArray[np.floating] | None = None
    state: State = "dealt"
    result: Result | None = None
    points: float = 0.0
    ended_ms: float | None = None
    decided_by: int | None = None
    guesses: list[Guess] = field(default_factory=list)
    stroke: Stroke = field(init=False)

    def __post_init__(self) -> None:
        self.stroke = Stroke(self.rules)

    def start(self) -> None:
        """Begin the clock: the player pressed on the image."""
        if self.state != "dealt":
            raise Illegal("started", "the round has started already")
        self.state = "running"

    def bubble(self, seq: int, x: int, y: int, *, at_ms: float, client_ms: float = 0.0) -> Guess | None:
        """Place a bubble; returns the question for the partner when one is due.

        Raises
        ------
        Illegal
            See :meth:`Stroke.place`; ``not_started`` and ``over`` outside the round.
        """
        if self.state == "dealt":
            raise Illegal("not_started", "the round has not started")
        if self.state != "running" and seq >= len(self.stroke):
            raise Illegal("over", "the round has ended")
        if not self.stroke.place(seq, x, y, at_ms=at_ms, client_ms=client_ms):
            return None
        self.view.show(x, y)
        if len(self.stroke) % self.rules.guess_every:
            return None
        guess = Guess(seq, asked_ms=at_ms)
        self.guesses.append(guess)
        return guess

    def answer(self, guess: Guess, probabilities: NDArray[np.floating] | None, *, at_ms: float) -> bool:
        """Take the partner's answer (None: it failed); returns whether it ended the round.

        An answer that took longer than the rules allow is recorded and does not count, nor does one that the partner
        gives as readily where nothing is painted (:attr:`.rules.Rules.gain`). Points follow the bubble that
        asked, or the answer's own time where latency is charged.
        """
        if guess.status != "pending":
            return False
        guess.answered_ms = at_ms
        if probabilities is None:
            guess.status = "failed"
            return False
        guess.rank, guess.probability, guess.best = ranked(probabilities, self.category, self.categories)
        first = int(np.argmax(probabilities))
        if self.blank is not None and gained(float(probabilities[first]), float(self.blank[first]), self.rules.gain):
            guess.said, guess.sure = guess.best, float(probabilities[first])
        in_time = at_ms - guess.asked_ms <= self.rules.answer_limit_ms
        guess.status = "answered" if in_time else "late"
        best = guess.rank <= self.rules.top_k_of(len(self.categories))
        blank = self.blank_probability
        known = in_time and best and blank is not None and gained(guess.probability, blank, self.rules.gain)
        if not known or self.state not in ("running", "closing"):
            return False
        counted_ms = at_ms if self.rules.latency == "charged" else guess.asked_ms
        if counted_ms > self.rules.round_ms:
            return False
        self.decided_by, self.points = guess.seq, self.rules.points(at_ms=counted_ms)
        self._end("solved", at_ms)
        return True

    def supersede(self, guess: Guess) -> None:
        """Note that the partner never saw this view, because a newer one came first."""
        if guess.status == "pending":
            guess.status = "superseded"

    def tick(self, *, at_ms: float) -> bool:
        """Let the clock decide; returns whether the round has just ended."""
        if self.state == "running" and at_ms >= self.rules.round_ms:
            self.state = "closing"
        if self.state != "closing":
            return False
        wait_ms = 0 if self.rules.latency == "charged" else self.rules.answer_limit_ms
        waiting = [g for g in self.guesses if g.status == "pending" and at_ms - g.asked_ms <= wait_ms]
        if waiting:
            return False
        self._end("time", float(self.rules.round_ms))
        return True

    def stop(self, result: Result, *, at_ms: float) -> None:
        """End the round for another reason: skipped, or the player left."""
        if self.state != "over":
            self._end(result, at_ms)

    def _end(self, result: Result, at_ms: float) -> None:
        self.state, self.result, self.ended_ms = "over", result, at_ms
        for guess in self.guesses:
            if guess.status == "pending":
                guess.status = "late" if result == "time" else "unneeded"

    @property
    def blank_probability(self) -> float | None:
        """Probability of the category where nothing is painted; None before it is known."""
        return None if self.blank is None else float(self.blank[self.categories.index(self.category)])

    @property
    def partner_state(self) -> str:
        """How the partner did: ``ok``, ``slow`` (some answers missing or late), ``absent`` (none), ``not_asked``."""
        asked = [guess for guess in self.guesses if guess.status not in ("pending", "unneeded")]
        if not asked:
            return "not_asked"
        good = sum(guess.status == "answered" for guess in asked)
        return "ok" if good == len(asked) else "slow" if good else "absent"


def ranked(probabilities: NDArray[np.floating], category: str, categories: tuple[str, ...]) -> tuple[int, float, str]:
    """Return the rank of `category` from 1 (ties count against it), its probability, and the best category.

    Examples
    --------
    >>> ranked(np.array([0.2, 0.5, 0.3]), "cat", ("cat", "dog", "car"))
    (3, 0.2, 'dog')
    >>> ranked(np.array([0.5, 0.5]), "cat", ("cat", "dog"))[0]
    2
    """
    own = float(probabilities[categories.index(category)])
    rank = int(np.count_nonzero(probabilities >= own))
    return rank, own, categories[int(np.argmax(probabilities))]
