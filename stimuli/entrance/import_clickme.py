"""Turn the ClickMe release into an image folder that a recipe can name."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rapidvision.errors import InputError
from rapidvision.formats import image_folder, tfrecord
from rapidvision.images.load import load_rgb
from rapidvision.images.png import png_bytes
from rapidvision.maps import checked_values
from rapidvision.system import files
from rapidvision.system.progress import Advance, silent

from ..image.colorspace import rounded
from ..maps.readers.clickme import record_files, records
from ..png.series import encode


@dataclass(frozen=True, slots=True)
class Unpacked:
    """What was written, and what was left out because it has no map or no label."""

    n_images: int
    n_without_map: int
    n_without_label: int


def import_release(
    source: Path | str,
    out: Path | str,
    *,
    targets: Sequence[int],
    names: Sequence[str] = (),
    limit: int | None = None,
    advance: Advance = silent,
) -> Unpacked:
    """Write images, maps, ``images.csv`` and a recipe from TFRecord files.

    Parameters
    ----------
    source : path-like
        A TFRecord file, or a folder of them.
    out : path-like
        A new or empty folder.
    targets : sequence of int
        Labels that are targets (in ILSVRC's order, 0 to 397 are animals).
    names : sequence of str
        Name of each label; ``class-<label>`` by default.
    limit : int, optional
        Stop after so many images.
    advance : callable
        Called after each record.

    Returns
    -------
    Unpacked
        The counts.

    Raises
    ------
    InputError
        Names the file and the record that cannot be used.
    """
    out, animal = Path(out), frozenset(targets)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out}: not empty; choose another folder")
    table: list[dict[str, object]] = []
    without_map = without_label = 0
    for path in record_files(Path(source)):
        for record in records(path):
            if limit is not None and len(table) >= limit:
                break
            advance(1)
            if record.heatmap is None or record.n_clicks == 0 or not np.any(record.heatmap):
                without_map += 1
                continue
            if record.label < 0 or (names and record.label >= len(names)):
                without_label += 1
                continue
            name = names[record.label] if names else f"class-{record.label:03d}"
            where = f"{path}: {record.image_id}"
            file = _write_image(out / "images", record.image_id, record.image, where)
            values = checked_values(record.heatmap, where=where).astype(np.float64)
            grey = np.rint(values / values.max() * 65535).astype(np.uint16)
            files.write_bytes(image_folder.map_path(out, "clickme", record.image_id), png_bytes(grey, effort=1))
            target = record.label in animal
            table.append({"image_id": record.image_id, "path": f"images/{file}", "category": name, "target": target})
    if not table:
        raise InputError(f"{source}: no record has both an image and a map")
    image_folder.write_table(out / image_folder.TABLE, table)
    image_folder.write_recipe(out, name="clickme", seed=2019, image_px=256, source="clickme", blur="paper")
    return Unpacked(len(table), without_map, without_label)


def _write_image(folder: Path, image_id: str, blob: bytes, where: str) -> str:
    """Keep encoded images as they are; store raw ones, whose values are 0 … 255 (or 0 … 1), as PNG."""
    if blob[:2] == b"\xff\xd8":
        load_rgb(blob, name=where)  # refused here, where the record is known
        files.write_bytes(folder / f"{image_id}.jpg", blob)
        return f"{image_id}.jpg"
    pixels = np.asarray(tfrecord.image(blob, n_channels=3, where=where), np.float64)
    if not (pixels.min() >= -0.5 and pixels.max() <= 255.5):  # NaN, too
        raise InputError(f"{where}: image values from {pixels.min():.3g} to {pixels.max():.3g}; 0 to 255 are expected")
    files.write_bytes(folder / f"{image_id}.png", encode(rounded(pixels * (255 if pixels.max() <= 1 else 1))))
    return f"{image_id}.png"
