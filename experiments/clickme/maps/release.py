"""Files that the readers of the ClickMe releases know: clicks as CSV and NPZ, pictures and maps as TFRecords.

The code of the later releases (`process_clickme_data` of serre-lab/human_clickme_data_processing, April 2026) reads both
files of clicks: the text of a stroke is a list of pairs, ``[(12, 40), (13, 41)]``; rows of the NPZ stay when their
`user_catch_trial` is at least .95; and a picture is known by the last two parts of its path, category and file.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rapidvision.system.npz import write_npz
from rapidvision.text import csv_text

from .filters import Kept
from .quality import PlayerQuality

#: What `user_catch_trial` says of a player who saw no catch picture: nothing was missed.
NO_CATCH = 1.0


def user_id(player_id: str) -> str:
    """Return a player's id for files: random, without the username, and no formula to a spreadsheet."""
    return f"p_{player_id}"


def write_clicks(passed: Kept, out: Path, quality: Mapping[str, PlayerQuality]) -> None:
    """Write ``clicks.csv`` and ``clicks.npz``, the forms of the later releases: a row per round."""
    records = [record for group in passed.by_image.values() for record in group]
    paths = [f"{record.category.replace('/', '_')}/{record.image_id}.png" for record in records]
    columns = ("image_path", "clicks", "user_id")
    rows = (
        (path, str([tuple(place) for place in record.xy.tolist()]), user_id(record.player_id))
        for path, record in zip(paths, records, strict=True)
    )
    csv_text.write(out / "clicks.csv", columns, rows)
    arrays: dict[str, NDArray[Any]] = {
        "file_pointer": np.array(paths),
        "clickmap_x": _ragged([record.xy[:, 0].astype(np.int32) for record in records]),
        "clickmap_y": _ragged([record.xy[:, 1].astype(np.int32) for record in records]),
        "user_id": np.array([user_id(record.player_id) for record in records]),
        "user_catch_trial": np.array([_caught(quality.get(record.player_id)) for record in records]),
        "is_mobile": np.array([[record.is_mobile] for record in records]),
    }
    write_npz(out / "clicks.npz", arrays.items())


def _caught(quality: PlayerQuality | None) -> float:
    """Return the share of catch rounds on the object, and 1 where the player had none that can be judged."""
    judged = quality is not None and quality.n_catch and not np.isnan(quality.catch_score)
    return quality.catch_score if quality is not None and judged else NO_CATCH


def _ragged(rows: Sequence[NDArray[Any]]) -> NDArray[Any]:
    out = np.empty(len(rows), dtype=object)
    for place, row in enumerate(rows):
        out[place] = row
    return out
