"""The report: one HTML file that needs nothing else, and results.json with every number in it."""

import html
import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ..inference.cautions import WARNING

_STYLE = """
:root { color-scheme: light dark; --ink: #1a1a1a; --soft: #555; --paper: #fff; --line: #e4e4e4; --rule: #999; --note: #fff4d6; }
@media (prefers-color-scheme: dark) { @media screen { :root { --ink: #e6e6e6; --soft: #a8a8a8; --paper: #16181b;
  --line: #303438; --rule: #6b7075; --note: #3a3118; } } }
body { font: 15px/1.5 system-ui, "Segoe UI", Helvetica, Arial, sans-serif; color: var(--ink); background: var(--paper);
       max-width: 70rem; margin: 2rem auto; padding: 0 1.25rem; }
h1 { font-size: 1.6rem; margin-bottom: .2rem; }
h2 { font-size: 1.15rem; margin-top: 2.2rem; border-bottom: 1px solid var(--line); break-after: avoid; }
p { max-width: 52rem; } p.lead { color: var(--soft); margin-top: 0; }
p.notice { background: var(--note); border-left: 4px solid #e69f00; padding: .6rem .9rem; }
nav { font-size: 13px; margin: 1rem 0; display: flex; flex-wrap: wrap; gap: .2rem 1rem; } nav a { color: inherit; }
table { border-collapse: collapse; font-size: 13px; margin: .6rem 0 1rem; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .55rem; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { border-bottom: 1px solid var(--rule); font-weight: 600; } th:first-child, td:first-child { text-align: left; }
td.text { white-space: normal; text-align: left; } tr, figure { break-inside: avoid; }
figure { margin: 1rem 0; } figure svg { max-width: 100%; height: auto; background: #fff; border-radius: 4px; }
figcaption { color: var(--soft); font-size: 13px; max-width: 52rem; }
.wide { overflow-x: auto; } ul { padding-left: 1.2rem; }
@media print { body { font-size: 10pt; margin: 0; max-width: none; } nav { display: none; } .wide { overflow: visible; }
  table { font-size: 7.5pt; } th, td { padding: .1rem .3rem; } }
"""


def page(title: str, lead: str, sections: Iterable[tuple[str, str]]) -> str:
    """Return a self-contained HTML page; the sections' bodies are HTML already."""
    parts = list(sections)
    body = "\n".join(
        f'<section id="s{number}"><h2>{html.escape(head)}</h2>\n{content}</section>'
        for number, (head, content) in enumerate(parts)
    )
    links = "".join(f'<a href="#s{number}">{html.escape(head)}</a>' for number, (head, _) in enumerate(parts))
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>\n'
        f'<body><h1>{html.escape(title)}</h1>\n<p class="lead">{html.escape(lead)}</p>\n<nav>{links}</nav>\n{body}\n</body></html>\n'
    )


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """An HTML table; numbers are formatted, text is escaped."""
    header = "".join(f"<th>{html.escape(str(cell))}</th>" for cell in head)
    lines = "".join("<tr>" + "".join(f"<td>{html.escape(show(cell))}</td>" for cell in row) + "</tr>\n" for row in rows)
    return f'<div class="wide"><table><thead><tr>{header}</tr></thead><tbody>\n{lines}</tbody></table></div>\n'


def paragraph(text: str, kind: str = "") -> str:
    """A paragraph of escaped text; `kind` is a class of the style sheet."""
    return f"<p{f' class={chr(34)}{kind}{chr(34)}' if kind else ''}>{html.escape(text)}</p>\n"


def bullets(lines: Iterable[str]) -> str:
    """A list of escaped lines; nothing when there are none."""
    items = "".join(f"<li>{html.escape(line)}</li>" for line in lines)
    return f"<ul>{items}</ul>\n" if items else ""


def notices(notes: Iterable[str]) -> str:
    """Warnings in boxes, other notes as a list."""
    loud = [note for note in notes if note.startswith(WARNING)]
    boxes = "".join(paragraph(note[0].upper() + note[1:], "notice") for note in loud)
    return boxes + bullets(note for note in notes if note not in loud)


def figure(svg: bytes, caption: str) -> str:
    """An inline SVG with its caption."""
    text = svg.decode()
    text = text[text.index("<svg") :]
    return f"<figure>{text}<figcaption>{html.escape(caption)}</figcaption></figure>\n"


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
