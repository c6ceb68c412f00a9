"""What simulated participants answer, so that a browser can act for them."""

from typing import Any, NamedTuple

from rapidvision.plan import Plan

from ...engine.participants import Observers
from ...engine.simulate import simulate_session
from ...interfaces import AnswerData, TrialData
from ..study.question_places import Place, places_of


class Simulated(NamedTuple):
    """Simulated observers and the seed of their answers."""

    observers: Observers
    seed: int

    def answers(self, plan: Plan) -> dict[str, Any]:
        """Return what the session engine's simulation of this plan answers: in trials, and to questions by number."""
        entries = simulate_session(plan, self.observers, seed=self.seed)
        numbers = {place: number for number, place in places_of(plan).items()}
        return {
            "trials": [
                {"trial": done.trial, "input": done.input, "response_ms": done.response_ms}
                for done in entries
                if isinstance(done, TrialData)
            ],
            "questions": {
                str(numbers[Place(given.question, given.trial, given.block)]): given.value
                for given in entries
                if isinstance(given, AnswerData)
            },
        }
