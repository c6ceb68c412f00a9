import numpy as np
import pytest

from rapidvision.errors import InputError
from rapidvision.gala_models.data.dataset import check_labels, open_store, pack
from rapidvision.gala_models.data.example import Example
from rapidvision.gala_models.weights.card import Category


def test_what_goes_in_comes_out(make_store, squares, tmp_path):
    store = make_store(share_of_maps=0.5)
    for row, example in enumerate(squares(share_of_maps=0.5)):
        np.testing.assert_array_equal(store.images[row], example.image)
        assert store.labels[row] == example.label
        assert store.has_map[row] == (example.importance is not None)
        if example.importance is not None:
            expected = np.round(example.importance / example.importance.max() * 255)
            np.testing.assert_array_equal(store.maps[row], expected)
    again = open_store(tmp_path / "store")
    assert again.description == store.description
    assert again.description.n_maps == 24


def test_equal_content_has_an_equal_digest(make_store):
    assert make_store("a").description.digest == make_store("b").description.digest
    assert make_store("a2", share_of_maps=0.9).description.digest != make_store("b2").description.digest


def test_larger_images_are_brought_to_size_with_their_maps(tmp_path):
    image, importance = np.zeros((80, 120, 3), np.uint8), np.zeros((80, 120), np.float32)
    image[30:50, 50:70], importance[30:50, 50:70] = 255, 4.0
    store = pack([Example("a", image, 0, importance)], tmp_path / "s", n=1, side_px=40)
    assert store.images[0, 20, 20].tolist() == [255] * 3
    bright = store.images[0, ..., 0] > 127
    assert (bright == (store.maps[0] > 127)).all()
    assert bright.sum() == 100


BAD = {
    "all zero": np.zeros((8, 8), np.float32),
    "not finite": np.full((8, 8), np.nan, np.float32),
    "negative": np.full((8, 8), -1, np.float32),
    "size 4 x 8": np.ones((4, 8), np.float32),
}


@pytest.mark.parametrize("reason", BAD)
def test_maps_that_cannot_be_used_are_counted_as_missing_or_refused(tmp_path, reason):
    image = np.zeros((8, 8, 3), np.uint8)
    good = np.ones((8, 8), np.float32)
    examples = [Example("good", image, 0, good), Example("bad", image, 1, BAD[reason])]
    store = pack(examples, tmp_path / "s", n=2, side_px=8)
    assert store.description.left_out == {reason: 1}
    assert store.has_map.tolist() == [True, False]
    with pytest.raises(InputError, match=f"map of bad: {reason}; repair"):
        pack(examples, tmp_path / "t", n=2, side_px=8, strict=True)


def test_labels_that_count_from_1_are_noticed():
    with pytest.raises(InputError, match="run from 1 to 1000: they count from 1; subtract 1"):
        check_labels(np.arange(1, 1001), n_classes=1000, where="x")
    with pytest.raises(InputError, match="run from 0 to 1000"):
        check_labels(np.arange(1001), n_classes=1000, where="x")
    with pytest.raises(InputError, match="run from -1"):
        check_labels(np.array([-1, 3]), n_classes=None, where="x")
    check_labels(np.arange(1000), n_classes=1000, where="x")


def test_the_announced_number_must_come(squares, tmp_path):
    with pytest.raises(InputError, match="more than the 3"):
        pack(squares(4), tmp_path / "a", n=3, side_px=36)
    with pytest.raises(InputError, match="4 images came, 5 were announced"):
        pack(squares(4), tmp_path / "b", n=5, side_px=36)
    with pytest.raises(InputError, match="bytes"):
        pack([Example("x", np.zeros((4, 4)), 0)], tmp_path / "c", n=1, side_px=4)


def test_a_store_is_never_written_over_another(make_store):
    make_store()
    with pytest.raises(InputError, match="holds a store already"):
        make_store()


def test_damaged_stores_are_refused(make_store, tmp_path):
    make_store()
    folder = tmp_path / "store"
    whole = (folder / "images.npy").read_bytes()
    (folder / "images.npy").write_bytes(whole[:-100])
    with pytest.raises(InputError, match="damaged"):
        open_store(folder)
    (folder / "images.npy").write_bytes(whole)
    np.save(folder / "labels.npy", np.zeros(3, np.int64))
    with pytest.raises(InputError, match="labels have the shape"):
        open_store(folder)
    with pytest.raises(InputError, match="no store here"):
        open_store(tmp_path)


def test_a_map_that_is_flagged_and_empty_is_an_error(make_store, tmp_path):
    store = make_store(share_of_maps=0.5)
    flags = np.array(store.has_map)
    flags[-1] = True
    np.save(tmp_path / "store" / "has_map.npy", flags)
    with pytest.raises(InputError, match="1 maps are flagged as present and are empty"):
        open_store(tmp_path / "store")


def test_categories_are_kept(make_store):
    assert make_store().description.categories[1] == Category(name="b", target=True)
