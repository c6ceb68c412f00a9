"""Reading: the rows of an import, each field's column, and the layout, as every step of the engine takes them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rapidvision.text import decimals

from .answers import Cell
from .source.columns import Column, one_value
from .source.folding import folded, text_of
from .source.layouts import Layout
from .source.rows import Row


@dataclass(frozen=True)
class Reading:
    """What an import works on: the rows of its trials, each field's column, and the layout."""

    rows: Sequence[Row]
    columns: Mapping[str, Column]
    layout: Layout
    missing: frozenset[str]
    decimal: decimals.Decimal = "."

    def cells(self, field: str, *, never_missing: Sequence[str] = ()) -> list[Cell]:
        """Each row's value of a field; empty text where it is missing or the field has no column.

        Words of `never_missing` are values, also where they are words for missing values elsewhere.
        """
        column = self.columns.get(field)
        if column is None:
            return [Cell("", row.where) for row in self.rows]
        several = self.layout.several
        missing = self.missing - {folded(text_of(word)) for word in never_missing}
        return [Cell(one_value(row, column, several=several, missing=missing), row.where) for row in self.rows]
