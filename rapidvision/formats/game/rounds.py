"""The table of a game's rounds, ``rounds.csv``: written by ``clickme export``, read by ``analyse strategy``."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from rapidvision.text.typed_table import TypedTable

NAME = "rounds.csv"
#: How a round ended: the partner recognised, the time was over, the player skipped it or went away, the server stopped.
RoundResult = Literal["solved", "time", "skipped", "left", "interrupted"]
RoundPhase = Literal["practice", "main", "catch"]
Count = Annotated[int, msgspec.Meta(ge=0)]


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """One round of the ClickMe game; the fields are the table's columns, in this order.

    Attributes
    ----------
    round_id, image_id, category : str
        Which round, on which image.
    phase : {"practice", "main", "catch"}
        Only main rounds make maps.
    started_utc, ended_utc : str
        ISO 8601; empty where a round never started.
    result : {"solved", "time", "skipped", "left", "interrupted"}
        How it ended.
    points : float
        0 … 1.
    duration_ms : float
        From the start.
    n_bubbles : int
        Bubbles placed.
    partner, partner_state, pointer : str
        Who guessed, in which state, and what painted; empty where it is unknown.
    is_mobile, automated : bool
        As the page said.
    n_refused : int
        Packets that the rules refused.
    image_sha256 : str
        Hash of the decoded pixels of the image that was played.
    rules : str
        First twelve digits of the digest of the rules, as ``clickme export --rules`` takes them.
    user_id : str
        The player, without a username.
    left_out : str
        Why the round is in no map; empty where it is in one.
    """

    round_id: str
    image_id: str
    category: str
    phase: RoundPhase
    started_utc: str
    ended_utc: str
    result: RoundResult
    points: float
    duration_ms: float
    n_bubbles: Count
    partner: str
    partner_state: str
    pointer: str
    is_mobile: bool
    automated: bool
    n_refused: Count
    image_sha256: str
    rules: str
    user_id: str
    left_out: str


#: The table: its columns, version, writer and reader.
TABLE = TypedTable(
    Round, version=2, what="the rounds.csv of a ClickMe export", remedy="write it with `rapidvision clickme export`"
)


def write_rounds(path: Path | str, rounds: Iterable[Round]) -> None:
    """Write the table, atomically: a header and a row per round."""
    TABLE.write(path, rounds)


def read_rounds(path: Path | str) -> list[Round]:
    """Read the table.

    Parameters
    ----------
    path : path-like
        ``rounds.csv`` of a ClickMe export.

    Returns
    -------
    list of Round
        In the order of the file.

    Raises
    ------
    InputError
        When a column is missing or unknown, or a cell does not fit; the message names file, row and column.

    Examples
    --------
    >>> import tempfile
    >>> one = Round(round_id="r1", image_id="cat-01", category="cat", phase="main", started_utc="2026-01-01T00:00:00Z",
    ...             ended_utc="2026-01-01T00:00:09Z", result="solved", points=0.5, duration_ms=9000.0, n_bubbles=12,
    ...             partner="gala", partner_state="answered", pointer="mouse", is_mobile=False, automated=False,
    ...             n_refused=0, image_sha256="ab", rules="cd", user_id="p_1", left_out="")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_rounds(Path(folder) / "rounds.csv", [one])
    ...     read_rounds(Path(folder) / "rounds.csv") == [one]
    True
    """
    return TABLE.read(path)
