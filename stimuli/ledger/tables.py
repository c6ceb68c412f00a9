"""The ledger as tables of a set: differences over the set, figures of every image, and how images were matched."""

from collections.abc import Mapping, Sequence

from rapidvision.text import csv_text

from .differences import ImageFigures, LedgerRow

LEDGER, LEDGER_IMAGES = "ledger.csv", "ledger_images.csv"


def ledger_table(rows: Sequence[LedgerRow]) -> str:
    """Return ``ledger.csv``: a row per figure, pair of sources and level."""
    return csv_text.text_of(LedgerRow._fields, [[_cell(value) for value in row] for row in rows])


def image_table(images: Mapping[str, ImageFigures], labels: Sequence[str]) -> str:
    """Return ``ledger_images.csv``: a row per image, source and level.

    Parameters
    ----------
    images : mapping
        Image id → its figures.
    labels : sequence of str
        Names of the levels.
    """
    first = next(iter(images.values()))
    figures = list(next(iter(first.values())))
    rows = [
        [image_id, source, label, *(_cell(one[figure][level]) for figure in figures)]
        for image_id, sources in images.items()
        for source, one in sources.items()
        for level, label in enumerate(labels)
    ]
    return csv_text.text_of(("image_id", "map_source", "level_label", *figures), rows)


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
