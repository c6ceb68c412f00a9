"""Folding: which spellings of a word are the same word, and what an empty cell is. One rule for every column."""

import ast
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from rapidvision.errors import InputError

_WHOLE = re.compile(r"([-+]?\d+)\.0+")
_SHOWN = 8


def text_of(value: Any) -> str:
    """Return a cell as text: composed letters, no blanks at its ends, single blanks within, 1.0 as 1.

    Examples
    --------
    >>> text_of(" parts "), text_of(None), text_of(True), text_of(2.0), text_of("3.0")
    ('parts', '', 'true', '2', '3')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return _tidy(str(value))


@lru_cache(maxsize=1 << 16)
def _tidy(text: str) -> str:
    text = " ".join(unicodedata.normalize("NFC", text).split())
    whole = _WHOLE.fullmatch(text)
    return whole[1] if whole else text


@lru_cache(maxsize=1 << 16)
def folded(text: str) -> str:
    """Return the word that all spellings share: case does not count.

    Examples
    --------
    >>> folded("PARTS") == folded("parts")
    True
    """
    return unicodedata.normalize("NFC", text.casefold())


def given(text: str, missing: Iterable[str]) -> bool:
    """Whether a cell holds a value: it is not empty and no word for missing values (folded)."""
    return bool(text) and folded(text) not in missing


def unlisted(value: Any) -> list[str] | None:
    """Return the parts of a cell that lists several values (``['s', 'l']``); None when it is no list.

    Examples
    --------
    >>> unlisted("['s']"), unlisted("s"), unlisted([0.3, 0.5])
    (['s'], None, ['0.3', '0.5'])
    """
    found = value
    if isinstance(value, str):
        text = value.strip()
        if not (text.startswith("[") and text.endswith("]")):
            return None
        try:
            found = json.loads(text)
        except json.JSONDecodeError:
            try:
                found = ast.literal_eval(text)
            except (ValueError, SyntaxError):
                return None
    return [text_of(part) for part in found] if isinstance(found, list) else None


def one_spelling(words: Sequence[str], *, what: str) -> tuple[dict[str, str], list[str]]:
    """Map every spelling to the most frequent one of its word, and say what was folded.

    Parameters
    ----------
    words : sequence of str
        As :func:`text_of` made them.
    what : str
        What they name, for the note.

    Returns
    -------
    spelling : dict
        Word as written → word as kept.
    notes : list of str
        Empty when every word has one spelling.

    Examples
    --------
    >>> one_spelling(["parts", "PARTS", "parts"], what="group")
    ({'parts': 'parts', 'PARTS': 'parts'}, ['group: "PARTS" is read as "parts" (1 row)'])
    """
    counts = Counter(words)
    best: dict[str, str] = {}
    for word, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        best.setdefault(folded(word), word)
    spelling = {word: best[folded(word)] for word in counts}
    notes = [
        f'{what}: "{word}" is read as "{kept}" ({rows(counts[word])})'
        for word, kept in spelling.items()
        if word != kept
    ]
    return spelling, notes


def rows(count: int) -> str:
    """``1 row``, ``2 rows``."""
    return f"{count:,} row{'s' * (count != 1)}"


def places(wheres: Sequence[str]) -> str:
    """Name places: the first few, and how many more.

    Examples
    --------
    >>> places(["a.csv: row 2", "a.csv: row 9", "b.csv: row 4"])
    'a.csv: row 2, row 9; b.csv: row 4'
    """
    by_file: dict[str, list[str]] = {}
    for where in wheres[:_SHOWN]:
        file, _, row = where.rpartition(": ")
        by_file.setdefault(file, []).append(row)
    text = "; ".join(f"{file}: {', '.join(found)}" for file, found in by_file.items())
    return text + (f" and {len(wheres) - _SHOWN} more" if len(wheres) > _SHOWN else "")


def tally(values: Mapping[str, Sequence[str]]) -> str:
    """Name distinct values with their counts and places.

    Parameters
    ----------
    values : mapping of str to sequence of str
        Value → where it stands.

    Examples
    --------
    >>> tally({"space": ["a.csv: row 2"]})
    '"space" in 1 row (a.csv: row 2)'
    """
    ranked = sorted(values.items(), key=lambda item: (-len(item[1]), item[0]))
    text = ", ".join(f'"{value}" in {rows(len(found))} ({places(found[:3])})' for value, found in ranked[:_SHOWN])
    return text + (f" and {len(ranked) - _SHOWN} more values" if len(ranked) > _SHOWN else "")


def refuse(values: Mapping[str, Sequence[str]], *, what: str, allowed: str, remedy: str) -> None:
    """Raise when there are values that are not allowed, with their counts and places."""
    if values:
        raise InputError(f"{what}: got {tally(values)}; allowed: {allowed}. {remedy}")
