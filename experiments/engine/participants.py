"""Simulated participants with known thresholds, confusions and confidence, and the file that describes them."""

import math
from collections.abc import Callable

import msgspec

from rapidvision.plan import Plan
from rapidvision.recipes import Recipe

from ..interfaces import Frame, Screen
from .minds import Simulated
from .person import Person


class Sight(Recipe, frozen=True):
    """How well a source's maps let a participant recognise the image.

    Attributes
    ----------
    threshold : float
        Share of the features, 0 … 1 exclusive, at which the answer is known in half of the trials.
    slope : float
        Slope of the logistic function per factor of ten of the revealed share, > 0.

    Examples
    --------
    >>> import rapidvision as rv
    >>> sharp = rv.experiments.Observers(sight=rv.experiments.Sight(threshold=0.05), sources={})
    >>> round(sharp.know("clickme", 0.05), 2)
    0.5
    """

    threshold: float = 0.12
    slope: float = 5.0

    def __post_init__(self) -> None:
        if not 0 < self.threshold < 1 or not self.slope > 0:
            raise ValueError(f"threshold must lie between 0 and 1 and slope be > 0, got {self.threshold}, {self.slope}")


class Masking(Recipe, frozen=True):
    """What a mask behind an image takes of the evidence, by the time between both onsets.

    Attributes
    ----------
    loss : float
        Evidence that is lost where the mask comes up with the image, in logits, >= 0.
    half_ms : float
        Time between the onsets that halves the loss, > 0.
    """

    loss: float = 14.0
    half_ms: float = 40.0

    def __post_init__(self) -> None:
        if not self.loss >= 0 or not self.half_ms > 0:
            raise ValueError(f"loss must be >= 0 and half_ms > 0, got {self.loss}, {self.half_ms}")


class Exposure(Recipe, frozen=True):
    """What a short image takes of the evidence, by the time for which it stood.

    Attributes
    ----------
    loss : float
        Evidence that is lost as the exposure goes to 0 ms, in logits, >= 0. By default none: a duration counts by the
        time until the mask alone.
    half_ms : float
        Exposure that halves the loss, > 0.

    Examples
    --------
    >>> dim = Observers(exposure=Exposure(loss=8.0, half_ms=20.0))
    >>> dim.lost_by_exposure(20), dim.lost_by_exposure(60), dim.lost_by_exposure(None)
    (4.0, 1.0, 0.0)
    """

    loss: float = 0.0
    half_ms: float = 40.0

    def __post_init__(self) -> None:
        if not self.loss >= 0 or not self.half_ms > 0:
            raise ValueError(f"loss must be >= 0 and half_ms > 0, got {self.loss}, {self.half_ms}")


def _paper_sources() -> dict[str, Sight]:
    return {"clickme": Sight(threshold=0.08), "salicon": Sight(threshold=0.16)}


