"""A participant whose answers are a plain function of (seed, trial): the same in every runner and every language.

The number of a trial is the first eight hexadecimal digits of the SHA-256 of ``"seed:trial"``, over 2**32. Below .80 the
response is right, from .80 to below .95 it is the option behind the right one in the protocol's order, the first one
behind the last; from .95 on there is none. It comes 250 ms after time zero, or after half the limit where that is
less. Answers to questions follow from ``"seed:trial:question"``, with trial -1 outside trials.
"""

import hashlib
from collections.abc import Callable

from rapidvision.plan import Plan
from rapidvision.task.questions import Question
from rapidvision.task.trial import Trial

from .person import Person

RIGHT_BELOW, WRONG_BELOW = 0.80, 0.95
RESPONSE_MS, QUESTION_MS = 250.0, 300.0


def number_of(*address: int | str) -> float:
    """Return the number of an address, 0 to 1 exclusive.

    Examples
    --------
    >>> round(number_of(1, 0), 6), round(number_of(1, 0, "confidence"), 6)
    (0.65003, 0.51965)
    """
    text = ":".join(map(str, address))
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) / 2**32


class Script:
    """A :class:`~rapidvision.experiments.engine.person.Mind` that follows the rule of this module.

    Parameters
    ----------
    plan : Plan
        The session.
    seed : int
        Any whole number.
    """

    def __init__(self, plan: Plan, seed: int) -> None:
        response = plan.protocol.response
        self._options = [option.name for option in response.options] if response else []
        self._seed = seed

    def option(self, trial: Trial) -> str | None:
        """Return the option that is chosen; None for no response."""
        number, options = number_of(self._seed, trial.trial), self._options
        if number >= WRONG_BELOW:
            return None
        if trial.correct_response not in options:
            return options[int(number * len(options))]
        right = options.index(trial.correct_response)
        return options[right if number < RIGHT_BELOW else (right + 1) % len(options)]

    def respond(self, trial: Trial) -> tuple[str, float] | None:
        """Return the option and its time in ms."""
        option = self.option(trial)
        ms = RESPONSE_MS if trial.limit_ms is None else min(RESPONSE_MS, trial.limit_ms / 2)
        return None if option is None else (option, ms)

    def answer(self, question: Question, trial: Trial | None) -> tuple[str, float]:
        """Return an option by the address's number; the lowest number of a range; the right name, or ``nothing``."""
        number = number_of(self._seed, -1 if trial is None else trial.trial, question.name)
        if question.options:
            return question.options[int(number * len(question.options))], QUESTION_MS
        if question.range is not None:
            return f"{question.range[0]:g}", QUESTION_MS
        right = trial is not None and number < RIGHT_BELOW and trial.correct_response
        return right or "nothing", QUESTION_MS

    def leaves(self, trial: Trial) -> bool:  # noqa: ARG002  a mind is asked with the trial
        """It takes part to the end."""
        return False


def scripted(plan: Plan, *, seed: int, clock: Callable[[], float]) -> Person:
    """Return a participant that follows the rule of this module."""
    return Person(plan, Script(plan, seed), clock=clock)
