"""The game on the web: joining, the socket that play runs over, images, leaderboard, and the page."""

import asyncio
import hmac
from pathlib import Path
from typing import Annotated, Any

import msgspec
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket

from rapidvision.errors import InputError, RecipeError
from rapidvision.images.png import png_bytes

from ...web.app import Files, Problem, body_as, page, reply
from ...web.login import check_origin
from ...web.security import Buckets
from ...web.tokens import Keyring
from ..game import messages
from ..game.usernames import checked_name, guest_name, key_of
from .game_loop import LiveGame
from .players import LiveRound, Seat, Send
from .rights import Rights, check_consent, withdrawal_code, withdrawal_hash
from .transport import PostLink, PostLinks, SocketLink

PAGE = Path(__file__).parents[1] / "page"
COOKIE = "clickme"
_YEAR_S = 365 * 24 * 3600
#: Close codes of the socket: who are you; too much at once; not a message.
UNKNOWN_PLAYER, TOO_FAST, FOREIGN = 4401, 4429, 4403
#: How often pages that come by POST are looked for.
SWEEP_S = 5.0


class _Join(msgspec.Struct, forbid_unknown_fields=True):
    name: Annotated[str, msgspec.Meta(max_length=100)] = ""
    guest: bool = False
    consent: Annotated[str, msgspec.Meta(max_length=64)] = ""
    of_age: bool = False


class _Return(msgspec.Struct, forbid_unknown_fields=True):
    name: Annotated[str, msgspec.Meta(max_length=100)]
    code: Annotated[str, msgspec.Meta(max_length=20)]


class _Said(msgspec.Struct, forbid_unknown_fields=True):
    messages: Annotated[list[msgspec.Raw], msgspec.Meta(max_length=64)]


class _Hear(msgspec.Struct, forbid_unknown_fields=True):
    after: Annotated[int, msgspec.Meta(ge=0, le=2**53)] = 0


