"""A client that sends a server what the page sends, message by message, and may misbehave."""

import json
import urllib.error
import urllib.request
from contextlib import ExitStack

from websockets.sync.client import connect


def call(url, path, body=None, *, cookie="", headers=None):
    """Return status, JSON and cookie."""
    data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    all_headers = {"content-type": "application/json", **({"cookie": cookie} if cookie else {}), **(headers or {})}
    request = urllib.request.Request(url.rstrip("/") + path, data, all_headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            content, status, got = answer.read(), answer.status, answer.headers.get("set-cookie", "")
    except urllib.error.HTTPError as error:
        content, status, got = error.read(), error.code, ""
    value = json.loads(content) if content[:1] in (b"{", b"[") else content
    return status, value, got.partition(";")[0]


class Guest:
    def __init__(self, url, name):
        self.url = url
        status, self.me, self.cookie = call(url, "/api/join", {"name": name})
        assert status == 201, self.me
        self.socket = None
        self.sockets = ExitStack()

    def open(self, **more):
        address = self.url.replace("http", "ws", 1).rstrip("/") + "/api/play"
        link = connect(address, additional_headers={"cookie": self.cookie, **more}, open_timeout=20)
        self.socket = self.sockets.enter_context(link)
        return self

    def say(self, message):
        self.socket.send(message if isinstance(message, str) else json.dumps(message))

    def hear(self, *types, seconds=10):
        """Return the next message of one of these types."""
        while True:
            message = json.loads(self.socket.recv(timeout=seconds))
            if not types or message["type"] in types:
                return message

    def deal(self):
        self.say({"type": "deal"})
        return self.hear("image", "refused")

    def begin(self):
        image = self.deal()
        self.say({"type": "start", "round": image["round"], "pointer": "mouse"})
        self.hear("started")
        return image["round"]

    def paint(self, round_id, places, first=0):
        self.say({"type": "bubbles", "round": round_id, "first": first, "xy": places})

    def __enter__(self):
        return self.open()

    def __exit__(self, *_):
        self.sockets.close()
