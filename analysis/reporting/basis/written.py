"""What a report leaves in its folder: the page, every figure in every form, every table as CSV."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rapidvision.system import files
from rapidvision.system.figures import FORMATS

from .html import page
from .parts import Figure, Section, Table


def write_report(folder: Path, title: str, lead: str, sections: Sequence[Section]) -> tuple[Path, ...]:
    """Write ``report.html``, ``figures/*.{pdf,svg,png}`` and ``tables/*.csv``.

    Parameters
    ----------
    folder : Path
        Of the report.
    title, lead : str
        Heading, and the line below it.
    sections : sequence of Section
        In order.

    Returns
    -------
    tuple of Path
        The page first.
    """
    written = [folder / "report.html"]
    svgs: dict[str, bytes] = {}
    for part in (part for section in sections for part in section.parts):
        if isinstance(part, Figure):
            name = part.drawing.name
            for form in FORMATS:
                data = part.drawing.to_bytes(form)
                written.append(folder / "figures" / f"{name}.{form}")
                files.write_bytes(written[-1], data, durable=False)
                if form == "svg":
                    svgs[name] = data
        elif isinstance(part, Table):
            written.append(folder / "tables" / f"{part.name}.csv")
            files.write_text(written[-1], csv_of(part))
    files.write_text(written[0], page(title, lead, sections, svgs))
    return tuple(written)


def csv_of(table: Table) -> str:
    r"""A table as CSV: numbers in full, empty cells for what is missing.

    Examples
    --------
    >>> csv_of(Table("one", ("level", "p"), (("full", 0.25), ("1", float("nan")))))
    'level,p\nfull,0.25\n1,\n'
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(table.head)
    writer.writerows([[_cell(value) for value in row] for row in table.rows])
    return out.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    return "" if value is None or value != value else value  # NaN differs from itself
