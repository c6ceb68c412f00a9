"""How results show themselves: as a table, in a notebook and in a console alike."""

from abc import ABC, abstractmethod

import pandas as pd


class Shown(ABC):
    """A result that has a table; whoever prints it sees the table, not every array that it holds.

    Examples
    --------
    >>> class Curve(Shown):
    ...     def table(self):
    ...         return pd.DataFrame({"level": ["40", "full"], "accuracy": [0.91253, 1.0]})
    >>> Curve()
    level  accuracy
       40    0.9125
     full         1
    """

    @abstractmethod
    def table(self) -> pd.DataFrame:
        """One row per level, group or effect."""

    def __repr__(self) -> str:
        return frame_text(self.table())


class ShownAsTable(Shown):
    """A result that notebooks show as its table, too; those with a figure are shown as the figure there."""

    def _repr_html_(self) -> str:
        return str(self.table().style.format(precision=4).hide(axis="index").to_html())


def frame_text(table: pd.DataFrame) -> str:
    """Return a table as text."""
    return table.to_string(index=False, float_format=lambda value: f"{value:.4g}")
