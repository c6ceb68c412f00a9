"""The mind of a simulated participant: what it knows of an image, what it guesses, how sure it is."""

import math
from typing import TYPE_CHECKING

import numpy as np

from rapidvision.plan import Plan
from rapidvision.seeds import stream
from rapidvision.task.phases import NO_MASK
from rapidvision.task.questions import Question
from rapidvision.task.trial import Trial

if TYPE_CHECKING:
    from .participants import Observers


class Simulated:
    """A :class:`~rapidvision.experiments.engine.person.Mind` with thresholds.

    Every answer is drawn from the address (seed, group, slot), so a session that stops and is resumed gives the same
    answers.

    Parameters
    ----------
    plan : Plan
        The session it takes part in.
    observers : Observers
        What it is like.
    seed : int
        Seed of the simulation.
    may_leave : bool
        Whether a drop-out leaves; False when a session is resumed.
    """

    def __init__(self, plan: Plan, observers: "Observers", *, seed: int, may_leave: bool = True) -> None:
        self.plan, self.observers, self.seed = plan, observers, seed
        rng = stream(seed, "participant", plan.group, plan.slot)
        trials = plan.trials()
        self._guesser, leaves = (bool(it) for it in rng.random(2) < (observers.guessers, observers.drop_outs))
        self.threshold_shift = float(rng.normal(0.0, observers.threshold_sd))
        leaving = int(rng.integers(len(trials))) if trials else 0
        self._leaves_at = trials[leaving].trial if leaves and may_leave else None
        draws, paces = rng.random((len(trials), 4)), rng.standard_normal(len(trials))
        self._draws = {trial.trial: tuple(draws[i].tolist()) for i, trial in enumerate(trials)}
        pace = observers.response_median_ms * np.exp(observers.response_spread * paces)
        self._pace = {trial.trial: float(pace[i]) for i, trial in enumerate(trials)}
        response = plan.protocol.response
        self._options = [option.name for option in response.options] if response else []
        self._first = next(iter(plan.inputs), None)
        if response:  # the first input of the protocol, whatever it means to this participant
            named = [key for option in response.options for key in option.inputs if key in plan.inputs]
            self._first = named[0] if named else self._first
        self._names = sorted({trial.correct_response for trial in trials if trial.correct_response})

    def evidence(self, trial: Trial) -> float:
        """Return the evidence of a trial with its noise, in logits: above 0 the answer is known."""
        if self._guesser:
            return -math.inf
        observers = self.observers
        given = [
            observers.evidence(image.map_source, image.reveal_fraction, shift=self.threshold_shift)
            - observers.lost_by_exposure(_shown_ms(trial, role))
            for role, image in trial.images.items()
        ]
        logit = min(given) - self._masked(trial)
        luck = self._draws[trial.trial][1] / max(1e-300, 1 - observers.lapse)
        if luck >= 1:
            return -math.inf  # a lapse
        return math.inf if luck <= 0 else logit - math.log(luck / (1 - luck))

    def _masked(self, trial: Trial) -> float:
        """The evidence that masks behind the last image take away."""
        lost, since_ms, seen = 0.0, 0, False
        for phase in trial.phases:
            if phase.kind == "stimulus":
                since_ms, seen = 0, True
            if phase.kind == "mask" and seen:
                family = self.plan.protocol.phase(phase.name).mask
                family = str(trial.factors.get(family, family))
                lost += 0.0 if family == NO_MASK else self.observers.lost(family, since_ms)
            if phase.duration_ms is None:
                break
            since_ms += phase.duration_ms
        return lost

    def respond(self, trial: Trial) -> tuple[str, float] | None:
        """Return the option and its time in ms; None for no response."""
        observers, draws = self.observers, self._draws[trial.trial]
        if draws[0] < observers.no_answer:
            return None
        knows = self.evidence(trial) > 0
        right = trial.correct_response
        option = right if knows and right in self._options else self._guess(right, draws[2])
        ms = observers.response_shift_ms + self._pace[trial.trial] + (0.0 if knows else observers.hesitation_ms)
        return option, ms

    def _guess(self, right: str | None, draw: float) -> str:
        options = self._options
        weights = self.observers.confusions.get(right or "", {})
        if weights:
            shares = np.cumsum([weights.get(name, 0.0) for name in options])
            if shares[-1] > 0:
                return options[int(np.searchsorted(shares / shares[-1], draw, side="right"))]
        if len(options) == 2 and self._first is not None:
            first = self.plan.inputs[self._first]
            return first if draw < self.observers.key_bias else next(name for name in options if name != first)
        return options[int(draw * len(options))]

    def answer(self, question: Question, trial: Trial | None) -> tuple[str, float]:
        """Return the words of an answer and the time until its first key.

        A rating after a trial is the confidence; a question with a right answer is answered by what is known; others
        are drawn evenly.
        """
        rng = stream(
            self.seed, "question", self.plan.group, self.plan.slot, question.name, trial.trial if trial else -1
        )
        draw, ms = float(rng.random()), 300.0 + 200.0 * float(rng.random())
        if trial is not None and question.correct:
            knows = self.evidence(trial) > 0 and trial.correct_response is not None
            words = trial.correct_response if knows else self._names[int(draw * len(self._names))]
            return str(words), ms
        if question.kind == "rating" and trial is not None:
            return question.options[self.confidence(trial, len(question.options)) - 1], ms
        if question.options:
            return question.options[int(draw * len(question.options))], ms
        if question.range is not None:
            low, high = question.range
            return f"{min(high, max(low, round(low + draw * (high - low)))):g}", ms
        return "nothing", ms

    def confidence(self, trial: Trial, n_steps: int) -> int:
        """Return the step of a rating, 1 to `n_steps`, by the evidence of the trial."""
        evidence = self.evidence(trial)
        if evidence <= 0:
            return 1
        return 1 + int(min(n_steps - 1.0, self.observers.confidence_slope * evidence))

    def leaves(self, trial: Trial) -> bool:
        """Whether this is the trial in which a drop-out gives up."""
        return trial.trial == self._leaves_at


def _shown_ms(trial: Trial, role: str) -> int | None:
    """For how long an image of a trial stands by the plan, all of its phases together; None until the response."""
    found = [phase.duration_ms for phase in trial.phases if phase.kind == "stimulus" and phase.content == role]
    return None if None in found else sum(ms for ms in found if ms is not None)
