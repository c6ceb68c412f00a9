"""From a journal's entries to rows of the trials table, through the one place where rows are made."""

from collections import Counter
from collections.abc import Sequence

import msgspec

from rapidvision.observers import Answer, record
from rapidvision.plan import Plan
from rapidvision.trials import ObserverKind, TrialRecord

from ..interfaces import Event
from .journal import Entry
from .quality import flag_names, timing_ok, with_setups


def rows_of(
    plan: Plan,
    entries: Sequence[Entry],
    *,
    observer: str,
    observer_kind: ObserverKind,
    session_id: str,
    participant_id: str,
    flags: Sequence[str] = (),
) -> list[TrialRecord]:
    """Return a session's rows in order of trial number.

    Parameters
    ----------
    plan : Plan
        What was asked.
    entries : sequence of Entry
        What happened, and what it ran on.
    observer, session_id, participant_id : str
        Who answered.
    observer_kind : {"human", "pilot", "simulated", "model"}
        What kind of observer this is.
    flags : sequence of str
        What holds for the whole session, such as ``given_up``; in every row.

    Returns
    -------
    list of TrialRecord
        A row per completed trial, and one with status ``aborted`` for each trial that was interrupted after its
        picture had been seen and never completed.
    """
    completed = {data.trial: (data, setup) for data, setup in with_setups(entries)}
    broken = {e.trial: e for e in entries if isinstance(e, Event) and e.seen and e.trial not in completed}
    views = Counter(e.trial for e in entries if isinstance(e, Event) and e.seen)
    rows = []
    for trial in plan.trials():
        event = broken.get(trial.trial)
        if trial.trial not in completed and event is None:
            continue
        data, setup = completed.get(trial.trial, (None, None))
        key = None if data is None else data.response_key
        answer = Answer(
            target=None if key is None else key == plan.key_target,
            response_ms=None if data is None else data.response_ms,
        )
        row = record(
            plan,
            trial,
            answer,
            observer=observer,
            observer_kind=observer_kind,
            session_id=session_id,
            participant_id=participant_id,
            fixation_ms=None if data is None else data.fixation_ms,
            stimulus_ms_shown=None if data is None else data.stimulus_ms,
            late_refreshes=None if data is None else sum(data.late_refreshes),
            refresh_hz=None if data is None else data.refresh_hz,
            timing_ok=None if data is None else timing_ok(plan, data, setup),
            attempt=views[trial.trial] if data is None else data.attempt,
            flags=[*([] if data is None else flag_names(data, setup)), *flags],
            utc=(data.utc if data is not None else event.utc if event is not None else "") or None,
        )
        rows.append(msgspec.structs.replace(row, status="aborted") if data is None else row)
    return rows
