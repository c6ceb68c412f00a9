"""Experimenters log in: a password that is kept as a hash, a signed cookie, and forms that other sites cannot send."""

import asyncio
import os
import time
from http.cookies import SimpleCookie

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .app import Problem, body_as, reply
from .security import Buckets
from .tokens import PASSWORD_VARIABLE, Keyring, check_password, hash_password, new_code

COOKIE = "rapidvision"
HOURS = 12
_STATEMENT = ("POST", "PUT", "DELETE", "PATCH")


class _Password(msgspec.Struct, forbid_unknown_fields=True):
    password: str


class Login:
    """Guards a dashboard.

    Parameters
    ----------
    keys : Keyring
        Signs the cookie.
    password : str
        From the environment, or made anew and printed once; see :func:`password_from_environment`.
    https : bool
        Whether the cookie may only travel encrypted.
    """

    def __init__(self, keys: Keyring, password: str, *, https: bool) -> None:
        self._keys, self._https = keys, https
        self._hash = hash_password(password)
        self._tries = Buckets(rate=0.2, burst=10)

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
        token = request.cookies.get(COOKIE, "")
        until = self._keys.open("login", token)
        if until is None or not until.isdigit() or int(until) < time.time():
            raise Problem(401, "login", "log in first")

    async def _log_in(self, request: Request) -> Response:
        check_origin(request)
        if not self._tries.take(request.client.host if request.client else ""):
            raise Problem(429, "slow_down", "too many attempts; wait a minute")
        given = await body_as(request, _Password)
        if not await asyncio.to_thread(check_password, given.password, self._hash):
            raise Problem(401, "password", "That is not the password.")
        until = str(int(time.time()) + HOURS * 3600)
        return self._with_cookie(self._keys.sign("login", until), HOURS * 3600)

    async def _log_out(self, request: Request) -> Response:
        check_origin(request)
        return self._with_cookie("", 0)

    def _with_cookie(self, token: str, seconds: int) -> Response:
        cookie: SimpleCookie = SimpleCookie({COOKIE: token})
        morsel = cookie[COOKIE]
        morsel["path"], morsel["max-age"], morsel["httponly"], morsel["samesite"] = "/", seconds, True, "Strict"
        if self._https:
            morsel["secure"] = True
        return reply({"logged_in": bool(token)}, headers={"set-cookie": morsel.OutputString()})


def check_origin(request: Request) -> None:
    """Refuse a change that another site's page asks for.

    Raises
    ------
    Problem
        403 when the browser says that the request comes from elsewhere.
    """
    origin, host = request.headers.get("origin"), request.headers.get("host", "")
    foreign = origin is not None and origin.partition("://")[2] != host
    if foreign or request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise Problem(403, "foreign", "this request comes from another site")


def password_from_environment() -> tuple[str, bool]:
    """Return the experimenter's password, and whether it was made just now (then print it once)."""
    given = os.environ.get(PASSWORD_VARIABLE)
    return (given, False) if given else (new_code(length=14), True)
