"""The store: one writer, group commit, and an answer only after the data are on the disk.

Every write goes through one thread. It takes whatever waits, runs it in one transaction, commits, and only then
wakes those who wait: a hundred requests share one sync of the disk. SQLite runs with a write-ahead log and
``synchronous = FULL``, so that an acknowledged trial survives a power cut; PostgreSQL serves several processes.
"""

import asyncio
import queue
import sqlite3
import statistics
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from rapidvision.errors import InputError, RapidVisionError

from .. import clock
from .database import BUSY_MS, engines, prepare, reason

T = TypeVar("T")

#: Most writes that share one commit; bounds how long the first of them waits.
MAX_GROUP = 256
#: More waiting writes than this are refused at once: the disk cannot follow.
MAX_WAITING = 20_000


class StoreUnavailable(RapidVisionError):
    """The database cannot take the write now (disk full, locked, gone); nothing of it was stored."""

    exit_code = 3


class Batch(Generic[T]):
    """Writes of one kind that are done together: ``run(connection, items)`` returns one result per item, in order."""

    def __init__(self, run: Callable[[sa.Connection, Sequence[Any]], Sequence[T]]) -> None:
        self.run = run


class _Write:
    """A write that waits, and who waits for it: a thread, or an event loop."""

    __slots__ = ("batch", "erases", "future", "item", "job", "loop", "since")

    def __init__(
        self,
        job: Callable[[sa.Connection], Any] | None,
        batch: Batch[Any] | None,
        item: Any,
        loop: asyncio.AbstractEventLoop | None,
    ) -> None:
        self.job, self.batch, self.item, self.loop = job, batch, item, loop
        self.future: Future[Any] | asyncio.Future[Any] = Future() if loop is None else loop.create_future()
        self.since = clock.now_s()
        self.erases = False


