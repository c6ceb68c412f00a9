"""Which reader reads a file of points, guessed from its content."""

import json
import re
import zipfile
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rapidvision.errors import InputError

from ..maps.readers.matlab import Structs, items, loadmat
from ..maps.readers.table import NAMES
from ..maps.readers.table_rows import rows_of
from ..naming import Naming

#: Rows and bytes that are looked at.
N_ROWS, N_BYTES = 200, 1 << 16
#: Columns that say what an image shows.
CATEGORY_COLUMNS = ("category", "label", "class", "kind")


class GuessedReader(NamedTuple):
    """A guess: keys of a map source, and why."""

    keys: dict[str, Any]
    why: str


def guess_reader(path: Path, image_ids: Collection[str], naming: Naming) -> GuessedReader | None:
    """Guess how a file of points is read; None where it is no file of points on these images.

    Parameters
    ----------
    path : Path
        The file.
    image_ids : collection of str
        Ids of the images.
    naming : Naming
        How the names of the images became ids.
    """
    suffix = path.suffix.lower()
    try:
        if path.name.lower().endswith("_physio.tsv.gz"):
            return GuessedReader({"preset": "bids-eyetracking"}, "recordings are called *_physio.tsv.gz")
        if suffix in (".csv", ".tsv", ".txt"):
            return _table(path, image_ids, naming)
        if suffix == ".json":
            return _json(path)
        if suffix == ".asc":
            return GuessedReader({"preset": "eyelink-asc"}, "files are called *.asc")
        if suffix in (".h5", ".hdf5") and path.stem != "stimuli":
            others = sorted(one.name for one in path.parent.glob(f"*{path.suffix}") if "stimuli" in one.stem)
            return GuessedReader({"preset": "pysaliency-hdf5"} | ({"key": others[0]} if others else {}), "an HDF5 file")
        if suffix == ".mat":
            return _mat(path)
        if suffix == ".npz":
            return _npz(path, image_ids)
    except (InputError, ValueError, OSError, zipfile.BadZipFile):  # not what it is called; the check says more
        return None
    return None


def _table(path: Path, image_ids: Collection[str], naming: Naming) -> GuessedReader | None:
    table = rows_of(path)
    rows = [row for _, (_, row) in zip(range(N_ROWS), table.rows, strict=False)]
    lower = [name.strip().lower() for name in table.header]
    if "webgazer_data" in lower:
        return GuessedReader({"preset": "webgazer-csv"}, "it has a column webgazer_data")
    image = image_column(table.header, rows, image_ids, naming)
    if image is None:
        return None
    if "clicks" in lower:
        keys: dict[str, Any] = {"preset": "clickme-2025-csv"}
        named = {"image": table.header[image]} if lower[image] not in NAMES["image"] else {}
        return GuessedReader(keys | _key(named), "it has a column clicks")
    across = next((lower.index(name) for name in NAMES["x"] if name in lower), None)
    down = next((lower.index(name) for name in NAMES["y"] if name in lower), None)
    if across is None or down is None:
        pair = _pair(lower)
        if pair is None:
            return None
        across, down = pair
    named = {"image": table.header[image], "x": table.header[across], "y": table.header[down]}
    usual = {what: next((name for name in NAMES[what] if name in lower), None) for what in named}
    named = {what: name for what, name in named.items() if usual[what] != name.strip().lower()}
    columns = f"{table.header[image]}, {table.header[across]}, {table.header[down]}"
    return GuessedReader({"reader": "points-csv"} | _key(named), f"it has the columns {columns}")


def _key(named: dict[str, str]) -> dict[str, str]:
    return {"key": ", ".join(f"{what}={name}" for what, name in named.items())} if named else {}


def image_column(
    header: Sequence[str], rows: Sequence[Sequence[str]], image_ids: Collection[str], naming: Naming
) -> int | None:
    """Return the column whose cells name images most often, at least every second time; None if there is none."""
    best, most = None, 0.5
    for place in range(len(header)):
        cells = [row[place] for row in rows if row[place].strip()]
        share = sum(_names(cell, image_ids, naming) for cell in cells) / len(cells) if cells else 0.0
        if share > most:
            best, most = place, share
    return best


def _names(cell: str, image_ids: Collection[str], naming: Naming) -> bool:
    return len(cell) < 300 and naming.id_of(cell) in image_ids


def _pair(lower: Sequence[str]) -> tuple[int, int] | None:
    """Return two columns that differ only by an x and a y, as FIX_X and FIX_Y do."""
    for place, name in enumerate(lower):
        for at in [match.start() for match in re.finditer("x", name)]:
            other = f"{name[:at]}y{name[at + 1 :]}"
            if other in lower:
                return place, lower.index(other)
    return None


def _json(path: Path) -> GuessedReader | None:
    with path.open("rb") as file:
        head = file.read(N_BYTES).decode("utf-8", "replace")
    if re.search(r'"(inputs|results)"\s*:', head) and '"rememberedCode"' in head:
        return GuessedReader({"preset": "codecharts"}, "it holds remembered codes")
    if head.lstrip()[:1] == "[" and re.search(r'"X"\s*:', head) and re.search(r'"Y"\s*:', head):
        preset = "coco-freeview" if '"freeview"' in head else "coco-search18"
        return GuessedReader({"preset": preset}, "it is a list of scanpaths X, Y")
    if head.lstrip()[:1] == "{" and (re.search(r'"fixations"', head) or _has_annotations(path)):
        return GuessedReader({"preset": "salicon-json"}, "it has images and annotations with fixations")
    return None


def _has_annotations(path: Path) -> bool:
    if path.stat().st_size > 1 << 24:
        with path.open("rb") as file:
            file.seek(-N_BYTES, 2)
            return b'"fixations"' in file.read()
    found = json.loads(path.read_bytes())
    return isinstance(found, dict) and {"images", "annotations"} <= set(found)


def _mat(path: Path) -> GuessedReader | None:
    content = loadmat(path)
    if "bubble" in content:
        return GuessedReader({"preset": "bubbleview"}, "it has the variable bubble")
    if "allImages" in content:
        return GuessedReader({"preset": "figrim-fixations"}, "it has the variable allImages")
    if "gaze" in content:
        return GuessedReader({"preset": "salicon-mat"}, "it has the variable gaze")
    if "fixations" in content:
        first = next(iter(items(content["fixations"], where=str(path))), None)
        if isinstance(first, Structs) and "img" in first.names:
            return GuessedReader({"preset": "osie-eye"}, "it has fixations with img and subjects")
        return GuessedReader({"preset": "osie-mouse"}, "it has fixations with coord and subj")
    return None


def _npz(path: Path, image_ids: Collection[str]) -> GuessedReader | None:
    with zipfile.ZipFile(path) as archive:
        names = {name.removesuffix(".npy") for name in archive.namelist()}
    if "file_pointer" in names:
        return GuessedReader({"preset": "clickme-2025-npz"}, "it has the arrays file_pointer and clickmap_x")
    if names & set(image_ids):
        return GuessedReader({"reader": "npz"}, "its arrays are called as images are")
    return None
