"""A participant who withdraws: journals, their figures and the default exports are deleted, and a receipt says what was."""

import csv
import io
import re
from pathlib import Path

import msgspec

from rapidvision.errors import InputError
from rapidvision.study import Study
from rapidvision.system import files

from ..design.allocation import Entry
from ..design.rehearsals import Rehearsals
from ..design.roster import ROSTER
from ..interfaces import TrialData
from ..lab.ledger import Ledger, read_entries, utc_now
from ..recording.append_file import AppendOnly
from ..recording.journal import read_journal

#: Default places of exports below a study's folder.
_TABLES, _DATASETS = ("trials.csv", "trials.parquet", "answers.csv", "openings.csv"), ("bids", "psych-ds")


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What was removed.

    Attributes
    ----------
    study_id, participant_id : str
        Whose data.
    utc : str
        When.
    replaced_by : str
        What stands in the ledger instead of the id; the slots are free again.
    n_sessions, n_trials : int
        Sessions, and completed trials in their journals.
    removed : list of str
        Files that are gone, from the study's folder.
    changed : list of str
        Files that lost the participant's rows.
    """

    study_id: str
    participant_id: str
    utc: str
    replaced_by: str
    n_sessions: int
    n_trials: int
    removed: list[str]
    changed: list[str]

    def text(self) -> str:
        """Return the receipt as text, with what is left to do by hand."""
        what = f"{self.n_sessions} sessions with {self.n_trials} trials removed at {self.utc}"
        lines = [
            f"participant {self.participant_id} of study {self.study_id}: {what}",
            *(f"  deleted  {name}" for name in self.removed),
            *(f"  changed  {name}" for name in self.changed),
            f"  the ledger says {self.replaced_by}; the slots are free again",
            "Exports, archives and backups in other places were not looked at: delete the rows there, or export again.",
        ]
        return "\n".join(lines)


def remove_participant(study: Study, participant_id: str) -> Receipt:
    """Remove everything that a study's folder holds of a participant, and store a receipt in ``removed/``.

    Parameters
    ----------
    study : Study
        The study.
    participant_id : str
        As in the ledger, spelled exactly.

    Returns
    -------
    Receipt
        What was removed.

    Raises
    ------
    InputError
        When there is no such participant, or a session of theirs is running; nothing was removed then.

    Notes
    -----
    Journals go first and the ledger last, so that a removal that was interrupted is completed when it is asked for again.
    """
    sessions = {
        entry.session_id: part
        for part in (study, Rehearsals(study.folder))
        for entry in Ledger(part).slots().last.values()
        if entry.participant_id == participant_id
    }
    if not sessions:
        raise InputError(f"{study.folder}: no session of participant {participant_id}; see `rapidvision session list`")
    journals = [path for part in set(sessions.values()) for path in _journals(part, participant_id)]
    n_trials = sum(n for _, n in journals)
    for path, _ in journals:
        AppendOnly(path, wait=False, alone=True).close()  # refuses one that a running session holds
    removed, changed = [], []
    for path, _ in journals:
        for each in (path, path.with_suffix(".preflight.svg")):
            if each.exists():
                each.unlink()
                removed.append(each)
    for folder in (study.folder, Rehearsals(study.folder).rehearsals_folder):
        for name in _TABLES:
            changed += _without_rows(folder / name, participant_id)
        for name in _DATASETS:
            removed += _without_dataset(folder / name, participant_id)
    changed += _without_rows(study.folder / ROSTER, participant_id)
    receipts = study.folder / "removed"
    replaced_by = _pseudonym(study)
    for ledger in (*study.ledger_paths(), *Rehearsals(study.folder).ledger_paths()):
        if _replace(ledger, participant_id, replaced_by):
            changed.append(ledger)
    receipt = Receipt(
        study_id=study.description().study_id,
        participant_id=participant_id,
        utc=utc_now(),
        replaced_by=replaced_by,
        n_sessions=len(sessions),
        n_trials=n_trials,
        removed=[path.relative_to(study.folder).as_posix() for path in removed],
        changed=[path.relative_to(study.folder).as_posix() for path in changed],
    )
    files.write_json(receipts / f"{replaced_by}.json", receipt)
    return receipt


def _pseudonym(study: Study) -> str:
    known = {entry.participant_id for path in study.ledger_paths() for entry in read_entries(path)}
    receipts = {path.stem for path in (study.folder / "removed").glob("removed*.json")}
    n = 1
    while f"removed{n}" in known | receipts:
        n += 1
    return f"removed{n}"


def _journals(part: Study, participant_id: str) -> list[tuple[Path, int]]:
    """Return the journals of a participant, copies under other names included, each with its completed trials."""
    found = []
    for path in sorted(part.sessions_folder.glob("*.jsonl"), key=Path.as_posix):
        mine = path.stem.removeprefix("pilot-").removeprefix("simulated-").startswith(f"{participant_id}-")
        try:
            header, entries = read_journal(path)
        except InputError:
            if mine:  # empty or damaged: known by its name alone
                found.append((path, 0))
            continue
        if header.participant_id == participant_id:
            found.append((path, len({entry.trial for entry in entries if isinstance(entry, TrialData)})))
    return found


def _without_rows(path: Path, participant_id: str) -> list[Path]:
    """Take a participant's rows out of a table."""
    if not path.is_file():
        return []
    if path.suffix == ".parquet":
        import pandas as pd

        frame = pd.read_parquet(path)
        if not (frame["participant_id"] == participant_id).any():
            return []
        left = io.BytesIO()
        frame[frame["participant_id"] != participant_id].to_parquet(left, index=False)
        files.write_bytes(path, left.getvalue())
        return [path]
    text = files.read_text(path)
    rows = list(csv.reader(io.StringIO(text), delimiter=";" if ";" in text.partition("\n")[0] else ","))
    if not rows or "participant_id" not in rows[0]:
        return []
    at = rows[0].index("participant_id")
    kept = [row for row in rows if len(row) <= at or row[at].strip() != participant_id]
    if len(kept) == len(rows):
        return []
    out = io.StringIO()
    csv.writer(out, delimiter=";" if ";" in text.partition("\n")[0] else ",", lineterminator="\n").writerows(kept)
    files.write_text(path, out.getvalue())
    return [path]


