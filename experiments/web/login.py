"""Experimenters log in: a password that is kept as a hash, a cookie that the server can revoke, no forms of other sites."""

import asyncio
import os
import secrets
from collections.abc import Callable
from http.cookies import SimpleCookie

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from rapidvision.errors import InputError

from ..clock import now_s
from .app import Problem, body_as, reply
from .security import Buckets
from .tokens import PASSWORD_VARIABLE, Keyring, check_password, hash_password, new_code

HOURS = 12
MIN_PASSWORD = 8
_STATEMENT = ("POST", "PUT", "DELETE", "PATCH")
#: So many experimenters are logged in at once; the one who came first has to log in again.
_MAX_LOGINS = 1000


class _Password(msgspec.Struct, forbid_unknown_fields=True):
    password: str


class Login:
    """Guards a dashboard.

    The server remembers who is logged in, so a cookie ends with the log-out, after :data:`HOURS`, and when the server
    starts anew, with the same password or another.

    Parameters
    ----------
    keys : Keyring
        Signs the cookie.
    password : str
        From the environment, or made anew and printed once; see :func:`password_from_environment`.
    https : bool
        Whether the cookie may only travel encrypted.
    name : str
        Of the dashboard: two on one computer need different ones, because browsers send cookies to every port.
    clock : callable, optional
        Seconds that never step; default: :func:`.clock.now_s`.
    """

    def __init__(
        self,
        keys: Keyring,
        password: str,
        *,
        https: bool,
        name: str = "",
        clock: Callable[[], float] = now_s,
    ) -> None:
        self.cookie = f"rapidvision-{name}" if name else "rapidvision"
        self._keys, self._https, self._clock = keys, https, clock
        self._hash = hash_password(password)
        self._tries = Buckets(rate=0.2, burst=10)
        self._until: dict[str, float] = {}

    def routes(self, prefix: str = "") -> list[Route]:
        """``POST login`` and ``POST logout``."""
        return [
            Route(f"{prefix}/login", self._log_in, methods=["POST"]),
            Route(f"{prefix}/logout", self._log_out, methods=["POST"]),
        ]

    def check(self, request: Request) -> None:
        """Let a logged-in experimenter pass.

        Raises
        ------
        Problem
            401 without a valid cookie; 403 for a change that comes from another site.
        """
        if request.method in _STATEMENT:
            check_origin(request)
        if self._until.get(self._nonce(request), 0.0) < self._clock():
            raise Problem(401, "login", "log in first")

    async def _log_in(self, request: Request) -> Response:
        check_origin(request)
        if not self._tries.take(request.client.host if request.client else ""):
            raise Problem(429, "slow_down", "too many attempts; wait a minute")
        given = await body_as(request, _Password)
        if not await asyncio.to_thread(check_password, given.password, self._hash):
            raise Problem(401, "password", "That is not the password.")
        nonce, now = secrets.token_hex(16), self._clock()
        self._until = {each: until for each, until in self._until.items() if until >= now}
        if len(self._until) >= _MAX_LOGINS:
            del self._until[next(iter(self._until))]
        self._until[nonce] = now + HOURS * 3600
        return self._with_cookie(self._keys.sign("login", nonce), HOURS * 3600)

    async def _log_out(self, request: Request) -> Response:
        check_origin(request)
        self._until.pop(self._nonce(request), None)
        return self._with_cookie("", 0)

    def _nonce(self, request: Request) -> str:
        return self._keys.open("login", request.cookies.get(self.cookie, "")) or ""

    def _with_cookie(self, token: str, seconds: int) -> Response:
        cookie: SimpleCookie = SimpleCookie({self.cookie: token})
        morsel = cookie[self.cookie]
        morsel["path"], morsel["max-age"], morsel["httponly"], morsel["samesite"] = "/", seconds, True, "Strict"
        if self._https:
            morsel["secure"] = True
        return reply({"logged_in": bool(token)}, headers={"set-cookie": morsel.OutputString()})


def check_origin(request: Request) -> None:
    """Refuse a change that another site's page asks for.

    Browsers say by ``Sec-Fetch-Site`` where a request comes from, which a proxy does not change; only without it are
    the origin and the host compared, which differ behind a proxy that hands on another host.

    Raises
    ------
    Problem
        403 when the browser says that the request comes from elsewhere.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        foreign = site not in ("same-origin", "none")
    else:
        origin = request.headers.get("origin")
        foreign = origin is not None and origin.partition("://")[2] != request.headers.get("host", "")
    if foreign:
        raise Problem(403, "foreign", "this request comes from another site")


def password_from_environment() -> tuple[str, bool]:
    """Return the experimenter's password, and whether it was made just now (then print it once).

    Raises
    ------
    InputError
        For a password that can be guessed by its length alone.
    """
    given = os.environ.get(PASSWORD_VARIABLE)
    if given and len(given) < MIN_PASSWORD:
        raise InputError(
            f"{PASSWORD_VARIABLE}: got {len(given)} characters, at least {MIN_PASSWORD} are needed; "
            "leave the variable out and a password is made and printed"
        )
    return (given, False) if given else (new_code(length=14), True)
