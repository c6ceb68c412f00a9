"""What a report did otherwise than its plan says."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from .plan import Preregistration


class Deviation(NamedTuple):
    """One difference: what, as planned, as done."""

    what: str
    planned: str
    done: str


def deviations(plan: Preregistration, results: Mapping[str, Any]) -> tuple[Deviation, ...]:
    """Compare everything that a plan names with what was done.

    Parameters
    ----------
    plan : Preregistration
        As registered.
    results : mapping
        What ``results.json`` holds.

    Returns
    -------
    tuple of Deviation
        Empty where all was done as planned.
    """
    test, options = results["test"], results["options"]
    recruited: Mapping[str, int] = results["exclusions"]["before"]
    pairs: list[tuple[str, Any, Any]] = [
        ("conditions, first minus second", list(plan.conditions), list(test["groups"])),
        *((f"participants in {name}", size, recruited.get(name, 0)) for name, size in plan.n.items()),
        *((f"participants in {name}", 0, size) for name, size in recruited.items() if name not in plan.n),
        ("statistic", plan.statistic, test["statistic"]),
        ("late, early and missing answers", plan.late, test["late"]),
        ("sides of the test", plan.alternative, test["alternative"]),
        ("correction over levels", plan.correction, test["correction"]),
        ("alpha", plan.alpha, test["alpha"]),
        ("relabellings", plan.relabellings, test["relabellings"]),
        ("seed", plan.seed, results["provenance"]["seed"]),
        ("exclusions", plan.exclusion, options["exclusion"]),
        ("margin of the ceiling", plan.margin, options["margin"]),
        ("trials by their timing", plan.timing, options["timing"]),
        ("repeated attempts", plan.attempts, options["attempts"]),
        ("only some rows", [], options["where"]),
        ("version of RapidVision", plan.rapidvision, results["provenance"]["version"]),
    ]
    return tuple(Deviation(what, _text(planned), _text(done)) for what, planned, done in pairs if planned != done)


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)
