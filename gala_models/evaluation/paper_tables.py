"""The paper's Tables 1 to 4 beside ours, and which rows were not reproduced and why."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..weights.card import Card

_SUBSET = "needs the ClickMe release (329,036 training images) and 100 epochs on GPUs"
_IMAGENET = "needs ILSVRC12 (1.28 million images) and 100 epochs on accelerators"
_PARTLY = "needs ILSVRC12 with the ClickMe release joined to it, and 100 epochs on accelerators"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table of the paper.

    Attributes
    ----------
    network : str
        As printed.
    top1_error, top5_error : float
        Per cent.
    recipe : str
        What to change in ``rapidvision models train --example`` to run it.
    maps : float or None
        Per cent of human variability; None where the table has none.
    """

    network: str
    top1_error: float
    top5_error: float
    recipe: str
    maps: float | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the paper: where it was measured, why it is not reproduced here, and its rows."""

    where: str
    why: str
    rows: tuple[Row, ...]


_PLAIN = 'annotation = "none", attention = "none"'
_SE = 'annotation = "none", attention = "se"'
_GALA = 'annotation = "none"'
_TABLE_3 = (
    Row("SE-ResNet-50", 66.17, 42.48, _SE, 64.36),
    Row("ResNet-50", 63.68, 40.65, _PLAIN, 43.61),
    Row("ResNet-50 w/ ClickMe", 61.32, 41.42, 'attention = "none", supervise = "features"', 31.18),
    Row("GALA-ResNet-50 w/ b. boxes", 58.14, 35.17, 'annotation = "boxes"', 76.42),
    Row("GALA-ResNet-50 no ClickMe", 53.90, 31.04, _GALA, 64.21),
    Row("GALA-ResNet-50 w/ ClickMe", 49.29, 27.73, "no change", 88.56),
)

#: Table number → table. Table 1 is Table 3 without the two controls.
PAPER: dict[int, Table] = {
    1: Table(
        "ClickMe test set, trained on the ClickMe subset",
        _SUBSET,
        tuple(_TABLE_3[place] for place in (0, 1, 4, 5)),
    ),
    2: Table(
        "ILSVRC12 validation, trained on ILSVRC12",
        _IMAGENET,
        (
            Row("ResNet-50", 23.88, 6.86, _PLAIN),
            Row("SE-ResNet-50", 23.26, 6.55, _SE),
            Row("GALA-ResNet-50 no ClickMe", 22.73, 6.35, _GALA),
        ),
    ),
    3: Table("ClickMe test set, trained on the ClickMe subset, with controls", _SUBSET, _TABLE_3),
    4: Table(
        "ILSVRC12 validation, maps for about 16 % of the images",
        _PARTLY,
        (
            Row("ResNet-50", 28.60, 9.65, _PLAIN),
            Row("SE-ResNet-50", 27.52, 8.91, _SE),
            Row("GALA-ResNet-50 no ClickMe", 27.28, 8.78, _GALA),
            Row("GALA-ResNet-50 w/ b. boxes", 27.24, 8.80, 'annotation = "boxes"'),
            Row("GALA-ResNet-50 w/ ClickMe", 26.17, 8.12, "no change"),
        ),
    ),
}


def ours(cards: Sequence[Card]) -> str:
    """Return our networks' rows as a Markdown table, from the results in their files."""
    lines = [
        "| network | top-1 error | top-5 error | maps | rho | rho, other classes | measured on |",
        "|---|---|---|---|---|---|---|",
    ]
    for card in cards:
        where = "test" if "test" in card.results else "validation"
        found = card.results.get(where)
        if found is None:
            lines.append(f"| {card.name} | | | | | | nothing: its file holds no results |")
            continue
        cells = [_cell(found[key]) for key in ("top1_error", "top5_error", "maps")]
        cells += [_cell(found[key], 3) for key in ("rho", "rho_other_classes")]
        lines.append(f"| {card.name} | {' | '.join(cells)} | {where}, n = {found['n']} |")
    return "\n".join(lines)


def paper() -> str:
    """Return the paper's Tables 1 to 4 as Markdown, with what is missing here and the recipe of every row."""
    n_rows = sum(len(table.rows) for table in PAPER.values())
    lead = (
        f"None of the {n_rows} rows of the paper's Tables 1 to 4 is reproduced here: each is a network of its own, trained at "
        "a scale that this package does not ship. The last column says what to change in "
        "`rapidvision models train --example` to run it."
    )
    parts = [lead]
    for number, table in PAPER.items():
        lines = [
            f"Table {number}: {table.where}. Not reproduced: {table.why}.",
            "",
            "| network | top-1 error | top-5 error | maps | to run it |",
            "|---|---|---|---|---|",
        ]
        for row in table.rows:
            cells = [_cell(row.top1_error), _cell(row.top5_error), _cell(row.maps)]
            lines.append(f"| {row.network} | {' | '.join(cells)} | {row.recipe} |")
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def _cell(value: float | None, n_decimals: int = 2) -> str:
    return "" if value is None else f"{value:.{n_decimals}f}"
