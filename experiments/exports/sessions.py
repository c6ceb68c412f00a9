"""The sessions of a study, read from their journals and checked against their plans; a bad journal costs its own rows."""

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, TypedDict

from rapidvision.errors import InputError
from rapidvision.plan import Plan
from rapidvision.study import Study
from rapidvision.trials import ObserverKind, TrialRecord

from ..design.rehearsals import Rehearsals, part_of
from ..engine.state import State
from ..interfaces import Event, TrialData
from ..lab.file_checks import plan_of
from ..lab.ledger import Ledger
from ..recording.answers import AnswerRecord, answers_of
from ..recording.headers import Header, Setup
from ..recording.journal import GIVEN_UP, Entry, read_begun
from ..recording.quality import Quality, quality_of
from ..recording.rows import rows_of

#: Whose sessions are exported unless others are asked for.
PEOPLE: tuple[ObserverKind, ...] = ("human",)


class _Who(TypedDict):
    observer: str
    observer_kind: ObserverKind
    session_id: str
    participant_id: str


@dataclass(frozen=True, slots=True)
class Recorded:
    """One session as it was recorded.

    Attributes
    ----------
    header : Header
        Whose.
    plan : Plan
        What it followed.
    entries : list
        Everything else in the journal.
    given_up : bool
        Whether its slot was given back.
    """

    header: Header
    plan: Plan
    entries: list[Entry]
    given_up: bool = False

    @property
    def state(self) -> str:
        """``finished``, ``criterion missed`` (practice ended it), ``given up`` or ``unfinished``."""
        if self.given_up:
            return "given up"
        state = State(self.plan, self.entries)
        if state.stopped:
            return "criterion missed"
        return "finished" if state.finished else "unfinished"

    @property
    def quality(self) -> Quality:
        """How much of the session is void or flagged."""
        return quality_of(self.plan, self.entries)

    def rows(self) -> list[TrialRecord]:
        """Return the session's rows of the trials table; each of a given-up session is flagged ``given_up``."""
        return rows_of(self.plan, self.entries, **self._who(), flags=["given_up"] if self.given_up else [])

    def answers(self) -> list[AnswerRecord]:
        """Return the answers to questions of blocks and of the session."""
        return answers_of(self.plan, self.entries, **self._who())

    def _who(self) -> _Who:
        h = self.header
        return {
            "observer": h.observer,
            "observer_kind": h.observer_kind,
            "session_id": h.session_id,
            "participant_id": h.participant_id,
        }

    def runs(self) -> list[tuple[Setup, list[TrialData]]]:
        """Return the completed trials by opening of the journal, openings without any left out."""
        runs: list[tuple[Setup, list[TrialData]]] = []
        for entry in self.entries:
            if isinstance(entry, Setup):
                runs.append((entry, []))
            elif isinstance(entry, TrialData) and runs:
                runs[-1][1].append(entry)
        return [run for run in runs if run[1]]


class Fault(NamedTuple):
    """A journal whose rows cannot be exported: where it lies, what is wrong, and what to do."""

    path: Path
    what: str


class Journal(NamedTuple):
    """A journal that could be read."""

    path: Path
    header: Header
    entries: list[Entry]


@dataclass(slots=True)
class Sessions:
    """What the journals of a study hold.

    Attributes
    ----------
    recorded : list of Recorded
        In order of session id.
    faults : list of Fault
        Journals that could not be used.
    copies : list of path
        Copies of journals that are there in full; they were not counted again.
    """

    recorded: list[Recorded] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    copies: list[Path] = field(default_factory=list)


def recorded_sessions(study: Study, *, observers: Collection[ObserverKind] = PEOPLE) -> Sessions:
    """Read the journals of a study, each session once.

    Parameters
    ----------
    study : Study
        The study.
    observers : collection of {"human", "pilot", "simulated"}
        Kinds of observers whose sessions are wanted; people's by default.

    Returns
    -------
    Sessions
        The sessions, and by name the journals that are empty, damaged, follow another plan, or contradict another
        journal of the same session.

    Raises
    ------
    InputError
        When there is no journal at all.
    """
    found = Sessions()
    parts = {part.sessions_folder: part for part in (part_of(study, kind) for kind in observers)}
    for part in parts.values():
        _read_part(part, set(observers), found)
    if not (found.recorded or found.faults):
        beside = sum(1 for _ in Rehearsals(study.folder).sessions_folder.glob("*.jsonl"))
        hint = f"; {beside} of pilots and simulations lie beside it, see --observers" if beside else ""
        raise InputError(f"{study.folder}: no sessions to export{hint}; run one with `rapidvision session run`")
    found.recorded.sort(key=lambda session: session.header.session_id)
    return found


def _read_part(part: Study, observers: set[ObserverKind], found: Sessions) -> None:
    ledger = Ledger(part).slots().last
    by_session: dict[str, list[Journal]] = {}
    for path in sorted(part.sessions_folder.glob("*.jsonl"), key=lambda path: path.name):
        try:
            begun = read_begun(path)
        except InputError as error:
            found.faults.append(Fault(path, str(error)))
            continue
        if begun is None:
            found.faults.append(Fault(path, f"{path}: {_EMPTY}"))
        elif begun[0].observer_kind in observers:
            by_session.setdefault(begun[0].session_id, []).append(Journal(path, *begun))
    for session_id, journals in by_session.items():
        longest = max(journals, key=lambda journal: (len(journal.entries), journal.path.stem == session_id))
        others = [journal for journal in journals if journal is not longest]
        contradicting = [other for other in others if not _begins_with(longest, other)]
        if contradicting:
            names = " and ".join(journal.path.name for journal in (longest, *contradicting))
            what = f"{longest.path}: session {session_id} has contradicting journals, {names}; keep the right one"
            found.faults.append(Fault(longest.path, what))
            continue
        header, entries = longest.header, longest.entries
        try:
            plan = plan_of(part, header)
        except InputError as error:
            found.faults.append(Fault(longest.path, f"{longest.path}: its plan cannot be read: {error}"))
            continue
        if plan.digest != header.plan_digest:
            what = "follows another plan than this study's; export it with the study it belongs to"
            found.faults.append(Fault(longest.path, f"{longest.path}: {what}"))
            continue
        found.copies += [other.path for other in others]
        returned = session_id in ledger and ledger[session_id].event == "returned"
        given_up = returned or any(isinstance(entry, Event) and entry.what == GIVEN_UP for entry in entries)
        found.recorded.append(Recorded(header, plan, entries, given_up))


def _begins_with(longest: Journal, other: Journal) -> bool:
    return longest.header == other.header and longest.entries[: len(other.entries)] == other.entries


_EMPTY = (
    "empty: its computer lost power before the first line was stored, and no trial is in it; resume it with `rapidvision "
    "session resume`, or give it up with `rapidvision session release` and delete the file"
)
