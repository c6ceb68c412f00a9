"""Reading: the rows of an import, each field's column, and the layout, as every step of the engine takes them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import overload

from rapidvision.text import decimals

from .answers import Cell
from .source.columns import Column, one_value
from .source.folding import folded, text_of
from .source.layouts import Layout
from .source.rows import Row


class Cells(Sequence[Cell]):
    """A field's cells, one per row; only their texts are held, as most of them are a few words."""

    __slots__ = ("rows", "texts")

    def __init__(self, texts: list[str], rows: Sequence[Row]) -> None:
        self.texts, self.rows = texts, rows

    def __len__(self) -> int:
        return len(self.texts)

    @overload
    def __getitem__(self, place: int) -> Cell: ...
    @overload
    def __getitem__(self, place: slice) -> "Cells": ...
    def __getitem__(self, place: int | slice) -> "Cell | Cells":
        if isinstance(place, slice):
            return Cells(self.texts[place], self.rows[place])
        return Cell(self.texts[place], self.rows[place].where)

    def __iter__(self) -> Iterator[Cell]:
        return (Cell(text, row.where) for text, row in zip(self.texts, self.rows, strict=True))


@dataclass(frozen=True)
class Reading:
    """What an import works on: the rows of its trials, each field's column, and the layout."""

    rows: Sequence[Row]
    columns: Mapping[str, Column]
    layout: Layout
    missing: frozenset[str]
    decimal: decimals.Decimal = "."
    _known: dict[tuple[str, tuple[str, ...]], Cells] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def cells(self, field: str, *, never_missing: Sequence[str] = ()) -> Cells:
        """Each row's value of a field; empty text where it is missing or the field has no column.

        Words of `never_missing` are values, also where they are words for missing values elsewhere.
        """
        key = (field, tuple(never_missing)) if field in self.columns else ("", ())
        if key not in self._known:
            self._known[key] = self._read(field, never_missing)
        return self._known[key]

    def _read(self, field: str, never_missing: Sequence[str]) -> Cells:
        column = self.columns.get(field)
        if column is None:
            return Cells([""] * len(self.rows), self.rows)
        several, name = self.layout.several, column.name
        missing = self.missing - {folded(text_of(word)) for word in never_missing}
        texts: dict[str, str] = {}  # each distinct text is interpreted once
        out = []
        for row in self.rows:
            raw = row.cells.get(name)
            text = texts.get(raw) if isinstance(raw, str) else None
            if text is None:
                text = one_value(row, column, several=several, missing=missing)
                if isinstance(raw, str):
                    texts[raw] = text
            out.append(text)
        return Cells(out, self.rows)
