"""What is recommended for a participant: by what the database holds, and by what the recruitment service says."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

#: What Prolific calls the states of a submission.
STATUSES = (
    "RESERVED",
    "ACTIVE",
    "AWAITING REVIEW",
    "APPROVED",
    "PARTIALLY APPROVED",
    "REJECTED",
    "RETURNED",
    "TIMED-OUT",
    "SCREENED OUT",
)
Outcome = Literal["finished", "failed", "running", "left", "withdrew_finished", "withdrew", "unknown", "second"]
Word = Literal["approve", "bonus", "partial", "reject", "return", "ask", "look", "wait", "none", "settled"]

_SETTLED = ("APPROVED", "PARTIALLY APPROVED", "SCREENED OUT")
_UNPAID = ("RETURNED", "TIMED-OUT")
_RUNNING = ("RESERVED", "ACTIVE")
#: Fewer SD than this below the mean of a study is no reason to reject.
FAST_SD = 3


class Decision(NamedTuple):
    """A recommendation.

    Attributes
    ----------
    word : str
        ``approve``; ``bonus`` (the whole reward as a bonus); ``partial`` (a share of it as a bonus); ``reject``;
        ``return`` (ask the participant to return the submission); ``ask`` the participant; ``look`` (a person decides);
        ``wait``; ``none`` (nothing to pay); ``settled`` (paid already).
    reason : str
        Why, for the person who decides.
    category, message : str
        What Prolific asks for with a rejection; else empty.
    """

    word: Word
    reason: str
    category: str = ""
    message: str = ""


class Speed(NamedTuple):
    """How fast a participant was, and below which time the service lets one reject; in seconds."""

    taken_s: float
    mean_s: float
    limit_s: float

    @property
    def is_exceptional(self) -> bool:
        """Whether the time is more than three SD below the mean."""
        return self.taken_s < self.limit_s


def fast_limit_s(taken_s: Sequence[float]) -> tuple[float, float]:
    """Return the mean and the time three SD below it; below zero, as it often is, the rule rejects no one.

    Parameters
    ----------
    taken_s : sequence of float
        Seconds that complete sessions took. With fewer than two, the limit is minus infinity.

    Examples
    --------
    >>> fast_limit_s([600.0, 620.0, 580.0])
    (600.0, 540.0)
    """
    if len(taken_s) < 2:
        return (float(np.mean(taken_s)) if taken_s else 0.0), float("-inf")
    mean = float(np.mean(taken_s))
    return mean, mean - FAST_SD * float(np.std(taken_s, ddof=1))


def decide(outcome: Outcome, status: str, *, flags: Sequence[str] = (), speed: Speed | None = None) -> Decision:
    """Return what is recommended.

    Parameters
    ----------
    outcome : str
        Ours. ``finished``: all trials are stored, whenever they came. ``failed``: unfinished, and the page reported an
        error. ``running``, ``left``: unfinished, still open or lapsed. ``withdrew_finished``, ``withdrew``: withdrawn after or
        before the end. ``unknown``: no session. ``second``: another session or submission of somebody who has one.
    status : str
        Theirs, one of :data:`STATUSES`; empty without their export.
    flags : sequence of str
        Evidence against the session.
    speed : Speed, optional
        When known.

    Examples
    --------
    >>> decide("finished", "AWAITING REVIEW").word, decide("finished", "TIMED-OUT").word
    ('approve', 'bonus')
    """
    if status in _SETTLED:
        return Decision("settled", f"the submission is {status.lower()}")
    if outcome == "second":
        word: Word = "none" if status in (*_UNPAID, "REJECTED") else "look"
        return Decision(word, "a second one of the same participant; the first one counts")
    if status == "REJECTED":
        word = "none" if outcome in ("unknown", "left") else "look"
        return Decision(word, f"rejected already; here: {outcome}")
    if outcome == "finished":
        return _finished(status, flags, speed)
    if outcome == "withdrew_finished":
        return _owed(status, "withdrew after the last trial; the pay stays")
    return _unfinished(outcome, status)


def _owed(status: str, reason: str) -> Decision:
    """The whole reward, in the way that the status leaves open."""
    if status in _UNPAID:
        return Decision("bonus", f"{reason}; {status.lower()}: approve by hand if the service allows it, else a bonus")
    if status in _RUNNING:
        return Decision("wait", f"{reason}; not submitted yet")
    return Decision("approve", reason)


def _finished(status: str, flags: Sequence[str], speed: Speed | None) -> Decision:
    if speed is not None and speed.is_exceptional and status in ("", "AWAITING REVIEW"):
        message = (
            f"You completed the study in {speed.taken_s:.0f} seconds; participants took {speed.mean_s:.0f} seconds on average. "
            f"Your time is more than {FAST_SD} standard deviations below this average, too fast to see the images and to "
            "respond to them. Please write to us if there was a technical problem."
        )
        reason = f"{speed.taken_s:.0f} s, the limit is {speed.limit_s:.0f} s ({FAST_SD} SD below the mean)"
        return Decision("reject", reason, "TOO_QUICKLY", message)
    if flags and status not in _RUNNING:
        rule = "" if speed is None else f"; {speed.taken_s:.0f} s, the limit for a rejection is {speed.limit_s:.0f} s"
        return Decision(
            "look", f"complete, but {', '.join(flags)}{rule}; approve unless a rule of the service is broken"
        )
    return _owed(status, "complete")


def _unfinished(outcome: Outcome, status: str) -> Decision:
    if outcome == "unknown":
        if status == "AWAITING REVIEW":
            return Decision("ask", "no session here; ask the participant, and reject (NO_DATA) only after the answer")
        return Decision("wait" if status in _RUNNING else "none", "no session here")
    if outcome == "failed":
        return Decision("partial", "unfinished, and the page reported an error: pay by the share of trials, or approve")
    if outcome == "running" and status in ("", *_RUNNING):
        return Decision("wait", "unfinished, still open")
    what = "withdrew before the last trial" if outcome == "withdrew" else "unfinished"
    if status == "AWAITING REVIEW":
        return Decision("return", what)
    if status in _RUNNING:
        return Decision("wait", f"{what}; not submitted")
    return Decision("none", what)
