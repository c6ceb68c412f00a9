"""What the servers of online studies and of the game share: problems, typed JSON in and out, static files, and the app."""

import hashlib
import html
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from rapidvision.errors import InputError, RecipeError
from rapidvision.system import json_text

from .security import MAX_BODY_BYTES, BodyLimit, SecurityHeaders
from .store import StoreUnavailable

T = TypeVar("T")

#: Named here, because the computer's own list differs: Windows takes it from the registry.
MEDIA_TYPES = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}
_FOREVER = "public, max-age=31536000, immutable"


class Problem(Exception):
    """A refusal that the browser understands: a status, a code for programs, a sentence for people, and `more` for pages."""

    def __init__(self, status: int, code: str, text: str, *, more: Mapping[str, Any] | None = None) -> None:
        super().__init__(text)
        self.status, self.code, self.text, self.more = status, code, text, more or {}


def reply(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return `value` as JSON that no cache keeps."""
    return Response(
        msgspec.json.encode(value), status, media_type="application/json", headers=dict(headers) if headers else None
    )


async def body_as(request: Request, type_: type[T], *, max_bytes: int = MAX_BODY_BYTES) -> T:
    """Return the request's JSON as a checked value.

    Raises
    ------
    Problem
        415 for another content type (forms of other sites cannot send JSON), 413 when too large, 400 for what is not
        JSON or nested too deeply, 422 for JSON that does not fit.
    """
    return decoded(request.headers.get("content-type", ""), await request.body(), type_, max_bytes=max_bytes)


def decoded(content_type: str, data: bytes, type_: type[T], *, max_bytes: int = MAX_BODY_BYTES) -> T:
    """Return a body as a checked value; see :func:`body_as`."""
    if content_type.partition(";")[0].strip() != "application/json":
        raise Problem(415, "not_json", "send application/json")
    if len(data) > max_bytes:
        raise Problem(413, "too_large", f"at most {max_bytes} bytes are taken")
    try:
        return json_text.decode(data, type_, name="the body")
    except (msgspec.ValidationError, RecipeError) as error:
        raise Problem(422, "does_not_fit", str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Problem(400, "not_json", "the body is not JSON") from error


def page(made: Path | bytes, *, headers: Mapping[str, str] | None = None) -> Callable[[Request], Any]:
    """Return an endpoint that serves one page: an HTML file, or what :func:`.shell.shell` made of one."""
    content = made if isinstance(made, bytes) else made.read_bytes()

    async def serve(_request: Request) -> Response:
        return Response(content, media_type="text/html", headers={"cache-control": "no-cache", **(headers or {})})

    return serve


class Files:
    """A folder's files as an endpoint: ``{path:path}``; read once, with entity tags, nothing outside the folder.

    Parameters
    ----------
    folder : Path
        The folder; only files that exist when the server starts are served.
    suffixes : sequence of str
        Only files that end so; of :data:`MEDIA_TYPES`.
    """

    def __init__(self, folder: Path, *, suffixes: Sequence[str] = tuple(MEDIA_TYPES)) -> None:
        self._files: dict[str, tuple[bytes, str, str]] = {}
        for path in sorted(folder.rglob("*"), key=Path.as_posix):
            if path.is_file() and path.suffix in suffixes:
                content = path.read_bytes()
                tag = f'"{hashlib.sha256(content).hexdigest()[:20]}"'
                self._files[path.relative_to(folder).as_posix()] = (content, MEDIA_TYPES[path.suffix], tag)

    async def __call__(self, request: Request) -> Response:
        """Serve one file, or 304 when the browser has it."""
        found = self._files.get(request.path_params["path"])
        if found is None:
            raise Problem(404, "no_such_file", "no such file")
        content, kind, tag = found
        headers = {"etag": tag, "cache-control": "no-cache"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(content, media_type=kind, headers=headers)

    async def endpoint(self, request: Request) -> Response:
        """The same as a coroutine function, which routes need."""
        return await self(request)


def file_forever(content: bytes, media_type: str) -> Response:
    """Return content whose address names its hash: it never changes, so browsers keep it."""
    return Response(content, media_type=media_type, headers={"cache-control": _FOREVER})


def create_app(
    routes: Sequence[BaseRoute],
    *,
    https: bool = False,
    root_path: str = "",
    max_body_bytes: int = MAX_BODY_BYTES,
    body_seconds: float = 10.0,
    headers: Mapping[str, str] | None = None,
) -> Starlette:
    """Return an app of `routes` inside the guards of :mod:`.security`, with every refusal as JSON.

    Parameters
    ----------
    routes : sequence of Route
        What is served; ``/alive`` is added.
    https : bool
        Whether the public address is https.
    root_path : str
        Path under which a proxy shows the app, without a slash at its end.
    max_body_bytes, body_seconds : int, float
        Limits of request bodies.
    headers : mapping, optional
        Security headers that differ.
    """
    handlers: dict[Any, Callable[..., Any]] = {
        Problem: _problem,
        StoreUnavailable: _unavailable,
        HTTPException: _http_problem,
        InputError: _input_problem,
        ClientDisconnect: _disconnected,
    }
    guards = [
        Middleware(SecurityHeaders, https=https, replace=headers),
        Middleware(BodyLimit, max_bytes=max_body_bytes, seconds=body_seconds),
    ]
    app = Starlette(routes=[*routes, Route("/alive", _alive)], middleware=guards, exception_handlers=handlers)
    return _under(app, root_path)


def _under(app: Starlette, root_path: str) -> Starlette:
    """Let the app answer under `root_path` whether or not the proxy strips it."""
    if not root_path:
        return app
    inner: ASGIApp = app.router

    class Strip:
        def __init__(self, guarded: ASGIApp) -> None:
            self.guarded = guarded

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "http" and scope["path"] == root_path:
                query = scope["query_string"].decode("latin-1")
                address = f"{root_path}/" + (f"?{query}" if query else "")
                await RedirectResponse(address, 308)(scope, receive, send)
                return
            if scope["type"] in ("http", "websocket") and scope["path"].startswith(root_path + "/"):
                scope = {**scope, "path": scope["path"][len(root_path) :], "raw_path": None}
            await self.guarded(scope, receive, send)

    assert inner is not None
    app.user_middleware.insert(0, Middleware(Strip))
    return app


async def _alive(_request: Request) -> Response:
    return reply({"alive": True})


def refusal(request: Request, status: int, code: str, text: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return a refusal: as JSON, or as a plain page to somebody who typed an address."""
    headers = {**(headers or {}), **({"retry-after": "1"} if status in (429, 503) else {})}
    if "text/html" not in request.headers.get("accept", ""):
        return reply({"error": code, "text": text}, status, headers)
    words = html.escape(text)
    content = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{words}</title></head><body><h1>This did not work</h1><p>{words}</p></body></html>"
    )
    return Response(content, status, media_type="text/html", headers=headers)


async def _problem(request: Request, error: Problem) -> Response:
    if error.more:
        return reply({"error": error.code, "text": error.text, **error.more}, error.status)
    return refusal(request, error.status, error.code, error.text)


async def _unavailable(request: Request, _error: StoreUnavailable) -> Response:
    return refusal(request, 503, "unavailable", "the database cannot store this now; try again")


async def _http_problem(request: Request, error: HTTPException) -> Response:
    text = "There is nothing at this address." if error.status_code == 404 else error.detail
    return refusal(request, error.status_code, f"http_{error.status_code}", text, error.headers)


async def _input_problem(request: Request, error: InputError) -> Response:
    return refusal(request, 400, "input", str(error))


async def _disconnected(_request: Request, _error: ClientDisconnect) -> Response:
    return Response(status_code=400)
