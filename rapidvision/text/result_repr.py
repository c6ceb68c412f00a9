"""How results show themselves: as a table, in a notebook and in a console alike."""

import html
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


class Shown(ABC):
    """A result that has a table: printed, it shows what was left out and the table, not every array that it holds.

    Examples
    --------
    >>> import pandas as pd
    >>> class Curve(Shown):
    ...     def to_frame(self):
    ...         return pd.DataFrame({"level": ["40", "full"], "accuracy": [0.91253, 1.0]})
    >>> Curve()
    level  accuracy
       40    0.9125
     full         1
    """

    @abstractmethod
    def to_frame(self) -> "pd.DataFrame":
        """One row per level, group or effect."""

    def opening(self) -> tuple[str, ...]:
        """Lines before the table: who answered when it was not people, and what each rule leaves out, with counts."""
        return ()

    def __repr__(self) -> str:
        return "\n".join([*self.opening(), frame_text(self.to_frame())])


class ShownAsTable(Shown):
    """A result that notebooks show as its table, too; those with a figure are shown as the figure there."""

    def _repr_html_(self) -> str:
        lines = "".join(f"<p>{html.escape(line)}</p>" for line in self.opening())
        return lines + str(self.to_frame().style.format(precision=4).hide(axis="index").to_html())


class ShownAsRow(ShownAsTable):
    """A result of single numbers, shown as a table of one row; of its arrays, the table says nothing."""

    def to_frame(self) -> "pd.DataFrame":
        """One row: a column per number, and for an interval one for either end."""
        import pandas as pd

        row: dict[str, object] = {}
        for name in getattr(self, "__dataclass_fields__", {}):
            value = getattr(self, name)
            if isinstance(value, str | int | float):
                row[name] = value
            elif isinstance(value, tuple) and len(value) == 2 and all(isinstance(end, float) for end in value):
                row[f"{name}_low"], row[f"{name}_high"] = value
        return pd.DataFrame([row])


def frame_text(table: "pd.DataFrame") -> str:
    """Return a table as text."""
    return table.to_string(index=False, float_format=lambda value: f"{value:.4g}")