class Server:
    """The web side of a game.

    Parameters
    ----------
    live : LiveGame
        The game.
    keys : Keyring
        Signs the players' cookies and makes their codes.
    https : bool
        Whether cookies may only travel encrypted.
    root_path : str
        Path under which a proxy shows the app.
    """

    def __init__(self, live: LiveGame, keys: Keyring, *, https: bool = False, root_path: str = "") -> None:
        self.live, self.keys, self.https, self.root_path = live, keys, https, root_path
        self._joins = Buckets(rate=2, burst=100)  # a school class comes from one address
        self._returns = Buckets(rate=0.1, burst=10)
        self._messages = Buckets(rate=60, burst=180)
        self._hears = Buckets(rate=60, burst=180)
        self._links = PostLinks()
        self._sweeper: asyncio.Task[None] | None = None
        self._rights = Rights(live, keys, self._player, lambda request: self._limit(self._returns, request))

    def routes(self) -> list[BaseRoute]:
        """What is served."""
        return [
            Route("/", page(PAGE / "index.html")),
            Route("/static/{path:path}", Files(PAGE).endpoint),
            Route("/api/join", self.join, methods=["POST"]),
            Route("/api/return", self.come_back, methods=["POST"]),
            Route("/api/me", self.me),
            Route("/api/board", self.board),
            Route("/api/rounds/{round_id}/image.png", self.image),
            Route("/api/rounds/{round_id}/view.png", self.view),
            WebSocketRoute("/api/play", self.play),
            Route("/api/links", self.open_link, methods=["POST"]),
            Route("/api/links/{link_id}/say", self.say, methods=["POST"]),
            Route("/api/links/{link_id}/hear", self.hear, methods=["POST"]),
            *self._rights.routes(),
        ]

    async def join(self, request: Request) -> Response:
        """Enter with a username, or as a guest; the answer sets the cookie and tells the player's codes."""
        check_origin(request)
        self._limit(self._joins, request)
        body = await body_as(request, _Join)
        try:
            name = guest_name() if body.guest else checked_name(body.name, blocked=self.live.game.blocked_names)
        except InputError as error:
            raise Problem(422, "name", str(error)) from error
        check_consent(self.live, body.consent, of_age=body.of_age)
        player_id = await self.live.lobby.join(
            name,
            key_of(name),
            consent=self.live.game.consent_sha256,
            withdrawal=lambda player_id: withdrawal_hash(self.keys, withdrawal_code(self.keys, player_id)),
        )
        if player_id is None:
            raise Problem(409, "taken", "username: somebody has this one; if that is you, come back with your code")
        return self._welcome(player_id, 201)

    async def come_back(self, request: Request) -> Response:
        """Enter on another device with username and code."""
        check_origin(request)
        self._limit(self._returns, request)
        body = await body_as(request, _Return)
        player_id = await self.live.lobby.named(key_of(" ".join(body.name.split())))
        expected = self.keys.code("player", player_id or "unknown")
        given = body.code.strip().upper().replace("-", "")
        if player_id is None or not _same(expected, given):
            raise Problem(403, "code", "username and code do not belong together")
        return self._welcome(player_id, 200)

    async def me(self, request: Request) -> Response:
        """Say who the cookie belongs to."""
        player_id = self._player(request)
        if player_id is None:
            raise Problem(401, "who", "choose a username first")
        return reply(self._self(player_id))

    async def board(self, request: Request) -> Response:
        """The leaderboard."""
        await self.live.lobby.look()
        return reply(self.live.standings.board(self._player(request)))

    async def image(self, request: Request) -> Response:
        """The image of one of the player's own last rounds."""
        return Response(self._own_round(request).image_png, media_type="image/png")

    async def view(self, request: Request) -> Response:
        """What the partner saw, after the round and where the game shows it."""
        own = self._own_round(request)
        if not own.finished or not self.live.shows_view(own):
            raise Problem(403, "not_shown", "what the partner saw is not shown")
        return Response(await asyncio.to_thread(png_bytes, own.play.view.pixels), media_type="image/png")

    async def play(self, socket: WebSocket) -> None:
        """Run the socket of one page until it closes."""
        player_id = self._player(socket)
        if not _same_site(socket):
            await socket.close(FOREIGN)
            return
        await socket.accept()
        if player_id is None or self._consent_due(player_id):
            await socket.close(UNKNOWN_PLAYER)
            return
        link = SocketLink(socket)
        seat = await self.live.connect(player_id, link.send)
        try:
            while (text := await link.receive()) is not None:
                if not self._messages.take(player_id):
                    await socket.close(TOO_FAST)
                    break
                await self._take(seat, link.send, text)
        finally:
            self.live.disconnect(seat, link.send)

    async def _take(self, seat: Seat, send: Send, text: str | bytes) -> None:
        """Do what one message asks."""
        try:
            message = messages.decode(text)
        except (msgspec.DecodeError, RecipeError, UnicodeDecodeError, RecursionError) as error:
            await send(messages.refused("not_understood", str(error)))
        else:
            await self.live.handle(seat, message)

    # -- by POST ----------------------------------------------------------------------------------------------------

    async def open_link(self, request: Request) -> Response:
        """Open a link for a page whose sockets are blocked; an older page of the player is told that it moved."""
        check_origin(request)
        player_id = self._player(request)
        if player_id is None:
            raise Problem(401, "who", "choose a username first")
        if self._consent_due(player_id):
            raise Problem(403, "consent", "please read the text and agree to it first")
        if not self._messages.take(player_id):
            raise Problem(429, "slow_down", "too many tries; wait a little")
        link, surplus = self._links.open(player_id)
        for old in surplus:
            self._leave(old)
        link.seat = await self.live.connect(player_id, link.send)
        if self._sweeper is None or self._sweeper.done():
            self._sweeper = asyncio.create_task(self._sweep())
        return reply({"link": link.link_id}, 201)

    async def say(self, request: Request) -> Response:
        """Take messages of a page, in order."""
        link, seat = self._link(request)
        body = await body_as(request, _Said)
        for raw in body.messages:
            if not self._messages.take(link.player_id):
                raise Problem(429, "slow_down", "too many messages; wait a little")
            await self._take(seat, link.send, bytes(raw))
        return reply({"taken": len(body.messages)})

    async def hear(self, request: Request) -> Response:
        """Return what a page has not heard yet, as soon as there is something."""
        link, _ = self._link(request)
        body = await body_as(request, _Hear)
        if not self._hears.take(link.player_id):
            raise Problem(429, "slow_down", "too many questions; wait a little")
        news, last = await link.hear(body.after)
        return reply({"messages": news, "last": last})

    def _link(self, request: Request) -> tuple[PostLink, Seat]:
        check_origin(request)
        link = self._links.find(request.path_params["link_id"], self._player(request))
        if link is None or link.seat is None:
            raise Problem(404, "no_such_link", "this link is not known; open another one")
        return link, link.seat

    def _leave(self, link: PostLink) -> None:
        if link.seat is not None:
            self.live.disconnect(link.seat, link.send)

    async def _sweep(self) -> None:
        while len(self._links):
            await asyncio.sleep(SWEEP_S)
            for link in self._links.gone():
                self._leave(link)

    # -- who asks ---------------------------------------------------------------------------------------------------

    def _player(self, connection: HTTPConnection) -> str | None:
        player_id = self.keys.open("player", connection.cookies.get(COOKIE, ""))
        return player_id if player_id is not None and self.live.lobby.name_of(player_id) else None

    def _consent_due(self, player_id: str) -> bool:
        """Whether a player has agreed to another text than today's, or to none."""
        return self.live.lobby.consents.get(player_id, "") != self.live.game.consent_sha256

    def _own_round(self, request: Request) -> LiveRound:
        player_id = self._player(request)
        own = self.live.round_of(player_id, request.path_params["round_id"]) if player_id else None
        if own is None:
            raise Problem(404, "no_such_round", "this round is not known")
        return own

    def _limit(self, buckets: Buckets, request: Request) -> None:
        if not buckets.take(request.client.host if request.client else ""):
            raise Problem(429, "slow_down", "too many tries; wait a little")

    def _self(self, player_id: str) -> dict[str, Any]:
        return {
            "name": self.live.lobby.name_of(player_id),
            "code": self.keys.code("player", player_id),
            "withdrawal_code": withdrawal_code(self.keys, player_id),
            "consent_due": self._consent_due(player_id),
            "game": self.live.game.name,
            "practice_rounds": self.live.game.practice_rounds,
        }

    def _welcome(self, player_id: str, status: int) -> Response:
        answer = reply(self._self(player_id), status)
        answer.set_cookie(
            COOKIE,
            self.keys.sign("player", player_id),
            max_age=_YEAR_S,
            path=self.root_path or "/",
            secure=self.https,
            httponly=True,
            samesite="strict",
        )
        return answer


def _same(expected: str, given: str) -> bool:
    return hmac.compare_digest(expected.encode(), given.encode())


def _same_site(socket: WebSocket) -> bool:
    """Whether the page that opened the socket is ours; programs without an origin may come too."""
    origin = socket.headers.get("origin")
    return origin is None or origin.partition("://")[2] == socket.headers.get("host", "")
