"""Which database an online study has, and opening it."""

from pathlib import Path

from rapidvision.errors import InputError
from rapidvision.study import Study

from ...web.store import Store, sqlite_url
from ..database.schema import FORM, VERSION, metadata
from ..study.plans import ServedStudy
from .register import known_studies, open_or_check

ONLINE_FOLDER = "online"
DATABASE_VARIABLE = "RAPIDVISION_DATABASE"


def default_database(folder: Path) -> str:
    """URL of a study's own SQLite file."""
    return sqlite_url(Study(folder).folder / ONLINE_FOLDER / "online.sqlite")


def open_online_store(url: str, served: ServedStudy, *, reading: bool = False) -> Store:
    """Open the database of online sessions for a study.

    Parameters
    ----------
    url : str
        ``sqlite:///FILE`` or ``postgresql://…``.
    served : ServedStudy
        The study; its folder's identity tells it from others in the database.
    reading : bool, default False
        Only for exports: sessions that followed other plans than the folder's are welcome, a study that has no sessions
        here is not.

    Raises
    ------
    InputError
        When it cannot be opened, has another form, or its sessions followed other plans.
    """
    store = Store(url, metadata, form=FORM, version=VERSION)
    check = known_studies if reading else open_or_check
    why = store.submit(lambda connection: check(connection, served)).result(30)
    if why is not None:
        store.close()
        raise InputError(f"{store.name}: {served.name}: {why}")
    return store
