"""Which database an online study has, and opening it."""

from pathlib import Path

from rapidvision.errors import InputError
from rapidvision.study import Study

from ...web.store import Store, sqlite_url
from ..study.plans import ServedStudy
from .schema import FORM, VERSION, metadata
from .sessions import open_or_check

ONLINE_FOLDER = "online"
DATABASE_VARIABLE = "RAPIDVISION_DATABASE"


def default_database(folder: Path) -> str:
    """URL of a study's own SQLite file."""
    return sqlite_url(Study(folder).folder / ONLINE_FOLDER / "online.sqlite")


def open_online_store(url: str, served: ServedStudy) -> Store:
    """Open the database of online sessions for a study.

    Raises
    ------
    InputError
        When it cannot be opened, has another form, or its sessions followed other plans.
    """
    store = Store(url, metadata, form=FORM, version=VERSION)
    why = store.submit(lambda connection: open_or_check(connection, served.study_id, served.digest)).result(30)
    if why is not None:
        store.close()
        raise InputError(f"{store.name}: {served.study_id}: {why}")
    return store
