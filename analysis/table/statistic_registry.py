"""Statistics by name, built in and plugged in: how a trials table becomes what is compared between groups."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeVar

from rapidvision.plugins.registry import Registry

if TYPE_CHECKING:
    from .accuracy import Cells
    from .columns import Columns
    from .trials import Trials

_BUILT_IN = "rapidvision.analysis.table.statistics"


class StatisticMaker(Protocol):
    """A statistic of participants at every level."""

    def __call__(self, trials: "Trials", table: "Cells", /) -> "Columns":
        """Return what each participant of `table` contributes, in its order of participants and levels.

        :func:`~rapidvision.analysis.table.columns.score_columns` makes columns of a score per participant and level.
        """


S = TypeVar("S", bound=StatisticMaker)

STATISTICS: Registry[StatisticMaker] = Registry(
    "statistic",
    "rapidvision.statistic",
    {
        "participant_mean": f"{_BUILT_IN}:participant_mean",
        "pooled": f"{_BUILT_IN}:pooled",
        "dprime": f"{_BUILT_IN}:dprime",
        "criterion": f"{_BUILT_IN}:criterion",
        "response_ms": f"{_BUILT_IN}:response_ms",
        "late_share": f"{_BUILT_IN}:late_share",
    },
)


def register_statistic(name: str) -> Callable[[S], S]:
    """Register a statistic under the name that ``--statistic`` and :func:`~rapidvision.analysis.level_tests` take.

    Parameters
    ----------
    name : str
        Without blanks; not that of a built-in statistic.

    Returns
    -------
    callable
        A decorator for a :class:`StatisticMaker`.

    Raises
    ------
    InputError
        When another statistic has the name.

    Examples
    --------
    >>> import rapidvision as rv
    >>> from rapidvision.analysis.table.columns import score_columns
    >>> from rapidvision.analysis.table.statistic_registry import STATISTICS
    >>> @rv.analysis.register_statistic("accuracy-of-the-example")
    ... def accuracy(trials, table, /):
    ...     return score_columns(table.accuracy, decimals=6)
    >>> "accuracy-of-the-example" in STATISTICS
    True
    """
    return STATISTICS.register(name)  # type: ignore[return-value]  # the registry is typed by what all statistics share
