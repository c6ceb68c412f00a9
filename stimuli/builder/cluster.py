"""The same work on a dask.distributed cluster: for sets of ImageNet's size on many machines that share a disk."""

from collections.abc import Iterator, Sequence
from typing import Any

from rapidvision.errors import Aborted, InputError
from rapidvision.plugins.modules import import_plugins, imported_plugins
from rapidvision.system.extras import need

from .executor import Chunk, Outcomes, Settings
from .task import Worker

#: Chunks that wait at the scheduler for each worker thread.
AHEAD = 3
#: How long to wait for the scheduler.
PATIENCE_S = 20

_workers: dict[bytes, Worker] = {}


def run_cluster(settings: Settings, chunks: Sequence[Chunk], *, address: str) -> Iterator[Outcomes]:
    """Yield the outcomes of every chunk, in any order.

    Parameters
    ----------
    settings : tuple
        Makes a :class:`.work.Worker` in each process; its folders must exist on every machine.
    chunks : sequence of chunks
        The work.
    address : str
        Of the scheduler, like ``tcp://host:8786``.

    Raises
    ------
    InputError
        When no scheduler answers.
    Aborted
        When the cluster loses a chunk again and again.
    """
    distributed = need("distributed", extra="cluster", purpose="--scheduler")
    import pickle

    try:
        client = distributed.Client(address, timeout=PATIENCE_S)
    except (OSError, TimeoutError, ValueError) as error:
        raise InputError(f"{address}: no dask scheduler answers ({error}); is it running?") from error
    with client:
        shared = client.scatter(pickle.dumps((imported_plugins(), pickle.dumps(settings))), broadcast=True)
        waiting = iter(chunks)
        n_ahead = AHEAD * max(1, sum(client.nthreads().values()))
        first = [chunk for _, chunk in zip(range(n_ahead), waiting, strict=False)]
        done = distributed.as_completed([client.submit(do_chunk, shared, chunk, pure=False) for chunk in first])
        for future in done:
            try:
                yield future.result()
            except distributed.KilledWorker as error:
                raise Aborted(
                    f"{address}: a chunk ended several workers ({error}); run the same command again to resume"
                ) from error
            future.release()
            for chunk in waiting:
                done.add(client.submit(do_chunk, shared, chunk, pure=False))
                break


def do_chunk(packed: bytes, chunk: Chunk) -> Outcomes:
    """Do a chunk in a cluster's worker; the :class:`.work.Worker` is made once per process and build.

    The plug-in modules are imported first, because a recipe that names their parts cannot be read without them.
    """
    import pickle

    if packed not in _workers:
        plugins, inner = pickle.loads(packed)  # noqa: S301 - it comes from our own client
        import_plugins(plugins)
        settings: Any = pickle.loads(inner)  # noqa: S301
        _workers.clear()
        _workers[packed] = Worker(*settings)
    worker = _workers[packed]
    return [worker.run_task(job, known) for job, known in chunk]
