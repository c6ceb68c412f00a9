"""From a journal's entries to rows of the trials table, through the one place where rows are made."""

from collections import Counter
from collections.abc import Sequence
from functools import partial

from rapidvision.observers import Answer, record
from rapidvision.plan import Plan
from rapidvision.trials import ObserverKind, TrialRecord

from ..interfaces import AnswerData, Event
from .journal import Entry
from .quality import ends_trial, flag_names, timing_ok, with_setups


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
        image had been seen and never completed.
    """
    completed = {data.trial: (data, setup) for data, setup in with_setups(entries)}
    broken = {e.trial: e for e in entries if isinstance(e, Event) and e.seen and e.trial not in completed}
    views = Counter(e.trial for e in entries if isinstance(e, Event) and e.seen)
    given: dict[int, dict[str, tuple[str | float | None, float | None]]] = {}
    for entry in entries:
        if isinstance(entry, AnswerData) and entry.trial is not None:
            given.setdefault(entry.trial, {})[entry.question] = (entry.value, entry.response_ms)
    make = partial(
        record,
        plan,
        observer=observer,
        observer_kind=observer_kind,
        session_id=session_id,
        participant_id=participant_id,
    )
    rows = []
    for trial in plan.trials():
        if trial.trial in completed:
            data, setup = completed[trial.trial]
            answer = Answer(
                response=None if data.input is None else plan.inputs[data.input],
                response_ms=data.response_ms,
                input=data.input,
                questions=given.get(trial.trial, {}),
            )
            row = make(
                trial,
                answer,
                phases_ms={phase.name: phase.shown_ms for phase in data.phases},
                late_refreshes=sum(phase.late_refreshes for phase in data.phases),
                refresh_hz=data.refresh_hz,
                timing_ok=timing_ok(trial, data, ends_trial=ends_trial(plan), setup=setup),
                attempt=data.attempt,
                flags=[*flag_names(data, setup), *flags],
                utc=data.utc or None,
                chosen=data.chosen,
            )
            rows.append(row)
        elif trial.trial in broken:
            utc = broken[trial.trial].utc or None
            rows.append(make(trial, Answer(None), attempt=views[trial.trial], flags=list(flags), utc=utc, aborted=True))
    return rows
