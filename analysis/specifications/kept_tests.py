"""Finished analyses as files, found again by the content that they were computed from."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd

from rapidvision import __version__
from rapidvision.system import files

from ..table.trials import Trials

#: Of a kept file; another version is computed again.
VERSION = 2


class LevelRow(msgspec.Struct, frozen=True):
    """What an analysis found at one level; None where nothing was tested."""

    level: str
    difference: float | None
    standardized: float | None
    p: dict[str, float | None]


class Finished(msgspec.Struct, frozen=True):
    """One finished test, with the p of every correction; `why` says why there is none."""

    version: int
    conditions: tuple[str, ...]
    n: tuple[int, ...]
    levels: tuple[LevelRow, ...]
    why: str = ""


def content_of(trials: Trials) -> str:
    """A digest of all that a test can see of a table: rows that count, guess rate, options."""
    frame = trials.people()
    rows = pd.util.hash_pandas_object(frame.astype(str), index=False).to_numpy(dtype=np.uint64)
    head = {"columns": [str(column) for column in frame], "guess": trials.guess, "options": trials.options}
    return files.canonical_digest({**head, "rows": files.sha256(np.sort(rows).tobytes())})


class Kept:
    """A folder of finished tests; without a folder nothing is kept."""

    def __init__(self, folder: Path | str | None, trials: Trials) -> None:
        self.folder = Path(folder) if folder is not None else None
        self.content = content_of(trials) if folder is not None else ""

    def path(self, options: Mapping[str, Any]) -> Path | None:
        """The file of a test with these options."""
        if self.folder is None:
            return None
        key = files.canonical_digest({"table": self.content, "version": __version__, "options": dict(options)})
        return self.folder / f"{key[:32]}.json"

    def get(self, options: Mapping[str, Any]) -> Finished | None:
        """The finished test; None where there is none, or the file is of another version or damaged."""
        path = self.path(options)
        if path is None or not path.is_file():
            return None
        try:
            found = msgspec.json.decode(path.read_bytes(), type=Finished)
        except msgspec.MsgspecError:
            return None
        return found if found.version == VERSION else None

    def put(self, options: Mapping[str, Any], found: Finished) -> None:
        """Keep a finished test."""
        if (path := self.path(options)) is not None:
            files.write_json(path, found)
