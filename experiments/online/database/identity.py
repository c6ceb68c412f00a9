"""What tells a study from every other study in a database, and the key under which all of them hash ids."""

import json
import secrets
from pathlib import Path

import sqlalchemy as sa

from rapidvision.errors import InputError
from rapidvision.system import files

from ...web.database import lock
from .schema import identity, shared

_FILE = "study.id"
_KEY_LOCK = 7503


def study_identity(folder: Path | str) -> str:
    """Return the identity of the study in `folder`: 32 hexadecimal digits, made once, in ``online/study.id``.

    A name is no identity: two studies that were planned with the default protocol have the same one. Computers that
    serve one study together need the same file.

    Raises
    ------
    InputError
        When the file cannot be made, or holds something else.
    """
    path = Path(folder) / "online" / _FILE
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="ascii") as file:
            file.write(secrets.token_hex(16))
    except FileExistsError:
        pass
    except OSError as error:
        raise InputError(f"{path}: the study's identity cannot be made ({error.strerror})") from error
    found = files.read_bytes(path).strip().decode("ascii", "replace")
    if len(found) != 32 or set(found) - set("0123456789abcdef"):
        raise InputError(
            f'{path}: got "{found[:40]}"; 32 hexadecimal digits are needed: put the file back from a copy of the study, '
            "or remove it and the folder becomes a new study"
        )
    return found


def id_key(connection: sa.Connection) -> bytes:
    """Return the database's key for hashes of ids, made once: one person has one hash in all of its studies."""
    lock(connection, _KEY_LOCK)
    wanted = sa.select(shared.c.value).where(shared.c.name == "id_key")
    found = connection.scalar(wanted)
    if found is None:
        found = secrets.token_hex(32)
        connection.execute(shared.insert().values(name="id_key", value=found))
    return bytes.fromhex(found)


def external_id(connection: sa.Connection, participant_id: str) -> str:
    """Return the id by which a recruitment service knows a participant; empty for people without one."""
    found = connection.scalar(sa.select(identity.c.external).where(identity.c.participant_id == participant_id))
    return next(iter(json.loads(found).values()), "") if found else ""