class Observers(Recipe, frozen=True):
    """``observers.toml``: who takes part in a simulation.

    The evidence of a trial is the logit of knowing the answer, plus logistic noise; the answer is known where the sum
    is positive, and guessed elsewhere. Masks and, where `exposure` says so, short images take evidence away; confidence
    follows from what is left.

    Attributes
    ----------
    sight : Sight
        For map sources that have no entry of their own.
    sources : dict
        Map source → Sight. By default ClickMe's threshold is half of Salicon's.
    intact : float
        Evidence of the intact image, in logits.
    masking : Masking
        For families of masks that have no entry of their own.
    masks : dict
        Family of masks → Masking.
    exposure : Exposure
        What short images take of the evidence; nothing by default.
    confusions : dict
        The right option → option → weight of that option in guesses, >= 0; options that are left out have weight 0.
        Without an entry every option is as likely.
    threshold_sd : float
        Standard deviation of participants' thresholds, in factors of ten.
    lapse : float
        Share of trials answered without looking, 0 … 1; some of them are right by chance.
    confidence_slope : float
        Steps of a rating per logit of evidence, > 0: a known answer with evidence e has the step 1 + the whole part of
        confidence_slope x e, at most the highest; a guess has the lowest.
    response_shift_ms, response_median_ms : float
        Shortest response time, and median of what comes on top of it (log-normal).
    response_spread : float
        Standard deviation of that part's logarithm; at 0.3 about one answer in twenty is late.
    hesitation_ms : float
        Added where the answer is a guess.
    no_answer : float
        Share of trials without any answer.
    key_bias : float
        Probability that a guess between two options is the protocol's first input; 0.5 is fair.
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
    >>> import rapidvision as rv
    >>> observers = rv.experiments.Observers()
    >>> round(observers.know("clickme", 0.08), 2), round(observers.know("clickme", None), 2)
    (0.5, 1.0)
    >>> round(observers.know("clickme", None, lost=observers.lost("noise", 50)), 2)
    0.89
    """

    sight: Sight = Sight()
    sources: dict[str, Sight] = msgspec.field(default_factory=_paper_sources)
    intact: float = 8.0
    masking: Masking = Masking()
    masks: dict[str, Masking] = msgspec.field(default_factory=dict)
    exposure: Exposure = Exposure()
    confusions: dict[str, dict[str, float]] = msgspec.field(default_factory=dict)
    threshold_sd: float = 0.1
    lapse: float = 0.04
    confidence_slope: float = 1.0
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
        if not self.confidence_slope > 0 or math.isnan(self.intact):
            raise ValueError("confidence_slope must be > 0 and intact a number")
        for right, weights in self.confusions.items():
            if not weights or min(weights.values()) < 0 or not sum(weights.values()) > 0:
                raise ValueError(f"confusions.{right}: weights must be >= 0 and one of them > 0, got {weights}")

    def evidence(self, source: str, fraction: float | None, *, shift: float = 0.0) -> float:
        """Return the logit of knowing the answer at a revealed share (None: the intact image), without any mask.

        `shift` moves the threshold, in factors of ten.
        """
        if fraction is None:
            return self.intact
        sight = self.sources.get(source, self.sight)
        return sight.slope * (math.log10(fraction / sight.threshold) - shift)

    def lost(self, family: str, soa_ms: float) -> float:
        """Return the evidence that a mask of a family takes away, by the time between the onsets."""
        masking = self.masks.get(family, self.masking)
        return float(masking.loss * 2 ** (-soa_ms / masking.half_ms))

    def lost_by_exposure(self, shown_ms: float | None) -> float:
        """Return the evidence that an image loses which stood for so long; None for one that stood until the response."""
        if shown_ms is None:
            return 0.0
        return float(self.exposure.loss * 2 ** (-shown_ms / self.exposure.half_ms))

    def know(self, source: str, fraction: float | None, *, shift: float = 0.0, lost: float = 0.0) -> float:
        """Return the probability that the answer is known; `lost` is what masks take of the evidence."""
        return _logistic(self.evidence(source, fraction, shift=shift) - lost)

    def accuracy(self, source: str, fraction: float | None, *, shift: float = 0.0, chance: float = 0.5) -> float:
        """Return the probability of a correct answer among answered trials: chance, plus what is known and not lapsed."""
        return chance + (1 - chance) * (1 - self.lapse) * self.know(source, fraction, shift=shift)


def _logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x > -700 else 0.0


class Participant(Person):
    """A simulated participant: sees images come up and gives inputs some time later.

    Parameters
    ----------
    plan, observers, seed, may_leave
        As for :class:`Simulated`.
    clock : callable
        Returns the time on the screen's clock; inputs are delivered when it has passed them.
    """

    def __init__(
        self, plan: Plan, observers: Observers, *, seed: int, clock: Callable[[], float], may_leave: bool = True
    ) -> None:
        self.simulated = Simulated(plan, observers, seed=seed, may_leave=may_leave)
        super().__init__(plan, self.simulated, clock=clock)

    @property
    def threshold_shift(self) -> float:
        """By how many factors of ten its threshold differs from the observers'."""
        return self.simulated.threshold_shift


class Watched:
    """A screen that a simulated participant looks at.

    Parameters
    ----------
    screen : Screen
        The real one.
    see : callable
        Told of each new frame and when it came up.
    """

    def __init__(self, screen: Screen, see: Callable[[Frame, float], object]) -> None:
        self._screen, self._see = screen, see
        self._last: Frame | None = None
        self.period_s = screen.period_s
        self.mark, self.notes = screen.mark, screen.notes

    def flip(self, frame: Frame) -> float:
        """Flip, and let the participant see what is new."""
        time_s = self._screen.flip(frame)
        if frame is not self._last and frame != self._last:
            self._last = frame
            self._see(frame, time_s)
        return time_s
