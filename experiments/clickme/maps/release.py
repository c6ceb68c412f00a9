"""What the readers of the ClickMe releases get to see of a game: clicks of the rounds that count."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import overload

import numpy as np

from rapidvision.formats.game import clicks
from rapidvision.formats.game.clicks import NO_CATCH, Strokes

from ..storage.collected import RoundRecord
from .filters import Kept
from .quality import PlayerQuality


def user_id(player_id: str) -> str:
    """Return a player's id for files: random, without the username, and no formula to a spreadsheet."""
    return f"p_{player_id}"


def path_of(record: RoundRecord) -> str:
    """Return the name of a round's image in the files of the release: ``category/file``."""
    return f"{record.category.replace('/', '_')}/{record.image_id}.png"


def write_clicks(passed: Kept, out: Path, quality: Mapping[str, PlayerQuality]) -> None:
    """Write ``clicks.csv`` and ``clicks.npz`` of the rounds that passed."""
    records = [record for group in passed.by_image.values() for record in group]
    clicks.write_clicks(
        out,
        _StrokesOf(records),
        catch_scores=[_caught(quality.get(record.player_id)) for record in records],
        is_mobile=[record.is_mobile for record in records],
    )


class _StrokesOf(Sequence[Strokes]):
    """The strokes of rounds, each made when it is asked for: as Python numbers they take ten times the memory."""

    def __init__(self, records: Sequence[RoundRecord]) -> None:
        self._records = records

    def __len__(self) -> int:
        return len(self._records)

    @overload
    def __getitem__(self, place: int) -> Strokes: ...
    @overload
    def __getitem__(self, place: slice) -> "_StrokesOf": ...
    def __getitem__(self, place: int | slice) -> "Strokes | _StrokesOf":
        if isinstance(place, slice):
            return _StrokesOf(self._records[place])
        record = self._records[place]
        return Strokes(
            image_path=path_of(record),
            clicks=tuple((x, y) for x, y in record.xy.tolist()),
            user_id=user_id(record.player_id),
        )


def _caught(quality: PlayerQuality | None) -> float:
    """Return the share of catch rounds on the object, and 1 where the player had none that can be judged."""
    judged = quality is not None and quality.n_catch and not np.isnan(quality.catch_score)
    return quality.catch_score if quality is not None and judged else NO_CATCH
