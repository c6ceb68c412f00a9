"""How a page and the server talk during play: over a socket, or by POST where something between them blocks sockets.

Both carry the same messages. By POST, the page sends with ``say`` and waits with ``hear``; what it has not heard yet
is kept for it.
"""

import asyncio
from collections import OrderedDict, deque
from contextlib import suppress
from typing import Any

import msgspec
from starlette.websockets import WebSocket, WebSocketDisconnect

from ... import clock
from ...web.tokens import new_id
from .players import Seat, Send

#: A page that takes nothing from its socket for so long is gone.
SEND_S = 5.0
#: How long a ``hear`` waits for news; short enough that a server which stops need not wait for it.
HEAR_S = 5.0
#: A page that has not asked for so long is gone.
GONE_S = 30.0
#: More unheard messages than this, or more links of one player: the oldest is gone.
MOST_UNHEARD, MOST_LINKS = 500, 4


class SocketLink:
    """One socket: sends in order, and keeps quiet when the page is gone."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self._open = True
        self._turn = asyncio.Lock()
        self.send: Send = self._send  # one bound method, so that connections can be told apart by it

    async def _send(self, message: dict[str, Any]) -> None:
        async with self._turn:
            if not self._open:
                return
            try:
                text = msgspec.json.encode(message).decode()
                await asyncio.wait_for(self._socket.send_text(text), SEND_S)
                if message["type"] == "moved":
                    self._open = False
                    await self._socket.close()
            except (RuntimeError, WebSocketDisconnect, TimeoutError):
                self._open = False

    async def receive(self) -> str | None:
        """Return the next text, or None when the page has gone; other data closes the socket."""
        try:
            return await self._socket.receive_text()
        except (WebSocketDisconnect, RuntimeError, KeyError):
            self._open = False
            return None


class PostLink:
    """A page that comes by POST: what is told to it waits, numbered from 1, until it says that it has heard it."""

    def __init__(self, player_id: str) -> None:
        self.link_id, self.player_id = new_id(), player_id
        self.seat: Seat | None = None
        self.asked_s = clock.now_s()
        self._unheard: deque[tuple[int, dict[str, Any]]] = deque(maxlen=MOST_UNHEARD)
        self._n = 0
        self._news = asyncio.Event()
        self.send: Send = self._send

    async def _send(self, message: dict[str, Any]) -> None:
        self._n += 1
        self._unheard.append((self._n, message))
        self._news.set()

    async def hear(self, after: int) -> tuple[list[dict[str, Any]], int]:
        """Return the messages after number `after` and the number of the last, waiting a little for the first."""
        self.asked_s = clock.now_s()
        while self._unheard and self._unheard[0][0] <= after:
            self._unheard.popleft()
        if not self._unheard:
            self._news.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), HEAR_S)
        self.asked_s = clock.now_s()
        fresh = [(number, message) for number, message in self._unheard if number > after]
        return [message for _, message in fresh], fresh[-1][0] if fresh else after


class PostLinks:
    """The pages that come by POST, by id; forgets those that no longer ask."""

    def __init__(self) -> None:
        self._links: OrderedDict[str, PostLink] = OrderedDict()

    def open(self, player_id: str) -> tuple[PostLink, list[PostLink]]:
        """Return a new link, and the player's links that are too many."""
        own = [link for link in self._links.values() if link.player_id == player_id]
        surplus = own[: max(0, len(own) + 1 - MOST_LINKS)]
        for old in surplus:
            del self._links[old.link_id]
        link = PostLink(player_id)
        self._links[link.link_id] = link
        return link, surplus

    def find(self, link_id: str, player_id: str | None) -> PostLink | None:
        """Return a player's own link."""
        link = self._links.get(link_id)
        return link if link is not None and link.player_id == player_id else None

    def gone(self) -> list[PostLink]:
        """Forget and return the links whose pages have not asked for :data:`GONE_S`."""
        limit_s = clock.now_s() - GONE_S
        gone = [link for link in self._links.values() if link.asked_s < limit_s]
        for link in gone:
            del self._links[link.link_id]
        return gone

    def __len__(self) -> int:
        return len(self._links)
