"""The experimenter's side: log in, look, pause, export. Listens on a port of its own."""

import asyncio
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Literal

import msgspec
import sqlalchemy as sa
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from rapidvision.formats import trials_table

from ...web.app import Files, Problem, body_as, create_app, page, reply
from ...web.login import Login
from ...web.security import content_policy
from ...web.store import Store
from ..database.sessions import set_state
from ..output import export
from ..output.trials_table import observers_of
from ..pages.shell import BOOT_SOURCE, shell
from ..study.plans import ServedStudy
from ..study.translations import loading_words
from .overview import overview

STATIC = Path(__file__).parents[1] / "static"

Exporter = Callable[[sa.Connection, ServedStudy, Collection[str]], str | bytes]


def _csv(connection: sa.Connection, served: ServedStudy, observers: Collection[str], *, finished_only: bool) -> str:
    records = export.trial_records(connection, served, finished_only=finished_only, observers=observers)
    return trials_table.to_csv(records)


EXPORTS: dict[str, tuple[str, Exporter]] = {
    "trials.csv": ("text/csv", lambda c, s, who: _csv(c, s, who, finished_only=False)),
    "trials-finished.csv": ("text/csv", lambda c, s, who: _csv(c, s, who, finished_only=True)),
    "trials.parquet": ("application/vnd.apache.parquet", lambda c, s, who: export.parquet(c, s, observers=who)),
    "sessions.csv": ("text/csv", lambda c, s, who: export.sessions_csv(c, s, observers=who)),
    "quality.csv": ("text/csv", lambda c, s, who: export.quality_csv(c, s, observers=who)),
    "presses.csv": ("text/csv", lambda c, s, who: export.presses_csv(c, s, observers=who)),
    "answers.csv": ("text/csv", lambda c, s, who: export.answers_csv(c, s, observers=who)),
    "events.csv": ("text/csv", lambda c, s, who: export.events_csv(c, s, observers=who)),
    "psych-ds.zip": ("application/zip", lambda c, s, who: export.psych_ds(c, s, observers=who)),
}


class _State(msgspec.Struct, forbid_unknown_fields=True):
    state: Literal["open", "paused", "stopped"]


class Dashboard:
    """What a logged-in experimenter may ask for.

    Parameters
    ----------
    served : ServedStudy
        The study.
    store : Store
        Its database.
    login : Login
        Who may look.
    """

    def __init__(self, served: ServedStudy, store: Store, login: Login) -> None:
        self.served, self.store, self.login = served, store, login
        self._busy = asyncio.Semaphore(2)

    def routes(self) -> list[Route]:
        """Every address of the dashboard."""
        return [
            Route("/", page(shell(STATIC / "dashboard.html", main="static/dashboard.js", **loading_words("en")))),
            Route("/static/{path:path}", Files(STATIC / "dashboard").endpoint),
            *self.login.routes("/api"),
            Route("/api/overview", self.overview),
            Route("/api/state", self.state, methods=["POST"]),
            Route("/export/{name}", self.export),
        ]

    async def overview(self, request: Request) -> Response:
        """All counts."""
        self.login.check(request)
        health = self.store.health()
        async with self._busy:
            return reply(await self.store.query(lambda connection: overview(connection, self.served, health)))

    async def state(self, request: Request) -> Response:
        """Open, pause or stop the study."""
        self.login.check(request)
        wanted = (await body_as(request, _State)).state
        await self.store.write(lambda connection: set_state(connection, self.served.study_id, wanted))
        return reply({"state": wanted})

    async def export(self, request: Request) -> Response:
        """A file with the data as they are now: participants', or those of ``?observers=pilot,simulated``."""
        self.login.check(request)
        name = request.path_params["name"]
        if name not in EXPORTS:
            raise Problem(404, "no_such_export", f"exports: {', '.join(EXPORTS)}")
        kind, make = EXPORTS[name]
        observers = observers_of(request.query_params.get("observers", "human"))
        async with self._busy:
            content = await self.store.query(lambda connection: make(connection, self.served, observers))
        return Response(content, media_type=kind, headers={"content-disposition": f'attachment; filename="{name}"'})


def dashboard_app(dashboard: Dashboard) -> Starlette:
    """Return the app that experimenters reach."""
    return create_app(dashboard.routes(), headers={"content-security-policy": content_policy(BOOT_SOURCE)})
