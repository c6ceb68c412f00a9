"""What is worth a look before a set is shown to anybody."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from rapidvision.errors import InputError
from rapidvision.text import csv_text

from ..maps.orientation import TURNS
from .image_list import ImageEntry

#: Beyond these an image is flagged; they stop nothing.
MOST_CLIPPED, MOST_MEAN_ERROR, LEAST_CONTRAST, MOST_OUTSIDE, MOST_CUT = 0.10, 2.0, 0.90, 0.05, 0.25

#: A single map looks turned when its correlation with the other sources' maps is so high after a turn, and so much
#: higher than before, while its source usually agrees so well with them; a whole source of so many maps when its mean
#: correlation is so much higher after a turn.
LEAST_TURNED, TURNED_BY, USUALLY, SOURCE_TURNED_BY, FEWEST_MAPS = 0.6, 0.5, 0.5, 0.15, 8
_WORDS = ("image_id", "map_source", "phase", "category")


class Flag(NamedTuple):
    """An image and what is odd about it."""

    image_id: str
    map_source: str
    text: str


def read_quality(folder: Path) -> list[dict[str, str]]:
    """Read ``quality.csv`` of a set.

    Raises
    ------
    InputError
        When the table is missing, empty or another one.
    """
    rows = csv_text.read(folder / "quality.csv")
    if not rows or "canvas_clipped_fraction" not in rows[0]:
        raise InputError(f"{folder / 'quality.csv'}: not the quality table of a set")
    return rows


def flags_of(rows: list[dict[str, str]], n_revealed: int) -> list[Flag]:
    """Return what is odd in a quality table, what participants will see most of first.

    Parameters
    ----------
    rows : list of dict
        From :func:`read_quality`.
    n_revealed : int
        The number of pixels at 100 % of the features; 0 where it differs between images.

    Returns
    -------
    list of Flag
        Clipped canvases (the largest share first), then other faults of canvases, then maps.
    """
    found: dict[Flag, float] = {}
    for row in rows:
        value = {name: float(text) for name, text in row.items() if text and name not in _WORDS}
        if "canvas_clipped_fraction" in value:
            found |= _canvas_flags(row["image_id"], value)
        found |= dict.fromkeys(_map_flags(row["image_id"], row["map_source"], value, n_revealed), 2.0)
    found |= dict.fromkeys(_turned(rows), 1.5)
    return [flag for flag, _ in sorted(found.items(), key=lambda one: (one[1], one[0]))]


def alike(pairs: Iterable[tuple[ImageEntry, ImageEntry, float]]) -> list[Flag]:
    """Return flags for images of one phase that look the same."""
    return [
        Flag(one.image_id, "image", f"looks like {other.image_id} (fields differ by {difference:.1f} grey levels)")
        for one, other, difference in pairs
    ]


def _canvas_flags(name: str, value: dict[str, float]) -> dict[Flag, float]:
    """Flags with their place in the list; clipping lies at -share, so that the worst comes first."""
    found: dict[Flag, float] = {}
    clipped = value["canvas_clipped_fraction"]
    if clipped > MOST_CLIPPED:
        left = f"mean luma {value['canvas_mean_error']:+.1f} grey levels, contrast {value['canvas_contrast_ratio']:.0%}"
        found[Flag(name, "canvas", f"clips {clipped:.0%} of its values ({left})")] = -clipped
    if abs(value["canvas_mean_error"]) > MOST_MEAN_ERROR:
        found[Flag(name, "canvas", f"mean luma is off by {value['canvas_mean_error']:+.1f} grey levels")] = 1.0
    if value["canvas_contrast_ratio"] < LEAST_CONTRAST:
        found[Flag(name, "canvas", f"has {value['canvas_contrast_ratio']:.0%} of the image's contrast")] = 1.0
    return found


def _map_flags(name: str, source: str, value: dict[str, float], n_revealed: int) -> Iterator[Flag]:
    if value["n_points"] and value["n_outside"] > MOST_OUTSIDE * value["n_points"]:
        yield Flag(name, source, f"{int(value['n_outside'])} of {int(value['n_points'])} points are outside")
    if value["cut_fraction"] > MOST_CUT:
        yield Flag(name, source, f"the square cut loses {value['cut_fraction']:.0%} of the importance")
    if n_revealed > value["support_px"]:
        yield Flag(name, source, f"{n_revealed} pixels are shown, {int(value['support_px'])} have any importance")


def _turned(rows: list[dict[str, str]]) -> Iterator[Flag]:
    """Sources that agree better with the others after a turn, and single maps of sources that agree otherwise."""
    for source in dict.fromkeys(row["map_source"] for row in rows):
        mine = {
            row["image_id"]: {name: float(text) for name, text in row.items() if text and name.startswith("agreement_")}
            for row in rows
            if row["map_source"] == source
        }
        turn, upright, best = _best_turn(list(mine.values()))
        for image_id, one in mine.items() if upright > USUALLY else ():
            own_turn, unturned, then = _best_turn([one])
            if then > LEAST_TURNED and then - unturned > TURNED_BY:
                text = f"looks {own_turn}: correlates {then:.2f} with the other maps then, {unturned:.2f} unturned"
                yield Flag(image_id, source, text)
        if len(mine) >= FEWEST_MAPS and best - upright > SOURCE_TURNED_BY:
            yield Flag(
                "(all)",
                source,
                f"maps look {turn}: they correlate {best:.2f} with the other sources' then, {upright:.2f} as they are",
            )


def _best_turn(maps: list[dict[str, float]]) -> tuple[str, float, float]:
    """The best turn of some maps, the mean correlation upright, and that after the turn."""
    columns = {turn: f"agreement_{turn.replace(' ', '_')}" for turn in TURNS}
    if not maps or columns["upright"] not in maps[0]:
        return "upright", 0.0, 0.0
    means = {turn: sum(one[column] for one in maps) / len(maps) for turn, column in columns.items()}
    best = max(means, key=lambda turn: means[turn])
    return best, means["upright"], means[best]
