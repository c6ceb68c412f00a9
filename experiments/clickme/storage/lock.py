"""One server per game: the server that uses a game's database holds its lock, and a second one is refused.

A SQLite file is locked by a file beside it, a PostgreSQL database by an advisory lock. Both locks end with the process.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from rapidvision.errors import InputError
from rapidvision.system.platforms import LockHeld, NoLocks, lock

from ...web.store import Store

#: What ends the name of the lock beside a SQLite file.
SUFFIX = ".lock"
#: Number of the advisory lock in a PostgreSQL database.
_ADVISORY = 7502


@contextmanager
def only_one(store: Store) -> Iterator[None]:
    """Hold the lock of a game's database.

    Parameters
    ----------
    store : Store
        The game's database.

    Raises
    ------
    InputError
        When another process holds it, or the file system cannot lock; the message says which of both.
    """
    if store.is_sqlite:
        with _file(Path(str(store.url.database) + SUFFIX), store.name):
            yield
    else:
        with _advisory(store):
            yield


def _taken(name: str) -> InputError:
    return InputError(
        f"{name}: another process plays this game (clickme serve or simulate); stop it first, or choose another --out"
    )


@contextmanager
def _file(path: Path, name: str) -> Iterator[None]:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise InputError(f"{path}: cannot be made ({error.strerror}); the game's folder must be writable") from error
    try:
        try:
            lock(descriptor, wait=False)
        except LockHeld:
            raise _taken(name) from None
        except NoLocks as error:
            raise InputError(
                f"{path}: this file system cannot lock files ({error}), so a second server would not be "
                "noticed; keep the game on a disk of this computer, or give --database-url postgresql://…"
            ) from error
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _advisory(store: Store) -> Iterator[None]:
    engine = sa.create_engine(store.url.set(drivername="postgresql+psycopg"), poolclass=sa.NullPool)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if not connection.scalar(sa.text("SELECT pg_try_advisory_lock(:number)"), {"number": _ADVISORY}):
            raise _taken(store.name)
        yield  # the connection stays open, and the lock with it
