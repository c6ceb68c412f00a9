"""The sessions of a study, read from their journals and checked against their plans."""

from dataclasses import dataclass

from rapidvision.errors import InputError
from rapidvision.plan import Plan
from rapidvision.study import Study
from rapidvision.trials import TrialRecord

from ..journal import Entry, Header, Setup, read_journal, trials_and_events
from ..ports import TrialData
from ..rows import rows_of


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
    """

    header: Header
    plan: Plan
    entries: list[Entry]

    def rows(self) -> list[TrialRecord]:
        """Return the session's rows of the trials table."""
        h = self.header
        return rows_of(
            self.plan,
            trials_and_events(self.entries),
            observer=h.observer,
            observer_kind="simulated" if h.observer == "simulated" else "human",
            session_id=h.session_id,
            participant_id=h.participant_id,
        )

    def runs(self) -> list[tuple[Setup, list[TrialData]]]:
        """Return the completed trials by opening of the journal, openings without any left out."""
        runs: list[tuple[Setup, list[TrialData]]] = []
        for entry in self.entries:
            if isinstance(entry, Setup):
                runs.append((entry, []))
            elif isinstance(entry, TrialData) and runs:
                runs[-1][1].append(entry)
        return [run for run in runs if run[1]]


def read_sessions(study: Study) -> list[Recorded]:
    """Read every journal of a study, in order of name.

    Raises
    ------
    InputError
        When there is none, or one is damaged or follows another plan than the study's.
    """
    plans = {(plan.group, plan.slot): plan for plan in study.plans()}
    sessions = []
    for path in sorted(study.sessions_folder.glob("*.jsonl")):
        header, entries = read_journal(path)
        plan = plans.get((header.group, header.slot))
        if plan is None or plan.digest != header.plan_digest:
            raise InputError(f"{path}: follows another plan than this study's; export it with the study it belongs to")
        sessions.append(Recorded(header, plan, entries))
    if not sessions:
        raise InputError(f"{study.folder}: no sessions to export; run one with `rapidvision session run`")
    return sessions
