"""Every route against everything that is not a game: only refusals, nothing stored, other players not slowed."""

import asyncio
import itertools
import json
import random
import socket
import threading
import time
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa

from rapidvision.experiments.clickme.server import host
from rapidvision.experiments.clickme.storage import tables
from tests import asynchronous
from tests.experiments.clickme.guest import Guest, call
from tests.experiments.clickme.quickgame import bubbles_of, line

#: The whole route table; a test compares it with the server's own.
ROUTES = (
    ("GET", "/"),
    ("GET", "/static/game.js"),
    ("GET", "/api/me"),
    ("GET", "/api/board"),
    ("GET", "/api/rounds/{round}/image.png"),
    ("GET", "/api/rounds/{round}/view.png"),
    ("GET", "/api/play"),
    ("POST", "/api/join"),
    ("POST", "/api/return"),
    ("POST", "/api/links"),
    ("POST", "/api/links/{link}/say"),
    ("POST", "/api/links/{link}/hear"),
    ("GET", "/api/game"),
    ("GET", "/api/me/data"),
    ("POST", "/api/consent"),
    ("POST", "/api/erase"),
)
BODIES = (
    b"", b"null", b"[]", b"{}", b"{", b"\xff\xfe", b"\x00" * 100, b"[" * 20_000, b'{"a":' * 5000, b"1e999", b'"\\ud800"',
    b'{"name": null}', b'{"name": ["a"]}', b'{"name": "a\\u0000b"}', b'{"name": "' + b"\xf0\x9f\x98\x80" * 9 + b'"}',
    b'{"messages": {}}', b'{"messages": [[[]]], "x": 1}', b'{"after": -1}', b'{"after": 1e300}', b'{"after": "0"}',
    b'{"name": "a", "code": ' + b"9" * 400 + b"}", b'"' + b"x" * 70_000 + b'"',
)  # fmt: skip
names = (f"fuzz {number}" for number in itertools.count())


@pytest.fixture
def bystander(server):
    """Somebody who plays a round meanwhile and must not notice anything."""
    with Guest(server.url, next(names)) as guest:
        round_id = guest.begin()
        yield
        assert guest.hear("end", seconds=60)["round"] == round_id
        assert guest.deal()["type"] == "image"


def n_rows(running):
    store = host.existing_store(running.data)
    try:
        count = lambda table: sa.select(sa.func.count()).select_from(table)  # noqa: E731
        return store.read(lambda c: {name: c.scalar(count(t)) for name, t in tables.metadata.tables.items()})
    finally:
        store.close()


def raw(url, content, *, seconds=15.0):
    """Send bytes as they are; return the status of the answer, 0 when the server just closes."""
    with socket.create_connection((urlsplit(url).hostname, urlsplit(url).port), timeout=seconds) as link:
        try:
            link.sendall(content)
            head = link.recv(65536)
        except ConnectionError:
            return 0
    return int(head.split(b" ", 2)[1]) if head.startswith(b"HTTP/") else 0


def test_the_route_table_is_the_server_s():
    from starlette.routing import Route

    from rapidvision.experiments.clickme.server.app import Server
    from rapidvision.experiments.web.tokens import Keyring

    served = Server(None, Keyring(b"0" * 32)).routes()
    found = {(sorted(r.methods - {"HEAD"})[0] if isinstance(r, Route) else "GET", r.path) for r in served}
    known = {(method, path) for method, path in ROUTES}
    names = {"{round}": "{round_id}", "{link}": "{link_id}", "game.js": "{path:path}"}
    for short, long in names.items():
        known = {(method, path.replace(short, long)) for method, path in known}
    assert known == found


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_no_body_method_or_header_gets_more_than_a_refusal(server, bystander, method, path):
    guest = Guest(server.url, next(names))
    before = n_rows(server)
    path = path.replace("{round}", "0" * 32).replace("{link}", "f" * 32)
    expected = {400, 403, 404, 405, 411, 413, 415, 422, 426, 429, 401}
    for body in BODIES:
        for cookie in ("", guest.cookie):
            if method == "POST" and not (path == "/api/links" and cookie):
                status = call(server.url, path, body, cookie=cookie)[0]
                assert status in expected, (path, body[:40], status)
    for other in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "POST" if method == "GET" else "GET", "BREW"):
        head = f"{other} {path} HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{{}}"
        assert raw(server.url, head.encode()) in expected, (other, path)
    for header in (
        "x: " + "y" * 40_000,
        "content-length: -5",
        "content-length: 5\r\ncontent-length: 6",
        "cookie: clickme=" + "z" * 9000,
    ):
        head = f"{method} {path} HTTP/1.1\r\nhost: x\r\n{header}\r\nconnection: close\r\n\r\n"
        status = raw(server.url, head.encode())
        assert status < 500, (header[:30], path, status)
    after = n_rows(server)
    changed = {name for name in before if before[name] != after[name]}
    assert changed <= {"clickme_rounds", "clickme_bubbles"}  # the bystander's
    assert after["clickme_rounds"] - before["clickme_rounds"] <= 1


