"""The clock by which sessions lapse: seconds for which a server of the study was up, whatever the wall clock says."""

from collections.abc import Callable

import sqlalchemy as sa

from ...clock import now_s
from .schema import session, study, trial


class UpTime:
    """Counts while this process runs, and continues the count of the study's servers.

    A server that was down and a wall clock that was set add nothing, so neither of them makes participants look silent.
    Processes of one study agree by :func:`beat`: the one that lags behind takes over the other's count.

    Parameters
    ----------
    clock : callable, optional
        Seconds from any beginning that never step; default: :func:`.clock.now_s`.

    Examples
    --------
    >>> ticks = iter([5.0, 7.5, 7.5, 8.5])
    >>> up = UpTime(lambda: next(ticks))
    >>> up.now_s()
    2.5
    >>> up.catch_up(100.0)
    >>> up.now_s()
    101.0
    """

    def __init__(self, clock: Callable[[], float] = now_s) -> None:
        self._clock = clock
        self._before = -clock()

    def now_s(self) -> float:
        """Return the count in seconds."""
        return self._clock() + self._before

    def catch_up(self, known_s: float) -> None:
        """Take over a count that is further than this one."""
        self._before += max(0.0, known_s - self.now_s())

    def hold(self, at_s: float) -> None:
        """Take back what was counted after `at_s`: nothing could be stored, so participants could not be heard."""
        self._before -= max(0.0, self.now_s() - at_s)


def beat(connection: sa.Connection, study_id: str, up: UpTime) -> float:
    """Bring a process's count and the study's to the larger of both, and return it in seconds."""
    mine = study.c.study_id == study_id
    up.catch_up(connection.scalar(sa.select(study.c.up_s).where(mine)) or 0.0)
    now_s = up.now_s()
    connection.execute(study.update().where(mine).values(up_s=now_s))
    return now_s


def lapse(connection: sa.Connection, study_id: str, up: UpTime, *, lapse_s: float, at: float) -> int:
    """Take back the slots of sessions that were silent for `lapse_s` seconds, and return how many.

    Silence is measured in seconds for which the study was served (see :class:`UpTime`); `at`, in seconds since 1970, is
    only noted.
    """
    cutoff_s = beat(connection, study_id, up) - lapse_s
    silent = ~sa.exists().where(trial.c.session_id == session.c.session_id, trial.c.received_s > cutoff_s)
    mine = sa.and_(session.c.study_id == study_id, session.c.state == "open")
    old = sa.and_(mine, session.c.active_s < cutoff_s, silent)
    return int(connection.execute(session.update().where(old).values(state="lapsed", lapsed=at)).rowcount)
