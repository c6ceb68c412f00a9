"""Who plays: people, people who rehearse, and simulated players, who are never counted together."""

from typing import Literal, TypeAlias, get_args

#: ``human`` players make the maps; ``pilot`` players joined a server in rehearsal; ``simulated`` ones are programs of
#: ``clickme simulate``.
PlayerKind: TypeAlias = Literal["human", "pilot", "simulated"]
KINDS: tuple[PlayerKind, ...] = get_args(PlayerKind)
