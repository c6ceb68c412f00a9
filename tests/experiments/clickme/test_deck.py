"""Pictures: what a folder must hold, how they are shown, and who gets which."""

import numpy as np
import pytest
from PIL import Image

from rapidvision.errors import InputError
from rapidvision.experiments.clickme.storage.images import pixels, read_deck, read_objects
from rapidvision.formats.png import png_bytes


def test_a_folder_is_read_with_its_phases(pictures):
    deck = read_deck(pictures)
    assert len(deck.main) == 8
    assert len(deck.of("practice")) == 2
    assert deck.of("catch") == ()
    assert deck.categories == ("bird", "cat", "couch", "elephant")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("image_id,path\na,a.png\n", 'no column "category"'),
        ("image_id,path,category\na,a.png,cat\na,a.png,cat\n", "a appears twice"),
        ("image_id,path,category\na,b.png,cat\n", "no file b.png"),
        ("image_id,path,category\na,../secret.png,cat\n", "no file ../secret.png"),
        ("image_id,path,category\n,a.png,cat\n", 'row 2: image_id "" must be letters'),
        ("image_id,path,category\na/b,a.png,cat\n", 'image_id "a/b" must be letters'),
        ("image_id,path,category\na,a.png,\n", "row 2: category is empty"),
        ("image_id,path,category\na,a.png," + "x" * 201 + "\n", "at most 200 characters"),
        ("image_id,path,category\n", "no pictures; the table has only a header"),
        ("image_id,path,category,phase\na,a.png,cat,practice\n", "no picture to play with"),
        ("image_id,path,category,phase\na,a.png,cat,later\n", 'phase is "later". Allowed: main, practice, catch'),
        ("image_id,path,category,phase\na,a.png,cat,catch\n", "needs objects/a.png"),
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
    (tmp_path / "a.png").write_bytes(png_bytes(array))
    assert (pixels(tmp_path / "a.png", 64) == array).all()


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n", b"<svg/>"])
def test_what_is_no_picture_is_named(tmp_path, content):
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(InputError, match="a.png: not a picture"):
        pixels(tmp_path / "a.png", 64)


def test_a_mask_is_the_object_alone_at_the_side_of_the_game(pictures):
    deck = read_deck(pictures)
    masks = read_objects(deck, 128)
    assert set(masks) == set(deck.cards)
    assert {mask.shape for mask in masks.values()} == {(128, 128)}
    assert all(0.03 < mask.mean() < 0.12 for mask in masks.values())
