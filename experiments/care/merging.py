"""Two computers recorded one study: their journals and ledgers become one, and what does not fit together is named."""

from typing import NamedTuple

import msgspec

from rapidvision.errors import InputError
from rapidvision.plan import plan_filename
from rapidvision.study import Study
from rapidvision.system import files

from ..design.allocation import Entry, likeness
from ..lab.ledger import Ledger, read_entries
from ..recording.append_file import AppendOnly


class Merged(NamedTuple):
    """What a merge did.

    Attributes
    ----------
    n_sessions : int
        Sessions that are new here, or longer than what was here.
    n_same : int
        Sessions that were here already.
    left_out : list of str
        Sessions that were not taken, each with the reason.
    doubled : list of str
        Slots that two sessions of different people used.
    """

    n_sessions: int
    n_same: int
    left_out: list[str]
    doubled: list[str]

    def text(self) -> str:
        """Return the counts and what was left out."""
        lines = [f"{self.n_sessions} sessions merged, {self.n_same} were here already, {len(self.left_out)} left out"]
        lines += [f"  left out: {each}" for each in self.left_out]
        lines += [
            f"  used twice: {each}; both sessions are kept, the design is unbalanced by one" for each in self.doubled
        ]
        return "\n".join(lines)


def merge_study(study: Study, other: Study) -> Merged:
    """Take the people's sessions of another copy of a study into this one; merging the same copy again changes nothing.

    Parameters
    ----------
    study : Study
        Gets the sessions.
    other : Study
        Gives them, and is not changed.

    Returns
    -------
    Merged
        Counts, and what was left out.

    Raises
    ------
    InputError
        When the two are not one study, or are one folder.
    """
    mine, theirs = study.description(), other.description()
    if study.folder.resolve() == other.folder.resolve():
        raise InputError(f"{other.folder}: is the study itself; name the copy of the other computer")
    same = ("study_id", "protocol_digest", "stimulus_set_digest", "groups", "n_stations")
    for field in same:
        if getattr(mine, field) != getattr(theirs, field):
            raise InputError(
                f"{other.folder}: {field}: got {getattr(theirs, field)}, allowed is {getattr(mine, field)}; only copies of "
                "one study are merged"
            )
    here = Ledger(study).slots().last
    n_new = n_same = 0
    left_out, taken = [], list[str]()
    for session_id, entry in Ledger(other).slots().last.items():
        fault = _fault(study, here, entry)
        if fault:
            left_out.append(f"{session_id}: {fault}")
            continue
        try:
            changed = _take_journal(study, other, session_id)
        except InputError as error:
            left_out.append(f"{session_id}: {error}")
            continue
        taken.append(session_id)
        if changed or session_id not in here:
            n_new += 1
        else:
            n_same += 1
    _take_entries(study, other, set(taken))
    return Merged(n_new, n_same, left_out, _doubled(study))


def _fault(study: Study, here: dict[str, Entry], entry: Entry) -> str:
    if not (study.plans_folder / plan_filename(entry.group, entry.slot)).is_file():
        return (
            f"its plan, slot {entry.slot} of group {entry.group}, is not in this study; plan as many slots here first"
        )
    for session_id, mine in here.items():
        if session_id != entry.session_id and likeness(mine.participant_id) == likeness(entry.participant_id):
            return (
                f'participant "{entry.participant_id}" is "{mine.participant_id}" here, with another session '
                f"({session_id}); two people with one id, or one who took part twice: rename or release one"
            )
    return ""


def _take_journal(study: Study, other: Study, session_id: str) -> bool:
    """Copy a journal that is missing here or longer there; return whether anything changed."""
    source, target = (part.sessions_folder / f"{session_id}.jsonl" for part in (other, study))
    if not source.exists():
        return False
    new = files.read_bytes(source)
    old = files.read_bytes(target) if target.exists() else b""
    whole_new, whole_old = new[: new.rfind(b"\n") + 1], old[: old.rfind(b"\n") + 1]
    if whole_old.startswith(whole_new):
        return False
    if not whole_new.startswith(whole_old):
        raise InputError(
            f"{source}: contradicts {target.name}, which is here; the session was resumed on both computers: keep one by hand"
        )
    if target.exists():
        AppendOnly(target, wait=False, alone=True).close()  # refuses one that a running session holds
    files.write_bytes(target, whole_new)
    return True


def _take_entries(study: Study, other: Study, sessions: set[str]) -> None:
    """Append the other's lines that are new, station by station, to the file of the same name."""
    for path in other.ledger_paths():
        target = study.folder / path.name
        known = {(entry.session_id, entry.event) for each in study.ledger_paths() for entry in read_entries(each)}
        lines = [e for e in read_entries(path) if e.session_id in sessions and (e.session_id, e.event) not in known]
        if not lines:
            continue
        file = AppendOnly(target, wait=True, alone=True)
        try:
            file.cut(file.read().rfind(b"\n") + 1)
            for entry in lines:
                file.append(msgspec.json.encode(entry) + b"\n")
        finally:
            file.close()


def _doubled(study: Study) -> list[str]:
    used: dict[tuple[str, int], list[str]] = {}
    for entry in Ledger(study).slots().last.values():
        if entry.event != "returned":
            used.setdefault((entry.group, entry.slot), []).append(entry.session_id)
    return [
        f"slot {slot} of group {group} by {' and '.join(sessions)}"
        for (group, slot), sessions in sorted(used.items())
        if len(sessions) > 1
    ]
