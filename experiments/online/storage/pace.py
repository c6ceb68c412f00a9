"""Whether a trial can have lasted as long as it must, by the server's own clocks."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from rapidvision.plan import Plan
from rapidvision.task.trial import Trial

from ... import clock
from ..database.uptime import UpTime
from .trial_report import Measurement

#: Browsers and servers count the same second a little differently, and a cross may be half a refresh short.
_SHARE = 0.97
#: So many sessions are remembered; a session that was forgotten begins with a clean account.
MAX_SESSIONS = 20_000


def least_ms(plan: Plan, trial: Trial, measurement: Measurement) -> float:
    """Return how long a trial lasted at least: its phases of a set duration; 0 for one that was not ended.

    Parameters
    ----------
    plan, trial : Plan, Trial
        What was asked.
    measurement : Measurement
        A response may end the trial where the protocol says so.
    """
    if measurement.aborted:
        return 0.0
    rule = plan.protocol.response
    planned_ms = [phase.duration_ms for phase in trial.phases]
    zero = next((i for i, phase in enumerate(trial.phases) if rule and phase.name == rule.opens), 0)
    before, after = (float(sum(ms or 0 for ms in part)) for part in (planned_ms[:zero], planned_ms[zero:]))
    if rule and rule.ends_trial and measurement.response_ms is not None:
        after = min(after, measurement.response_ms)
    return before + after


@dataclass
class _Account:
    spent_ms: float = 0.0
    decided: dict[int, bool] = field(default_factory=dict)


class Pace:
    """Compares the time since a session began with the trials that are said to have been seen in it.

    Trials that waited for a connection arrive together, so single intervals between writes prove nothing. What must hold
    is the sum: no more trials than fit between the beginning of the session and now. The time since the beginning is
    the larger of two clocks' (wall clock and :class:`.uptime.UpTime`). The steady clock alone would not do: it counts
    nothing while the server is down, and pages continue their trials meanwhile. The wall clock alone would not do
    either, because it may be set back. A wall clock that is set forward lets more trials pass in the sessions that began
    before, and refuses none.

    Parameters
    ----------
    up : UpTime
        The study's count of seconds.
    wall : callable, optional
        Seconds since 1970; default: :func:`.clock.wall_s`.
    """

    def __init__(self, up: UpTime, *, wall: Callable[[], float] | None = None) -> None:
        self._up, self._wall = up, wall
        self._accounts: OrderedDict[str, _Account] = OrderedDict()

    def possible(self, session_id: str, trial: int, needed_ms: float, *, began: float, began_s: float) -> bool:
        """Say whether a trial fits; the same trial, sent again, gets the same answer and is not counted twice.

        Parameters
        ----------
        session_id : str
            The session.
        trial : int
            Number of the trial.
        needed_ms : float
            From :func:`least_ms`.
        began, began_s : float
            When the session began: seconds since 1970, and on the `up` clock.
        """
        account = self._accounts.pop(session_id, None) or _Account()
        self._accounts[session_id] = account
        if len(self._accounts) > MAX_SESSIONS:
            self._accounts.popitem(last=False)
        if trial not in account.decided:
            account.spent_ms += needed_ms
            elapsed_ms = 1000 * max((self._wall or clock.wall_s)() - began, self._up.now_s() - began_s)
            account.decided[trial] = elapsed_ms >= _SHARE * account.spent_ms
        return account.decided[trial]
