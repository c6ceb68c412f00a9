"""Our sessions beside the service's submissions: a row for each person that either of them knows."""

from collections.abc import Callable, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from .attended import Attended
from .decisions import Decision, Outcome, Speed, decide, fast_limit_s
from .submissions import Submission

#: Statuses whose times the service compares.
_TIMED = ("AWAITING REVIEW", "APPROVED", "PARTIALLY APPROVED", "REJECTED")


class Pair(NamedTuple):
    """A session, a submission, or both, and what is recommended."""

    ours: Attended | None
    theirs: Submission | None
    outcome: Outcome
    decision: Decision

    @property
    def external_id(self) -> str:
        """The service's id of the participant; empty where neither side knows it."""
        if self.theirs is not None:
            return self.theirs.participant_id
        return next(iter(self.ours.external.values()), "") if self.ours is not None else ""

    @property
    def submission_id(self) -> str:
        """The service's id of the submission."""
        if self.theirs is not None:
            return self.theirs.submission_id
        return self.ours.external.get("SESSION_ID", "") if self.ours is not None else ""

    def bonus(self, reward: Decimal) -> Decimal | None:
        """Return what a bonus would be, to the second decimal place, a half away from zero; None where none is recommended."""
        if self.decision.word not in ("bonus", "partial") or self.ours is None:
            return None
        whole = self.decision.word == "bonus"
        share = Decimal(1) if whole else Decimal(self.ours.n_trials) / Decimal(max(1, self.ours.n_planned))
        return (reward * share).quantize(Decimal("0.01"), ROUND_HALF_UP)


def paired(ours: Sequence[Attended], theirs: Sequence[Submission] | None, key_of: Callable[[str], str]) -> list[Pair]:
    """Return a row per session, then one per submission that belongs to none.

    Parameters
    ----------
    ours : sequence of Attended
        In the order of arrival.
    theirs : sequence of Submission or None
        None without an export of the service.
    key_of : callable
        A service's participant id → its keyed hash, which also finds people who withdrew.
    """
    open_: dict[str, list[Submission]] = {}
    for submission in theirs or ():
        open_.setdefault(key_of(submission.participant_id), []).append(submission)
    seen: set[str] = set()
    matched: list[tuple[Attended | None, Submission | None, Outcome]] = []
    for one in ours:
        known = bool(one.key) and one.key in seen
        seen.add(one.key)
        submission = None if known else _take(open_.get(one.key, []), one.external.get("SESSION_ID", ""))
        matched.append((one, submission, "second" if known else one.outcome))
    for key, rest in open_.items():
        matched += [(None, submission, "second" if key in seen else "unknown") for submission in rest]
    times = [_taken_s(one, theirs_) for one, theirs_, outcome in matched if outcome == "finished" and _counts(theirs_)]
    mean, limit = fast_limit_s([time for time in times if time is not None])
    made = []
    for one, submission, outcome in matched:
        taken = _taken_s(one, submission)
        made.append(
            Pair(
                one,
                submission,
                outcome,
                decide(
                    outcome,
                    submission.status if submission is not None else "",
                    flags=one.flags if one is not None else (),
                    speed=None if taken is None or outcome != "finished" else Speed(taken, mean, limit),
                )
                if one is None or submission is not None or theirs is None or not one.key
                else _not_in_export(one, outcome),
            )
        )
    return made


def _not_in_export(one: Attended, outcome: Outcome) -> Decision:
    """What a session is whose participant the export does not have."""
    if outcome in ("finished", "withdrew_finished", "failed"):
        return Decision("look", f"{outcome} here, but the export has no submission of this participant")
    return decide(outcome, "", flags=one.flags)


def _take(open_: list[Submission], submission_id: str) -> Submission | None:
    """Take the submission that the link named, else the first one."""
    if not open_:
        return None
    named = (place for place, each in enumerate(open_) if each.submission_id == submission_id)
    return open_.pop(next(named, 0))


def _counts(submission: Submission | None) -> bool:
    return submission is None or submission.status in _TIMED


def _taken_s(one: Attended | None, submission: Submission | None) -> float | None:
    """The service's time, where it has one; else ours."""
    if submission is not None and submission.taken_s is not None:
        return submission.taken_s
    return one.taken_s if one is not None else None
