"""The table of a game's players, ``players.csv``: written by ``clickme export`` for the users' own analyses."""

from typing import Annotated

import msgspec

from rapidvision.text.typed_table import TypedTable

NAME = "players.csv"
_Count = Annotated[int, msgspec.Meta(ge=0)]


class Player(msgspec.Struct, frozen=True, kw_only=True):
    """One player of the ClickMe game, and what was seen of the maps that they made.

    Attributes
    ----------
    user_id : str
        The player, without a username; the same as in ``rounds.csv`` and ``clicks.csv``.
    n_maps : int
        Rounds that count.
    agreement : float or None
        Mean rank correlation with the other players' maps of the same images; None without any.
    null : float or None
        The same with the other players' maps of other images.
    p : float or None
        Of the test of agreement against the null; None for players with too few maps.
    n_catch : int
        Rounds on catch images.
    catch_score : float or None
        Share of them in which at least half of the bubbles lie on the object; None where it is unknown.
    automated_share : float
        Share of rounds in which the page reported a remote-controlled browser.
    n_repeated : int
        Rounds whose first steps repeat those of an earlier round.
    flags : str
        Names separated by blanks; empty when there was nothing.
    """

    user_id: str
    n_maps: _Count
    agreement: float | None
    null: float | None
    p: float | None
    n_catch: _Count
    catch_score: float | None
    automated_share: float
    n_repeated: _Count
    flags: str


TABLE = TypedTable(
    Player, version=1, what="the players.csv of a ClickMe export", remedy="write it with `rapidvision clickme export`"
)
