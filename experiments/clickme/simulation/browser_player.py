"""Simulated players of a served game: they join over HTTP and play over the socket in real time, as a page would."""

import asyncio
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from rapidvision.errors import InputError
from rapidvision.seeds import stream
from rapidvision.system import files

from ... import clock
from ..game.rules import Rules
from .simulated_player import Player, stroke

#: Finds the map that a player has in mind from the image on the screen; None where it knows none.
Mind = Callable[[NDArray[np.uint8]], NDArray[np.floating] | None]


def fingerprint(image: NDArray[np.uint8]) -> str:
    """Return what tells images on the screen apart."""
    return files.sha256(np.ascontiguousarray(image).tobytes())


def mind_of(images: Mapping[str, NDArray[np.uint8]], maps: Mapping[str, NDArray[np.floating]]) -> Mind:
    """Return the memory of players who know the maps of these images."""
    known = {fingerprint(image): maps[name] for name, image in images.items() if name in maps}
    return lambda image: known.get(fingerprint(image))


@dataclass(slots=True)
class Played:
    """What a player saw of a round.

    Attributes
    ----------
    round_id : str
        The server's name for it.
    placed : list of (int, int)
        Bubbles sent.
    acknowledged : int
        How many of them the server said it has stored.
    answers_ms : list of float
        From sending a bubble that asked to word of the partner's look.
    result : str
        As the server said; empty when the connection was lost for good.
    points : int
        0 … 100.
    refused : list of str
        Codes of refusals.
    """

    round_id: str
    placed: list[tuple[int, int]] = field(default_factory=list)
    acknowledged: int = 0
    answers_ms: list[float] = field(default_factory=list)
    result: str = ""
    points: int = 0
    refused: list[str] = field(default_factory=list)


class Visitor:
    """One simulated player at a server.

    Parameters
    ----------
    url : str
        The page's address.
    player : Player
        How it plays.
    mind : callable
        What it knows of an image.
    seed : int
        Fixes its hand.
    patience_s : float
        How long it tries to reach a server that is away.
    """

    def __init__(self, url: str, player: Player, mind: Mind, *, seed: int, patience_s: float = 20.0) -> None:
        self.url, self.player, self.mind = url.rstrip("/"), player, mind
        self.seed, self.patience_s = seed, patience_s
        self.cookie = ""
        self.rounds: list[Played] = []

    def join(self) -> None:
        """Enter with the player's name; raises InputError when the server refuses."""
        body = json.dumps({"name": self.player.name}).encode()
        request = Request(f"{self.url}/api/join", body, {"content-type": "application/json"})  # noqa: S310  the caller's own address
        try:
            with urlopen(request, timeout=20) as answer:  # noqa: S310
                self.cookie = answer.headers["set-cookie"].partition(";")[0]
        except HTTPError as error:
            raise InputError(f"{self.url}: {self.player.name} was not let in ({error.read().decode()})") from error

    async def play(self, n_rounds: int) -> list[Played]:
        """Play so many rounds, or until there are no more images; comes back when the server goes away."""
        if not self.cookie:
            await asyncio.to_thread(self.join)
        tries_until = clock.now_s() + self.patience_s
        while sum(bool(done.result) for done in self.rounds) < n_rounds:
            try:
                if not await self._visit(n_rounds):
                    break
                tries_until = clock.now_s() + self.patience_s
            except (OSError, EOFError, _Lost):
                if clock.now_s() > tries_until:
                    raise InputError(f"{self.url}: the server has been away for {self.patience_s:g} s") from None
                await asyncio.sleep(0.05)
        return self.rounds

    async def _visit(self, n_rounds: int) -> bool:
        """Play over one connection; False when there are no more images."""
        from websockets.asyncio.client import connect
        from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage

        address = urlsplit(self.url)._replace(scheme="wss" if self.url.startswith("https") else "ws").geturl()
        try:
            async with connect(f"{address}/api/play", additional_headers={"cookie": self.cookie}) as socket:
                while sum(bool(done.result) for done in self.rounds) < n_rounds:
                    await socket.send(json.dumps({"type": "deal"}))
                    if not await self._round(socket):
                        return False
                return True
        except (ConnectionClosed, InvalidHandshake, InvalidMessage) as error:
            raise _Lost(str(error)) from error

    async def _round(self, socket: Any) -> bool:
        image = await self._next_of(socket, "image", "refused")
        if image["type"] == "refused":
            return False
        own = Played(image["round"])
        self.rounds.append(own)
        if image["elapsed_ms"] is not None:  # begun before the connection broke: the clock ends it
            while (message := json.loads(await socket.recv()))["type"] != "end":
                pass
            own.result = message["result"]
            return True
        rules = Rules(**image["rules"])
        pixels = await asyncio.to_thread(self._image, own.round_id)
        rng = stream(self.seed, "visitor", self.player.name, len(self.rounds))
        moves = stroke(self.player, self.mind(pixels), rules, rng=rng)
        await socket.send(json.dumps({"type": "start", "round": own.round_id, "pointer": "mouse", "automated": True}))
        sent_s: dict[int, float] = {}
        painting = asyncio.create_task(self._paint(socket, own, moves, sent_s))
        try:
            await self._listen(socket, own, sent_s)
        finally:
            painting.cancel()
            await asyncio.gather(painting, return_exceptions=True)
        return True

    async def _paint(self, socket: Any, own: Played, moves: Any, sent_s: dict[int, float]) -> None:
        started = clock.now_s()
        for seq, move in enumerate(moves):
            wait_s = move.at_ms / 1000 - (clock.now_s() - started)
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            place = (move.x, move.y)
            own.placed.append(place)
            sent_s[seq] = clock.now_s()
            packet = {"type": "bubbles", "round": own.round_id, "first": seq, "xy": [place], "client_ms": [move.at_ms]}
            await socket.send(json.dumps(packet))

    async def _listen(self, socket: Any, own: Played, sent_s: dict[int, float]) -> None:
        while True:
            message = json.loads(await socket.recv())
            if message.get("round") != own.round_id:
                continue
            if message["type"] == "stored":
                own.acknowledged = max(own.acknowledged, message["upto"])
            elif message["type"] == "looked":
                own.answers_ms.append(1000 * (clock.now_s() - sent_s[message["seq"]]))
            elif message["type"] == "refused":
                own.refused.append(message["code"])
            elif message["type"] == "end":
                own.result, own.points = message["result"], message["points"]
                return

    async def _next_of(self, socket: Any, *types: str) -> dict[str, Any]:
        while True:
            message: dict[str, Any] = json.loads(await socket.recv())
            if message["type"] in types:
                return message

    def _image(self, round_id: str) -> NDArray[np.uint8]:
        request = Request(f"{self.url}/api/rounds/{round_id}/image.png", headers={"cookie": self.cookie})  # noqa: S310
        with urlopen(request, timeout=20) as answer, Image.open(io.BytesIO(answer.read())) as opened:  # noqa: S310
            return np.asarray(opened.convert("RGB"), dtype=np.uint8)


class _Lost(Exception):
    """The connection broke; the visitor comes back."""
