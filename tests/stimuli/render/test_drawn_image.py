"""A seed decides an image; every pixel knows its part and its thing; the scene never learns the category."""

import numpy as np
import pytest

from rapidvision.errors import InputError
from rapidvision.stimuli.render.bundle.drawn_image import CATEGORIES, draw
from rapidvision.stimuli.render.observers.players import DIAGNOSTIC
from rapidvision.stimuli.render.shapes.body import PART_INDEX


@pytest.mark.parametrize("category", CATEGORIES)
def test_an_object_is_seen_with_its_diagnostic_parts(category):
    image = draw(category, seed=3, number=0, size=96)
    mine = image.objects == 1
    assert 0.03 < mine.mean() < 0.6
    shown = set(np.unique(image.parts[mine]))
    named = {PART_INDEX[name] for name in DIAGNOSTIC[category]}
    assert len(shown & named) >= 2
    assert 0 not in shown
    assert not image.parts[image.objects == 0].any()
    assert set(np.unique(image.parts[image.objects > 1])) <= {PART_INDEX["clutter"]}


def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_image():
    one, two, other = (draw("cat", seed=seed, number=1, size=64) for seed in (5, 5, 6))
    assert one.image.tobytes() == two.image.tobytes()
    assert one.parts.tobytes() == two.parts.tobytes()
    assert one.image.tobytes() != other.image.tobytes()


def test_another_size_shows_the_same_image():
    small, large = (draw("zebra", seed=2, number=4, size=size) for size in (64, 128))
    shrunk = large.image.reshape(64, 2, 64, 2, 3).mean((1, 3))
    assert np.corrcoef(shrunk.ravel(), small.image.astype(float).ravel())[0, 1] > 0.95


def test_unknown_categories_and_sizes_are_refused():
    with pytest.raises(InputError, match='Did you mean "cat"'):
        draw("catt", seed=1)
    with pytest.raises(InputError, match="16 to 2048"):
        draw("cat", seed=1, size=8)
