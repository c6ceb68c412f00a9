"""Images: what a folder must hold, how they are shown, and who gets which."""

import numpy as np
import pytest
from PIL import Image

from rapidvision.errors import InputError
from rapidvision.experiments.clickme.storage.displayed import displayed_image, displayed_png
from rapidvision.experiments.clickme.storage.images import doubtful, read_deck, read_maps, read_objects
from rapidvision.images.png import png_bytes


def test_a_folder_is_read_with_its_phases(images):
    deck = read_deck(images)
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
        ("image_id,path,category\n", "no images; the table has only a header"),
        ("image_id,path,category,phase\na,a.png,cat,practice\n", "no image to play with"),
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


def test_a_image_is_cut_to_its_middle_square(tmp_path):
    wide = np.zeros((100, 300, 3), np.uint8)
    wide[:, 100:200, 1] = 200
    Image.fromarray(wide).save(tmp_path / "a.png")
    square = displayed_image(tmp_path / "a.png", 100).pixels
    assert square.shape == (100, 100, 3)
    assert (square == (0, 200, 0)).all()


def test_sixteen_bits_keep_their_grey_and_floats_are_refused(tmp_path):
    """Both were shown as white or black."""
    grey = np.repeat(np.linspace(0, 65535, 64, dtype=np.uint16)[None], 64, axis=0)
    Image.fromarray(grey).save(tmp_path / "a.png")
    assert np.abs(displayed_image(tmp_path / "a.png", 64).pixels[..., 0] - grey / 257.0).max() <= 0.5
    Image.fromarray(grey.astype(np.float32) / 65535).save(tmp_path / "b.tif")
    with pytest.raises(InputError, match="b.tif: an image of F numbers"):
        displayed_image(tmp_path / "b.tif", 64)


def test_the_hash_is_of_the_pixels_not_of_the_packing_and_follows_a_replaced_file(tmp_path):
    array = np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(array).save(tmp_path / "a.png", compress_level=0)
    Image.fromarray(array).save(tmp_path / "b.png", compress_level=9)
    first = displayed_image(tmp_path / "a.png", 32).sha256
    assert first == displayed_image(tmp_path / "b.png", 64).sha256
    Image.fromarray(255 - array).save(tmp_path / "a.png")
    assert displayed_image(tmp_path / "a.png", 32).sha256 != first


def test_the_png_of_a_image_is_made_once(tmp_path):
    Image.new("RGB", (64, 64), (9, 8, 7)).save(tmp_path / "a.png")
    assert displayed_png(tmp_path / "a.png", 64) is displayed_png(tmp_path / "a.png", 64)


def test_small_and_long_images_are_named(tmp_path):
    (tmp_path / "images.csv").write_text("image_id,path,category\na,a.png,cat\nb,b.png,cat\nc,c.png,cat\n")
    for name, size in (("a", (8, 8)), ("b", (2000, 600)), ("c", (300, 400))):
        Image.new("RGB", size).save(tmp_path / f"{name}.png")
    found = doubtful(read_deck(tmp_path), 256)
    assert found == {"a": "8 x 8 pixels: enlarged 32.0 times", "b": "2000 x 600 pixels: 70 % cut off"}


@pytest.mark.parametrize("values", [(0, 255), (0, 1, 255), (0, 0), (0, 2)])
def test_a_mask_without_an_object_of_1_is_refused(tmp_path, values):
    """A mask of 0 and 255 had no object at all, so everybody failed the catch images."""
    (tmp_path / "images.csv").write_text("image_id,path,category\na,a.png,cat\n")
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    (tmp_path / "objects").mkdir()
    Image.fromarray(np.resize(np.array(values, np.uint8), (8, 8))).save(tmp_path / "objects" / "a.png")
    with pytest.raises(InputError, match=r"objects.a.png: a mask has 0 for the background, 1 for the object"):
        read_objects(read_deck(tmp_path), 8)


def test_the_mask_of_a_long_image_is_framed_as_the_image(tmp_path):
    (tmp_path / "images.csv").write_text("image_id,path,category\na,a.png,cat\n")
    Image.new("RGB", (300, 100)).save(tmp_path / "a.png")
    mask = np.zeros((100, 300), np.uint8)
    mask[:, 100:150] = 1
    (tmp_path / "objects").mkdir()
    Image.fromarray(mask).save(tmp_path / "objects" / "a.png")
    framed = read_objects(read_deck(tmp_path), 100)["a"]
    assert (framed == (np.arange(100) < 50)).all()


def test_a_square_image_of_the_right_size_is_shown_unchanged(tmp_path):
    array = np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    (tmp_path / "a.png").write_bytes(png_bytes(array))
    assert (displayed_image(tmp_path / "a.png", 64).pixels == array).all()


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n", b"<svg/>"])
def test_what_is_no_image_is_named(tmp_path, content):
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(InputError, match=r"a.png: "):
        displayed_image(tmp_path / "a.png", 64)


def test_a_mask_is_the_object_alone_at_the_side_of_the_game(images):
    deck = read_deck(images)
    masks = read_objects(deck, 128)
    assert set(masks) == set(deck.cards)
    assert {mask.shape for mask in masks.values()} == {(128, 128)}
    assert all(0.03 < mask.mean() < 0.12 for mask in masks.values())


def test_maps_of_any_form_and_case_are_read_two_of_one_name_refused_and_the_rest_counted(tmp_path, caplog):
    names = ("a", "b", "c", "d")
    ramp = np.outer(np.arange(32), np.arange(32)) // 4 + 1
    for name in names:
        Image.new("RGB", (32, 32)).save(tmp_path / f"{name}.png")
    rows = "".join(f"{name},{name}.png,cat\n" for name in names)
    (tmp_path / "images.csv").write_text(f"image_id,path,category\n{rows}")
    there = tmp_path / "maps" / "clickme"
    there.mkdir(parents=True)
    Image.fromarray(ramp.astype(np.uint8)).save(there / "a.PNG", format="PNG")
    Image.fromarray(ramp.astype(np.uint8)).save(there / "b.tif")
    np.save(there / "c.npy", ramp.astype(float))
    (there / "notes.txt").touch()
    np.save(there / "other.npy", ramp.astype(float))
    deck = read_deck(tmp_path)
    maps = read_maps(deck, "clickme", 32)
    assert list(maps) == ["a", "b", "c"]
    for values in maps.values():
        np.testing.assert_allclose(values / values.max(), ramp / ramp.max(), atol=1e-6)
    assert "clickme: passed over 1 .txt, 1 without an image of their name" in caplog.text
    Image.fromarray(ramp.astype(np.uint8)).save(there / "c.png")
    with pytest.raises(InputError, match=r"c\.npy and c\.png have one name"):
        read_maps(deck, "clickme", 32)


def test_masks_of_objects_may_be_arrays_or_have_their_suffix_in_capitals(tmp_path):
    mask = np.zeros((16, 16), np.uint8)
    mask[4:9, 4:9] = 1
    for name in ("a", "b", "c"):
        Image.new("RGB", (16, 16)).save(tmp_path / f"{name}.png")
    (tmp_path / "images.csv").write_text(
        "image_id,path,category,phase\na,a.png,cat,main\nb,b.png,cat,catch\nc,c.png,cat,catch\n"
    )
    (tmp_path / "objects").mkdir()
    Image.fromarray(mask).save(tmp_path / "objects" / "b.PNG", format="PNG")
    np.save(tmp_path / "objects" / "c.npy", mask)
    masks = read_objects(read_deck(tmp_path), 16)
    assert {name: int(one.sum()) for name, one in masks.items()} == {"b": 25, "c": 25}
