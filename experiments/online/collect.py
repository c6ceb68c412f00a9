"""The trials table of online sessions: from the server's database, or from the files that a bundle's sessions left."""

import argparse
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import msgspec

from rapidvision import files
from rapidvision.errors import InputError
from rapidvision.study import Study
from rapidvision.trials import TrialRecord, write_table

from .bodies import Device
from .database import DATABASE_VARIABLE, default_database, open_online_store
from .export import trial_records
from .measure import Measurement, Sha256, Short, row, why_refused
from .plans import ServedStudy, open_study


class Result(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One session's file from a bundle; its recruitment ids stay in the file."""

    form: Literal[1]
    study_id: str
    plan_digest: Sha256
    session_id: Short
    participant_id: Short
    ids: dict[str, str]
    consent_sha256: Sha256
    device: Device
    trials: dict[str, Measurement]


def collect(arguments: argparse.Namespace) -> str:
    """Write the table that the command asks for and return what to say about it."""
    folder = Path(arguments.study)
    served = open_study(folder, stimulus_set=arguments.set, verify=False)
    out = Path(arguments.out) if arguments.out else Study(folder).trials_path
    if arguments.results:
        records = from_files(served, [Path(name) for name in arguments.results])
    else:
        records = _from_database(served, folder, arguments)
    write_table(out, records)
    sessions = {record.session_id for record in records}
    return f"{len(records)} trials of {len(sessions)} sessions in {out}"


def from_files(served: ServedStudy, paths: Iterable[Path]) -> list[TrialRecord]:
    """Return the rows of result files, by session and trial.

    Parameters
    ----------
    served : ServedStudy
        Knows the plans.
    paths : iterable of Path
        One file per session.

    Raises
    ------
    InputError
        Names the file that is no result of this study, appears twice, or has a trial that was not planned.
    """
    by_digest = {plan.digest: plan for plan in served.plans.values()}
    records: list[TrialRecord] = []
    seen: dict[str, Path] = {}
    for path in sorted(paths):
        result = _read(path)
        plan = by_digest.get(result.plan_digest)
        if plan is None:
            raise InputError(f"{path}: its plan is none of this study's; collect it with the study it was made from")
        if result.session_id in seen:
            raise InputError(f"{path}: the same session as {seen[result.session_id]}; keep one of both")
        seen[result.session_id] = path
        planned = served.trials(plan.group, plan.slot)
        for name, measured in sorted(result.trials.items(), key=lambda each: each[0].zfill(9)):
            trial = planned.get(int(name)) if name.isdigit() else None
            refused = "no such trial" if trial is None else why_refused(plan, trial, measured)
            if trial is None or refused is not None:
                raise InputError(f"{path}: trial {name}: {refused}; the file was changed")
            who: dict[str, Any] = {"session_id": result.session_id, "participant_id": result.participant_id}
            records.append(row(plan, trial, measured, observer="human", observer_kind="human", **who))
    return records


def _read(path: Path) -> Result:
    try:
        return msgspec.json.decode(files.read_bytes(path), type=Result)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not a session's result ({error})") from error


def _from_database(served: ServedStudy, folder: Path, arguments: argparse.Namespace) -> list[TrialRecord]:
    url = arguments.database_url or os.environ.get(DATABASE_VARIABLE, "") or default_database(folder)
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).is_file():
        raise InputError(f"{url}: no database here; serve the study first, or give the files of a bundle")
    store = open_online_store(url, served)
    try:
        return store.read(lambda c: trial_records(c, served, finished_only=arguments.finished_only))
    finally:
        store.close()
