"""Where a study stands: its sessions and its slots, as tables."""

from collections import Counter

from rapidvision.errors import InputError
from rapidvision.study import Study

from ..engine.interfaces import TrialData
from ..engine.journal import read_journal
from .file_checks import journal_path
from .ledger import Ledger


def sessions_table(study: Study) -> str:
    """Return one line per session: group, slot, state, completed trials, beginning.

    A damaged journal is named in its line and does not hide the others.
    """
    planned = {(plan.group, plan.slot): len(plan.trials()) for plan in study.plans()}
    lines = [f"{'session':<32}{'group':<12}{'slot':>5}  {'state':<11}{'trials':>8}  last change"]
    for entry in Ledger(study).slots().last.values():
        state = {"taken": "unfinished", "finished": "finished", "returned": "given up"}[entry.event]
        path = journal_path(study, entry.session_id)
        n, trouble = 0, ""
        if path.exists():
            try:
                n = len({e.trial for e in read_journal(path)[1] if isinstance(e, TrialData)})
            except InputError as error:
                trouble = f"  {error}"
        count = f"{n}/{planned[entry.group, entry.slot]}"
        lines.append(
            f"{entry.session_id:<32}{entry.group:<12}{entry.slot:>5}  {state:<11}{count:>8}  {entry.utc}{trouble}"
        )
    return "\n".join(lines) if len(lines) > 1 else f"{study.folder}: no sessions yet"


def status(study: Study) -> str:
    """Return how many sessions each group has, the next slots, and the unfinished sessions."""
    description, slots = study.description(), Ledger(study).slots()
    filled = slots.filled()
    lines = [f"study {description.study_id}: {description.n_slots} slots in each of {', '.join(description.groups)}"]
    for group in description.groups:
        states = Counter(entry.event for entry in slots.last.values() if entry.group == group)
        following = min(range(description.n_slots), key=lambda slot: (filled[group, slot], slot))
        lines.append(
            f"  {group:<12} finished {states['finished']}, unfinished {states['taken']}, given up {states['returned']};"
            f" next slot {following}"
        )
    lines += [
        f"  unfinished: {entry.session_id} since {entry.utc}; `rapidvision session resume` goes on,"
        " `rapidvision session return` gives it up"
        for entry in slots.last.values()
        if entry.event == "taken"
    ]
    return "\n".join(lines)
