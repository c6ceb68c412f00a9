"""Observers: whatever turns a trial into an answer, be it a person, a simulation or a network."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from rapidvision.plan import Plan
from rapidvision.task.response import Scalar
from rapidvision.task.trial import Trial
from rapidvision.trials import NO_RESPONSE, SECOND, ObserverKind, Outcome, TrialRecord, columns_of, judge


@dataclass(frozen=True, slots=True)
class Answer:
    """What an observer did in a trial.

    Attributes
    ----------
    response : str or None
        Name of the option that it chose; None for no response.
    response_ms : float or None
        From time zero; None for observers without a clock.
    input : str or None
        The key, button or area, where there was one.
    decision_value : float or None
        Signed evidence for the first option of two, where there is one.
    questions : dict
        Question -> (answer, its response time in ms or None).
    """

    response: str | None
    response_ms: float | None = None
    input: str | None = None
    decision_value: float | None = None
    questions: Mapping[str, tuple[str | float | None, float | None]] = field(default_factory=dict)


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


def outcome_of(plan: Plan, trial: Trial, *, response: str | None, response_ms: float | None) -> Outcome:
    """Judge a response by the plan's rules (:func:`rapidvision.trials.judge`).

    Parameters
    ----------
    plan, trial : Plan, Trial
        What was asked.
    response : str or None
        The option, or None.
    response_ms : float or None
        From time zero.
    """
    rule = plan.protocol.response
    return judge(
        response=response,
        correct_response=trial.correct_response,
        response_ms=response_ms,
        limit_ms=trial.limit_ms,
        early_ms=rule.early_ms if rule else 0,
        withheld=rule.withheld if rule else None,
    )


def names_it(synonyms: Mapping[str, Sequence[str]], wanted: str | None, given: Scalar | None) -> bool | None:
    """Whether a typed answer names what was shown: its name or a synonym, capitals and blanks aside.

    Examples
    --------
    >>> names_it({"couch": ["sofa"]}, "couch", " Sofa "), names_it({}, "couch", "tree"), names_it({}, "couch", "")
    (True, False, None)
    """
    if wanted is None or given in (None, ""):
        return None
    word = " ".join(str(given).casefold().split())
    return word in {" ".join(each.casefold().split()) for each in (wanted, *synonyms.get(wanted, ()))}


def record(
    plan: Plan,
    trial: Trial,
    answer: Answer,
    *,
    observer: str,
    observer_kind: ObserverKind,
    session_id: str,
    participant_id: str,
    phases_ms: Mapping[str, float] | None = None,
    late_refreshes: int | None = None,
    refresh_hz: float | None = None,
    timing_ok: bool | None = None,
    attempt: int = 1,
    flags: Sequence[str] = (),
    ignored: Sequence[str] = (),
    utc: str | None = None,
    chosen: Scalar | None = None,
    aborted: bool = False,
) -> TrialRecord:
    """Turn an answer into the row of the trials table; the one place where rows are made.

    Parameters
    ----------
    plan, trial : Plan, Trial
        What was asked, the trial as the plan has it.
    answer : Answer
        What came back.
    observer, session_id, participant_id : str
        Who answered.
    observer_kind : {"human", "pilot", "simulated", "model"}
        What kind of observer this is.
    phases_ms : dict, optional
        Phase -> how long it was shown, as measured by the runner.
    late_refreshes : int, optional
        As counted by the runner.
    refresh_hz : float, optional
        As measured by the runner.
    timing_ok : bool, optional
        Whether the measured durations are the planned ones; None where the runner did not measure them.
    attempt : int
        1, or more when the trial was interrupted after its image had come up.
    flags : sequence of str
        What was unusual; blanks within a flag become underscores.
    ignored : sequence of str
        What a network could not see.
    utc : str, optional
        When the trial ended.
    chosen : bool, int, float or str, optional
        Value of the adaptive factor that was shown.
    aborted : bool
        Whether the trial was begun and not completed; it has neither response nor correctness.

    Returns
    -------
    TrialRecord
        Judged by :func:`rapidvision.trials.judge`.
    """
    protocol, factors = plan.protocol, dict(trial.factors)
    if chosen is not None and protocol.adaptive is not None:
        trial = trial.chosen(next(choice for choice in trial.choices if choice.value == chosen))
        factors[protocol.adaptive.over] = chosen
    response, response_ms = answer.response, answer.response_ms
    scored = protocol.scored
    if scored is not None:
        given, response_ms = answer.questions.get(scored.name, (None, None))
        response = None if given in (None, "") else str(given)
    outcome = outcome_of(plan, trial, response=response, response_ms=response_ms)
    correct = outcome.correct
    if scored is not None:
        correct = names_it(scored.synonyms, trial.correct_response, response)
    image, shown = trial.image, phases_ms or {}
    more: dict[str, Scalar | None] = {}
    if "second" in trial.images:
        more |= {f"second_{name}": getattr(trial.images["second"], name) for name in SECOND}
    more |= {f"factor_{name}": value for name, value in factors.items() if name not in ("map_source", "level")}
    for question in protocol.questions:
        if question.ask == "trial":
            value, value_ms = answer.questions.get(question.name, (None, None))
            more |= {question.name: question.typed(value), f"{question.name}_ms": value_ms}
    for phase in trial.phases:
        more |= {f"{phase.name}_planned_ms": phase.duration_ms, f"{phase.name}_ms": shown.get(phase.name)}
    more = {column.name: more.get(column.name) for column in columns_of(protocol)}  # all of them, in their order
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
        image_id=image.image_id,
        stimulus_sha256=image.stimulus_sha256,
        category=image.category,
        target=image.target,
        map_source=image.map_source,
        level_index=image.level_index,
        level_label=image.level_label,
        reveal_fraction=image.reveal_fraction,
        revealed_px=image.revealed_px,
        correct_response=trial.correct_response,
        response=NO_RESPONSE if aborted else outcome.response,
        input=None if aborted else answer.input,
        correct=None if aborted else correct,
        response_ms=None if aborted else response_ms,
        status="aborted" if aborted else outcome.status,
        late_refreshes=late_refreshes,
        refresh_hz=refresh_hz,
        timing_ok=timing_ok,
        attempt=attempt,
        flags=" ".join("_".join(flag.split()) for flag in flags) or None,
        decision_value=answer.decision_value,
        ignored=" ".join(ignored) or None,
        utc=utc,
        more=more,
    )
