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
    matched = _matched(ours, theirs or (), key_of)
    times = [_taken_s(row) for row in matched if row.outcome == "finished" and _is_timed(row.theirs)]
    mean_s, limit_s = fast_limit_s([time for time in times if time is not None])
    return [Pair(*row, _decision(row, mean_s, limit_s, exported=theirs is not None)) for row in matched]


class _Row(NamedTuple):
    ours: Attended | None
    theirs: Submission | None
    outcome: Outcome


def _matched(ours: Sequence[Attended], theirs: Sequence[Submission], key_of: Callable[[str], str]) -> list[_Row]:
    """Give each session its submission; the first session of a person counts."""
    left: dict[str, list[Submission]] = {}
    for submission in theirs:
        left.setdefault(key_of(submission.participant_id), []).append(submission)
    seen: set[str] = set()
    matched: list[_Row] = []
    for one in ours:
        again = bool(one.key) and one.key in seen
        seen.add(one.key)
        named = one.external.get("SESSION_ID", "")
        matched.append(
            _Row(one, None, "second") if again else _Row(one, _take(left.get(one.key, []), named), one.outcome)
        )
    for key, others in left.items():
        matched += [_Row(None, other, "second" if key in seen else "unknown") for other in others]
    return matched


def _decision(row: _Row, mean_s: float, limit_s: float, *, exported: bool) -> Decision:
    """What is recommended for a row; without a submission where there are some, a person looks."""
    status = row.theirs.status if row.theirs is not None else ""
    ours = row.ours
    missing = exported and ours is not None and bool(ours.key) and ours.service in ("prolific", "") and not status
    if missing and row.outcome in ("finished", "withdrew_finished", "failed"):
        return Decision("look", f"{row.outcome} here, but the export has no submission of this participant")
    taken = _taken_s(row)
    speed = Speed(taken, mean_s, limit_s) if taken is not None and row.outcome == "finished" else None
    return decide(row.outcome, status, flags=() if ours is None else ours.flags, speed=speed)


def _take(open_: list[Submission], submission_id: str) -> Submission | None:
    """Take the submission that the link named, else the first one."""
    if not open_:
        return None
    named = (place for place, each in enumerate(open_) if each.submission_id == submission_id)
    return open_.pop(next(named, 0))


def _is_timed(submission: Submission | None) -> bool:
    return submission is None or submission.status in _TIMED


def _taken_s(row: _Row) -> float | None:
    """The service's time, where it has one; else ours."""
    if row.theirs is not None and row.theirs.taken_s is not None:
        return row.theirs.taken_s
    return row.ours.taken_s if row.ours is not None else None
