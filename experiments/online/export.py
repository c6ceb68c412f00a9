"""From the database to the trials table and what lies beside it."""

import io
import json
import zipfile
from typing import Any

import msgspec
import sqlalchemy as sa

from rapidvision import csvfiles
from rapidvision import trials as tables
from rapidvision.errors import InputError
from rapidvision.trials import COLUMNS, TrialRecord

from .measure import Measurement, row
from .plans import ServedStudy
from .schema import event, session, trial

#: A spreadsheet takes a cell that begins so for a formula; a leading apostrophe makes it a text.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_QUALITY = tuple(name for name in msgspec.structs.fields(Measurement)[-1].type.__struct_fields__ if name != "presses")


def trial_records(connection: sa.Connection, served: ServedStudy, *, finished_only: bool = False) -> list[TrialRecord]:
    """Return the rows of the trials table, by session and trial.

    Parameters
    ----------
    connection : sqlalchemy.Connection
        Reads the database.
    served : ServedStudy
        Knows the plans.
    finished_only : bool, default False
        Leave out sessions that were not finished; lapsed and open ones are in the table otherwise.
    """
    return [record for record, _ in _measured(connection, served, finished_only=finished_only)]


def quality_csv(connection: sa.Connection, served: ServedStudy) -> str:
    """Return the quality record of every trial as CSV: who, which, timing_ok, and one column per field."""
    rows = [
        [record.session_id, record.participant_id, record.trial, ok, *(_plain(quality, name) for name in _QUALITY)]
        for record, (quality, ok) in _measured(connection, served)
    ]
    return table(["session_id", "participant_id", "trial", "timing_ok", *_QUALITY], rows)


def presses_csv(connection: sa.Connection, served: ServedStudy) -> str:
    """Return every key press of every trial as CSV, early and late ones too."""
    header = ["session_id", "trial", "code", "at_ms", "handled_ms", "trusted", "repeat", "response_key"]
    rows = [
        [record.session_id, record.trial, *msgspec.structs.astuple(press)]
        for record, (quality, _) in _measured(connection, served)
        for press in quality.presses
    ]
    return table(header, rows)


def sessions_csv(connection: sa.Connection, served: ServedStudy) -> str:
    """Return one row per session with its device; no recruitment ids, which stay in the database."""
    names = ["session_id", "participant_id", "group_name", "slot", "state", "observer", "service", "consent_sha256"]
    names += ["began", "finished", "last_step", "browser"]
    query = sa.select(session).where(session.c.study_id == served.study_id).order_by(session.c.began)
    found = list(connection.execute(query))
    devices = [json.loads(each.device) for each in found]
    columns = list(dict.fromkeys(key for device in devices for key in device if key != "browser"))
    rows = [
        [*(getattr(each, name) for name in names), *(device.get(key) for key in columns)]
        for each, device in zip(found, devices, strict=True)
    ]
    return table([*names, *columns], rows)


def events_csv(connection: sa.Connection, served: ServedStudy) -> str:
    """Return what happened around the trials."""
    query = (
        sa.select(event.c.session_id, event.c.received, event.c.kind, event.c.detail)
        .join(session, session.c.session_id == event.c.session_id)
        .where(session.c.study_id == served.study_id)
        .order_by(event.c.event_id)
    )
    return table(["session_id", "received", "kind", "detail"], [list(each) for each in connection.execute(query)])


def table(header: list[str], rows: list[list[Any]]) -> str:
    r"""Return CSV text in which no cell is a formula.

    Examples
    --------
    >>> table(["a", "b"], [["=1+1", -2.5]])
    "a,b\n'=1+1,-2.5\n"
    """
    return csvfiles.text_of(header, [[_cell(cell) for cell in cells] for cells in rows])


def psych_ds(connection: sa.Connection, served: ServedStudy) -> bytes:
    """Return a Psych-DS dataset as a ZIP file: ``dataset_description.json`` and ``data/*_data.csv`` with sidecars."""
    records = trial_records(connection, served)
    variables = [
        {
            "@type": "PropertyValue",
            "name": column.name,
            "description": column.meaning,
            **({"unitText": column.unit} if column.unit else {}),
        }
        for column in COLUMNS
    ]
    name = "".join(letter for letter in served.study_id if letter.isalnum()) or "study"
    description = {
        "@context": "https://schema.org",
        "@type": "Dataset",
        "name": served.study_id,
        "description": f"{served.settings.title}: trials of a rapid categorization task run online with RapidVision",
        "variableMeasured": variables,
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in (
            ("dataset_description.json", json.dumps(description, indent=2) + "\n"),
            (f"data/study-{name}_data.csv", tables.to_csv(records)),
            ("documents/sessions.csv", sessions_csv(connection, served)),
            ("documents/quality.csv", quality_csv(connection, served)),
            ("documents/presses.csv", presses_csv(connection, served)),
            ("documents/events.csv", events_csv(connection, served)),
        ):
            archive.writestr(zipfile.ZipInfo(path, (2020, 1, 1, 0, 0, 0)), text)
    return out.getvalue()


def parquet(connection: sa.Connection, served: ServedStudy) -> bytes:
    """Return the trials table as Parquet.

    Raises
    ------
    MissingExtra
        Without pyarrow.
    """
    from rapidvision.extras import need

    arrow = need("pyarrow", extra="online", purpose="a Parquet export")
    parquet_ = need("pyarrow.parquet", extra="online", purpose="a Parquet export")
    kinds = {"int": arrow.int64(), "float": arrow.float64(), "bool": arrow.bool_(), "str": arrow.string()}
    schema = arrow.schema([arrow.field(c.name, kinds[c.dtype], nullable=c.nullable) for c in COLUMNS])
    rows = [msgspec.to_builtins(record) for record in trial_records(connection, served)]
    out = io.BytesIO()
    parquet_.write_table(arrow.Table.from_pylist(rows, schema=schema), out)
    return out.getvalue()


def _measured(connection: sa.Connection, served: ServedStudy, *, finished_only: bool = False) -> Any:
    wanted = [session.c.study_id == served.study_id]
    if finished_only:
        wanted.append(session.c.state == "finished")
    query = (
        sa.select(
            session.c.session_id,
            session.c.participant_id,
            session.c.group_name,
            session.c.slot,
            session.c.observer,
            trial.c.trial,
            trial.c.timing_ok,
            trial.c.measurement,
        )
        .join(session, session.c.session_id == trial.c.session_id)
        .where(*wanted)
        .order_by(session.c.began, session.c.session_id, trial.c.trial)
    )
    for found in connection.execute(query):
        plan = served.plans.get((found.group_name, found.slot))
        planned = served.trial(found.group_name, found.slot, found.trial) if plan else None
        if plan is None or planned is None:
            raise InputError(
                f"session {found.session_id}: no plan for group {found.group_name}, slot {found.slot}; "
                "the study folder is not the one that was served"
            )
        measured = msgspec.json.decode(found.measurement, type=Measurement)
        made = row(
            plan,
            planned,
            measured,
            observer=found.observer,
            observer_kind="simulated" if found.observer == "simulated" else "human",
            session_id=found.session_id,
            participant_id=found.participant_id,
        )
        yield made, (measured.quality, found.timing_ok)


def _plain(value: Any, name: str) -> Any:
    return getattr(value, name)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
