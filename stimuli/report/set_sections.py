"""What a contact sheet shows of a set as a whole: the canvas certificate, and the ledger of differences as figure and table."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rapidvision.formats.manifest import StimulusSet
from rapidvision.system.templates import rendered
from rapidvision.text import csv_text

from ..ledger.differences import LARGEST_D
from ..ledger.tables import LEDGER

_TEMPLATE = Path(__file__).with_name("set_sections.html")
#: Standardised differences beyond these are drawn at the edge.
EDGE_D = 2.5
_WIDTH, _LEFT, _STEP = 640, 150, 20
_FLAGGED, _FINE, _BAND = "#d1495b", "#222222", "#e8e8e8"


class _Line(NamedTuple):
    """One figure of the ledger over all levels."""

    figure: str
    unit: str
    matched: bool
    d: tuple[float | None, ...]
    labels: tuple[str, ...]
    n_flagged: int

    @property
    def largest(self) -> float | None:
        known = [abs(one) for one in self.d if one is not None]
        return max(known) if known else None

    @property
    def n_levels(self) -> int:
        return len(self.d)


def set_sections(found: StimulusSet) -> str:
    """Return HTML of certificate and ledger; it needs nothing beside it.

    Parameters
    ----------
    found : StimulusSet
        A finished set.

    Returns
    -------
    str
        Two headings, ``#certificate`` and ``#ledger``, with what belongs to them.

    Examples
    --------
    >>> import tempfile
    >>> import rapidvision as rv
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     page = set_sections(rv.stimuli.build("bundled", out=folder + "/set"))
    >>> "Canvas certificate" in page, "clickme minus salicon" in page
    (True, True)
    """
    path = found.folder / LEDGER
    rows = csv_text.read(path) if LEDGER in found.description.tables and path.is_file() else []
    charts: list[dict[str, Any]] = []
    for source, other in dict.fromkeys((row["source"], row["other"]) for row in rows):
        mine = [row for row in rows if (row["source"], row["other"]) == (source, other)]
        lines = [_line(figure, mine) for figure in dict.fromkeys(row["figure"] for row in mine)]
        charts.append(
            {
                "source": source,
                "other": other,
                "n_images": mine[0]["n_images"],
                "svg": _chart(lines, f"{source} minus {other}"),
                "lines": lines,
            }
        )
    return rendered(
        _TEMPLATE,
        certificate=found.description.certificate,
        charts=charts,
        limit=LARGEST_D,
        not_matched=found.description.quality.get("match_sources", {}).get("not_matched", {}),
    )


def _line(figure: str, rows: Sequence[dict[str, str]]) -> _Line:
    mine = [row for row in rows if row["figure"] == figure]
    return _Line(
        figure=figure,
        unit=mine[0]["unit"],
        matched=mine[0]["matched"] == "true",
        d=tuple(float(row["d"]) if row["d"] else None for row in mine),
        labels=tuple(row["level_label"] for row in mine),
        n_flagged=sum(row["flagged"] == "true" for row in mine),
    )


def _chart(lines: Sequence[_Line], title: str) -> str:
    """Standardised differences as dots, one row per figure, the lowest level at the top of its row."""
    height = _STEP * (len(lines) + 1) + 10
    scale = (_WIDTH - _LEFT - 20) / (2 * EDGE_D)
    middle = _LEFT + EDGE_D * scale
    drawn = [
        (
            f'<rect x="{middle - LARGEST_D * scale:.1f}" y="0" width="{2 * LARGEST_D * scale:.1f}" '
            f'height="{_STEP * len(lines)}" fill="{_BAND}"/>'
        )
    ]
    for number, line in enumerate(lines):
        down = number * _STEP
        drawn.append(f'<text x="0" y="{down + 14}">{line.figure}</text>')
        for level, (d, label) in enumerate(zip(line.d, line.labels, strict=True)):
            if d is None:
                continue
            across = middle + min(max(d, -EDGE_D), EDGE_D) * scale
            place = down + 3 + (_STEP - 6) * (level + 0.5) / len(line.d)
            colour = _FLAGGED if abs(d) > LARGEST_D else _FINE
            drawn.append(
                f'<circle cx="{across:.1f}" cy="{place:.1f}" r="2.5" fill="{colour}"><title>{line.figure}, {label} %: '
                f"d = {d:.2f}</title></circle>"
            )
    foot = _STEP * len(lines) + 16
    drawn.extend(
        f'<text x="{middle + value * scale:.1f}" y="{foot}" text-anchor="middle">{value}</text>'
        for value in (-2, -1, 0, 1, 2)
    )
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height}" style="max-width:{_WIDTH}px;width:100%;font:12px system-ui" role="img" '
        f'aria-label="Standardised differences, {title}"><title>Standardised differences, {title}; grey: |d| up to '
        f"{LARGEST_D:g}</title>{''.join(drawn)}</svg>"
    )
