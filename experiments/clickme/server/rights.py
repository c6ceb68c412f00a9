"""Consent, a copy of one's data, and erasure, as players ask for them on the page."""

from collections.abc import Callable
from typing import Annotated

import msgspec
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import Route

from ...web.app import Problem, body_as, reply
from ...web.login import check_origin
from ...web.tokens import Keyring
from ..storage import rights, tables
from .game_loop import LiveGame
from .serving import served_to

#: Letters of the code with which a player's data are deleted.
_CODE_LETTERS = 16


class _Agreed(msgspec.Struct, forbid_unknown_fields=True):
    consent: Annotated[str, msgspec.Meta(max_length=64)]
    of_age: bool = False


class _Erase(msgspec.Struct, forbid_unknown_fields=True):
    code: Annotated[str, msgspec.Meta(max_length=40)]


def withdrawal_code(keys: Keyring, player_id: str) -> str:
    """Return the code with which a player's data are deleted."""
    return keys.code("withdrawal", player_id, length=_CODE_LETTERS)


def withdrawal_hash(keys: Keyring, code: str) -> str:
    """Return what the database keeps of such a code."""
    return keys.pseudonym("withdrawal", code)


def check_consent(live: LiveGame, consent: str, *, of_age: bool) -> None:
    """Refuse players who have not agreed to today's text, or have not said that they are old enough."""
    game = live.game
    if game.consent and consent != game.consent_sha256:
        raise Problem(422, "consent", "please read the text and agree to it first")
    if game.min_age and not of_age:
        raise Problem(422, "age", f"this game is for people of {game.min_age} years or more")


class Rights:
    """The routes of players' rights.

    Parameters
    ----------
    live : LiveGame
        The game.
    keys : Keyring
        Makes the withdrawal codes.
    player : callable
        Connection → id of the player whose cookie it carries, or None.
    limit : callable
        Raises where an address asks too often.
    """

    def __init__(
        self,
        live: LiveGame,
        keys: Keyring,
        player: Callable[[HTTPConnection], str | None],
        limit: Callable[[Request], None],
    ) -> None:
        self.live, self.keys, self._player, self._limit = live, keys, player, limit

    def routes(self) -> list[Route]:
        """What is served."""
        return [
            Route("/api/game", self.game),
            Route("/api/consent", self.consent, methods=["POST"]),
            Route("/api/me/data", self.data),
            Route("/api/erase", self.erase, methods=["POST"]),
        ]

    async def game(self, _request: Request) -> Response:
        """Say what a player must agree to."""
        game = self.live.game
        return reply({
            "name": game.name,
            "consent": game.consent,
            "consent_sha256": game.consent_sha256,
            "min_age": game.min_age,
        })  # fmt: skip

    async def consent(self, request: Request) -> Response:
        """Keep that a player who came back agrees to a text that has changed."""
        check_origin(request)
        player_id = self._known(request)
        body = await body_as(request, _Agreed)
        check_consent(self.live, body.consent, of_age=body.of_age)
        await self.live.store.write(lambda connection: rights.agree(connection, player_id, body.consent))
        self.live.lobby.consents[player_id] = body.consent
        return reply({"consent": body.consent})

    async def data(self, request: Request) -> Response:
        """Return all that is stored about the player who asks."""
        player_id = self._known(request)
        found = await self.live.store.query(lambda connection: rights.own_data(connection, player_id))
        answer = reply(found)
        answer.headers["content-disposition"] = 'attachment; filename="my-clickme-data.json"'
        return answer

    async def erase(self, request: Request) -> Response:
        """Delete a player's data by the withdrawal code, with or without the player's cookie."""
        check_origin(request)
        self._limit(request)
        code = (await body_as(request, _Erase)).code.strip().upper().replace("-", "").replace(" ", "")
        column, hashed = tables.players.c.withdrawal_hash, withdrawal_hash(self.keys, code)
        kind = self.live.lobby.players
        player_id = await self.live.store.query(lambda c: rights.player_of(c, column, hashed, kind))
        if player_id is None:
            raise Problem(403, "code", "no player has this code; it has 16 letters and digits")
        done = await erase_player(self.live, player_id)
        return reply({"erased": True, "rounds": done.n_rounds, "bubbles": done.n_bubbles})

    def _known(self, request: Request) -> str:
        player_id = self._player(request)
        if player_id is None:
            raise Problem(401, "who", "choose a username first")
        return player_id


async def erase_player(live: LiveGame, player_id: str) -> rights.Erased:
    """Take a player out of the running game, then delete their data; nothing on its way is written after that.

    Raises
    ------
    StoreUnavailable
        When the database cannot delete now; the player is then still there.
    """
    name = live.standings.names.pop(player_id, None)
    try:
        await live.dismiss(player_id)
        had = await live.store.query(lambda connection: served_to(connection, live.lobby.players))
        done = await live.store.erase(lambda connection: rights.erase(connection, player_id, who=rights.BY_PLAYER))
    except BaseException:
        if name is not None:
            live.standings.names[player_id] = name
        raise
    live.standings.forget(player_id)
    live.lobby.consents.pop(player_id, None)
    live.rounds.forget(player_id, [image for who, image, phase, counts, _ in had if who == player_id and counts])
    return done
