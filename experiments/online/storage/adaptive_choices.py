"""Adaptive trials: the server chooses, by the rule of the plan and the answers that are stored, so a resumed session agrees."""

import json
from typing import Any

import msgspec
import sqlalchemy as sa
from starlette.requests import Request
from starlette.responses import Response

from rapidvision.plan import Plan
from rapidvision.task.trial import Choice, Trial

from ...engine.state import State
from ...interfaces import TrialData
from ...web.app import Problem, reply
from ...web.store import Store
from ..database.schema import trial
from ..study.payload import file_of, run_step
from .seats import SeatEndpoint
from .trial_report import Measurement


def state_before(connection: sa.Connection, plan: Plan, session_id: str, number: int) -> State:
    """Return what the answers to the trials before a number say.

    Parameters
    ----------
    connection : sqlalchemy.Connection
        Reads the database.
    plan : Plan
        The session's.
    session_id : str
        The session.
    number : int
        Trials with smaller numbers count; those that were interrupted teach nothing.
    """
    state = State(plan)
    columns = (trial.c.trial, trial.c.chosen, trial.c.measurement)
    wanted = sa.select(*columns).where(trial.c.session_id == session_id, trial.c.trial < number)
    for found in connection.execute(wanted.where(trial.c.chosen.is_not(None)).order_by(trial.c.trial)):
        measured = msgspec.json.decode(found.measurement, type=Measurement)
        if not measured.aborted:
            state.add(_entry(found.trial, measured, json.loads(found.chosen)))
    return state


def _entry(number: int, measured: Measurement, chosen: Any) -> TrialData:
    return TrialData(
        trial=number,
        attempt=1,
        phases=[],
        zero_s=0.0,
        input=measured.input,
        response_ms=measured.response_ms,
        presses=[],
        flips_s=[],
        flags=[],
        refresh_hz=measured.refresh_hz or 60.0,
        chosen=chosen,
    )


async def choice_of(store: Store, plan: Plan, session_id: str, planned: Trial) -> Choice | None:
    """Return the value of the adaptive factor for a trial; None where nothing adapts."""
    if not planned.choices:
        return None
    return await store.query(
        lambda connection: state_before(connection, plan, session_id, planned.trial).choose(planned)
    )


class AdaptiveChoices(SeatEndpoint):
    """``GET /api/choices/{number}``: what an adaptive trial shows, and the files that the next one may show."""

    async def endpoint(self, request: Request) -> Response:
        """Choose for one trial.

        Raises
        ------
        Problem
            404 for a trial that does not adapt.
        """
        held = self.seats.held(request.headers.get("authorization", ""))
        plan = self.served.plans[held.group, held.slot]
        planned = self.served.trial(held.group, held.slot, request.path_params["number"])
        if planned is None or not planned.choices:
            raise Problem(404, "no_such_choice", "this session has no such adaptive trial")
        asked: Trial = planned
        made = await self.store.query(
            lambda connection: self._made(state_before(connection, plan, held.session_id, asked.trial), asked)
        )
        return reply(made)

    def _made(self, state: State, planned: Trial) -> dict[str, Any]:
        following = next((each for each in state.plan.trials() if each.trial > planned.trial and each.choices), None)
        after = state.choices_after(planned, following) if following else ()
        ahead = [following.chosen(choice) for choice in after] if following else []
        files = [file for trial_ in ahead for phase in trial_.phases if (file := file_of(trial_, phase))]
        return {**run_step(planned.chosen(state.choose(planned)), self.served), "next": [*dict.fromkeys(files)]}
