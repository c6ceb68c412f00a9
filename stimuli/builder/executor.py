"""Who does the work on this machine: this process, or a pool of processes that outlives a dead worker."""

import pickle
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from rapidvision.errors import Aborted
from rapidvision.system.pools import pool_of

from ..image.load import ImageReader
from ..image.match_target import Target
from ..maps.sources import Sources
from ..pipeline.canvases import Shared
from ..pipeline.image_list import ImageEntry
from ..recipe import StimulusRecipe
from ..reveal.flood import Engine
from ..storage.forms import Form
from .task import BuiltImage, Record, Rejected, Worker

#: What makes a worker: recipe, root, folder, form, fill engine, matching target, what canvases have in common.
Settings = tuple[StimulusRecipe, Path, Path, Form, Engine, Target | None, Shared]
Chunk = Sequence[tuple[ImageEntry, Record | None]]
Outcomes = list[BuiltImage | Rejected]

#: How often a pool whose worker died (out of memory, killed) is made anew before the build gives up.
MOST_RESTARTS = 5

_worker: dict[str, Worker] = {}


def run_local(
    settings: Settings,
    chunks: Sequence[Chunk],
    *,
    workers: int,
    read: ImageReader | None = None,
    sources: Sources | None = None,
) -> Iterator[Outcomes]:
    """Yield the outcomes of every chunk, in any order.

    Parameters
    ----------
    settings : tuple
        Makes a :class:`.work.Worker` in each process.
    chunks : sequence of chunks
        The work.
    workers : int
        1 works in this process.
    read : callable, optional
        From :func:`.make.reader_of`, for the work in this process; other processes read for themselves.
    sources : Sources, optional
        From :func:`.sources.sources_of`, opened once; other processes are sent what was opened, and open for themselves
        only sources of plug-ins that cannot be sent.

    Raises
    ------
    InputError
        When a process cannot open what it needs.
    Aborted
        When workers keep dying.
    """
    if workers <= 1:
        worker = Worker(*settings, read=read, sources=sources)
        for chunk in chunks:
            yield [worker.run_task(job, known) for job, known in chunk]
        return
    left = dict(enumerate(chunks))
    for _ in range(MOST_RESTARTS):
        try:
            for number, outcomes in _run_pool(settings, left, workers, _sendable(sources)):
                del left[number]
                yield outcomes
            return
        except BrokenProcessPool:
            continue
    names = ", ".join(job.image_id for job, _ in next(iter(left.values())))
    raise Aborted(
        f"workers died {MOST_RESTARTS} times; out of memory (use fewer workers), or a script that builds outside of "
        f'`if __name__ == "__main__":`? Among the undone: {names}'
    )


def _sendable(sources: Sources | None) -> Sources | None:
    try:
        pickle.dumps(sources)
    except Exception:  # a plug-in's reader may hold anything; each process then opens it for itself
        return None
    return sources


def _run_pool(
    settings: Settings, left: dict[int, Chunk], workers: int, sources: Sources | None
) -> Iterator[tuple[int, Outcomes]]:
    """Keep the pool a little ahead of the work, so that memory does not grow with the set."""
    pool = pool_of(workers, _start, settings, sources)
    try:
        waiting = list(left.items())[::-1]
        running: dict[Future[Outcomes], int] = {}
        while waiting or running:
            while waiting and len(running) < 2 * workers:
                number, chunk = waiting.pop()
                running[pool.submit(_do, chunk)] = number
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                outcomes = future.result()
                yield running.pop(future), outcomes
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _start(settings: Settings, sources: Sources | None) -> None:
    _worker["here"] = Worker(*settings, sources=sources)


def _do(chunk: Chunk) -> Outcomes:
    return [_worker["here"].run_task(job, known) for job, known in chunk]
