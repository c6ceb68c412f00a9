"""Which trials a session still owes: practice that was passed falls away, practice that was missed can end it."""

from collections.abc import Mapping

from rapidvision.plan import Gate, Plan, Run


def owed(plan: Plan, right: Mapping[int, bool]) -> tuple[list[int], bool]:
    """Return the trials that are left, and whether a criterion was missed that ends the session.

    Parameters
    ----------
    plan : Plan
        The session.
    right : mapping
        Trial → whether it was correct and in time, for every trial that is stored.

    Returns
    -------
    (list of int, bool)
        Numbers in the order of the plan; those behind a gate that is not yet decided are among them.
    """
    left: list[int] = []
    skip: set[str] = set()
    for step in plan.steps:
        if step.part in skip:
            continue
        if isinstance(step, Run) and step.trial.trial not in right:
            left.append(step.trial.trial)
        elif isinstance(step, Gate) and not left:
            block = [right[trial.trial] for trial in plan.trials() if trial.block == step.block]
            if block and sum(block) / len(block) >= step.at_least:
                skip |= set(step.skip)
            elif step.otherwise == "stop":
                return left, True
    return left, False
