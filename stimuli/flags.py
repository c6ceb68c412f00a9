"""What is worth a look before a set is shown to anybody."""

import csv
import io
from pathlib import Path
from typing import NamedTuple

from rapidvision import files
from rapidvision.errors import InputError

#: Beyond these a picture is flagged; they stop nothing.
MOST_CLIPPED, MOST_MEAN_ERROR, LEAST_CONTRAST, MOST_OUTSIDE, MOST_CUT = 0.10, 2.0, 0.90, 0.05, 0.25


class Flag(NamedTuple):
    """A picture and what is odd about it."""

    image_id: str
    map_source: str
    text: str


def read_quality(folder: Path) -> list[dict[str, str]]:
    """Read ``quality.csv`` of a set."""
    text = files.read_bytes(folder / "quality.csv").decode()
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    if not rows or "canvas_clipped_fraction" not in rows[0]:
        raise InputError(f"{folder / 'quality.csv'}: not the quality table of a set")
    return rows


def flags_of(rows: list[dict[str, str]], n_revealed: int) -> list[Flag]:
    """Return what is odd in a quality table; `n_revealed` is the number of pixels at 100 % of the features.

    Parameters
    ----------
    rows : list of dict
        From :func:`read_quality`.
    n_revealed : int
        0 where it differs between pictures.
    """
    found = []
    for row in rows:
        name, source = row["image_id"], row["map_source"]
        value = {
            key: float(text) for key, text in row.items() if key not in ("image_id", "map_source", "phase", "category")
        }
        if value["canvas_clipped_fraction"] > MOST_CLIPPED:
            found.append(Flag(name, "canvas", f"clips {value['canvas_clipped_fraction']:.0%} of its values"))
        if abs(value["canvas_mean_error"]) > MOST_MEAN_ERROR:
            found.append(Flag(name, "canvas", f"mean luma is off by {value['canvas_mean_error']:+.1f} grey levels"))
        if value["canvas_contrast_ratio"] < LEAST_CONTRAST:
            found.append(Flag(name, "canvas", f"has {value['canvas_contrast_ratio']:.0%} of the picture's contrast"))
        if value["n_points"] and value["n_outside"] > MOST_OUTSIDE * value["n_points"]:
            found.append(
                Flag(name, source, f"{int(value['n_outside'])} of {int(value['n_points'])} points are outside")
            )
        if value["cut_fraction"] > MOST_CUT:
            found.append(Flag(name, source, f"the square cut loses {value['cut_fraction']:.0%} of the importance"))
        if n_revealed > value["support_px"]:
            found.append(
                Flag(name, source, f"{n_revealed} pixels are shown, {int(value['support_px'])} have any importance")
            )
    return sorted(set(found))