def _without_dataset(folder: Path, participant_id: str) -> list[Path]:
    """Delete a dataset in a study's folder that holds a participant: its tables refer to each other; export it again."""
    if not folder.is_dir():
        return []
    tables = [path for path in folder.rglob("*") if path.suffix in (".tsv", ".csv", ".json") and path.is_file()]
    named = re.compile(rf"(?<![A-Za-z0-9]){re.escape(participant_id)}(?![A-Za-z0-9-])")  # p1 is not in p10 or p1-b
    if not any(named.search(files.read_text(path)) for path in tables):
        return []
    for path in sorted(folder.rglob("*"), key=Path.as_posix, reverse=True):
        if path.is_dir():
            path.rmdir()
        else:
            path.unlink()
    folder.rmdir()
    return [folder]


def _replace(ledger: Path, participant_id: str, replaced_by: str) -> bool:
    """Put a pseudonym in place of an id in a ledger, and give its slots back; a copy lies beside it meanwhile."""
    file = AppendOnly(ledger, wait=True, alone=True)
    try:
        entries = read_entries(ledger)
        if not any(entry.participant_id == participant_id for entry in entries):
            return False
        lines = [_renamed(entry, replaced_by) if entry.participant_id == participant_id else entry for entry in entries]
        copy = ledger.with_suffix(".before-removal")
        files.write_bytes(copy, file.read())
        file.cut(0)
        file.append(b"".join(msgspec.json.encode(entry) + b"\n" for entry in dict.fromkeys(lines)))
        copy.unlink()
    finally:
        file.close()
    return True


def _renamed(entry: Entry, replaced_by: str) -> Entry:
    session_id = entry.session_id.replace(entry.participant_id, replaced_by, 1)
    return msgspec.structs.replace(entry, event="returned", participant_id=replaced_by, session_id=session_id, utc="")
