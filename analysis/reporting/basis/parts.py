"""What a section of the report is made of: paragraphs, lists, tables, figures. HTML and CSV files are made from these."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from ...inference.cautions import WARNING


@dataclass(frozen=True)
class Paragraph:
    """A paragraph; `kind` is a class of the style sheet."""

    text: str
    kind: str = ""


@dataclass(frozen=True)
class Bullets:
    """A list of lines."""

    lines: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A table, which is also written as ``tables/NAME.csv``."""

    name: str
    head: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True)
class Figure:
    """A figure, shown as SVG and also written as ``figures/NAME`` in every form."""

    drawing: Any
    caption: str


@dataclass(frozen=True)
class Image:
    """An image made elsewhere, with its caption."""

    png: bytes
    caption: str


Part: TypeAlias = Paragraph | Bullets | Table | Figure | Image
Parts: TypeAlias = list[Part]


@dataclass(frozen=True)
class Section:
    """A section of the report."""

    title: str
    parts: Parts


def paragraph(text: str, kind: str = "") -> Parts:
    """A paragraph."""
    return [Paragraph(text, kind)]


def bullets(lines: Iterable[str]) -> Parts:
    """A list of lines; nothing when there are none."""
    found = tuple(lines)
    return [Bullets(found)] if found else []


def table(name: str, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> Parts:
    """A table with the name of its CSV file."""
    return [Table(name, tuple(head), tuple(tuple(row) for row in rows))]


def notices(notes: Iterable[str]) -> Parts:
    """Warnings in boxes, other notes as a list."""
    notes = list(notes)
    loud = [note for note in notes if note.startswith(WARNING)]
    boxes: Parts = [Paragraph(note[0].upper() + note[1:], "notice") for note in loud]
    return boxes + bullets(note for note in notes if note not in loud)


def figure(drawing: Any, caption: str) -> Parts:
    """A figure with its caption."""
    return [Figure(drawing, caption)]


def image(png: bytes, caption: str) -> Parts:
    """An image with its caption."""
    return [Image(png, caption)]


def shown_result(title: str, found: Any, *, name: str) -> Section:
    """Make a section of any result that has a table: what it is, its table, its notes.

    Parameters
    ----------
    title : str
        Of the section.
    found : result
        With ``to_frame()``, and ``opening()`` and ``notes`` where it has them.
    name : str
        Of the CSV file.

    Examples
    --------
    >>> import rapidvision as rv
    >>> trials = rv.analysis.Design(n_per_group=4).simulate(seed=1)
    >>> found = rv.analysis.level_tests(trials, n_resamples=99, seed=1)
    >>> section = shown_result("Levels", found, name="levels")
    >>> "Table" in [type(part).__name__ for part in section.parts]
    True
    """
    frame = found.to_frame()
    opening = found.opening() if hasattr(found, "opening") else ()
    parts = [part for line in opening for part in paragraph(line)]
    parts += table(name, [str(column) for column in frame], frame.itertuples(index=False, name=None))
    return Section(title, parts + notices(getattr(found, "notes", ())))
