"""A small stimulus set with real files, and studies planned from it."""

import io

import numpy as np
import pytest
from PIL import Image

from rapidvision import files
from rapidvision.experiments.planning import make_study
from rapidvision.manifest import SetDescription, Stimulus, write_set
from rapidvision.protocol import Protocol
from rapidvision.study import Study

TARGETS = ("bird", "zebra", "elephant", "cat")
DISTRACTORS = ("table", "couch", "refrigerator", "umbrella")


def make_set(folder, *, per_category=10, practice=2, n_levels=12, side=16, sources=("clickme", "salicon")):
    """Write a set whose pictures are noise; the right form at a fraction of the time of real ones."""
    labels = (*(f"{10 ** (2 * i / max(1, n_levels - 2)):.3g}" for i in range(n_levels - 1)), "full")
    rows = []
    rng = np.random.default_rng(0)
    (folder / "images").mkdir(parents=True)
    for category in (*TARGETS, *DISTRACTORS):
        for number in range(per_category + practice):
            image = f"{category}-{number:02d}"
            noise = rng.integers(0, 256, (side, side, 3), dtype=np.uint8)
            for s, source in enumerate(sources):
                for level, label in enumerate(labels):
                    full = level == n_levels - 1
                    path = f"images/{image}.{'full' if full else f'{source}.{level:02d}'}.png"
                    if not (folder / path).exists():
                        out = io.BytesIO()
                        Image.fromarray(np.roll(noise, (level, 0 if full else s), (0, 1))).save(
                            out, "PNG", compress_level=1
                        )
                        (folder / path).write_bytes(out.getvalue())
                    fraction = None if full else float(label) / 100
                    rows.append(
                        Stimulus(
                            stimulus_id=f"{image}.{source}.{label}",
                            phase="main" if number < per_category else "practice",
                            image_id=image,
                            category=category,
                            target=category in TARGETS,
                            map_source=source,
                            level_index=level,
                            level_label=label,
                            reveal_fraction=fraction,
                            revealed_px=side * side if full else max(1, int(0.15 * side * side * fraction)),
                            image_fraction=1.0 if full else 0.15 * fraction,
                            shift_y_px=0,
                            shift_x_px=0,
                            path=path,
                            sha256=files.sha256_file(folder / path),
                        )
                    )
    description = SetDescription(name="noise", seed=1, image_px=side, level_labels=labels, map_sources=sources)
    return write_set(folder, description, rows)


@pytest.fixture(scope="session")
def noise_set(tmp_path_factory):
    """The form of the paper's set: 80 pictures and 16 for practice, 2 sources, 12 levels."""
    return make_set(tmp_path_factory.mktemp("noise") / "set")


class Plans(list):
    """A list that prints short, for the messages of property tests."""

    def __repr__(self):
        return f"<{len(self)} plans>"


@pytest.fixture(scope="session")
def plans(noise_set, tmp_path_factory):
    """Plans of the paper's study: 60 + 60."""
    return Plans(make_study(noise_set, Protocol(), tmp_path_factory.mktemp("plans"), n_slots=60))


@pytest.fixture
def study(noise_set, tmp_path):
    """A fresh study with four slots per group."""
    make_study(noise_set, Protocol(), tmp_path / "study", n_slots=4)
    return Study(tmp_path / "study")


@pytest.fixture(scope="session")
def set_maker():
    """The function that writes such a set."""
    return make_set
