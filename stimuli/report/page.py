"""The contact sheet as one image: the set's figures, and below them a line for each of some images."""

import io
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

#: Side of a small image and the space around it.
THUMB_PX, GAP_PX = 112, 6
#: Images shown; the page shows all.
MOST_LINES = 24
_HEAD_PX, _INK = 20, (34, 34, 34)


class Line(NamedTuple):
    """One image of the sheet: its title, and its small images by caption."""

    title: str
    cells: dict[str, NDArray[np.uint8]]


def draw_sheet(figures: bytes, lines: Sequence[Line], *, n_images: int, masks: Sequence[Line] = ()) -> bytes:
    """Draw the sheet.

    Parameters
    ----------
    figures : bytes
        PNG file of the set's figures.
    lines : sequence of Line
        At most :data:`MOST_LINES`, with the same captions.
    n_images : int
        How many images the set has.
    masks : sequence of Line
        A line per family of masks, above the images.

    Returns
    -------
    bytes
        A PNG file.
    """
    from PIL import Image, ImageDraw, ImageFont

    top = Image.open(io.BytesIO(figures)).convert("RGB")
    captions = list(dict.fromkeys(caption for line in lines for caption in line.cells))
    step = THUMB_PX + GAP_PX
    width = max(top.width, GAP_PX + step * len(captions))
    width = max(width, *(GAP_PX + step * len(line.cells) for line in (*masks, Line("", {}))))
    height = top.height + 2 * _HEAD_PX + (len(lines) + len(masks)) * (step + _HEAD_PX)
    sheet = Image.new("RGB", (width, height), "white")
    sheet.paste(top, (0, 0))
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(12)

    def draw(line: Line, names: Sequence[str], down: int) -> int:
        pen.text((GAP_PX, down), line.title, _INK, font)
        for column, caption in enumerate(names):
            if caption in line.cells:
                small = Image.fromarray(line.cells[caption]).resize((THUMB_PX, THUMB_PX), Image.Resampling.LANCZOS)
                sheet.paste(small, (GAP_PX + column * step, down + _HEAD_PX))
        return down + step + _HEAD_PX

    down = top.height
    for line in masks:
        down = draw(line, list(line.cells), down)
    if len(lines) < n_images:
        says = f"{len(lines)} of {n_images} images, flagged ones first; index.html shows all"
        pen.text((GAP_PX, down), says, _INK, font)
    down += _HEAD_PX
    for column, caption in enumerate(captions):
        pen.text((GAP_PX + column * step, down), caption, _INK, font)
    down += _HEAD_PX
    for line in lines:
        down = draw(line, captions, down)
    out = io.BytesIO()
    sheet.save(out, "PNG")
    return out.getvalue()
