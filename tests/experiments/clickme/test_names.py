"""Usernames: what is welcome, what is not, and that tricks do not help."""

import pytest

from rapidvision.errors import InputError
from rapidvision.experiments.clickme.game.usernames import built_in, checked_name


@pytest.mark.parametrize(
    "name",
    [
        "Anna",
        "李小龙",
        "Zoë B",
        "player-1",
        "Scunthorpe fan",
        "Dickens",
        "Hancock",
        "Assam tea",
        "Therapist",
        "Mushita",
        "J. R. R. Tolkien",
        "42",
    ],
)
def test_innocent_names_are_welcome(name):
    assert checked_name(name) == name


@pytest.mark.parametrize(
    "name", ["a", "", "x" * 21, "<script>", "a/b", "=1+1", "-anna", "anna\n", "a\u202eb", "@home", "🙂🙂"]
)
def test_names_of_other_forms_are_refused(name):
    if name == "anna\n":
        assert checked_name(name) == "anna"
        return
    with pytest.raises(InputError, match="username"):
        checked_name(name)


def test_every_listed_word_is_refused_in_its_disguises():
    anywhere, whole = built_in()
    assert len(anywhere) + len(whole) > 30
    for word in (*anywhere, *whole):
        inside = (f"x{word}x",) if word in anywhere else (f"x {word} x",)
        for disguise in (word, word.upper(), ".".join(word), word.replace("i", "1").replace("o", "0"), *inside):
            if len(disguise) <= 20:
                with pytest.raises(InputError, match="choose another"):
                    checked_name(disguise)


def test_an_operator_s_words_are_refused_too():
    with pytest.raises(InputError, match="choose another"):
        checked_name("The Dean", blocked=["dean"])
