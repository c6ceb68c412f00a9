"""Processes that work side by side, and never outlive the one that started them."""

import multiprocessing
import os
import pickle
import threading
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import connection
from typing import Any

from rapidvision.plugins import modules
from rapidvision.system import platforms


def pool_of(n_workers: int, start: Callable[..., object] | None = None, *args: Any) -> ProcessPoolExecutor:
    """Return a pool of fresh Python processes.

    A parent that is ended by a signal (a scheduler's SIGTERM, an operating system short of memory) cannot tell its
    workers; each of them therefore watches it, and ends with it.

    Parameters
    ----------
    n_workers : int
        Most processes at a time (61 on Windows); they are started when there is work for them.
    start : callable, optional
        Called once in each process before its first work; must be found by import. What it raises is raised by the
        result of every work that the process is given.
    *args
        What it is called with.

    Returns
    -------
    concurrent.futures.ProcessPoolExecutor
        To be used in a ``with`` statement.

    Examples
    --------
    >>> with pool_of(1) as pool:
    ...     pool.submit(pow, 2, 10).result()
    1024
    """
    spawn = multiprocessing.get_context("spawn")
    work = pickle.dumps((start, args))  # read by a process only when it knows the plug-ins that the values may name
    return _Pool(
        platforms.most_processes(n_workers),
        mp_context=spawn,
        initializer=_begin,
        initargs=(modules.imported_plugins(), work),
    )


class _Pool(ProcessPoolExecutor):
    """A pool whose processes outlive an error of their start, so that the error reaches the caller.

    The standard library ends such a process and says only that the pool is broken.
    """

    def submit(self, work: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        return super().submit(_do, work, *args, **kwargs)


#: What this process's start raised; empty in a process that began as it should.
_start_errors: list[Exception] = []


def _begin(plugins: tuple[str, ...], work: bytes) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        modules.import_plugins(plugins)
        start, args = pickle.loads(work)  # noqa: S301  (the parent process wrote it)
        if start is not None:
            start(*args)
    except Exception as error:  # whatever it is, it belongs to the caller
        _start_errors.append(error)


def _do(work: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    if _start_errors:
        raise _start_errors[0]
    return work(*args, **kwargs)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    connection.wait([parent.sentinel])
    os._exit(1)
