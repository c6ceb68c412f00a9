"""Where a study stands: its sessions and its slots, as tables; pilots and simulations are counted apart."""

from collections import Counter

from rapidvision.errors import InputError
from rapidvision.plan import Plan
from rapidvision.study import Study

from ..design.allocation import Entry as Taken
from ..design.rehearsals import Rehearsals
from ..interfaces import TrialData
from ..recording.journal import Entry, read_begun
from ..recording.quality import quality_of
from .file_checks import journal_path, plan_of
from .ledger import Ledger
from .openings import n_planned

_STATES = {"taken": "unfinished", "finished": "finished", "returned": "given up"}


def sessions_table(study: Study) -> str:
    """Return one line per session: group, slot, state, completed trials, beginning; pilots and simulations last.

    A damaged journal is named in its line and does not hide the others.
    """
    lines = [f"{'session':<32}{'group':<12}{'slot':>5}  {'state':<11}{'trials':>8}  last change"]
    for part in (study, Rehearsals(study.folder)):
        for entry in Ledger(part).slots().last.values():
            entries, trouble = _entries(part, entry)
            n = len({e.trial for e in entries if isinstance(e, TrialData)})
            plan = _plan(part, entry)
            count = f"{n}/{'?' if plan is None else n_planned(plan, entries)}"
            lines.append(
                f"{entry.session_id:<32}{entry.group:<12}{entry.slot:>5}  {_STATES[entry.event]:<11}{count:>8}  "
                f"{entry.utc}{trouble}"
            )
    return "\n".join(lines) if len(lines) > 1 else f"{study.folder}: no sessions yet"


def _entries(part: Study, entry: Taken) -> tuple[list[Entry], str]:
    """Return what a session's journal holds, and what is wrong with it."""
    path = journal_path(part, entry.session_id)
    try:
        begun = read_begun(path)
    except InputError as error:
        return [], f"  {error}"
    if begun is not None:
        return begun[1], ""
    return (
        [],
        f"  {path}: the journal is {'empty' if path.exists() else 'missing'}" if entry.event != "returned" else "",
    )


def counts(study: Study) -> dict[str, dict[str, int]]:
    """Return how many sessions of each group are finished, unfinished and given up, and the slots of a group."""
    description, entries = study.description(), Ledger(study).slots().last.values()
    return {
        group: {
            "slots": description.n_slots,
            **{name: sum(e.group == group and e.event == event for e in entries) for event, name in _STATES.items()},
        }
        for group in description.groups
    }


def status(study: Study) -> str:
    """Return how many sessions each group has, the next slots, what is unfinished, damaged, or in doubt."""
    description, slots = study.description(), Ledger(study).slots()
    filled = slots.filled()
    lines = [f"study {description.study_id}: {description.n_slots} slots in each of {', '.join(description.groups)}"]
    for group in description.groups:
        states = Counter(entry.event for entry in slots.last.values() if entry.group == group)
        following = min(range(description.n_slots), key=lambda slot: (filled[group, slot], slot))
        upcoming = f"next slot {following}" if not filled[group, following] else "all slots are taken"
        lines.append(
            f"  {group:<12} finished {states['finished']}, unfinished {states['taken']}, given up {states['returned']};"
            f" {upcoming}"
        )
    lines += [
        f"  unfinished: {entry.session_id} since {entry.utc}; `rapidvision session resume` continues it,"
        " `rapidvision session release` gives it up"
        for entry in slots.last.values()
        if entry.event == "taken"
    ]
    lines += [line for entry in slots.last.values() for line in _doubts(study, entry)]
    beside = Ledger(Rehearsals(study.folder)).slots().last
    if beside:
        kinds = Counter(session_id.partition("-")[0] for session_id in beside)
        lines.append(f"  beside the study: {', '.join(f'{n} {kind}' for kind, n in sorted(kinds.items()))} sessions")
    return "\n".join(lines)


def _plan(part: Study, entry: Taken) -> Plan | None:
    try:
        return plan_of(part, entry)
    except InputError:
        return None


def _doubts(study: Study, entry: Taken) -> list[str]:
    entries, trouble = _entries(study, entry)
    if trouble:
        return [f"  damaged: {entry.session_id}:{trouble}"]
    plan = _plan(study, entry)
    if plan is None:
        return [f"  damaged: {entry.session_id}: its plan cannot be read; restore {study.plans_folder} from a backup"]
    quality = quality_of(plan, entries)
    return [f"  ATTENTION: {entry.session_id}: {quality.sentence()}"] if quality.warns else []
