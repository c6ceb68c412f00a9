"""Small stimulus sets with real files, masks included, and the protocols that the tests plan with them."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from rapidvision.formats.manifest import SetDescription, write_set
from rapidvision.formats.manifest_rows import Stimulus
from rapidvision.formats.masks import MASKS, MaskImage, write_masks
from rapidvision.formats.protocol_file import PRESETS, preset, read_protocol
from rapidvision.system import files

TARGETS = ("bird", "zebra", "elephant", "cat")
DISTRACTORS = ("table", "couch", "refrigerator", "umbrella")
#: The categories of Geirhos et al. (2018); animals are targets.
SIXTEEN = (
    "airplane", "bear", "bicycle", "bird", "boat", "bottle", "car", "cat",
    "chair", "clock", "dog", "elephant", "keyboard", "knife", "oven", "truck",
)  # fmt: skip
ANIMALS = ("bear", "bird", "cat", "dog", "elephant")
#: Families of masks that a set of the tests has: made from no image, and one for each image.
FAMILIES = ("noise", "checkerboard", "phase-scrambled")
_TASKS = Path(__file__).parent / "tasks"
#: Five tasks of the kind that a laboratory writes, beside the presets.
TASKS = tuple(sorted(path.stem for path in _TASKS.glob("*.toml")))
#: Every protocol that is planned, run and simulated in the tests.
PROTOCOLS = (*PRESETS, *TASKS)


def make_set(
    folder,
    *,
    per_category=10,
    practice=2,
    n_levels=12,
    side=16,
    sources=("clickme", "salicon"),
    categories=(*TARGETS, *DISTRACTORS),
    targets=TARGETS,
    masks=False,
):
    """Write a set whose images are noise; the right form at a fraction of the time of real ones.

    With ``masks=True`` it has 20 masks of the family ``noise``, one ``checkerboard``, and a ``phase-scrambled`` one for
    each image. With ``n_levels=1`` it has intact images only.
    """
    labels = (*(f"{10 ** (2 * i / max(1, n_levels - 2)):.3g}" for i in range(n_levels - 1)), "full")
    rows = []
    rng = np.random.default_rng(0)
    (folder / "images").mkdir(parents=True)
    for category in categories:
        for number in range(per_category + practice):
            image = f"{category}-{number:02d}"
            noise = rng.integers(0, 256, (side, side, 3), dtype=np.uint8)
            for s, source in enumerate(sources):
                for level, label in enumerate(labels):
                    full = level == n_levels - 1
                    path = f"images/{image}.{'full' if full else f'{source}.{level:02d}'}.png"
                    if not (folder / path).exists():
                        _write_png(folder / path, np.roll(noise, (level, 0 if full else s), (0, 1)))
                    fraction = None if full else float(label) / 100
                    rows.append(
                        Stimulus(
                            stimulus_id=f"{image}.{source}.{label}",
                            phase="main" if number < per_category else "practice",
                            image_id=image,
                            category=category,
                            target=category in targets,
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
    tables = make_masks(folder, sorted({row.image_id for row in rows}), side=side) if masks else []
    description = SetDescription(name="noise", seed=1, image_px=side, level_labels=labels, map_sources=sources)
    return write_set(folder, description, rows, tables=tables)


def make_masks(folder, images, *, side=16):
    """Write masks and ``masks.csv`` into a set's folder, before the set itself; return the files' paths."""
    rng = np.random.default_rng(1)
    (folder / "masks").mkdir()
    names = [*(("noise", None, f"noise-{n:02d}") for n in range(20)), ("checkerboard", None, "checkerboard-00")]
    names += [("phase-scrambled", image, f"{image}.phase-scrambled") for image in images]
    found = []
    for family, image, name in names:
        path = f"masks/{name}.png"
        _write_png(folder / path, rng.integers(0, 256, (side, side, 3), dtype=np.uint8))
        found.append(MaskImage(family=family, image_id=image, path=path, sha256=files.sha256_file(folder / path)))
    write_masks(folder, found)
    return [MASKS, *(mask.path for mask in found)]


def sixteen_set(folder, *, per_category=10, practice=1, side=16):
    """Write a set of sixteen categories, intact images only, with masks; what the preset ``sixteen-way`` needs."""
    return make_set(
        folder,
        per_category=per_category,
        practice=practice,
        n_levels=1,
        side=side,
        sources=("clickme",),
        categories=SIXTEEN,
        targets=ANIMALS,
        masks=True,
    )


def set_for(name, folder):
    """Write the set that the protocol of that name is planned with: sixteen categories, or the paper's form."""
    return sixteen_set(folder) if name == "sixteen-way" else make_set(folder, masks=True)


def protocol_of(name):
    """A preset, or one of the tasks."""
    return preset(name) if name in PRESETS else read_protocol(_TASKS / f"{name}.toml")


def _write_png(path, pixels):
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG", compress_level=1)
    path.write_bytes(out.getvalue())
