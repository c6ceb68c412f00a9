"""Bodies of requests: JSON of a type, each key once, of bounded size."""

import pytest

pytest.importorskip("starlette")
import msgspec

from rapidvision.errors import RecipeError
from rapidvision.experiments.clickme.game import messages
from rapidvision.experiments.web.app import Problem, decoded


class Named(msgspec.Struct):
    name: str


@pytest.mark.parametrize(
    ("kind", "data", "status", "says"),
    [
        ("text/plain", b'{"name": "a"}', 415, "application/json"),
        ("application/json", b'{"name": "a"', 400, "not JSON"),
        ("application/json", b'{"name": 1}', 422, "str"),
        ("application/json", b'{"name": "a", "name": "b"}', 422, 'the key "name" stands twice'),
        ("application/json", b'{"name": "' + b"a" * 100 + b'"}', 413, "at most 50 bytes"),
    ],
)
def test_a_body_that_cannot_be_taken_is_refused_with_its_reason(kind, data, status, says):
    with pytest.raises(Problem) as refused:
        decoded(kind, data, Named, max_bytes=50)
    assert refused.value.status == status
    assert says in refused.value.text


def test_a_body_of_the_type_is_taken():
    assert decoded("application/json; charset=utf-8", b'{"name": "a", "more": {"a": 1}}', Named).name == "a"


def test_a_message_of_the_game_with_a_key_twice_is_refused():
    with pytest.raises(RecipeError, match="stands twice"):
        messages.decode('{"type": "skip", "round": "a", "round": "b"}')
