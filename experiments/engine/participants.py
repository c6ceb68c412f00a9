"""Simulated participants with known thresholds, and the file that describes them."""

import math
from collections import deque
from collections.abc import Callable, Sequence

import msgspec
import numpy as np

from rapidvision.errors import InputError
from rapidvision.plan import Plan
from rapidvision.protocol import PAGE_MS
from rapidvision.recipes import Recipe
from rapidvision.seeds import stream
from rapidvision.trials import Trial

from ..interfaces import Picture, Press, Screen

CHANCE = 0.5


class Sight(Recipe, frozen=True):
    """How well a source's maps let a participant recognise the picture.

    Attributes
    ----------
    threshold : float
        Share of the features, 0 … 1 exclusive, at which the answer is known in half of the trials.
    slope : float
        Slope of the logistic function per factor of ten of the revealed share, > 0.
    """

    threshold: float = 0.12
    slope: float = 5.0

    def __post_init__(self) -> None:
        if not 0 < self.threshold < 1 or not self.slope > 0:
            raise ValueError(f"threshold must lie between 0 and 1 and slope be > 0, got {self.threshold}, {self.slope}")


def _paper_sources() -> dict[str, Sight]:
    return {"clickme": Sight(threshold=0.08), "salicon": Sight(threshold=0.16)}


