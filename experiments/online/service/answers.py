"""What simulated participants answer, so that a browser can act for them."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from rapidvision.plan import Plan

from ...engine.participants import Observers
from ...engine.simulate import simulate_session
from ...interfaces import AnswerData, Entry, TrialData
from ..study.question_places import Place, places_of


class Simulated(NamedTuple):
    """Simulated observers and the seed of their answers."""

    observers: Observers
    seed: int

    def answers(self, plan: Plan) -> dict[str, Any]:
        """Return what the session engine's simulation of this plan answers."""
        return given_in(plan, simulate_session(plan, self.observers, seed=self.seed))


def given_in(plan: Plan, entries: Iterable[Entry]) -> dict[str, Any]:
    """Return what was answered in a session of the engine: in trials, and to questions by number.

    Parameters
    ----------
    plan : Plan
        The session's.
    entries : iterable of Entry
        Its journal.
    """
    numbers = {place: number for number, place in places_of(plan).items()}
    trials, questions = [], {}
    for entry in entries:
        if isinstance(entry, TrialData):
            trials.append({"trial": entry.trial, "input": entry.input, "response_ms": entry.response_ms})
        elif isinstance(entry, AnswerData):
            questions[str(numbers[Place(entry.question, entry.trial, entry.block)])] = entry.value
    return {"trials": trials, "questions": questions}
