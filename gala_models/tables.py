"""The paper's Tables 1 to 4 beside ours, and which rows were not reproduced and why."""

from collections.abc import Sequence
from dataclasses import dataclass

from .weights import Card

_WHY = "needs weeks of ImageNet-scale training; recipe and code are here, the run is not"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table of the paper: errors and "maps" in per cent; None where it has none."""

    network: str
    top1_error: float
    top5_error: float
    maps: float | None = None


#: Table number → what it was measured on, and its rows (Table 1 is the four rows of Table 3 without the controls).
PAPER: dict[int, tuple[str, tuple[Row, ...]]] = {
    2: (
        "ILSVRC12 validation, trained on ILSVRC12",
        (
            Row("ResNet-50", 23.88, 6.86),
            Row("SE-ResNet-50", 23.26, 6.55),
            Row("GALA-ResNet-50 no ClickMe", 22.73, 6.35),
        ),
    ),
    3: (
        "ClickMe test set, trained on the ClickMe subset (Table 1 is part of it)",
        (
            Row("SE-ResNet-50", 66.17, 42.48, 64.36),
            Row("ResNet-50", 63.68, 40.65, 43.61),
            Row("ResNet-50 w/ ClickMe", 61.32, 41.42, 31.18),
            Row("GALA-ResNet-50 w/ b. boxes", 58.14, 35.17, 76.42),
            Row("GALA-ResNet-50 no ClickMe", 53.90, 31.04, 64.21),
            Row("GALA-ResNet-50 w/ ClickMe", 49.29, 27.73, 88.56),
        ),
    ),
    4: (
        "ILSVRC12 validation, maps for about 16 % of the pictures",
        (
            Row("ResNet-50", 28.60, 9.65),
            Row("SE-ResNet-50", 27.52, 8.91),
            Row("GALA-ResNet-50 no ClickMe", 27.28, 8.78),
            Row("GALA-ResNet-50 w/ b. boxes", 27.24, 8.80),
            Row("GALA-ResNet-50 w/ ClickMe", 26.17, 8.12),
        ),
    ),
}


def ours(cards: Sequence[Card]) -> str:
    """Return our networks' rows as a Markdown table, from the results in their files."""
    lines = [
        "| network | top-1 error | top-5 error | maps | rho | rho, other pictures | measured on |",
        "|---|---|---|---|---|---|---|",
    ]
    for card in cards:
        where = "test" if "test" in card.results else "validation"
        found = card.results.get(where)
        if found is None:
            lines.append(f"| {card.name} | | | | | | nothing: its file holds no results |")
            continue
        cells = [_cell(found[key]) for key in ("top1_error", "top5_error", "maps")]
        cells += [_cell(found[key], 3) for key in ("rho", "rho_other_pictures")]
        lines.append(f"| {card.name} | {' | '.join(cells)} | {where}, n = {found['n']} |")
    return "\n".join(lines)


def paper() -> str:
    """Return the paper's rows as Markdown tables, each with its status here."""
    parts = []
    for number, (where, rows) in PAPER.items():
        lines = [
            f"Table {number}: {where}",
            "",
            "| network | top-1 error | top-5 error | maps | here |",
            "|---|---|---|---|---|",
        ]
        for row in rows:
            cells = [_cell(row.top1_error), _cell(row.top5_error), _cell(row.maps)]
            lines.append(f"| {row.network} | {' | '.join(cells)} | not reproduced: {_WHY} |")
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def _cell(value: float | None, n_decimals: int = 2) -> str:
    return "" if value is None else f"{value:.{n_decimals}f}"
