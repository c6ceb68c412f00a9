"""Who may use the desk: the browser that was given its address, on this computer, and no page of another site."""

import hmac
import secrets

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from ..web.app import Problem
from ..web.login import check_origin

_CHANGES = ("POST", "PUT", "DELETE", "PATCH")


class Access:
    """The desk's token: part of its address once, afterwards a cookie.

    Parameters
    ----------
    port : int
        The desk's port; part of the cookie's name, because browsers send cookies to every port of a computer.
    token : str, optional
        By default drawn anew, so that an address ends with the desk that printed it.
    """

    def __init__(self, port: int, token: str | None = None) -> None:
        self.token = token or secrets.token_urlsafe(24)
        self._cookie = f"rapidvision-desk-{port}"
        self._hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}

    def enter(self, request: Request) -> Response | None:
        """Exchange the token in an address for the cookie; None where the address has none."""
        given = request.query_params.get("token")
        if given is None:
            return None
        self._check_host(request)
        if not hmac.compare_digest(given.encode(), self.token.encode()):
            raise Problem(
                403, "token", "This address is of a desk that was closed. Open the address that the terminal shows."
            )
        answer = RedirectResponse("/", 303)
        answer.set_cookie(self._cookie, self.token, httponly=True, samesite="strict")
        return answer

    def check(self, request: Request) -> None:
        """Let a request of the desk's own page pass.

        Raises
        ------
        Problem
            403 without the cookie, under another host name, or for a change that another site asks for.
        """
        self._check_host(request)
        if request.method in _CHANGES:
            check_origin(request)
        given = request.cookies.get(self._cookie, "")
        if not hmac.compare_digest(given.encode(), self.token.encode()):
            raise Problem(
                403, "token", "Open the address that the terminal shows: it has a token, which this one lacks."
            )

    def _check_host(self, request: Request) -> None:
        """Refuse names that another site points to this computer."""
        if request.headers.get("host", "") not in self._hosts:
            raise Problem(403, "host", "The desk answers on this computer only, at 127.0.0.1.")
