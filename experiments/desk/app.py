"""The desk's pages and what their forms do."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import Route

from rapidvision.errors import InputError, RapidVisionError
from rapidvision.system.templates import rendered

from ..web.app import Files, Problem, create_app, reply
from .access import Access
from .action import Action, values_of
from .analysis_actions import ACTIONS as READING
from .categories import categories_of, fill_in, missing, read_images
from .jobs import Jobs
from .project import OWN, Project, projects_in
from .session_actions import ACTIONS as SESSIONS
from .stimuli_actions import ACTIONS as STIMULI
from .stored_files import MAX_UPLOAD_BYTES, POLICY, SHOWN, UPLOAD_SECONDS, inside, keep

_HERE = Path(__file__).parent
ACTIONS: tuple[Action, ...] = (*STIMULI, *SESSIONS, *READING)
BY_NAME = {action.name: action for action in ACTIONS}
#: What else a project may have to look at: path, title.
_FIGURES = (
    ("timeline.svg", "Timeline of a session"),
    ("study/balance.svg", "Balance of the plans"),
    ("report/figures/fig2b.svg", "Fig. 2B"),
)
_PAGES = (
    ("images/look.html", "Images with their maps and the guesses"),
    ("sheet/index.html", "Contact sheet"),
    ("report/report.html", "Report"),
)


class Desk:
    """The pages of a desk over the folder in which the process runs.

    Parameters
    ----------
    access : Access
        Who may come.
    """

    def __init__(self, access: Access) -> None:
        self.base = Path()
        self.access = access
        self.jobs = Jobs(Path(OWN) / "jobs", Path.cwd())

    def app(self) -> Starlette:
        """Return the app."""
        static = Files(_HERE / "static")
        page = self._page
        routes = [
            Route("/", page(self._home)),
            Route("/new", page(self._new), methods=["POST"]),
            Route("/study/{name}", page(self._study)),
            Route("/study/{name}/do/{action}", page(self._do), methods=["POST"]),
            Route("/study/{name}/categories", page(self._categories), methods=["GET", "POST"]),
            Route("/study/{name}/image/{image_id}", page(self._image)),
            Route("/study/{name}/upload/{path:path}", page(self._upload), methods=["PUT"]),
            Route("/study/{name}/file/{path:path}", page(self._file)),
            Route("/job/{number:int}", page(self._job)),
            Route("/job/{number:int}/state", page(self._state)),
            Route("/job/{number:int}/stop", page(self._stop), methods=["POST"]),
            Route("/static/{path:path}", static.endpoint),
        ]
        return create_app(routes, max_body_bytes=MAX_UPLOAD_BYTES, body_seconds=UPLOAD_SECONDS)

    def _page(self, work: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def guarded(request: Request) -> Response:
            entered = self.access.enter(request)
            if entered is not None:
                return entered
            self.access.check(request)
            return await work(request)

        return guarded

    async def _home(self, _request: Request) -> Response:
        projects = await asyncio.to_thread(self._projects)
        return _html("home.html", title="Studies", projects=projects, jobs=self.jobs.all()[:8], trouble="")

    def _projects(self) -> list[tuple[Project, list[Any]]]:
        return [(project, project.stages()) for project in projects_in(self.base)]

    async def _new(self, request: Request) -> Response:
        given = await _form(request)
        try:
            project = Project(self.base, given.get("name", "").strip())
            if project.folder.exists():
                raise InputError(f"{project.name}: there is a folder of this name; choose another name")
        except InputError as error:
            projects = await asyncio.to_thread(self._projects)
            return _html(
                "home.html", 400, title="Studies", projects=projects, jobs=self.jobs.all()[:8], trouble=str(error)
            )
        (project.folder / OWN).mkdir(parents=True)
        if given.get("images") == "bundled":
            action = BY_NAME["build-bundled"]
            steps, python = action.steps(project, {}), action.python(project, {})
            job = self.jobs.start(project.name, action.name, action.label, steps, python, long=False)
            return RedirectResponse(f"/job/{job.number}", 303)
        return RedirectResponse(f"/study/{project.name}", 303)

    def _find(self, request: Request) -> Project:
        try:
            project = Project(self.base, request.path_params["name"])
        except InputError as error:
            raise Problem(404, "no_such_study", str(error)) from error
        if not project.folder.is_dir():
            raise Problem(404, "no_such_study", f"{project.name}: there is no study of this name")
        return project

    async def _study(self, request: Request) -> Response:
        return await self._show(self._find(request))

    async def _show(self, project: Project, *, trouble: str = "", at: str = "", status: int = 200) -> Response:
        page = await asyncio.to_thread(self._study_values, project)
        return _html("study.html", status, title=project.name, project=project, trouble=trouble, at=at, **page)

    def _study_values(self, project: Project) -> dict[str, Any]:
        stages = project.stages()
        following = next((stage.name for stage in stages if not stage.done), "")
        actions = {stage.name: _offered(stage.name, project) for stage in stages}
        return {
            "stages": stages,
            "following": following,
            "actions": actions,
            "opened": next((action.name for action, missing in actions.get(following, ()) if not missing), ""),
            "figures": [(path, title) for path, title in _FIGURES if project.has(path)],
            "pages": [(path, title) for path, title in _PAGES if project.has(path)],
            "uncategorized": missing(project.images),
            "archive": f"{project.name}.zip" if project.has(f"{project.name}.zip") else "",
            "tables": [path.relative_to(project.folder).as_posix() for path in project.tables()],
            "paragraph": _paragraph(project),
            "sessions": _sessions(project),
            "jobs": [job for job in self.jobs.all() if job.project == project.name][:8],
        }

    async def _do(self, request: Request) -> Response:
        project, action = self._find(request), BY_NAME.get(request.path_params["action"])
        if action is None:
            raise Problem(404, "no_such_action", "there is no such action")
        given = await _form(request)
        try:
            if missing := action.ready(project):
                raise InputError(f"{action.label}: {missing}")
            values = values_of(action, given)
            steps, python = action.steps(project, values), action.python(project, values)
            job = self.jobs.start(project.name, action.name, action.label, steps, python, long=action.long)
        except InputError as error:
            return await self._show(project, trouble=str(error), at=action.name, status=400)
        return RedirectResponse(f"/job/{job.number}", 303)

    async def _categories(self, request: Request) -> Response:
        """Show the images with their categories; take what is filled in."""
        project, trouble = self._find(request), ""
        if not project.images.is_file():
            raise Problem(404, "no_images", "the study has no images.csv; upload images and guess a recipe first")
        if request.method == "POST":
            given = await _form(request)
            try:
                left = await asyncio.to_thread(fill_in, project.images, given)
            except InputError as error:
                left, trouble = 0, str(error)
            if not left and not trouble and any(name.startswith("target:") for name in given):
                return RedirectResponse(f"/study/{project.name}", 303)
            trouble = trouble or (f"{left} images have no category yet" if left else "choose the targets")
        rows = await asyncio.to_thread(read_images, project.images)
        return _html(
            "categories.html",
            400 if trouble else 200,
            title=f"Categories of {project.name}",
            project=project,
            rows=rows,
            categories=categories_of(rows),
            trouble=trouble,
        )

    async def _image(self, request: Request) -> Response:
        """Serve an image of the study's table, wherever the table says it lies."""
        project = self._find(request)
        rows = await asyncio.to_thread(read_images, project.images) if project.images.is_file() else []
        found = next((row["path"] for row in rows if row["image_id"] == request.path_params["image_id"]), "")
        path = project.images.parent / found
        kind = SHOWN.get(path.suffix.lower(), "")
        if not found or not kind.startswith("image/") or not path.is_file():
            raise Problem(404, "no_such_image", "there is no such image that a browser shows")
        return FileResponse(path, media_type=kind, headers={"content-security-policy": POLICY})

    async def _upload(self, request: Request) -> Response:
        project = self._find(request)
        target = inside(project.uploads, request.path_params["path"])
        data = await request.body()
        await asyncio.to_thread(keep, target, data, name=request.path_params["path"])
        return reply({"path": target.as_posix(), "bytes": len(data)})

    async def _file(self, request: Request) -> Response:
        project = self._find(request)
        path = inside(project.folder, request.path_params["path"])
        kind = SHOWN.get(path.suffix.lower())
        if kind is None or not path.is_file():
            raise Problem(404, "no_such_file", f"{request.path_params['path']}: there is no such file")
        return FileResponse(
            path, media_type=kind, headers={"cache-control": "no-cache", "content-security-policy": POLICY}
        )

    async def _job(self, request: Request) -> Response:
        job = self.jobs.one(request.path_params["number"])
        if job is None:
            raise Problem(404, "no_such_job", "there is no such job")
        return _html("job.html", title=job.label, job=job, log=self.jobs.log(job.number))

    async def _state(self, request: Request) -> Response:
        job = self.jobs.one(request.path_params["number"])
        if job is None:
            raise Problem(404, "no_such_job", "there is no such job")
        return reply({"state": job.state, "n_done": job.n_done, "log": self.jobs.log(job.number)})

    async def _stop(self, request: Request) -> Response:
        number = request.path_params["number"]
        await asyncio.to_thread(self.jobs.stop, number)
        return RedirectResponse(f"/job/{number}", 303)


def _html(template: str, status: int = 200, **values: Any) -> Response:
    return Response(rendered(_HERE / "templates" / template, **values), status, media_type="text/html")


async def _form(request: Request) -> dict[str, str]:
    """Return a form's values; files go to the upload address."""
    if not await request.body():
        return {}
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
        raise Problem(415, "not_a_form", "send a form")
    return dict(parse_qsl((await request.body()).decode("utf-8", errors="replace"), keep_blank_values=True))


def _offered(stage: str, project: Project) -> list[tuple[Action, str]]:
    return [(action, action.ready(project)) for action in ACTIONS if action.stage == stage]


def _paragraph(project: Project) -> str:
    path = project.report / "paragraph.txt"
    return path.read_text(encoding="utf-8").strip() if path.is_file() else ""


def _sessions(project: Project) -> str:
    """Return the table of the study's sessions, or what keeps it from being read."""
    if not project.has("study", "study.json"):
        return ""
    from ..lab import overview

    try:
        return f"{overview.status(project.study)}\n\n{overview.sessions_table(project.study)}"
    except RapidVisionError as error:
        return str(error)
