"""Where a plan asks questions: every place has a number, so that an answer can be stored, and sent again, like a trial."""

from typing import NamedTuple

from rapidvision.plan import Ask, Plan, Run


class Place(NamedTuple):
    """A question at its place in the session: after a trial, after a block, or at the session's start or end.

    Attributes
    ----------
    question : str
        Its name.
    trial, block : int or None
        The trial or the block that it follows; both None for the session's own questions.
    """

    question: str
    trial: int | None = None
    block: int | None = None


def places_of(plan: Plan) -> dict[int, Place]:
    """Return number → place for every question of a plan.

    Parameters
    ----------
    plan : Plan
        The session.

    Returns
    -------
    dict
        The numbers follow those of the trials, in the order of the plan: one number never means a trial and an answer.
    """
    places: list[Place] = []
    for step in plan.steps:
        if isinstance(step, Run):
            places += [Place(name, trial=step.trial.trial) for name in step.trial.ask]
        elif isinstance(step, Ask):
            places.append(Place(step.question, block=step.block))
    first = 1 + max((trial.trial for trial in plan.trials()), default=-1)
    return dict(enumerate(places, first))
