"""``PUT /api/answers/{number}``: the answer to a question, stored like a trial: the first content stays."""

from collections.abc import Iterable
from typing import Annotated

import msgspec
import sqlalchemy as sa
from starlette.requests import Request
from starlette.responses import Response

from rapidvision.task.questions import Question

from ... import clock
from ...web.app import Problem, body_as, reply
from ..database.schema import answer, session
from ..database.sessions import Refusal, insert_into, may_write
from .seats import SeatEndpoint
from .trial_report import Ms, Short, Utc
from .trial_writes import MAX_BYTES


class AnswerReport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of an answer's write.

    Attributes
    ----------
    question : str
        Its name; must be the plan's at this place.
    value : str, float or None
        The option, number or text; None when time ran out or it was left empty.
    response_ms : float
        From the question's first refresh.
    utc : str or None
        When, by the browser's clock.
    """

    question: Short
    value: Annotated[str, msgspec.Meta(max_length=4000)] | float | None
    response_ms: Ms
    utc: Utc | None = None


def why_no_answer(question: Question, report: AnswerReport) -> str | None:
    """Say why a report cannot be an answer to a question, or None."""
    value = report.value
    if report.question != question.name:
        return "another question than the plan's"
    if value is None or value == "":
        return None
    if question.kind == "number":
        low, high = question.range or (0, 0)
        fits = isinstance(value, float | int) and low <= value <= high
    elif question.kind == "text":
        fits = isinstance(value, str) and len(value) <= question.max_length
    else:
        fits = value in question.options
    return None if fits else f"no answer that the question {question.name} has"


def reports_of(connection: sa.Connection, session_ids: Iterable[str]) -> dict[str, dict[int, AnswerReport]]:
    """Return session → number → answer."""
    found: dict[str, dict[int, AnswerReport]] = {}
    wanted = sa.select(answer).where(answer.c.session_id.in_(list(session_ids)))
    for row in connection.execute(wanted.order_by(answer.c.number)):
        found.setdefault(row.session_id, {})[row.number] = msgspec.json.decode(row.content, type=AnswerReport)
    return found


class AnswerWrites(SeatEndpoint):
    """The endpoint."""

    async def endpoint(self, request: Request) -> Response:
        """Store one answer; the same again is acknowledged again.

        Raises
        ------
        Problem
            404 for a number at which nothing is asked, 409 for what is no answer or differs from the stored one.
        """
        held = self.seats.held(request.headers.get("authorization", ""))
        number: int = request.path_params["number"]
        place = self.served.places(held.group, held.slot).get(number)
        if place is None:
            raise Problem(404, "no_such_question", f"this session has no question {number}")
        report = await body_as(request, AnswerReport, max_bytes=MAX_BYTES)
        refused = why_no_answer(self.served.protocol.question(place.question), report)
        if refused is not None:
            raise Problem(409, "not_planned", refused)
        content = msgspec.json.encode(report).decode()
        stored = await self.store.write(
            lambda connection: _store(connection, held.session_id, held.tab, number, content)
        )
        if isinstance(stored, Refusal):
            raise Problem(stored.status, stored.code, stored.text)
        return reply({"stored": number, "duplicate": stored})


def _store(connection: sa.Connection, session_id: str, tab: int, number: int, content: str) -> bool | Refusal:
    """Store an answer; return whether it was there before."""
    mine = sa.and_(answer.c.session_id == session_id, answer.c.number == number)
    kept = connection.scalar(sa.select(answer.c.content).where(mine))
    columns = sa.select(session.c.session_id, session.c.state, session.c.tab)
    seat = connection.execute(columns.where(session.c.session_id == session_id)).first()
    if kept == content and seat is not None and seat.state == "finished":
        return True
    refused = may_write(seat, tab)
    if refused is not None:
        return refused
    if kept is not None:
        same = kept == content
        return True if same else Refusal(409, "differs", "This answer is stored already, with another content.")
    values = {"session_id": session_id, "number": number, "received": clock.wall_s(), "content": content}
    connection.execute(insert_into(connection, answer).values(**values).on_conflict_do_nothing())
    return False
