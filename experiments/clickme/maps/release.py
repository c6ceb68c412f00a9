"""What the readers of the ClickMe releases get to see of a game: clicks of the rounds that count."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from rapidvision.formats.game import clicks
from rapidvision.formats.game.clicks import NO_CATCH, Strokes

from .filters import Kept
from .quality import PlayerQuality


def user_id(player_id: str) -> str:
    """Return a player's id for files: random, without the username, and no formula to a spreadsheet."""
    return f"p_{player_id}"


def write_clicks(passed: Kept, out: Path, quality: Mapping[str, PlayerQuality]) -> None:
    """Write ``clicks.csv`` and ``clicks.npz`` of the rounds that passed."""
    records = [record for group in passed.by_image.values() for record in group]
    rounds = [
        Strokes(
            image_path=f"{record.category.replace('/', '_')}/{record.image_id}.png",
            clicks=tuple((x, y) for x, y in record.xy.tolist()),
            user_id=user_id(record.player_id),
        )
        for record in records
    ]
    clicks.write_clicks(
        out,
        rounds,
        catch_scores=[_caught(quality.get(record.player_id)) for record in records],
        is_mobile=[record.is_mobile for record in records],
    )


def _caught(quality: PlayerQuality | None) -> float:
    """Return the share of catch rounds on the object, and 1 where the player had none that can be judged."""
    judged = quality is not None and quality.n_catch and not np.isnan(quality.catch_score)
    return quality.catch_score if quality is not None and judged else NO_CATCH
