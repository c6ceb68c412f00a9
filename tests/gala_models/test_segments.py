import numpy as np
import pytest
import torch
from PIL import Image

from rapidvision.errors import InputError
from rapidvision.gala_models.attribution import segmentation_iou
from rapidvision.gala_models.layers.resnet import build
from rapidvision.gala_models.observer.observe import Network
from rapidvision.gala_models.observer.overlay import attention_of
from rapidvision.gala_models.observer.readout import binary
from rapidvision.gala_models.preprocessing import Preprocessing


def test_iou_of_known_overlaps():
    a, b = np.zeros((4, 4), bool), np.zeros((4, 4), bool)
    a[:2], b[1:3] = True, True
    assert segmentation_iou.iou(a, b) == pytest.approx(4 / 12)
    assert segmentation_iou.iou(a, a) == 1
    assert segmentation_iou.iou(a & b & ~a, ~a & a) == 0


def test_both_maps_keep_the_same_number_of_their_highest_pixels():
    wide = np.linspace(0, 1, 100, dtype=np.float32).reshape(10, 10)
    narrow = np.zeros((10, 10), np.float32)
    narrow[4, 3:8] = [5, 6, 9, 8, 7]
    a, b = segmentation_iou.matched(wide, narrow)
    assert a.sum() == b.sum() == 5
    assert (a.ravel()[-5:] == 1).all()
    assert (b[4, 3:8] == 1).all()
    with pytest.raises(InputError, match="bring both"):
        segmentation_iou.matched(wide, narrow[:5])


@pytest.mark.parametrize("place", [(slice(0, 4), slice(0, 4)), (slice(4, 8), slice(4, 8))])
def test_pixels_that_tie_point_nowhere(place):
    """A map of two levels found an object in the first corner, and missed the same object in the last one."""
    peak = np.zeros((8, 8), np.float32)
    peak[place] = 1
    even = np.ones((8, 8), np.float32)
    even[::2, ::2] = 0
    mask = peak > 0
    seen, _ = segmentation_iou.matched(even, peak)
    assert seen.sum() == pytest.approx(16)
    inside = 12 / 48 * 16
    assert segmentation_iou.iou(seen, mask) == pytest.approx(inside / (16 + 16 - inside))


@pytest.mark.parametrize("turn", [np.fliplr, np.flipud, np.transpose])
def test_the_score_of_a_map_is_that_of_its_mirror_image(turn):
    rng = np.random.default_rng(5)
    a, b = (rng.integers(0, 4, (9, 9)).astype(np.float32) for _ in range(2))
    mask = rng.random((9, 9)) < 0.3
    scores = [segmentation_iou.iou(one, mask) for one in segmentation_iou.matched(a, b)]
    turned = [segmentation_iou.iou(one, turn(mask)) for one in segmentation_iou.matched(turn(a), turn(b))]
    assert turned == pytest.approx(scores)


def test_run_lengths_as_numbers_and_as_text():
    # Four rows, three columns; the mask is the middle column without its last pixel.
    expected = np.zeros((4, 3), bool)
    expected[:3, 1] = True
    np.testing.assert_array_equal(segmentation_iou.run_lengths([4, 3, 5], 4, 3), expected)
    np.testing.assert_array_equal(segmentation_iou.run_lengths("435", 4, 3), expected)
    # A fourth run is stored as the difference to the second: 1 - 3 = -2, five bits: 30 + 48.
    four = segmentation_iou.run_lengths([4, 3, 4, 1], 4, 3)
    np.testing.assert_array_equal(segmentation_iou.run_lengths("434N", 4, 3), four)
    with pytest.raises(InputError, match="do not fill 4 x 3"):
        segmentation_iou.run_lengths([1, 2], 4, 3)


def test_real_segmentations_cover_what_their_polygons_enclose(data_folder):
    folder = data_folder / "coco_panoptic"
    annotations = folder / "panoptic_coco_detection_format.json"
    found = segmentation_iou.read_coco(
        annotations, folder / "input_images", supercategories=("animal", "vehicle", "person", "food")
    )
    assert found
    for one in found:
        with Image.open(one.path) as image:
            assert one.mask.shape == (image.height, image.width)
        assert 0 < one.mask.mean() < 1


def test_attention_meets_segmentations_of_real_photographs(data_folder):
    folder = data_folder / "coco_panoptic"
    annotations = folder / "panoptic_coco_detection_format.json"
    every = ("animal", "vehicle", "person", "food", "kitchen", "furniture", "outdoor", "accessory", "sports")
    found = segmentation_iou.read_coco(annotations, folder / "input_images", supercategories=every)
    networks = [
        Network(name, build(name, seed=1).eval(), binary(), Preprocessing(size_px=160))
        for name in ("compact-gala", "compact-se")
    ]
    scores = []
    for one in found:
        pixels = np.asarray(Image.open(one.path).convert("RGB").resize((320, 320)))
        mask = np.asarray(Image.fromarray(one.mask).resize((320, 320)))
        maps = [attention_of(network, pixels[None])[0].numpy() for network in networks]
        scores.append([segmentation_iou.iou(selected, mask) for selected in segmentation_iou.matched(*maps)])
    assert ((np.array(scores) >= 0) & (np.array(scores) <= 1)).all()


def test_files_of_another_form_are_refused(tmp_path):
    (tmp_path / "x.json").write_text('{"images": 3}')
    with pytest.raises(InputError, match="not COCO's detection format"):
        segmentation_iou.read_coco(tmp_path / "x.json", tmp_path)


def test_attention_is_brought_to_the_images_size():
    network = Network("n", build("compact-gala").eval(), binary(), Preprocessing(size_px=88, resize_px=96))
    found = attention_of(
        network, np.random.Generator(np.random.PCG64(0)).integers(0, 255, (2, 192, 192, 3), dtype=np.uint8)
    )
    assert found.shape == (2, 192, 192)
    assert torch.all(found[:, :8] == 0)  # what the network did not see
    assert found.amax((1, 2)).min() > 0.9


def test_maps_that_are_not_finite_are_not_matched():
    good, bad = np.eye(3, dtype=np.float32), np.eye(3, dtype=np.float32)
    bad[0, 1] = np.nan
    with pytest.raises(InputError, match="1 values of a map are not finite"):
        segmentation_iou.matched(good, bad)
