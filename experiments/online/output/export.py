"""From the database to the trials table and what lies beside it."""

import io
import json
import zipfile
from collections.abc import Collection, Iterator
from typing import Any

import msgspec
import sqlalchemy as sa

from rapidvision.errors import InputError, did_you_mean
from rapidvision.formats import trials_table
from rapidvision.plan import Plan
from rapidvision.task.trial import Trial
from rapidvision.trials import COLUMNS, TrialRecord, columns_of

from ...recording.answers import AnswerRecord
from ..database.schema import KINDS, event, plan, session, trial
from ..storage.answer_writes import reports_of
from ..storage.trial_report import Measurement, Press, Quality, row
from ..study.plans import ServedStudy
from ..study.question_places import Place, places_of
from . import answers
from .answers import answer_records, answers_by_trial
from .guarded_csv import guarded_csv

#: Whose sessions an export holds unless others are asked for.
HUMANS = ("human",)
_STATE_FLAGS = {"lapsed": ("lapsed",), "open": ("unfinished",)}

_QUALITY = tuple(name for name in msgspec.structs.fields(Measurement)[-1].type.__struct_fields__ if name != "presses")


def trial_records(
    connection: sa.Connection,
    served: ServedStudy,
    *,
    finished_only: bool = False,
    observers: Collection[str] = HUMANS,
) -> list[TrialRecord]:
    """Return the rows of the trials table, by session and trial.

    Parameters
    ----------
    connection : sqlalchemy.Connection
        Reads the database.
    served : ServedStudy
        The study.
    finished_only : bool, default False
        Leave out sessions that were not finished; lapsed and open ones are in the table otherwise, with the flag
        ``lapsed`` or ``unfinished`` in every row.
    observers : collection of {"human", "pilot", "simulated"}
        Whose sessions; default: participants' only.
    """
    found = measured(connection, served, finished_only=finished_only, observers=observers)
    return [record for record, _ in found]


def quality_csv(connection: sa.Connection, served: ServedStudy, *, observers: Collection[str] = HUMANS) -> str:
    """Return the quality record of every trial as CSV: who, which, timing_ok, flags, and one column per field."""
    first = ("session_id", "participant_id", "observer_kind", "trial", "timing_ok", "flags")
    rows = [
        [*(getattr(record, name) for name in first), *(getattr(quality, name) for name in _QUALITY)]
        for record, quality in measured(connection, served, observers=observers)
    ]
    return guarded_csv([*first, *_QUALITY], rows)


def presses_csv(connection: sa.Connection, served: ServedStudy, *, observers: Collection[str] = HUMANS) -> str:
    """Return every key press of every trial as CSV, early and late ones too."""
    header = ["session_id", "trial", *Press.__struct_fields__]
    rows = [
        [record.session_id, record.trial, *msgspec.structs.astuple(press)]
        for record, quality in measured(connection, served, observers=observers)
        for press in quality.presses
    ]
    return guarded_csv(header, rows)


def sessions_csv(connection: sa.Connection, served: ServedStudy, *, observers: Collection[str] = HUMANS) -> str:
    """Return one row per session with its device, those that lapsed or withdrew too; no recruitment ids.

    Ids stay in the database.
    """
    names = ["session_id", "participant_id", "observer_kind", "rehearsal", "group_name", "slot", "plan_digest", "state"]
    names += ["service", "consent_sha256", "began", "lapsed", "finished", "last_step", "browser"]
    mine = sa.and_(session.c.study_id == served.study_id, session.c.observer_kind.in_(observers))
    found = list(connection.execute(sa.select(session).where(mine).order_by(session.c.began, session.c.session_id)))
    devices = [json.loads(each.device) for each in found]
    columns = list(dict.fromkeys(key for device in devices for key in device if key != "browser"))
    rows = [
        [*(getattr(each, name) for name in names), *(device.get(key) for key in columns)]
        for each, device in zip(found, devices, strict=True)
    ]
    return guarded_csv([*names, *columns], rows)


