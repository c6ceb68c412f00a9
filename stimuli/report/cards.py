"""The images of a contact sheet as data: what the page sorts, filters and shows, in ``sheet.js``, and strips of thumbnails."""

import io
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rapidvision.formats.manifest import StimulusSet
from rapidvision.formats.manifest_rows import Stimulus
from rapidvision.system import files

from ..pipeline.flags import Flag
from .page import GAP_PX, THUMB_PX

#: Folders beside the page.
STRIPS, PLOTS, DATA = "strips", "plots", "sheet.js"


def write_strip(out: Path, image_id: str, cells: Mapping[str, NDArray[np.uint8]]) -> None:
    """Write the thumbnails of an image beside one another, as one JPEG file.

    Parameters
    ----------
    out : Path
        Folder of the page.
    image_id : str
        The image.
    cells : mapping
        Caption → uint8 of shape (side, side, 3).
    """
    from PIL import Image

    step = THUMB_PX + GAP_PX
    strip = Image.new("RGB", (step * len(cells) - GAP_PX, THUMB_PX), "white")
    for place, image in enumerate(cells.values()):
        small = Image.fromarray(image).resize((THUMB_PX, THUMB_PX), Image.Resampling.LANCZOS)
        strip.paste(small, (place * step, 0))
    data = io.BytesIO()
    strip.save(data, "JPEG", quality=85)
    files.write_bytes(out / STRIPS / f"{image_id}.jpg", data.getvalue(), durable=False)


def write_cards(
    out: Path,
    found: StimulusSet,
    quality: Sequence[Mapping[str, str]],
    flags: Sequence[Flag],
    captions: Mapping[str, Sequence[str]],
) -> None:
    """Write ``sheet.js``: a line per image, and the names of the files of its levels, which lie in the set.

    Parameters
    ----------
    out : Path
        Folder of the page.
    found : StimulusSet
        The set.
    quality : sequence of mapping
        Rows of ``quality.csv``.
    flags : sequence of Flag
        Of all images.
    captions : mapping
        Image id → captions of its thumbnails.
    """
    figures: dict[str, dict[str, float]] = {}
    for row in quality:
        mine = figures.setdefault(row["image_id"], {})
        if row.get("canvas_clipped_fraction"):
            mine["clipped share of the canvas"] = float(row["canvas_clipped_fraction"])
            mine["canvas: mean luma off"] = abs(float(row["canvas_mean_error"]))
        levels = sorted(name for name in row if name.startswith("captured_"))
        mine[f"importance captured at 100 %: {row['map_source']}"] = float(row[levels[-1]])
        mine[f"importance cut off: {row['map_source']}"] = float(row["cut_fraction"])
    own: dict[str, list[str]] = {}
    for flag in flags:
        own.setdefault(flag.image_id, []).append(f"{flag.map_source}: {flag.text}")
    names = list(dict.fromkeys(name for some in figures.values() for name in some))
    images = []
    for image in (*found.exemplars("practice"), *found.exemplars("main")):
        if image.image_id in captions:
            some = figures.get(image.image_id, {})
            images.append(
                [
                    image.image_id,
                    image.category,
                    image.phase,
                    own.get(image.image_id, []),
                    [round(some[name], 4) if name in some else None for name in names],
                ]
            )
    first = next(iter(captions), "")
    data: dict[str, Any] = {
        "set": _address(found.folder, out),
        "figures": names,
        "captions": list(captions.get(first, ())),
        "levels": _levels([row for row in found.stimuli if row.image_id == first]),
        "images": images,
    }
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")
    files.write_text(out / DATA, f"window.SHEET = {text};\n")


def _address(folder: Path, out: Path) -> str:
    """Return the set's address as the page names it."""
    try:
        return Path(os.path.relpath(folder.resolve(), out.resolve())).as_posix()
    except ValueError:  # another drive
        return folder.resolve().as_uri()


def _levels(rows: Sequence[Stimulus]) -> list[list[str]]:
    """Return source, level and file name of each stimulus of one image; all images have the same."""
    ordered = sorted(rows, key=lambda row: (row.map_source, row.reveal_fraction is None, row.reveal_fraction or 0))
    return [[row.map_source, row.level_label, PurePosixPath(row.path).name] for row in ordered]
