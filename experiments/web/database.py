"""The two kinds of databases and how they are opened: SQLite as a file of one process, PostgreSQL for several."""

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from rapidvision.errors import InputError

#: How long SQLite waits for another process that holds the database.
BUSY_MS = 10_000
#: The log is moved into the database every 16 MB instead of every 4, because the writes wait meanwhile.
_DURABLE = ("journal_mode=WAL", "synchronous=FULL", "wal_autocheckpoint=4000")


def lock(connection: sa.Connection, number: int) -> None:
    """Let one transaction at a time pass, over all processes; SQLite's only writer needs no such lock."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:number)"), {"number": number})


def engines(url: sa.URL) -> tuple[sa.Engine, sa.Engine]:
    """Return the engines that write and read; SQLite's reader cannot write, and its writer syncs every commit.

    Raises
    ------
    InputError
        For another kind of database.
    """
    if url.get_backend_name() == "postgresql":
        engine = sa.create_engine(url.set(drivername="postgresql+psycopg"), pool_pre_ping=True, pool_size=4)
        return engine, engine
    if url.get_backend_name() != "sqlite" or not url.database:
        raise InputError(f'database: got "{url.get_backend_name()}"; allowed are sqlite:///FILE and postgresql://…')
    Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    writer, reader = (sa.create_engine(url, connect_args={"timeout": BUSY_MS / 1000}) for _ in range(2))

    @sa.event.listens_for(writer, "connect")
    def _for_writing(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # SQLAlchemy begins the transactions itself, and at once
        for pragma in (*_DURABLE, "foreign_keys=ON", "secure_delete=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(writer, "begin")
    def _begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    @sa.event.listens_for(reader, "connect")
    def _for_reading(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA query_only=ON")

    return writer, reader


def prepare(engine: sa.Engine, metadata: sa.MetaData, form: str, version: int) -> None:
    """Make missing tables and compare the form's version, one process at a time.

    Raises
    ------
    InputError
        When the tables have another version.
    """
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
            raise InputError(_other_version(engine.url, form, found, version))


def _other_version(url: sa.URL, form: str, found: int, version: int) -> str:
    name = url.render_as_string(hide_password=True)
    what = f"{name}: {form} tables of version {found}, this RapidVision has {version}"
    if found > version:
        return f"{what}; update RapidVision. Nothing was changed in the database"
    return (
        f"{what}; use another database (move the file away, or give another --database-url), and collect what is in this one "
        "with the RapidVision that wrote it. Nothing was changed in it"
    )


def reason(error: SQLAlchemyError) -> str:
    """Return the first line of what the database itself said."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    return str(cause).strip().partition("\n")[0]
