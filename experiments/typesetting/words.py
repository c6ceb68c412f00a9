"""Words as an image: lines broken in the order in which they are read, direction and joined letters by Pillow's raqm."""

import importlib
import unicodedata
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFont, features

from .fonts import font_for, is_from_right

if TYPE_CHECKING:
    from PIL.Image import Image as PilImage

#: From one line to the next, in heights of a letter.
_LEADING = 1.4
#: Scripts that are broken between any two letters.
_WIDE = ("W", "F")


def draw_words(words: str, height_px: float, *, width_px: int, ink: tuple[int, int, int]) -> "PilImage":
    """Return words as an image with a transparent background, lines centred.

    Parameters
    ----------
    words : str
        In any script; line breaks stay.
    height_px : float
        Size of the letters.
    width_px : int
        Longer lines are broken.
    ink : (int, int, int)
        0 to 255.

    Returns
    -------
    PIL.Image.Image
        RGBA, as large as the words.

    Raises
    ------
    InputError
        When no installed font has the letters.
    """
    font = open_font(words, height_px)
    lines = [line for paragraph in words.split("\n") for line in broken(paragraph, font, width_px)]
    step = round(height_px * _LEADING)
    width = max(1, *(round(_length(line, font)) for line in lines)) + 2
    image = Image.new("RGBA", (width, step * len(lines)), (*ink, 0))
    drawing = ImageDraw.Draw(image)
    for number, line in enumerate(lines):
        shown, direction = _directed(line)
        at = (width / 2, step * (number + 0.5))
        drawing.text(at, shown, font=font, fill=(*ink, 255), anchor="mm", direction=direction)
    return image


def open_font(words: str, height_px: float) -> ImageFont.FreeTypeFont:
    """Return an installed font that has the letters of the words, at a size."""
    engine = ImageFont.Layout.RAQM if features.check("raqm") else ImageFont.Layout.BASIC
    return ImageFont.truetype(font_for(words), max(1, round(height_px)), layout_engine=engine)


def broken(paragraph: str, font: ImageFont.FreeTypeFont, width_px: float) -> list[str]:
    """Return a paragraph's lines in the order in which they are read: broken at blanks, in Chinese and Japanese anywhere."""
    lines, line = [], ""
    for piece in _pieces(paragraph):
        if line.strip() and _length((line + piece).strip(), font) > width_px:
            lines.append(line.strip())
            line = ""
        line += piece
    return [*lines, line.strip()]


def _pieces(paragraph: str) -> list[str]:
    """Words with the blank behind them, and letters that stand alone."""
    pieces, piece = [], ""
    for letter in paragraph:
        piece += letter
        if letter == " " or unicodedata.east_asian_width(letter) in _WIDE:
            pieces.append(piece)
            piece = ""
    return [*pieces, piece]


def _directed(line: str) -> tuple[str, str | None]:
    """Return what Pillow is given: with raqm the line and its direction, without it the line in the order of its places."""
    if features.check("raqm"):
        return line, "rtl" if is_from_right(line) else "ltr"
    reshaper, bidi = (importlib.import_module(name) for name in ("arabic_reshaper", "bidi.algorithm"))  # PsychoPy's
    turned: str = bidi.get_display(reshaper.reshape(line), base_dir="R" if is_from_right(line) else "L")
    return turned, None


def _length(line: str, font: ImageFont.FreeTypeFont) -> float:
    shown, direction = _directed(line)
    return float(font.getlength(shown, direction=direction))