class Observers(Recipe, frozen=True):
    """``observers.toml``: who takes part in a simulation.

    Attributes
    ----------
    sight : Sight
        For map sources that have no entry of their own.
    sources : dict
        Map source → Sight. By default ClickMe's threshold is half of Salicon's.
    threshold_sd : float
        Standard deviation of participants' thresholds, in factors of ten.
    lapse : float
        Share of trials answered without looking, 0 … 1; half of them are right by chance.
    response_shift_ms, response_median_ms : float
        Shortest response time, and median of what comes on top of it (log-normal).
    response_spread : float
        Standard deviation of that part's logarithm; at 0.3 about one answer in twenty is late.
    hesitation_ms : float
        Added where the answer is a guess.
    no_answer : float
        Share of trials without any answer.
    key_bias : float
        Probability that a guess is the protocol's first key; 0.5 is fair.
    guessers : float
        Share of participants who guess in every trial.
    drop_outs : float
        Share of participants who stop at a random trial.
    refresh_hz : float
        Refresh rate of the virtual screen.
    late_refreshes : float
        Share of refreshes that come late by one.

    Examples
    --------
    >>> round(Observers().know("clickme", 0.08), 2), Observers().know("clickme", None)
    (0.5, 1.0)
    """

    sight: Sight = Sight()
    sources: dict[str, Sight] = msgspec.field(default_factory=_paper_sources)
    threshold_sd: float = 0.1
    lapse: float = 0.04
    response_shift_ms: float = 180.0
    response_median_ms: float = 210.0
    response_spread: float = 0.3
    hesitation_ms: float = 30.0
    no_answer: float = 0.01
    key_bias: float = 0.5
    guessers: float = 0.0
    drop_outs: float = 0.0
    refresh_hz: float = 60.0
    late_refreshes: float = 0.0

    def __post_init__(self) -> None:
        for name in ("lapse", "no_answer", "key_bias", "guessers", "drop_outs", "late_refreshes"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must lie in 0 … 1, got {getattr(self, name)}")
        for name in ("threshold_sd", "response_shift_ms", "response_spread", "hesitation_ms"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} must be >= 0, got {getattr(self, name)}")
        if not (self.response_median_ms > 0 and 1 <= self.refresh_hz <= 1000):
            raise ValueError("response_median_ms must be > 0 and refresh_hz lie in 1 … 1000")

    def know(self, source: str, fraction: float | None, *, shift: float = 0.0) -> float:
        """Return the probability that the answer is known at a revealed share (None: the intact picture).

        `shift` moves the threshold, in factors of ten.
        """
        if fraction is None:
            return 1.0
        sight = self.sources.get(source, self.sight)
        return 1 / (1 + math.exp(-sight.slope * (math.log10(fraction / sight.threshold) - shift)))

    def accuracy(self, source: str, fraction: float | None, *, shift: float = 0.0) -> float:
        """Return the probability of a correct answer among answered trials: chance, plus what is known and not lapsed."""
        return CHANCE + (1 - CHANCE) * (1 - self.lapse) * self.know(source, fraction, shift=shift)


class Participant:
    """A simulated participant: sees pictures come up and presses keys some time later.

    It is a :class:`~rapidvision.experiments.interfaces.Keys` port. Every answer is drawn from the address (seed, group,
    slot), so a session that stops and goes on gives the same answers.

    Parameters
    ----------
    plan : Plan
        The session it takes part in.
    observers : Observers
        What it is like.
    seed : int
        Seed of the simulation.
    clock : callable
        Returns the time on the screen's clock; presses are delivered when it has passed them.
    may_leave : bool
        Whether a drop-out leaves; False when a session is resumed.
    """

    #: How long a key stays down.
    HOLD_S = 0.08
    #: How long a page is read.
    READ_S = PAGE_MS / 1000 + 0.2

    def __init__(
        self, plan: Plan, observers: Observers, *, seed: int, clock: Callable[[], float], may_leave: bool = True
    ) -> None:
        self.plan, self._clock = plan, clock
        rng = stream(seed, "participant", plan.group, plan.slot)
        trials = plan.trials()
        guesser, leaves = rng.random(2) < (observers.guessers, observers.drop_outs)
        self.threshold_shift = float(rng.normal(0.0, observers.threshold_sd))
        leaving = int(rng.integers(len(trials))) if trials else 0
        self._leaves_at = trials[leaving].path if leaves and may_leave else None
        draws = rng.random((len(trials), 4))
        pace = observers.response_median_ms * np.exp(observers.response_spread * rng.standard_normal(len(trials)))
        self._answers = {
            trial.path: self._decide(trial, observers, bool(guesser), tuple(draws[i].tolist()), float(pace[i]))
            for i, trial in enumerate(trials)
        }
        if len(self._answers) < len(trials):
            raise InputError("a plan shows one picture twice; make it again with `session plan`")
        texts = plan.texts
        self._both = {texts["keys"], texts["resume"]}
        self._ignored = {texts[name] for name in ("too_slow", "correct", "wrong")}
        self._due: deque[Press] = deque()

    def _decide(
        self, trial: Trial, observers: Observers, guesser: bool, draw: tuple[float, ...], pace_ms: float
    ) -> tuple[str, float] | None:
        known = 0.0 if guesser else observers.know(trial.map_source, trial.reveal_fraction, shift=self.threshold_shift)
        plan = self.plan
        right = plan.key_target if trial.target else plan.key_distractor
        first, second = plan.protocol.keys
        if draw[0] < observers.no_answer:
            return None
        knows = draw[1] < known * (1 - observers.lapse)
        key = right if knows else first if draw[2] < observers.key_bias else second
        response_ms = observers.response_shift_ms + pace_ms + (0.0 if knows else observers.hesitation_ms)
        return key, response_ms / 1000

    def see(self, picture: Picture, time_s: float) -> None:
        """Take in a picture that came up at `time_s` and prepare the presses that follow from it."""
        if picture.kind == "stimulus":
            if picture.content == self._leaves_at:
                self._press("escape", time_s + 0.2)
                return
            answer = self._answers[picture.content]
            if answer is not None:
                self._press(answer[0], time_s + answer[1])
        elif picture.kind == "text" and picture.content not in self._ignored:
            if self._leaves_at is not None and picture.content == self.plan.texts["paused"]:
                self._press("escape", time_s + 0.2)
                return
            self._press(self.plan.key_target, time_s + self.READ_S)
            if picture.content in self._both:
                self._press(self.plan.key_distractor, time_s + self.READ_S + 0.1)

    def _press(self, key: str, time_s: float) -> None:
        events = [*self._due, Press(key, time_s), Press(key, time_s + self.HOLD_S, down=False)]
        self._due = deque(sorted(events, key=lambda press: press.time_s))

    def poll(self) -> Sequence[Press]:
        """Return the presses whose time has come."""
        due = self._due
        if not due:
            return ()
        now, ready = self._clock(), []
        while due and due[0].time_s <= now:
            ready.append(due.popleft())
        return ready


class Watched:
    """A screen that a simulated participant looks at.

    Parameters
    ----------
    screen : Screen
        The real one.
    see : callable
        Told of each new picture and when it came up.
    """

    def __init__(self, screen: Screen, see: Callable[[Picture, float], object]) -> None:
        self._screen, self._see = screen, see
        self._last: Picture | None = None
        self.period_s = screen.period_s
        self.mark, self.notes = screen.mark, screen.notes

    def flip(self, picture: Picture) -> float:
        """Flip, and let the participant see what is new."""
        time_s = self._screen.flip(picture)
        if picture is not self._last:
            self._last = picture
            self._see(picture, time_s)
        return time_s
