"""Outcomes: what an imported answer becomes in the trials table."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from rapidvision.trials import NO_RESPONSE, TrialRecord, judge

#: Names of the two answers of imported tables; one of them may be right in no trial.
TWO = ("target", "distractor")


class Answer(NamedTuple):
    """What was asked and what came back; None where the file does not say.

    Attributes
    ----------
    target : bool or None
        Whether the image is a target.
    said : bool or None
        Whether the answer was "target".
    recorded : bool or None
        The file's own word on correctness.
    response_ms : float or None
        Time of the answer.
    word : str or None
        The answer as the file writes it, in its most frequent spelling.
    option, right : str or None
        Where each answer is an option of its own: the one that was chosen, and the one that is right.
    """

    target: bool | None
    said: bool | None
    recorded: bool | None
    response_ms: float | None
    word: str | None = None
    option: str | None = None
    right: str | None = None

    @property
    def given(self) -> bool:
        """Whether there was an answer."""
        return self.said is not None or self.option is not None or self.recorded is not None

    @property
    def found(self) -> bool | None:
        """Whether answer and truth agree; None where one of them is unknown."""
        if self.option is not None and self.right is not None:
            return self.option == self.right
        return None if self.said is None or self.target is None else self.said == self.target


def record_of(
    answer: Answer, values: Mapping[str, Any], *, limit_ms: float | None, anticipation_ms: float | None
) -> TrialRecord:
    """Make a row of the trials table; what the file does not know stays empty.

    Parameters
    ----------
    answer : Answer
        Of the trial.
    values : mapping
        Columns that the file fills.
    limit_ms, anticipation_ms : float, optional
        Of that experiment; without them every answer is in time.

    Examples
    --------
    >>> values = dict(study_id="s", session_id="a", participant_id="a", observer="human", observer_kind="human",
    ...     group="g", map_source="g", slot=None, phase="main", block=0, trial=0, image_id=None, category=None, level_label="all",
    ...     level_index=0, reveal_fraction=None)
    >>> row = record_of(Answer(None, None, True, 900.0), values, limit_ms=None, anticipation_ms=None)
    >>> row.status, row.response, row.correct
    ('ok', None, True)
    """
    target, said = answer.target, answer.said
    right = answer.right if target is None or answer.right is not None else _name(target)
    response = answer.option if said is None else _name(said)
    only_correct = right is None or (response is None and answer.recorded is not None)
    if only_correct:
        response = None if answer.recorded is None else _name(answer.recorded)
    outcome = judge(
        response=response,
        correct_response=None if only_correct else right,
        response_ms=answer.response_ms,
        limit_ms=limit_ms,
        early_ms=0.0 if anticipation_ms is None else anticipation_ms,
    )
    none = outcome.response == NO_RESPONSE
    image, label = values["image_id"], values["level_label"]
    return TrialRecord(
        **values,
        # the file is not here; the same image at the same level has the same name
        stimulus_sha256=None if image is None else f"unknown:{image}@{label}",
        target=target,
        revealed_px=None,
        correct_response=right,
        response=None if only_correct and not none else outcome.response,
        input=answer.word,
        correct=answer.recorded if only_correct else outcome.correct,
        response_ms=None if none else answer.response_ms,
        status=outcome.status,
        late_refreshes=None,
        refresh_hz=None,
    )


def _name(target: bool) -> str:
    """The name of an answer in imported tables."""
    return TWO[0] if target else TWO[1]
