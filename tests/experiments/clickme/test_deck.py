"""Pictures: what a folder must hold, how they are shown, and who gets which."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from rapidvision.errors import InputError
from rapidvision.experiments.clickme.deck import Card, Deck, Feed, pixels, png, read_deck


def deck_of(n, n_practice=0, folder="."):
    from pathlib import Path

    names = [f"m{k}" for k in range(n)] + [f"p{k}" for k in range(n_practice)]
    return Deck(Path(folder), {name: Card(name, Path(name), "cat", name[0] == "p", {}) for name in names})


def test_a_folder_is_read_with_its_phases(pictures):
    deck = read_deck(pictures)
    assert len(deck.main) == 8
    assert len(deck.practice) == 2
    assert deck.categories == ("bird", "cat", "couch", "elephant")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("image_id,path\na,a.png\n", "no column category"),
        ("image_id,path,category\na,a.png,cat\na,a.png,cat\n", "line 3: a is listed twice"),
        ("image_id,path,category\na,b.png,cat\n", "no file b.png"),
        ("image_id,path,category\na,../secret.png,cat\n", "no file ../secret.png"),
        ("image_id,path,category\n,a.png,cat\n", "an image_id"),
        ("image_id,path,category\na/b,a.png,cat\n", "without slashes"),
        ("image_id,path,category\na,a.png,\n", "a category are needed"),
        ("image_id,path,category\n", "no picture to play with"),
        ("image_id,path,category,phase\na,a.png,cat,practice\n", "no picture to play with"),
    ],
)
def test_a_table_that_cannot_be_played_is_refused_with_line_and_reason(tmp_path, text, words):
    folder = tmp_path / "in"
    folder.mkdir()
    Image.new("RGB", (8, 8)).save(folder / "a.png")
    Image.new("RGB", (8, 8)).save(tmp_path / "secret.png")
    (folder / "images.csv").write_text(text)
    with pytest.raises(InputError, match=words):
        read_deck(folder)


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_deck(tmp_path / "nowhere")


def test_a_picture_is_cut_to_its_middle_square_and_transparency_becomes_white(tmp_path):
    wide = np.zeros((100, 300, 4), np.uint8)
    wide[..., 3] = 255
    wide[:, 100:200, 1] = 200
    wide[:50, 100:200, 3] = 0
    Image.fromarray(wide).save(tmp_path / "a.png")
    shown = pixels(tmp_path / "a.png", 100)
    assert shown.shape == (100, 100, 3)
    assert (shown[:45] == 255).all()
    assert (shown[55:, 5:95] == (0, 200, 0)).all()


def test_a_square_picture_of_the_right_size_is_shown_as_it_is(tmp_path):
    array = np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    (tmp_path / "a.png").write_bytes(png(array))
    assert (pixels(tmp_path / "a.png", 64) == array).all()


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n", b"<svg/>"])
def test_what_is_no_picture_is_named(tmp_path, content):
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(InputError, match="a.png: not a picture"):
        pixels(tmp_path / "a.png", 64)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 12), st.integers(1, 5), st.integers(0, 3), st.integers(0, 99))
def test_everybody_gets_a_picture_with_the_fewest_maps_and_nobody_the_same_one_twice(
    n_pictures, n_players, n_practice, seed
):
    deck = deck_of(n_pictures, n_practice=3)
    feed = Feed(deck, seed=seed, practice_rounds=n_practice)
    seen = {player: [] for player in range(n_players)}
    for _ in range(n_pictures + n_practice):
        for player, own in seen.items():
            fewest = min((feed.n_maps(name) for name in deck.main if name not in own), default=None)
            name, practice = feed.deal(str(player))
            assert practice == (len(own) < n_practice)
            assert practice or feed.n_maps(name) == fewest + 1
            own.append(name)
    for player, own in seen.items():
        assert feed.deal(str(player)) is None
        assert sorted(set(own)) == sorted(own)
        assert len(own) == n_pictures + n_practice


def test_a_picture_given_back_is_dealt_to_others_first():
    feed = Feed(deck_of(3), seed=1, practice_rounds=0)
    first = feed.deal("anna")
    for _ in range(2):
        feed.deal("anna")
    feed.give_back(first[0], practice=False)
    assert feed.deal("berta") == first


def test_a_removed_picture_is_dealt_to_nobody():
    feed = Feed(deck_of(2), seed=1, practice_rounds=0)
    feed.remove("m0")
    assert [feed.deal("anna"), feed.deal("anna")] == [("m1", False), None]


def test_a_restored_feed_goes_on_where_it_was():
    feed = Feed(deck_of(4), seed=1, practice_rounds=0)
    before = [(player, *feed.deal(player), True) for player in "abcabc"]
    again = Feed(deck_of(4), seed=1, practice_rounds=0)
    again.restore(before)
    assert [feed.deal(player) for player in "abcd"] == [again.deal(player) for player in "abcd"]