def test_random_messages_are_refused_and_store_nothing(server, bystander):
    rng = random.Random(2019)
    with Guest(server.url, next(names)) as guest:
        round_id = guest.begin()
        for _ in range(120):
            guest.say(json.dumps(nonsense(rng, round_id)))
            answer = guest.hear("refused", "end")
            if answer["type"] == "end":
                break
            assert answer["code"] in ("not_understood", "no_such_round", "gap", "outside", "too_many")
            time.sleep(0.012)
    assert bubbles_of(server, round_id) == []


def nonsense(rng, round_id):
    """A message that is almost one."""
    wild = [None, True, -1, 1e400, 2**70, "", "x" * 300, [], {}, [[]], float("nan"), [[1]], [[1, 2, 3]], "0" * 32]
    message = {
        "type": rng.choice(["bubbles", "bubbles", "report", "start", "deal ", "skip", "end", 3, None]),
        "round": rng.choice([round_id, *wild]),
        "first": rng.choice([5, *wild]),
        "xy": rng.choice([[[300, 2]], *wild]),
    }
    if message["type"] in ("skip", "start", "report"):
        message["round"] = rng.choice(wild)
    for key in rng.sample(list(message), rng.randrange(2)):
        del message[key]
    if rng.random() < 0.3:
        message[rng.choice(["points", "score", "player"])] = rng.choice(wild)
    return message


def test_players_who_race_with_themselves_get_one_round_and_every_bubble_once(server, bystander):
    guest = Guest(server.url, next(names))
    with guest:
        round_id = guest.begin()
        link = call(server.url, "/api/links", {}, cookie=guest.cookie)[1]["link"]
        packet = {"type": "bubbles", "round": round_id, "first": 0, "xy": line(10)}

        def send():
            for _ in range(4):
                body = {"messages": [packet, {"type": "deal"}]}
                statuses.append(call(server.url, f"/api/links/{link}/say", body, cookie=guest.cookie)[0])

        statuses = []
        threads = [threading.Thread(target=send) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert set(statuses) <= {200, 429}
    assert bubbles_of(server, round_id) == [tuple(place) for place in line(10)]
    store = host.existing_store(server.data)
    try:
        mine = sa.select(sa.func.count()).where(
            tables.rounds.c.player_id
            == sa.select(tables.rounds.c.player_id).where(tables.rounds.c.round_id == round_id).scalar_subquery()
        )
        assert store.read(lambda c: c.scalar(mine)) <= 2  # this one, and at most the next after its end
    finally:
        store.close()


def test_two_who_want_the_same_name_at_once_do_not_both_get_it(server):
    name, statuses = next(names), []
    threads = [
        threading.Thread(target=lambda: statuses.append(call(server.url, "/api/join", {"name": name})[0]))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [201] + [409] * 7


def test_slow_clients_delay_no_other_client(server, bystander):
    """Bodies that never come, heads that never end, and sockets that read nothing."""
    place = (urlsplit(server.url).hostname, urlsplit(server.url).port)
    held = [socket.create_connection(place) for _ in range(40)]
    for number, link in enumerate(held):
        if number % 2:
            link.sendall(
                b"POST /api/join HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 50\r\n\r\n{"
            )
        else:
            link.sendall(b"GET /api/board HTTP/1.1\r\nhost: ")
    with Guest(server.url, next(names)) as guest:
        round_id = guest.begin()
        guest.paint(round_id, line(2))
        assert guest.hear("stored")["upto"] == 2
    for link in held:
        link.close()


def test_giant_packets_close_their_own_socket_only(server, bystander):
    from websockets.asyncio.client import connect
    from websockets.exceptions import ConnectionClosed

    guest = Guest(server.url, next(names))

    async def flood():
        address = server.url.replace("http", "ws", 1) + "api/play"
        async with connect(address, additional_headers={"cookie": guest.cookie}) as link:
            try:
                await link.send("x" * 5_000_000)
                while True:
                    await link.recv()
            except ConnectionClosed as closed:
                return closed.rcvd.code if closed.rcvd else 1009

    assert asynchronous.run(asyncio.wait_for(flood(), 30)) == 1009
    assert call(server.url, "/api/me", cookie=guest.cookie)[0] == 200
