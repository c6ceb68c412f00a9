"""The categories of own images: read from ``images.csv``, filled in on a page, written back."""

from collections.abc import Mapping
from pathlib import Path

from rapidvision.errors import InputError
from rapidvision.formats.image_folder import NEEDED
from rapidvision.text import csv_text

_OF_IMAGE = "category:"
_TARGET = "target:"


def read_images(table: Path) -> list[dict[str, str]]:
    """Return the rows of ``images.csv`` as they stand.

    Raises
    ------
    InputError
        When the table cannot be read.
    """
    return csv_text.read(table, (*NEEDED, "target"))


def missing(table: Path) -> int:
    """Return the number of images without a category."""
    return sum(not row["category"] for row in read_images(table)) if table.is_file() else 0


def fill_in(table: Path, given: Mapping[str, str]) -> int:
    """Write the categories of a form into the table; every other cell stays.

    Parameters
    ----------
    table : Path
        ``images.csv``.
    given : mapping
        ``category:IMAGE_ID`` → category; ``target:CATEGORY`` → anything, where the category is a target.

    Returns
    -------
    int
        Images without a category that are left.

    Raises
    ------
    InputError
        When the form is of another table, or no category or every one is a target.
    """
    rows = read_images(table)
    unknown = sorted(
        {name.removeprefix(_OF_IMAGE) for name in given if name.startswith(_OF_IMAGE)} - {r["image_id"] for r in rows}
    )
    if unknown:
        raise InputError(f"{table}: has no image {unknown[0]}; load the page again, the table was changed")
    targets = {name.removeprefix(_TARGET) for name in given if name.startswith(_TARGET)}
    for row in rows:
        row["category"] = given.get(_OF_IMAGE + row["image_id"], row["category"]).strip()
        row["target"] = "" if not row["category"] else "true" if row["category"] in targets else "false"
    csv_text.write(table, tuple(rows[0]), (row.values() for row in rows))
    return missing(table)


def categories_of(rows: list[dict[str, str]]) -> list[tuple[str, int, bool]]:
    """Return each category with its number of images and whether it is a target."""
    names = sorted({row["category"] for row in rows if row["category"]})
    return [
        (
            name,
            sum(row["category"] == name for row in rows),
            any(row["category"] == name and row["target"] == "true" for row in rows),
        )
        for name in names
    ]
