"""The trials table as a data frame: records in, typed columns out."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from rapidvision.trials import COLUMNS, TrialRecord

if TYPE_CHECKING:
    import pandas as pd

#: Data frame types of columns that may be empty; empty cells are missing values, never zeros.
_NULLABLE: dict[str, Any] = {"int": "Int64", "float": "float64", "bool": "boolean", "str": "object"}
_FULL: dict[str, Any] = {"int": "int64", "float": "float64", "bool": "bool", "str": "object"}


def to_frame(records: Iterable[TrialRecord]) -> "pd.DataFrame":
    """Return trial records as a data frame.

    Parameters
    ----------
    records : iterable of TrialRecord
        Rows of any runner.

    Returns
    -------
    DataFrame
        One row per record and one column per entry of :data:`rapidvision.trials.COLUMNS`, typed; columns that may be
        empty have types with missing values (``Int64``, ``boolean``, NaN).

    Examples
    --------
    >>> to_frame([]).shape
    (0, 35)
    """
    import pandas as pd

    rows = list(records)
    return pd.DataFrame(
        {
            column.name: pd.array(
                [getattr(row, column.name) for row in rows],
                dtype=(_NULLABLE if column.nullable else _FULL)[column.dtype],
            )
            for column in COLUMNS
        }
    )
