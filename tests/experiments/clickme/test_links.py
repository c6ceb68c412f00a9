"""Play by POST: the same game, the same acknowledgements, and the same refusals as over a socket."""

import asyncio
import itertools
import json

import pytest

from rapidvision.experiments.clickme.server import transport
from rapidvision.experiments.clickme.server.transport import MOST_LINKS, PostLink, PostLinks
from tests import asynchronous
from tests.experiments.clickme.guest import Guest, call
from tests.experiments.clickme.quickgame import bubbles_of, line

names = (f"poster {number}" for number in itertools.count())


class Poster(Guest):
    """A guest without a socket."""

    def open(self, **_more):
        status, answer, _ = call(self.url, "/api/links", {}, cookie=self.cookie)
        assert status == 201, answer
        self.link, self.after, self.heard = answer["link"], 0, []
        return self

    def post(self, what, body, **more):
        return call(self.url, f"/api/links/{self.link}/{what}", body, cookie=more.pop("cookie", self.cookie), **more)

    def say(self, message):
        status, answer, _ = self.post("say", {"messages": [message]})
        assert status == 200, answer

    def hear(self, *types, seconds=10):
        for _ in range(20):
            while self.heard:
                message = self.heard.pop(0)
                if not types or message["type"] in types:
                    return message
            status, answer, _ = self.post("hear", {"after": self.after})
            assert status == 200, answer
            self.after, self.heard = answer["last"], answer["messages"]
        raise AssertionError(f"never heard {types}")

    def __exit__(self, *_):
        pass


def test_a_round_by_post_is_stored_and_ends_like_any_other(server):
    with Poster(server.url, next(names)) as guest:
        round_id = guest.begin()
        guest.paint(round_id, line(3))
        assert guest.hear("stored")["upto"] == 3
        guest.paint(round_id, line(5))
        assert guest.hear("stored")["upto"] == 5
        assert guest.hear("end")["result"] == "time"
    assert bubbles_of(server, round_id) == [tuple(place) for place in line(5)]


def test_many_messages_in_one_post_are_taken_in_order(server):
    with Poster(server.url, next(names)) as guest:
        round_id = guest.deal()["round"]
        start = {"type": "start", "round": round_id}
        bubbles = [{"type": "bubbles", "round": round_id, "first": k, "xy": [line(9)[k]]} for k in range(9)]
        assert guest.post("say", {"messages": [start, *bubbles]})[1] == {"taken": 10}
        while guest.hear("stored", "refused")["upto"] < 9:
            pass
    assert bubbles_of(server, round_id) == [tuple(place) for place in line(9)]


def test_what_was_not_heard_comes_again_and_what_was_heard_does_not(server):
    with Poster(server.url, next(names)) as guest:
        guest.say({"type": "deal"})
        first = guest.post("hear", {"after": 0})[1]
        again = guest.post("hear", {"after": 0})[1]
        assert first == again
        assert first["messages"][0]["type"] == "image"
        guest.say({"type": "deal"})
        assert guest.post("hear", {"after": first["last"]})[1]["last"] == first["last"] + 1


def test_a_link_takes_over_from_a_socket_and_a_socket_from_a_link(server):
    guest = Guest(server.url, next(names))
    with guest:
        round_id = guest.begin()
        guest.paint(round_id, line(2))
        guest.hear("stored")
        poster = Poster.__new__(Poster)
        poster.url, poster.cookie = guest.url, guest.cookie
        poster.open()
        image = poster.hear("image")
        assert (image["round"], image["xy"]) == (round_id, line(2))
        assert [json.loads(message) for message in guest.socket][-1]["type"] == "moved"
        guest.open()
        assert poster.hear("moved")["type"] == "moved"


@pytest.mark.parametrize("what", ["say", "hear"])
def test_a_link_belongs_to_its_player_alone(server, what):
    with Poster(server.url, next(names)) as owner:
        thief = Guest(server.url, next(names))
        body = {"messages": [{"type": "deal"}]} if what == "say" else {"after": 0}
        for cookie in (thief.cookie, "", "clickme=forged"):
            assert owner.post(what, body, cookie=cookie)[0] == 404
        assert call(server.url, f"/api/links/{'0' * 32}/{what}", body, cookie=owner.cookie)[0] == 404
        assert owner.post(what, body, headers={"origin": "https://elsewhere.example"})[0] == 403


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"messages": [{"type": "deal"}] * 65}, 422),
        ({"messages": "deal"}, 422),
        ({"messages": [], "points": 9}, 422),
        ({}, 422),
        (b"{", 400),
        (b"", 400),
        (b'"' + b"x" * 70_000 + b'"', 413),
    ],
)
def test_malformed_posts_are_refused(server, body, status):
    with Poster(server.url, next(names)) as guest:
        assert guest.post("say", body)[0] == status
        assert guest.deal()["type"] == "image"


def test_a_message_that_is_not_understood_is_answered_and_the_others_are_taken(server):
    with Poster(server.url, next(names)) as guest:
        guest.post("say", {"messages": [{"type": "end", "points": 1e9}, "deal", {"type": "deal"}]})
        assert [guest.hear()["type"] for _ in range(3)] == ["refused", "refused", "image"]


def test_a_flood_by_post_is_slowed_down_and_other_clients_are_not(server):
    with Poster(server.url, next(names)) as flood, Poster(server.url, next(names)) as other:
        statuses = {flood.post("say", {"messages": [{"type": "nonsense"}] * 64})[0] for _ in range(6)}
        assert statuses == {200, 429}
        assert other.deal()["type"] == "image"


def test_links_of_one_player_are_few_and_silent_ones_are_forgotten(monkeypatch):
    known = PostLinks()
    opened = [known.open("anna") for _ in range(MOST_LINKS + 2)]
    assert [len(surplus) for _, surplus in opened] == [0] * MOST_LINKS + [1, 1]
    assert known.find(opened[0][0].link_id, "anna") is None
    assert known.find(opened[-1][0].link_id, "anna") is opened[-1][0]
    assert known.find(opened[-1][0].link_id, "berta") is None
    monkeypatch.setattr(transport, "GONE_S", -1.0)
    assert len(known.gone()) == MOST_LINKS
    assert len(known) == 0


def test_a_question_without_news_is_answered_with_none(monkeypatch):
    monkeypatch.setattr(transport, "HEAR_S", 0.01)

    async def ask():
        link = PostLink("anna")
        quiet = await link.hear(0)
        waiting = asyncio.create_task(link.hear(0))
        await link.send({"type": "stored"})
        return quiet, await waiting, await link.hear(1)

    assert asynchronous.run(ask()) == (([], 0), ([{"type": "stored"}], 1), ([], 1))
