"""The report: one HTML file that needs nothing else, and results.json with every number in it."""

import base64
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rapidvision.system.templates import macro

from ..inference.cautions import WARNING

_TEMPLATE = Path(__file__).with_name("report.html")


def page(title: str, lead: str, sections: Iterable[tuple[str, str]]) -> str:
    """Return a self-contained HTML page; the sections' bodies are HTML already."""
    return macro(_TEMPLATE, "page", title, lead, list(sections))


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """An HTML table; numbers are formatted, text is escaped."""
    return macro(_TEMPLATE, "table", head, [[show(cell) for cell in row] for row in rows])


def paragraph(text: str, kind: str = "") -> str:
    """A paragraph of escaped text; `kind` is a class of the style sheet."""
    return macro(_TEMPLATE, "paragraph", text, kind)


def bullets(lines: Iterable[str]) -> str:
    """A list of escaped lines; nothing when there are none."""
    return macro(_TEMPLATE, "bullets", list(lines))


def notices(notes: Iterable[str]) -> str:
    """Warnings in boxes, other notes as a list."""
    loud = [note for note in notes if note.startswith(WARNING)]
    boxes = "".join(paragraph(note[0].upper() + note[1:], "notice") for note in loud)
    return boxes + bullets(note for note in notes if note not in loud)


def figure(svg: bytes, caption: str) -> str:
    """An inline SVG with its caption."""
    text = svg.decode()
    return macro(_TEMPLATE, "figure", text[text.index("<svg") :], caption)


def image(png: bytes, caption: str) -> str:
    """An inline PNG with its caption."""
    return macro(_TEMPLATE, "image", base64.b64encode(png).decode(), caption)


def show(value: Any) -> str:
    """A number as a reader wants it: three decimals, small p in powers of ten, a dash for what is missing.

    Examples
    --------
    >>> show(0.25), show(0.00004), show(float("nan")), show(120), show("full")
    ('0.250', '4.0e-05', '–', '120', 'full')
    """
    if value is None or (isinstance(value, float | np.floating) and math.isnan(value)):
        return "–"
    if isinstance(value, float | np.floating):
        number = float(value)
        return f"{number:.1e}" if 0 < abs(number) < 0.0005 else f"{number:.3f}"
    return str(value)
