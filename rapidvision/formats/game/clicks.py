"""Clicks of the ClickMe game, ``clicks.csv`` and ``clicks.npz``: the forms that the later ClickMe releases have.

The code of those releases (`process_clickme_data` of serre-lab/human_clickme_data_processing, April 2026) reads both
files: the text of a stroke is a list of pairs, ``[(12, 40), (13, 41)]``; rows of the NPZ stay when their
`user_catch_trial` is at least .95; and an image is known by the last two parts of its path, category and file. The forms
are not ours, so the files hold no version; that of an export stands in its ``export.json``.
"""

import ast
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from rapidvision.errors import InputError
from rapidvision.system.npz import open_npz
from rapidvision.text import csv_text

#: What `user_catch_trial` says of a player who saw no catch image: nothing was missed.
NO_CATCH = 1.0
_COLUMNS = ("image_path", "clicks", "user_id")


class Strokes(msgspec.Struct, frozen=True, kw_only=True):
    """One round's clicks.

    Attributes
    ----------
    image_path : str
        ``category/file``.
    clicks : tuple of (int, int)
        Where bubbles were placed, in order: x and y in pixels.
    user_id : str
        The player, without a username.
    """

    image_path: str
    clicks: tuple[tuple[int, int], ...]
    user_id: str


def write_clicks(
    folder: Path | str, rounds: Sequence[Strokes], *, catch_scores: Sequence[float], is_mobile: Sequence[bool]
) -> None:
    """Write ``clicks.csv`` and ``clicks.npz``: a row per round.

    Parameters
    ----------
    folder : path-like
        Where.
    rounds : sequence of Strokes
        In the order of both files; gone through several times, so it may make its items when they are asked for.
    catch_scores : sequence of float
        The share of catch images that each round's player passed, 0 … 1; :data:`NO_CATCH` where there was none.
    is_mobile : sequence of bool
        Whether each round was played on a mobile device.
    """
    rows = ((one.image_path, str([tuple(place) for place in one.clicks]), one.user_id) for one in rounds)
    csv_text.write(Path(folder) / "clicks.csv", _COLUMNS, rows)
    with open_npz(Path(folder) / "clicks.npz") as out:
        out.add("file_pointer", np.array([one.image_path for one in rounds]))
        for axis, name in enumerate(("clickmap_x", "clickmap_y")):
            lists = ([place[axis] for place in one.clicks] for one in rounds)
            out.add_ragged(name, lists, len(rounds))
        out.add("user_id", np.array([one.user_id for one in rounds]))
        out.add("user_catch_trial", np.array(catch_scores))
        out.add("is_mobile", np.array([[one] for one in is_mobile]))


def read_clicks(path: Path | str) -> list[Strokes]:
    """Read ``clicks.csv``.

    Raises
    ------
    InputError
        When a column is missing, or a cell is no list of pairs; the message names file and row.

    Examples
    --------
    >>> import tempfile
    >>> one = Strokes(image_path="cat/cat-01.png", clicks=((12, 40), (13, 41)), user_id="p_1")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_clicks(folder, [one], catch_scores=[NO_CATCH], is_mobile=[False])
    ...     read_clicks(Path(folder) / "clicks.csv") == [one]
    True
    """
    found = []
    for number, row in enumerate(csv_text.read(path, _COLUMNS), 2):
        try:
            places = msgspec.convert(ast.literal_eval(row["clicks"]), tuple[tuple[int, int], ...])
        except (ValueError, SyntaxError, TypeError) as error:
            raise InputError(f"{path}: row {number}: clicks is no list of pairs of whole numbers ({error})") from None
        found.append(Strokes(image_path=row["image_path"], clicks=places, user_id=row["user_id"]))
    return found
