"""The page on which a user sees whether guessed maps lie on their images."""

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.images.load import load_rgb
from rapidvision.system import files
from rapidvision.system.progress import Advance, silent
from rapidvision.system.templates import rendered

from ..image.load import Geometry
from ..maps.prepare import prepare
from ..pipeline.image_list import ImageEntry
from ..recipe import StimulusRecipe
from .check import open_all
from .guess import Guessed

#: Images on the page, evenly taken from all, and the longer side of each.
MOST_IMAGES, LONGER_PX = 120, 200
_TEMPLATE = Path(__file__).with_name("page.html")
_RED = np.array([255, 40, 0], np.float64)


def write_page(path: Path, guessed: Guessed, recipe: StimulusRecipe, root: Path, *, advance: Advance = silent) -> None:
    """Write the page: images, whole, with the map of each source laid over them in red; nothing is needed beside it.

    Parameters
    ----------
    path : Path
        The HTML file.
    guessed : Guessed
        Rows, sources and reasons.
    recipe : StimulusRecipe
        As it was written.
    root : Path
        What its paths are relative to.
    advance : callable
        Called after each image.
    """
    sources, problems = open_all(recipe, root)
    rows = guessed.rows[:: max(1, -(-len(guessed.rows) // MOST_IMAGES))]
    shown = []
    for row in rows:
        job = ImageEntry(image_id=row["image_id"], path=str(root / row["path"]), category="?", target=False)
        shown.append(_line(job, row["category"], recipe, sources))
        advance(1)
    files.write_text(
        path,
        rendered(
            _TEMPLATE,
            name=recipe.name,
            n_images=len(guessed.rows),
            lines=shown,
            sources=[(one.keys["source"], one.why) for one in guessed.sources],
            notes=[*guessed.notes, *(one.text for one in problems)],
        ),
    )


def _line(job: ImageEntry, category: str, recipe: StimulusRecipe, sources: Any) -> dict[str, Any]:
    try:
        pixels = load_rgb(job.path)
    except InputError as error:
        return {"id": job.image_id, "category": category, "cells": [("image", "", str(error))]}
    height, width = pixels.shape[:2]
    geometry = Geometry.of((width, height), max(width, height), fit="pad", upscale=True, where=job.path)
    small = _small(pixels)
    cells = [("image", _data_url(small), "")]
    for one in recipe.maps:
        reader = sources.readers.get(one.source)
        try:
            if reader is None:
                raise InputError(f"map source {one.source} could not be opened")
            found = prepare(
                reader.read(job.image_id),
                geometry,
                sources.blurs[one.source],
                image_id=job.image_id,
                source=one.source,
                frame=one.frame,
            )
            left, top = -geometry.offset_px[0], -geometry.offset_px[1]
            own = found.map.values[top : top + height, left : left + width]
            cells.append((one.source, _data_url(laid_over(small, own)), ""))
        except InputError as error:
            cells.append((one.source, "", str(error)))
    return {"id": job.image_id, "category": category, "cells": cells}


def laid_over(pixels: NDArray[np.uint8], values: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return an image with a map laid over it in red, the strongest where the map has its maximum.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (height, width, 3)
        The image.
    values : ndarray of float32, shape (any height, any width)
        The map; scaled to the image.
    """
    from PIL import Image

    scaled = np.asarray(
        Image.fromarray(np.ascontiguousarray(values, np.float32)).resize(pixels.shape[1::-1], Image.Resampling.BOX)
    )
    share = 0.75 * np.clip(scaled / max(float(scaled.max()), 1e-12), 0, 1)[..., None]
    grey = np.repeat(pixels.mean(axis=2, keepdims=True), 3, axis=2)
    return np.rint(grey * (1 - share) + _RED * share).astype(np.uint8)


def _small(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    from PIL import Image

    image = Image.fromarray(pixels)
    image.thumbnail((LONGER_PX, LONGER_PX), Image.Resampling.LANCZOS)
    return np.asarray(image)


def _data_url(pixels: NDArray[np.uint8]) -> str:
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=80)
    return f"data:image/jpeg;base64,{base64.b64encode(out.getvalue()).decode()}"