class Store:
    """A database with one writer.

    Parameters
    ----------
    url : str
        ``sqlite:///path`` or ``postgresql+psycopg://…``.
    metadata : sqlalchemy.MetaData
        The tables; those that are missing are made.
    form : str
        Name of the tables' form; ``form.version`` of an existing database must be `version`.
    version : int
        Version of the tables' form.

    Raises
    ------
    InputError
        When the database cannot be opened, or has another form.
    """

    def __init__(self, url: str, metadata: sa.MetaData, *, form: str, version: int) -> None:
        self.url = sa.make_url(url)
        self._writer_engine, self._reader_engine = engines(self.url)
        self._queue: queue.SimpleQueue[_Write | None] = queue.SimpleQueue()
        self._waits_ms: deque[float] = deque(maxlen=2000)
        self._groups: deque[int] = deque(maxlen=500)
        self.n_writes = 0
        self.n_failed = 0
        self._erasing = False
        try:
            prepare(self._writer_engine, metadata, form, version)
        except SQLAlchemyError as error:
            raise InputError(f"{self.name}: the database cannot be opened ({reason(error)})") from error
        self._closed = False
        self._thread = threading.Thread(target=self._work, name=f"store-{form}", daemon=True)
        self._thread.start()

    @property
    def name(self) -> str:
        """The database for messages, without its password."""
        return self.url.render_as_string(hide_password=True)

    @property
    def is_sqlite(self) -> bool:
        """Whether the database is a file of this process."""
        return self.url.get_backend_name() == "sqlite"

    def submit(self, job: Callable[[sa.Connection], T]) -> "Future[T]":
        """Queue a write; the future is done after its commit.

        `job` gets a connection inside the group's transaction. It may run a second time when another write of its
        group fails, so all that it does must be in the database. Refusals are returned, not raised.
        """
        return self._enqueue(_Write(job, None, None, None))  # type: ignore[return-value]

    def submit_item(self, batch: Batch[T], item: Any) -> "Future[T]":
        """Queue an item of a batch; all items of the same batch in a group are written together."""
        return self._enqueue(_Write(None, batch, item, None))  # type: ignore[return-value]

    def submit_erasure(self, job: Callable[[sa.Connection], T]) -> "Future[T]":
        """Queue a write that deletes; see :meth:`erase`, of which this is the form for threads."""
        write = _Write(job, None, None, None)
        write.erases = True
        return self._enqueue(write)  # type: ignore[return-value]

    async def write(self, job: Callable[[sa.Connection], T]) -> T:
        """Run a write and return its result after the commit; see :meth:`submit`."""
        waiting: Any = self._enqueue(_Write(job, None, None, asyncio.get_running_loop()))
        done: T = await waiting
        return done

    async def erase(self, job: Callable[[sa.Connection], T]) -> T:
        """Run a write that deletes, and let nothing remain of it in SQLite's log either; see :meth:`submit`."""
        write = _Write(job, None, None, asyncio.get_running_loop())
        write.erases = True
        waiting: Any = self._enqueue(write)
        done: T = await waiting
        return done

    async def add(self, batch: Batch[T], item: Any) -> T:
        """Write an item and return its result after the commit; see :meth:`submit_item`."""
        waiting: Any = self._enqueue(_Write(None, batch, item, asyncio.get_running_loop()))
        done: T = await waiting
        return done

    async def query(self, job: Callable[[sa.Connection], T]) -> T:
        """Run a read in a thread of its own; the event loop does not wait."""
        return await asyncio.to_thread(self.read, job)

    def read(self, job: Callable[[sa.Connection], T]) -> T:
        """Run a read; writes in it are refused by SQLite and rolled back by PostgreSQL."""
        try:
            with self._reader_engine.connect() as connection:
                return job(connection)
        except DBAPIError as error:
            raise StoreUnavailable(f"{self.name}: {reason(error)}") from error

    def close(self) -> None:
        """Finish what is queued, then close the connections."""
        if self._closed:
            return
        self._closed = True
        self._queue.put(None)
        self._thread.join(timeout=30)
        self._writer_engine.dispose()
        self._reader_engine.dispose()

    def health(self) -> dict[str, float | int | str]:
        """How the writer does: writes, failures, queue, median and 99th percentile of the wait for a commit."""
        waits = sorted(self._waits_ms)
        return {
            "database": "SQLite" if self.is_sqlite else "PostgreSQL",
            "writes": self.n_writes,
            "failed": self.n_failed,
            "waiting": self._queue.qsize(),
            "median_wait_ms": round(statistics.median(waits), 2) if waits else 0.0,
            "p99_wait_ms": round(waits[int(0.99 * (len(waits) - 1))], 2) if waits else 0.0,
            "writes_per_commit": round(statistics.fmean(self._groups), 1) if self._groups else 0.0,
        }

    def _enqueue(self, write: _Write) -> "Future[Any] | asyncio.Future[Any]":
        if self._closed or self._queue.qsize() >= MAX_WAITING:
            why = "closed" if self._closed else f"{MAX_WAITING} writes are waiting already"
            write.future.set_exception(StoreUnavailable(f"{self.name}: {why}"))
        else:
            self._queue.put(write)
        return write.future

    def _work(self) -> None:
        while (first := self._queue.get()) is not None:
            group, last = [first], False
            while len(group) < MAX_GROUP and not self._queue.empty():
                if (write := self._queue.get()) is None:
                    last = True
                    break
                group.append(write)
            self._commit(group)
            if last:
                return

    def _commit(self, group: list[_Write]) -> None:
        """Commit a group; when anything in it fails, do each write by itself so that only the culprit is refused."""
        try:
            results = self._transaction(group)
        except Exception as error:  # the writer must outlive whatever a job raises; the waiter gets it
            if len(group) == 1:
                self.n_failed += 1
                if isinstance(error, DBAPIError):
                    error = StoreUnavailable(f"{self.name}: {reason(error)}")
                _wake([(group[0], None, error)])
            else:
                for write in group:
                    self._commit([write])
            return
        self._erasing = self._erasing or any(write.erases for write in group)
        if self._erasing and self.is_sqlite:
            self._erasing = not self._empty_log()
        now = clock.now_s()
        self.n_writes += len(group)
        self._groups.append(len(group))
        self._waits_ms.extend((now - write.since) * 1000 for write in group)
        _wake([(write, result, None) for write, result in zip(group, results, strict=True)])

    def _empty_log(self) -> bool:
        """Move SQLite's log into the database and cut it to nothing; False while a reader needs it: later, then."""
        raw = self._writer_engine.raw_connection()
        try:
            cursor = raw.cursor()
            cursor.execute("PRAGMA busy_timeout=200")
            busy = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            cursor.execute(f"PRAGMA busy_timeout={BUSY_MS}")
            return not busy
        except sqlite3.OperationalError:  # the rows are gone already; the log is tried again after the next write
            return False
        finally:
            raw.close()

    def _transaction(self, group: list[_Write]) -> list[Any]:
        results: list[Any] = [None] * len(group)
        batches: dict[Batch[Any], list[int]] = defaultdict(list)
        with self._writer_engine.begin() as connection:
            for place, write in enumerate(group):
                if write.batch is not None:
                    batches[write.batch].append(place)
            for batch, places in batches.items():
                done = batch.run(connection, [group[place].item for place in places])
                for place, result in zip(places, done, strict=True):
                    results[place] = result
            for place, write in enumerate(group):
                if write.job is not None:
                    results[place] = write.job(connection)
        return results


_Answer = tuple[_Write, Any, Exception | None]


def _wake(answers: list[_Answer]) -> None:
    """Tell everybody who waits; each event loop is woken once for all of its answers."""
    by_loop: dict[asyncio.AbstractEventLoop | None, list[_Answer]] = defaultdict(list)
    for answer in answers:
        by_loop[answer[0].loop].append(answer)
    for loop, mine in by_loop.items():
        if loop is None:
            _answer(mine)
        elif not loop.is_closed():
            loop.call_soon_threadsafe(_answer, mine)


def _answer(answers: list[_Answer]) -> None:
    for write, result, error in answers:
        if write.future.done():  # the caller waits no more
            continue
        if error is None:
            write.future.set_result(result)
        else:
            write.future.set_exception(error)


def sqlite_url(path: Path | str) -> str:
    """Return the URL of a SQLite file."""
    return f"sqlite:///{Path(path).resolve()}"
