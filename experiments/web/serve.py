"""Run apps: one process with several ports, or several processes that share one; and when not to."""

import asyncio
import importlib.util
import ipaddress
import multiprocessing
import signal
import socket
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

import uvicorn
from starlette.applications import Starlette

from rapidvision.errors import InputError


@dataclass(frozen=True)
class Address:
    """Where a server listens, and under which address people reach it.

    Attributes
    ----------
    host, port : str, int
        Of the socket; port 0 takes any free one.
    public_url : str
        As participants type it; empty: the socket's own address.
    behind_proxy : bool
        Whether a proxy on this computer hands requests on and says who asks.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    public_url: str = ""
    behind_proxy: bool = False

    @property
    def https(self) -> bool:
        """Whether people come by https."""
        return urlsplit(self.public_url).scheme == "https"

    @property
    def root_path(self) -> str:
        """Path under which a proxy shows the app, without a slash at its end."""
        return urlsplit(self.public_url).path.rstrip("/")

    @property
    def public(self) -> bool:
        """Whether other computers can reach it."""
        host = urlsplit(self.public_url).hostname
        return not is_loopback(self.host) or (bool(self.public_url) and not is_loopback(host or ""))

    def check(self, *, insecure: bool) -> None:
        """Refuse to be public without encryption.

        Raises
        ------
        InputError
            For a bad public address, or one without https unless `insecure`.
        """
        parts = urlsplit(self.public_url)
        if self.public_url and (parts.scheme not in ("http", "https") or not parts.netloc):
            raise InputError(
                f'public url: got "{self.public_url}"; an address like https://lab.example/study is needed'
            )
        if self.public and not self.https and not insecure:
            raise InputError(
                f"{self.public_url or self.host}: reachable from outside without encryption; give --public-url https://… "
                "(a proxy does the encryption), or --insecure if the network is closed"
            )


def is_loopback(host: str) -> bool:
    """Whether an address is this computer's own.

    Examples
    --------
    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def listen(address: Address) -> socket.socket:
    """Return a listening socket.

    Raises
    ------
    InputError
        When the port is taken or the host is not ours.
    """
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    # Windows would let a second server listen on the same port, and let either have the connections.
    sock.setsockopt(socket.SOL_SOCKET, getattr(socket, "SO_EXCLUSIVEADDRUSE", socket.SO_REUSEADDR), 1)
    try:
        sock.bind((address.host, address.port))
    except OSError as error:
        sock.close()
        raise InputError(f"{address.host}:{address.port}: {error.strerror}; choose another --port") from error
    sock.listen(2048)
    sock.set_inheritable(True)
    return sock


class _Quiet(uvicorn.Server):
    """A server whose process decides about signals."""

    def install_signal_handlers(self) -> None:
        """Leave them alone."""

    def capture_signals(self) -> "_NoSignals":  # type: ignore[override]
        """Leave them alone."""
        return _NoSignals()


class _NoSignals:
    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine to its end, on the faster event loop where it is installed."""
    factory: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
    if importlib.util.find_spec("uvloop") is not None:
        import uvloop

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(main)


async def serve_apps(
    apps: Sequence[tuple[Starlette, socket.socket, Address]],
    *,
    ready: Callable[[], None] | None = None,
    beside: Sequence[Callable[[], Coroutine[Any, Any, None]]] = (),
) -> None:
    """Serve apps on their sockets until the process is told to stop; then finish the open requests.

    Parameters
    ----------
    apps : sequence of (app, socket, address)
        What to serve where.
    ready : callable, optional
        Called once when all of them answer.
    beside : sequence of coroutine functions
        What runs meanwhile; cancelled at the end.
    """
    servers = [_Quiet(_config(app, address)) for app, _, address in apps]
    loop = asyncio.get_running_loop()

    def stop() -> None:
        for server in servers:
            server.should_exit = True

    for number in (signal.SIGINT, signal.SIGTERM):
        _on_signal(loop, number, stop)
    tasks = [
        asyncio.create_task(server.serve(sockets=[sock])) for server, (_, sock, _) in zip(servers, apps, strict=True)
    ]
    while not all(server.started for server in servers) and not any(task.done() for task in tasks):
        await asyncio.sleep(0.01)
    if ready is not None:
        ready()
    others = [asyncio.create_task(each()) for each in beside]
    for other in others:
        other.add_done_callback(_tell_of_failure)
    await asyncio.gather(*tasks)
    for other in others:
        other.cancel()
    await asyncio.gather(*others, return_exceptions=True)


def _tell_of_failure(task: "asyncio.Task[None]") -> None:
    """Say at once what ended a task that should have run as long as the server."""
    if not task.cancelled() and (error := task.exception()) is not None:
        context = {"message": f"{task.get_coro()} ended", "exception": error, "task": task}
        task.get_loop().call_exception_handler(context)


def _on_signal(loop: asyncio.AbstractEventLoop, number: int, stop: Callable[[], None]) -> None:
    """Call `stop` in the loop on a signal; the event loops of Windows cannot be asked to, the interpreter can."""
    try:
        loop.add_signal_handler(number, stop)
    except NotImplementedError:
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop))


def run_workers(work: Callable[..., None], arguments: tuple[object, ...], n_workers: int) -> int:
    """Run `work(number, *arguments)` in processes until told to stop; start those again that die.

    Parameters
    ----------
    work : function
        At module level, so that another process can import it.
    arguments : tuple
        Can be sent to another process; sockets can.
    n_workers : int
        Number of processes.

    Returns
    -------
    int
        Exit code: 0 when told to stop, 1 when the workers cannot live.
    """
    context = multiprocessing.get_context("spawn")
    stopped = False

    def stop(*_: object) -> None:
        nonlocal stopped
        stopped = True

    for kind in (signal.SIGINT, signal.SIGTERM):
        signal.signal(kind, stop)

    def start(number: int) -> "multiprocessing.process.BaseProcess":
        process = context.Process(target=work, args=(number, *arguments), name=f"worker-{number}")
        process.start()
        return process

    workers, deaths = [start(number) for number in range(n_workers)], 0
    while not stopped and deaths <= 20:
        for number, process in enumerate(workers):
            process.join(timeout=0.1)
            if process.exitcode is not None and not stopped:
                deaths += 1
                workers[number] = start(number)
    for process in workers:
        if process.is_alive():
            process.terminate()
    for process in workers:
        process.join(timeout=15)
    return 0 if stopped else 1


def _config(app: Starlette, address: Address) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=_http(),
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=address.behind_proxy,
        forwarded_allow_ips="127.0.0.1,::1",
        timeout_keep_alive=15,
        h11_max_incomplete_event_size=32_768,
        lifespan="off",
        ws_max_size=65_536,
    )


def _http() -> "type[asyncio.Protocol] | Literal['auto']":
    if importlib.util.find_spec("httptools") is None:
        return "auto"
    from .timeouts import HeaderTimeoutProtocol

    return HeaderTimeoutProtocol
