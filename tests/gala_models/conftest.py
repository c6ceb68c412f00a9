"""A small study on images of coloured squares, and one thread per test process."""

import msgspec
import numpy as np
import pytest
from PIL import Image

from rapidvision.formats.manifest import SetDescription, write_set
from rapidvision.formats.manifest_rows import Stimulus
from rapidvision.formats.protocol_file import preset
from rapidvision.plan import write_plan
from rapidvision.study import Study
from rapidvision.system import files
from tests.planned import plan_of, trial_of

torch = pytest.importorskip("torch")
torch.set_num_threads(1)

CATEGORIES = {"bird": True, "cat": True, "table": False, "couch": False}
SOURCES = ("clickme", "salicon")
LEVELS = (0.1, 1.0, None)


def stimulus(folder, image_id, category, source, level_index, phase, rng):
    """Targets are red, distractors blue; higher levels show more of the colour."""
    fraction, side = LEVELS[level_index], 32
    pixels = rng.integers(90, 160, (side, side, 3), dtype=np.uint8)
    n_rows = side if fraction is None else round(fraction * 16)
    pixels[:n_rows, :, 0 if CATEGORIES[category] else 2] = 255
    label = "full" if fraction is None else f"{100 * fraction:.3g}"
    path = f"images/{image_id}.{source}.{label}.png"
    (folder / "images").mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(folder / path)
    return Stimulus(
        stimulus_id=f"{image_id}.{source}.{label}",
        phase=phase,
        image_id=image_id,
        category=category,
        target=CATEGORIES[category],
        map_source=source,
        level_index=level_index,
        level_label=label,
        reveal_fraction=fraction,
        revealed_px=n_rows * side,
        image_fraction=n_rows / side,
        shift_y_px=0,
        shift_x_px=0,
        path=path,
        sha256=files.sha256_file(folder / path),
    )


#: The paper's task; the plans are made by hand, so its design does not count.
PROTOCOL = msgspec.structs.replace(preset("paper"), name="squares")


def make_study(folder, *, n_slots=3, protocol=PROTOCOL):
    """Two groups of plans over eight images and two of practice."""
    rng = np.random.Generator(np.random.PCG64(5))
    images = [(f"{category}-{n}", category, "main") for category in CATEGORIES for n in range(2)]
    images = [("bird-p", "bird", "practice"), ("table-p", "table", "practice"), *images]
    rows = [
        stimulus(folder / "set", image_id, category, source, level_index, phase, rng)
        for image_id, category, phase in images
        for source in SOURCES
        for level_index in range(len(LEVELS))
    ]
    labels = ("10", "100", "full")
    description = SetDescription(name="squares", seed=1, image_px=32, level_labels=labels, map_sources=SOURCES)
    stimuli = write_set(folder / "set", description, rows)
    study, index = Study(folder / "study"), stimuli.index()
    for source in SOURCES:
        for slot in range(n_slots):
            trials = [
                trial_of(protocol, index[image_id, source, (trial + slot) % len(LEVELS)], trial=trial, phase=phase)
                for trial, (image_id, _category, phase) in enumerate(images)
            ]
            plan = plan_of(protocol, stimuli.digest, trials, slot=slot, group=source, between={"map_source": source})
            write_plan(study.plans_folder, plan)
    study.write_description(stimuli, protocol, groups=SOURCES, n_slots=n_slots)
    return study


@pytest.fixture
def study(tmp_path):
    return make_study(tmp_path)


def draw_squares(n=48, side_px=36, *, n_classes=4, share_of_maps=1.0):
    """Examples whose class is the corner that holds a bright square, which is also the map."""
    from rapidvision.gala_models.data.example import Example

    rng = np.random.Generator(np.random.PCG64(3))
    for number in range(n):
        label = number % n_classes
        image = rng.integers(60, 120, (side_px, side_px, 3), dtype=np.uint8)
        importance = np.zeros((side_px, side_px), np.float32)
        half = side_px // 2
        top, left = (label // 2) * half + 4, (label % 2) * half + 4
        window = np.s_[top : top + 9, left : left + 9]
        image[window] = 230
        importance[window] = rng.random((9, 9)) + 0.5
        yield Example(f"square-{number:03d}", image, label, importance if number < share_of_maps * n else None)


@pytest.fixture
def make_store(tmp_path):
    from rapidvision.gala_models.data.dataset import pack
    from rapidvision.gala_models.weights.card import Category

    def make(name="store", n=48, side_px=36, **options):
        categories = tuple(Category(name=letter, target=letter in "ab") for letter in "abcd")
        return pack(draw_squares(n, side_px, **options), tmp_path / name, n=n, side_px=side_px, categories=categories)

    return make


@pytest.fixture
def squares():
    return draw_squares
