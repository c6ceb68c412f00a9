"""Which words need more than a Latin font, and an installed font that has all of their letters, or its name to install."""

import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

from rapidvision.errors import InputError

if TYPE_CHECKING:
    from rapidvision.plan import Plan

#: Letters up to here (Latin with its accents) are in every font.
_LATIN = 0x024F
#: First and last letter of a script, its name, and a font that has it.
_SCRIPTS = (
    (0x0370, 0x03FF, "Greek", "DejaVu Sans"),
    (0x0400, 0x052F, "Cyrillic", "DejaVu Sans"),
    (0x0590, 0x05FF, "Hebrew", "DejaVu Sans"),
    (0x0600, 0x08FF, "Arabic", "DejaVu Sans"),
    (0x0900, 0x097F, "Devanagari", "Noto Sans Devanagari"),
    (0x0E00, 0x0E7F, "Thai", "Noto Sans Thai"),
    (0x3040, 0x30FF, "Japanese", "Noto Sans CJK JP"),
    (0x3400, 0x9FFF, "Chinese", "Noto Sans CJK SC"),
    (0xAC00, 0xD7AF, "Korean", "Noto Sans CJK KR"),
)
_PREFERRED = ("DejaVu Sans", "Noto Sans", "Arial", "Segoe UI", "Helvetica Neue")


def is_foreign(words: str) -> bool:
    """Return whether words have letters beyond the Latin ones, which are then set by :mod:`.words`.

    Examples
    --------
    >>> is_foreign("Qué ves? 12 €"), is_foreign("\u05e9\u05dc\u05d5\u05dd"), is_foreign("\u52d5\u7269")
    (False, True, True)
    """
    return any(ord(letter) > _LATIN and unicodedata.category(letter)[0] in "LM" for letter in words)


def is_from_right(line: str) -> bool:
    """Return whether a line is read from the right: its first letter with a direction decides, as in browsers.

    Examples
    --------
    >>> is_from_right("12 \u05e9\u05dc\u05d5\u05dd S"), is_from_right("S \u05e9\u05dc\u05d5\u05dd")
    (True, False)
    """
    strong = (unicodedata.bidirectional(letter) for letter in line)
    return next((kind in ("R", "AL") for kind in strong if kind in ("L", "R", "AL")), False)


def font_for(words: str) -> str:
    """Return the file of an installed font that has every letter of the words.

    Raises
    ------
    InputError
        Names letters that no font has together, their scripts, and fonts to install.
    """
    letters = frozenset(letter for letter in words if not letter.isspace() and unicodedata.category(letter) != "Cf")
    found = _font_with(letters)
    if found is not None:
        return found
    lacking = sorted(letter for letter in letters if _font_with(frozenset(letter)) is None) or sorted(letters)
    lacking = [letter for letter in lacking if ord(letter) > _LATIN][:8] or lacking[:8]
    scripts = dict.fromkeys(script for letter in lacking for script in _scripts(letter))
    install = dict.fromkeys(font for letter in lacking for font in _fonts(letter)) or {"Noto Sans": None}
    raise InputError(
        f'texts: no installed font has the letters "{"".join(lacking)}" ({", ".join(scripts) or "other scripts"}); install '
        f"the font {' or '.join(install)}, then start again"
    )


def check_fonts(plan: "Plan") -> None:
    """Refuse a plan whose words have letters that no installed font has, before a window opens.

    Raises
    ------
    InputError
        See :func:`font_for`.
    """
    for words in words_of_plan(plan):
        if is_foreign(words):
            font_for(words)


def words_of_plan(plan: "Plan") -> Iterable[str]:
    """Return every text that a session may show: pages, labels of options, questions and their options, cues."""
    language = plan.protocol.language
    yield from plan.texts.values()
    for option in plan.protocol.response.options if plan.protocol.response is not None else ():
        yield option.words(language)
    for question in plan.protocol.questions:
        yield question.words(language)
        yield from question.options
    yield from {phase.content for trial in plan.trials() for phase in trial.phases if phase.kind == "cue"}


def _scripts(letter: str) -> list[str]:
    return [script for first, last, script, _ in _SCRIPTS if first <= ord(letter) <= last]


def _fonts(letter: str) -> list[str]:
    return [font for first, last, _, font in _SCRIPTS if first <= ord(letter) <= last]


@lru_cache(maxsize=256)
def _font_with(letters: frozenset[str]) -> str | None:
    return next((path for path, known in _installed() if all(ord(letter) in known for letter in letters)), None)


@lru_cache(maxsize=1)
def _installed() -> list[tuple[str, frozenset[int]]]:
    """Upright fonts of usual weight with the letters that they have, preferred families first."""
    from matplotlib.font_manager import fontManager
    from matplotlib.ft2font import FT2Font

    usual = [
        font for font in fontManager.ttflist if font.style == "normal" and font.weight in (400, "normal", "regular")
    ]
    names = {name: place for place, name in enumerate(_PREFERRED)}
    usual.sort(key=lambda font: (names.get(font.name, len(names)), font.name, font.fname))
    found = []
    for font in usual:
        try:
            found.append((font.fname, frozenset(FT2Font(font.fname).get_charmap())))
        except (OSError, RuntimeError):  # a font that cannot be read is none
            continue
    return found
