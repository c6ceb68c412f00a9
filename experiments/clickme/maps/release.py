"""Files that the readers of the ClickMe releases know: clicks as CSV and NPZ, pictures and maps as TFRecords."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rapidvision.formats import csv_text, tfrecord

from ..game.rules import Rules
from ..storage.images import Deck, pixels
from .filters import Kept
from .pooling import write_npz
from .quality import PlayerQuality


def user_id(player_id: str) -> str:
    """Return a player's id for files: random, without the username, and no formula to a spreadsheet."""
    return f"p_{player_id}"


def write_clicks(passed: Kept, out: Path, quality: Mapping[str, PlayerQuality]) -> None:
    """Write ``clicks.csv`` and ``clicks.npz``, the forms of the later releases: a row per round."""
    records = [record for group in passed.by_image.values() for record in group]
    paths = [f"{record.category}/{record.image_id}.png" for record in records]
    rows = [
        {
            "image_path": path,
            "clicks": "{" + ",".join(f'"({x},{y})"' for x, y in record.xy.tolist()) + "}",
            "user_id": user_id(record.player_id),
        }
        for path, record in zip(paths, records, strict=True)
    ]
    write_table(out / "clicks.csv", ["image_path", "clicks", "user_id"], rows)
    catch = [quality[r.player_id].catch_score if r.player_id in quality else float("nan") for r in records]
    arrays: dict[str, NDArray[Any]] = {
        "file_pointer": np.array(paths),
        "clickmap_x": _ragged([record.xy[:, 0] for record in records]),
        "clickmap_y": _ragged([record.xy[:, 1] for record in records]),
        "user_id": np.array([user_id(record.player_id) for record in records]),
        "user_catch_trial": np.array(catch),
        "is_mobile": np.array([[record.is_mobile] for record in records]),
    }
    write_npz(out / "clicks.npz", arrays)


def _ragged(rows: Sequence[NDArray[Any]]) -> NDArray[Any]:
    out = np.empty(len(rows), dtype=object)
    for place, row in enumerate(rows):
        out[place] = row
    return out


def records_of(passed: Kept, deck: Deck, rules: Rules, maps: Mapping[str, NDArray[np.float32]]) -> list[bytes]:
    """Return the records of the release's first form: raw float32 picture (0 … 255) and map, label, click count."""
    labels = {category: number for number, category in enumerate(deck.categories)}
    out = []
    for name, records in passed.by_image.items():
        features: dict[str, list[bytes] | list[int]] = {
            "image": [pixels(deck.cards[name].path, rules.picture_px).astype("<f4").tobytes()],
            "heatmap": [maps[name].astype("<f4").tobytes()],
            "label": [labels[deck.cards[name].category]],
            "click_count": [sum(record.n_bubbles for record in records)],
        }
        out.append(tfrecord.encode(features))
    return out


def write_table(path: Path, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Write a CSV file, atomically."""
    csv_text.write(path, columns, [[row.get(name, "") for name in columns] for row in rows])