def answer_table(
    connection: sa.Connection,
    served: ServedStudy,
    *,
    finished_only: bool = False,
    observers: Collection[str] = HUMANS,
) -> list[AnswerRecord]:
    """Return the answers that belong to no trial, by session; those after trials are columns of the trials table."""
    columns = ("session_id", "participant_id", "observer_kind", "plan_digest")
    wanted = [session.c.study_id == served.study_id, session.c.observer_kind.in_(observers)]
    if finished_only:
        wanted.append(session.c.state == "finished")
    query = sa.select(*(session.c[name] for name in columns)).where(*wanted)
    found = connection.execute(query.order_by(session.c.began, session.c.session_id)).all()
    reports, followed = reports_of(connection, [each.session_id for each in found]), Followed(connection, served)
    records: list[AnswerRecord] = []
    for each in found:
        who = {"session_id": each.session_id, "participant_id": each.participant_id}
        plan_, places = followed.plan(each.plan_digest), followed.places(each.plan_digest)
        given = reports.get(each.session_id, {})
        records += answer_records(plan_, given, places, observer_kind=each.observer_kind, **who)
    return records


def answers_csv(connection: sa.Connection, served: ServedStudy, *, observers: Collection[str] = HUMANS) -> str:
    """Return the answers that belong to no trial as CSV."""
    return answers.to_csv(answer_table(connection, served, observers=observers))


def events_csv(connection: sa.Connection, served: ServedStudy, *, observers: Collection[str] = HUMANS) -> str:
    """Return what happened around the trials."""
    query = (
        sa.select(event.c.session_id, event.c.received, event.c.kind, event.c.detail)
        .join(session, session.c.session_id == event.c.session_id)
        .where(session.c.study_id == served.study_id, session.c.observer_kind.in_(observers))
        .order_by(event.c.event_id)
    )
    return guarded_csv(["session_id", "received", "kind", "detail"], [list(each) for each in connection.execute(query)])


def session_counts(connection: sa.Connection, served: ServedStudy) -> dict[str, dict[str, int]]:
    """Return kind of observer → state → number of sessions."""
    columns = (session.c.observer_kind, session.c.state)
    counted = sa.select(*columns, sa.func.count()).where(session.c.study_id == served.study_id).group_by(*columns)
    counts: dict[str, dict[str, int]] = {}
    for kind, state, n in connection.execute(counted.order_by(*columns)):
        counts.setdefault(kind, {})[state] = n
    return counts


