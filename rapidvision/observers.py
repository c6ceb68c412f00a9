"""Observers: whatever turns a trial into an answer, be it a person, a simulation or a network."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from rapidvision.plan import Plan
from rapidvision.trials import ObserverKind, Trial, TrialRecord, judge


@dataclass(frozen=True, slots=True)
class Answer:
    """What an observer did in a trial.

    Attributes
    ----------
    target : bool or None
        Whether it answered "target"; None for no answer.
    response_ms : float or None
        From stimulus onset; None for observers without a clock.
    decision_value : float or None
        Signed evidence for target, where there is one.
    """

    target: bool | None
    response_ms: float | None = None
    decision_value: float | None = None


class Observer(Protocol):
    """Anything that can take the test.

    Attributes
    ----------
    observer : str
        ``human``, ``simulated`` or the id of a network: the table's `observer` column.
    """

    observer: str

    def answer(self, trial: Trial) -> Answer:
        """Answer one trial."""
        ...


def record(
    plan: Plan,
    trial: Trial,
    answer: Answer,
    *,
    observer: str,
    observer_kind: ObserverKind,
    session_id: str,
    participant_id: str,
    fixation_ms: float | None = None,
    stimulus_ms_shown: float | None = None,
    late_refreshes: int | None = None,
    refresh_hz: float | None = None,
    timing_ok: bool | None = None,
    attempt: int = 1,
    flags: Sequence[str] = (),
    utc: str | None = None,
) -> TrialRecord:
    """Turn an answer into the row of the trials table; the one place where rows are made.

    Parameters
    ----------
    plan, trial : Plan, Trial
        What was asked.
    answer : Answer
        What came back.
    observer, session_id, participant_id : str
        Who answered.
    observer_kind : {"human", "pilot", "simulated", "model"}
        What kind of observer this is.
    fixation_ms, stimulus_ms_shown, refresh_hz : float, optional
        As measured by the runner.
    late_refreshes : int, optional
        As counted by the runner.
    timing_ok : bool, optional
        Whether the measured durations are the planned ones; None where the runner did not measure them.
    attempt : int
        1, or more when the trial was interrupted after its picture had come up.
    flags : sequence of str
        What was unusual; blanks within a flag become underscores.
    utc : str, optional
        When the trial ended.

    Returns
    -------
    TrialRecord
        Judged by :func:`rapidvision.trials.judge`.
    """
    outcome = judge(
        target=trial.target,
        pressed_target=answer.target,
        response_ms=answer.response_ms,
        limit_ms=plan.protocol.timing.response_limit_ms,
        anticipation_ms=plan.protocol.anticipation_ms,
    )
    key = None if answer.target is None else plan.key_target if answer.target else plan.key_distractor
    return TrialRecord(
        study_id=plan.study_id,
        session_id=session_id,
        participant_id=participant_id,
        observer=observer,
        observer_kind=observer_kind,
        group=plan.group,
        slot=plan.slot,
        phase=trial.phase,
        block=trial.block,
        trial=trial.trial,
        image_id=trial.image_id,
        stimulus_sha256=trial.stimulus_sha256,
        category=trial.category,
        target=trial.target,
        map_source=trial.map_source,
        level_index=trial.level_index,
        level_label=trial.level_label,
        reveal_fraction=trial.reveal_fraction,
        revealed_px=trial.revealed_px,
        key_target=plan.key_target,
        key_pressed=key,
        response=outcome.response,
        correct=outcome.correct,
        response_ms=answer.response_ms,
        status=outcome.status,
        fixation_ms=fixation_ms,
        stimulus_ms_shown=stimulus_ms_shown,
        late_refreshes=late_refreshes,
        refresh_hz=refresh_hz,
        timing_ok=timing_ok,
        attempt=attempt,
        flags=" ".join("_".join(flag.split()) for flag in flags) or None,
        decision_value=answer.decision_value,
        utc=utc,
    )
