"""From a journal's entries to rows of the trials table, through the one place where rows are made."""

from collections.abc import Sequence

import msgspec

from rapidvision.observers import Answer, record
from rapidvision.plan import Plan
from rapidvision.trials import ObserverKind, TrialRecord

from .ports import Event, TrialData

#: Flags that make a trial's times worthless; its row says ``aborted``.
VOID_FLAGS = ("clock_step",)


def rows_of(
    plan: Plan,
    entries: Sequence[TrialData | Event],
    *,
    observer: str,
    observer_kind: ObserverKind,
    session_id: str,
    participant_id: str,
) -> list[TrialRecord]:
    """Return a session's rows in order of trial number.

    Parameters
    ----------
    plan : Plan
        What was asked.
    entries : sequence of TrialData or Event
        What happened.
    observer, session_id, participant_id : str
        Who answered.
    observer_kind : {"human", "pilot", "simulated", "model"}
        What kind of observer this is.

    Returns
    -------
    list of TrialRecord
        A row per completed trial, and one with status ``aborted`` for each trial that was interrupted after its
        picture had been seen and never completed, or whose times are void.
    """
    completed = {entry.trial: entry for entry in entries if isinstance(entry, TrialData)}
    broken = {e.trial: e for e in entries if isinstance(e, Event) and e.seen and e.trial not in completed}
    rows = []
    for trial in plan.trials():
        data, event = completed.get(trial.trial), broken.get(trial.trial)
        if data is None and event is None:
            continue
        key = None if data is None else data.response_key
        answer = Answer(
            target=None if key is None else key == plan.key_target,
            response_ms=None if data is None else data.response_ms,
        )
        void = data is None or any(flag.startswith(VOID_FLAGS) for flag in data.flags)
        row = record(
            plan,
            trial,
            Answer(target=None) if void else answer,
            observer=observer,
            observer_kind=observer_kind,
            session_id=session_id,
            participant_id=participant_id,
            fixation_ms=None if data is None else data.fixation_ms,
            stimulus_ms_shown=None if data is None else data.stimulus_ms,
            late_refreshes=None if data is None else sum(data.late_refreshes),
            refresh_hz=None if data is None else data.refresh_hz,
            attempt=1 if data is None else data.attempt,
            flags=() if data is None else data.flags,
            utc=(data.utc if data is not None else event.utc if event is not None else "") or None,
        )
        rows.append(msgspec.structs.replace(row, status="aborted") if void else row)
    return rows
