"""The store: one writer, group commit, and an answer only after the data are on the disk.

Every write goes through one thread. It takes whatever waits, runs it in one transaction, commits, and only then
wakes those who wait: a hundred requests share one sync of the disk. SQLite runs with a write-ahead log and
``synchronous = FULL``, so that an acknowledged trial survives a power cut; PostgreSQL serves several processes.
"""

import asyncio
import queue
import statistics
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from rapidvision.errors import InputError, RapidVisionError

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

    __slots__ = ("batch", "future", "item", "job", "loop", "since")

    def __init__(
        self,
        job: Callable[[sa.Connection], Any] | None,
        batch: Batch[Any] | None,
        item: Any,
        loop: asyncio.AbstractEventLoop | None,
    ) -> None:
        self.job, self.batch, self.item, self.loop = job, batch, item, loop
        self.future: Future[Any] | asyncio.Future[Any] = Future() if loop is None else loop.create_future()
        self.since = time.monotonic()


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
        self._writer_engine, self._reader_engine = _engines(self.url)
        self._queue: queue.SimpleQueue[_Write | None] = queue.SimpleQueue()
        self._waits_ms: deque[float] = deque(maxlen=2000)
        self._groups: deque[int] = deque(maxlen=500)
        self.n_writes = 0
        self.n_failed = 0
        try:
            _prepare(self._writer_engine, metadata, form, version)
        except SQLAlchemyError as error:
            raise InputError(f"{self.name}: the database cannot be opened ({_reason(error)})") from error
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

    async def write(self, job: Callable[[sa.Connection], T]) -> T:
        """Run a write and return its result after the commit; see :meth:`submit`."""
        waiting: Any = self._enqueue(_Write(job, None, None, asyncio.get_running_loop()))
        done: T = await waiting
        return done

    async def add(self, batch: Batch[T], item: Any) -> T:
        """Write an item and return its result after the commit; see :meth:`submit_item`."""
        waiting: Any = self._enqueue(_Write(None, batch, item, asyncio.get_running_loop()))
        done: T = await waiting
        return done

    async def query(self, job: Callable[[sa.Connection], T]) -> T:
        """Run a read in a thread of its own; the event loop goes on."""
        return await asyncio.to_thread(self.read, job)

    def read(self, job: Callable[[sa.Connection], T]) -> T:
        """Run a read; writes in it are refused by SQLite and rolled back by PostgreSQL."""
        try:
            with self._reader_engine.connect() as connection:
                return job(connection)
        except DBAPIError as error:
            raise StoreUnavailable(f"{self.name}: {_reason(error)}") from error

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
                    error = StoreUnavailable(f"{self.name}: {_reason(error)}")
                _wake([(group[0], None, error)])
            else:
                for write in group:
                    self._commit([write])
            return
        now = time.monotonic()
        self.n_writes += len(group)
        self._groups.append(len(group))
        self._waits_ms.extend((now - write.since) * 1000 for write in group)
        _wake([(write, result, None) for write, result in zip(group, results, strict=True)])

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
        if write.future.done():  # nobody waits any more
            continue
        if error is None:
            write.future.set_result(result)
        else:
            write.future.set_exception(error)


def sqlite_url(path: Path | str) -> str:
    """Return the URL of a SQLite file."""
    return f"sqlite:///{Path(path).resolve()}"


def lock(connection: sa.Connection, number: int) -> None:
    """Let one transaction at a time pass, over all processes; SQLite's only writer needs no such lock."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:number)"), {"number": number})


def _engines(url: sa.URL) -> tuple[sa.Engine, sa.Engine]:
    if url.get_backend_name() == "postgresql":
        engine = sa.create_engine(url.set(drivername="postgresql+psycopg"), pool_pre_ping=True, pool_size=4)
        return engine, engine
    if url.get_backend_name() != "sqlite" or not url.database:
        raise InputError(f'database: got "{url.get_backend_name()}"; allowed are sqlite:///FILE and postgresql://…')
    Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    writer, reader = (sa.create_engine(url, connect_args={"timeout": 10}) for _ in range(2))

    @sa.event.listens_for(writer, "connect")
    def _for_writing(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # SQLAlchemy begins the transactions itself, and at once
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(writer, "begin")
    def _begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    @sa.event.listens_for(reader, "connect")
    def _for_reading(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA query_only=ON")

    return writer, reader


def _prepare(engine: sa.Engine, metadata: sa.MetaData, form: str, version: int) -> None:
    """Make missing tables and compare the form's version, one process at a time."""
    forms = sa.Table(
        "form", sa.MetaData(), sa.Column("name", sa.String(40), primary_key=True), sa.Column("version", sa.Integer)
    )
    with engine.begin() as connection:
        lock(connection, 7501)
        forms.metadata.create_all(connection)
        found = connection.scalar(sa.select(forms.c.version).where(forms.c.name == form))
        if found is None:
            metadata.create_all(connection)
            connection.execute(forms.insert().values(name=form, version=version))
        elif found != version:
            newer = "update RapidVision" if found > version else "use another database, or the older RapidVision"
            raise InputError(f"{engine.url}: {form} tables of version {found}, this RapidVision has {version}; {newer}")


def _reason(error: SQLAlchemyError) -> str:
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    return str(cause).strip().partition("\n")[0]
