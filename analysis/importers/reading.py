"""Reading: the rows of an import, each field's column, and the layout, as every step of the engine takes them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

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
    _known: dict[tuple[str, tuple[str, ...]], list[Cell]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def cells(self, field: str, *, never_missing: Sequence[str] = ()) -> list[Cell]:
        """Each row's value of a field; empty text where it is missing or the field has no column.

        Words of `never_missing` are values, also where they are words for missing values elsewhere.
        """
        key = (field, tuple(never_missing)) if field in self.columns else ("", ())
        if key not in self._known:
            self._known[key] = self._read(field, never_missing)
        return self._known[key]

    def _read(self, field: str, never_missing: Sequence[str]) -> list[Cell]:
        column = self.columns.get(field)
        if column is None:
            return [Cell("", row.where) for row in self.rows]
        several = self.layout.several
        missing = self.missing - {folded(text_of(word)) for word in never_missing}
        texts: dict[str, str] = {}  # each distinct text is interpreted once
        out = []
        for row in self.rows:
            raw = row.cells.get(column.name)
            if isinstance(raw, str) and raw in texts:
                out.append(Cell(texts[raw], row.where))
                continue
            text = one_value(row, column, several=several, missing=missing)
            if isinstance(raw, str):
                texts[raw] = text
            out.append(Cell(text, row.where))
        return out