def psych_ds(connection: sa.Connection, served: ServedStudy, *, observers: Collection[str] = HUMANS) -> bytes:
    """Return a Psych-DS dataset as a ZIP file: ``dataset_description.json`` and ``data/*_data.csv`` with sidecars."""
    records = trial_records(connection, served, observers=observers)
    variables = [
        {
            "@type": "PropertyValue",
            "name": column.name,
            "description": column.meaning,
            **({"unitText": column.unit} if column.unit else {}),
        }
        for column in (*COLUMNS, *columns_of(served.protocol))
    ]
    name = "".join(letter for letter in served.name if letter.isalnum()) or "study"
    description = {
        "@context": "https://schema.org",
        "@type": "Dataset",
        "name": served.name,
        "description": f"{served.settings.title}: trials of a rapid categorization task run online with RapidVision",
        "variableMeasured": variables,
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in (
            ("dataset_description.json", json.dumps(description, indent=2) + "\n"),
            (f"data/study-{name}_data.csv", trials_table.to_csv(records)),
            ("documents/answers.csv", answers_csv(connection, served, observers=observers)),
            ("documents/sessions.csv", sessions_csv(connection, served, observers=observers)),
            ("documents/quality.csv", quality_csv(connection, served, observers=observers)),
            ("documents/presses.csv", presses_csv(connection, served, observers=observers)),
            ("documents/events.csv", events_csv(connection, served, observers=observers)),
        ):
            archive.writestr(zipfile.ZipInfo(path, (2020, 1, 1, 0, 0, 0)), text)
    return out.getvalue()


def parquet(connection: sa.Connection, served: ServedStudy, *, observers: Collection[str] = HUMANS) -> bytes:
    """Return the trials table as Parquet.

    Raises
    ------
    MissingExtra
        Without pyarrow.
    """
    from rapidvision.system.extras import need

    arrow = need("pyarrow", extra="online", purpose="a Parquet export")
    parquet_ = need("pyarrow.parquet", extra="online", purpose="a Parquet export")
    kinds = {"int": arrow.int64(), "float": arrow.float64(), "bool": arrow.bool_(), "str": arrow.string()}
    columns = (*COLUMNS, *columns_of(served.protocol))
    schema = arrow.schema([arrow.field(c.name, kinds[c.dtype], nullable=c.nullable) for c in columns])
    records = trial_records(connection, served, observers=observers)
    rows = [(made := msgspec.to_builtins(record)) | made.pop("more") for record in records]
    out = io.BytesIO()
    parquet_.write_table(arrow.Table.from_pylist(rows, schema=schema), out)
    return out.getvalue()


def measured(
    connection: sa.Connection,
    served: ServedStudy,
    *,
    finished_only: bool = False,
    observers: Collection[str] = HUMANS,
) -> Iterator[tuple[TrialRecord, Quality]]:
    """Yield every trial's row with its quality record, made by the plan that the session followed."""
    unknown = sorted(set(observers) - set(KINDS))
    if unknown:
        raise InputError(f'observers: got "{unknown[0]}". {did_you_mean(unknown[0], KINDS)}')
    wanted = [session.c.study_id == served.study_id, session.c.observer_kind.in_(observers)]
    if finished_only:
        wanted.append(session.c.state == "finished")
    columns = ("session_id", "participant_id", "observer_kind", "state", "plan_digest")
    query = (
        sa.select(
            *(session.c[name] for name in columns), trial.c.trial, trial.c.flags, trial.c.chosen, trial.c.measurement
        )
        .join(session, session.c.session_id == trial.c.session_id)
        .where(*wanted)
        .order_by(session.c.began, session.c.session_id, trial.c.trial)
    )
    followed = Followed(connection, served)
    given: dict[str, dict[int, Any]] = {}
    for found in connection.execute(query).all():
        plan_, planned = followed.trial(found.plan_digest, found.trial)
        if found.session_id not in given:
            reports = reports_of(connection, [found.session_id]).get(found.session_id, {})
            given = {found.session_id: answers_by_trial(reports, followed.places(found.plan_digest))}
        measurement = msgspec.json.decode(found.measurement, type=Measurement)
        made = row(
            plan_,
            planned,
            measurement,
            observer="simulated" if found.observer_kind == "simulated" else "human",
            observer_kind=found.observer_kind,
            session_id=found.session_id,
            participant_id=found.participant_id,
            flags=[*found.flags.split(), *_STATE_FLAGS.get(found.state, ())],
            questions=given[found.session_id].get(found.trial),
            chosen=None if found.chosen is None else json.loads(found.chosen),
        )
        yield made, measurement.quality


class Followed:
    """The plans that sessions followed, whatever the study folder holds today."""

    def __init__(self, connection: sa.Connection, served: ServedStudy) -> None:
        self._connection = connection
        self._known = {served.plan_digest(*key): (made, served.trials(*key)) for key, made in served.plans.items()}

    def trial(self, digest: str, number: int) -> tuple[Plan, Trial]:
        """Return a plan by its digest, and one of its trials."""
        made, trials = self._plan(digest)
        return made, trials[number]

    def places(self, digest: str) -> dict[int, Place]:
        """Return number → place of a plan's questions."""
        return places_of(self.plan(digest))

    def plan(self, digest: str) -> Plan:
        """Return a plan by its digest."""
        return self._plan(digest)[0]

    def _plan(self, digest: str) -> tuple[Plan, dict[int, Trial]]:
        if digest not in self._known:
            content = self._connection.scalar(sa.select(plan.c.content).where(plan.c.plan_digest == digest))
            if content is None:
                raise InputError(
                    f"plan {digest}: sessions followed it, but the database does not hold it; it is damaged"
                )
            made = msgspec.json.decode(content, type=Plan)
            self._known[digest] = (made, {trial.trial: trial for trial in made.trials()})
        return self._known[digest]
