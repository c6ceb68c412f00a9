"""The report as one HTML file that needs nothing else."""

import base64
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rapidvision.system.templates import macro

from .parts import Bullets, Figure, Image, Paragraph, Part, Section, Table

_TEMPLATE = Path(__file__).with_name("report.html")


def page(title: str, lead: str, sections: Sequence[Section], svgs: Mapping[str, bytes]) -> str:
    """Return a self-contained HTML page; `svgs` holds its figures by name."""
    bodies = [(section.title, "".join(_html(part, svgs) for part in section.parts)) for section in sections]
    return macro(_TEMPLATE, "page", title, lead, bodies)


def _html(part: Part, svgs: Mapping[str, bytes]) -> str:
    """One part; text is escaped by the template."""
    if isinstance(part, Paragraph):
        return macro(_TEMPLATE, "paragraph", part.text, part.kind)
    if isinstance(part, Bullets):
        return macro(_TEMPLATE, "bullets", list(part.lines))
    if isinstance(part, Table):
        rows = [[(show(cell), isinstance(cell, str)) for cell in row] for row in part.rows]
        return macro(_TEMPLATE, "table", part.name, part.head, rows)
    if isinstance(part, Figure):
        text = svgs[part.drawing.name].decode()
        return macro(_TEMPLATE, "figure", part.drawing.name, text[text.index("<svg") :], part.caption)
    assert isinstance(part, Image)
    return macro(_TEMPLATE, "image", base64.b64encode(part.png).decode(), part.caption)


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
