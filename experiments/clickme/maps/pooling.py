"""Maps of images from rounds: pooled over players, and of each player."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rapidvision.numerics.blur import blurred, parse

from ..game.rules import Rules
from ..storage.collected import RoundRecord
from .bubbles import counts, pooled

_FULL_SCALE = 65535


@dataclass(frozen=True, slots=True)
class Form:
    """How maps are made and which files are written.

    Attributes
    ----------
    blur : str
        ``none``, ``paper``, ``gauss:SIGMA``.
    pool : {"players", "bubbles"}
        See :func:`.painting.pooled`.
    per_player : bool
        Write each player's maps.
    tfrecords : {"", "raw", "jpeg"}
        Write the release's TFRecords: raw float32 with click counts, or JPEG without; none where it is empty.
    """

    blur: str = "paper"
    pool: str = "players"
    per_player: bool = False
    tfrecords: str = ""


def map_of(records: Sequence[RoundRecord], rules: Rules, form: Form) -> NDArray[np.float64]:
    """Return the pooled map of an image; a player's rounds on it are one player's."""
    by_player: dict[str, list[Sequence[int]]] = {}
    for record in records:
        by_player.setdefault(record.player_id, []).extend(record.xy.tolist())
    drawn = [counts(xy, side_px=rules.image_px, bubble_px=rules.bubble_px) for xy in by_player.values()]
    return blurred(pooled(drawn, pool=form.pool), parse(form.blur))


def maps_by_player(records: Sequence[RoundRecord], rules: Rules, form: Form) -> dict[str, NDArray[np.float64]]:
    """Return each player's own map of an image, by player id, in sorted order."""
    players = sorted({record.player_id for record in records})
    return {one: map_of([r for r in records if r.player_id == one], rules, form) for one in players}


def stack_of(records: Sequence[RoundRecord], rules: Rules, form: Form, *, block_px: int = 1) -> NDArray[np.float32]:
    """Return the players' own maps of an image, shape (players, height, width), each pixel the mean of a block."""
    side = rules.image_px // block_px
    full = np.stack(list(maps_by_player(records, rules, form).values()))
    cut = full[:, : side * block_px, : side * block_px]
    return np.asarray(cut.reshape(-1, side, block_px, side, block_px).mean(axis=(2, 4)), dtype=np.float32)


def scaled(values: NDArray[np.float64]) -> NDArray[np.uint16]:
    """Return a map as 16-bit grey, its maximum full scale."""
    return np.asarray(np.rint(values / values.max() * _FULL_SCALE), dtype=np.uint16)
