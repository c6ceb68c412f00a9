"""Connections that never finish their request's head are closed: each would hold a socket for as long as it likes."""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

#: Longest time from a connection's beginning, or a request's first byte, to the end of the request's head.
HEAD_SECONDS = 15.0
MAX_HEAD_BYTES = 32_768


class HeaderTimeoutProtocol(HttpToolsProtocol):
    """uvicorn's HTTP with a limit on the time of a request's head; bodies have theirs in :class:`.security.BodyLimit`."""

    head_seconds = HEAD_SECONDS
    _timer: asyncio.TimerHandle | None = None
    _head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Expect a request."""
        super().connection_made(transport)
        self._expect()

    def on_message_begin(self) -> None:
        """Expect the rest of the head."""
        self._forget()
        self._expect()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head is here."""
        self._forget()
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Take bytes unless the head has too many of them."""
        if self._timer is not None:
            if self._head_bytes > MAX_HEAD_BYTES:
                self.transport.abort()
                return
            self._head_bytes += len(data)
        super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Expect nothing any more."""
        self._forget()
        super().connection_lost(exc)

    def _expect(self) -> None:
        self._timer = self.loop.call_later(self.head_seconds, self._give_up)
        self._head_bytes = 0

    def _forget(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> None:
        self._timer = None
        self.transport.abort()
