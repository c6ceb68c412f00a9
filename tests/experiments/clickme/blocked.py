"""A proxy of the kind that blocks sockets: it hands requests on and refuses every upgrade."""

import asyncio
import threading
from contextlib import suppress
from urllib.parse import urlsplit

REFUSAL = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class Blocking:
    """Stands before a server on a port of its own, in a thread of its own; counts what it refused."""

    def __init__(self, url):
        self.target = urlsplit(url)
        self.n_refused = 0
        self.loop = asyncio.new_event_loop()
        self.ready = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self.thread.start()
        self.ready.wait(20)
        return self

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self.done.set)
        self.thread.join(20)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/"

    def _run(self):
        asyncio.set_event_loop(self.loop)
        self.loop.run_until_complete(self._serve())
        self.loop.close()

    async def _serve(self):
        self.done = asyncio.Event()
        server = await asyncio.start_server(self._one, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self.ready.set()
        await self.done.wait()
        server.close()
        quiet = 0
        while quiet < 20:  # a connection that was accepted at the last moment becomes a task some turns later
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            quiet = 0 if tasks else quiet + 1
            await asyncio.sleep(0.005)
        await server.wait_closed()

    async def _one(self, reader, writer):
        """Serve one request of a connection, then close it."""
        back = onward = None
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            if b"upgrade: websocket" in head.lower():
                self.n_refused += 1
                writer.write(REFUSAL)
                await writer.drain()
                return
            lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:")]
            answers, back = await asyncio.open_connection(self.target.hostname, self.target.port)
            back.write(b"\r\n".join([*lines[:-2], b"connection: close", b"", b""]))
            onward = asyncio.create_task(pipe(reader, back))
            await pipe(answers, writer)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # streams of Python 3.11 log a task that ends as cancelled
        finally:
            if onward is not None:
                onward.cancel()
                await asyncio.gather(onward, return_exceptions=True)
            for one in (writer, back):
                if one is not None:
                    one.close()
                    with suppress(ConnectionError):
                        await one.wait_closed()


async def pipe(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
