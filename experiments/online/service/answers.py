"""What simulated participants answer, so that a browser can act for them."""

from typing import Any, NamedTuple

from rapidvision.plan import Plan

from ...engine.participants import Observers
from ...engine.simulate import simulate_study


class Simulated(NamedTuple):
    """Simulated observers and the seed of their answers."""

    observers: Observers
    seed: int

    def answers(self, plan: Plan) -> list[dict[str, Any]]:
        """Return what the session engine's simulation of this plan answers."""
        rows = simulate_study([plan], self.observers, seed=self.seed)
        return [
            {
                "trial": made.trial,
                "target": None if made.response == "none" else made.response == "target",
                "response_ms": made.response_ms,
            }
            for made in rows
        ]
