"""Usernames: short, readable by everybody, and nothing that one would not say aloud at a school."""

import re
import secrets
import unicodedata
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from rapidvision.errors import InputError
from rapidvision.system import files

from .offensive_words import folded, is_offensive, key_of

_ALLOWED = re.compile(r"[^\W_](?:[\w .-]*[^\W_])?")
_SHORTEST, _LONGEST = 2, 20
__all__ = ["built_in", "checked_name", "guest_name", "key_of"]


def checked_name(text: str, *, blocked: Iterable[str] = ()) -> str:
    """Return a username in its one form, or say what is wrong with it.

    Parameters
    ----------
    text : str
        What the player typed.
    blocked : iterable of str
        Words it must not contain, besides the built-in ones.

    Raises
    ------
    InputError
        When it is too short or long, has other characters than letters, digits, space, dot and hyphen, or contains a
        blocked or offensive word, also spelled with digits, dots, doubled letters or letters of other alphabets.

    Examples
    --------
    >>> checked_name("  Anna  Lena ")
    'Anna Lena'
    >>> checked_name("<b>")
    Traceback (most recent call last):
        ...
    rapidvision.errors.InputError: username: letters, digits, spaces, dots and hyphens only, with a letter or digit at both ends
    """
    name = " ".join(unicodedata.normalize("NFKC", text).split())
    if not _SHORTEST <= len(name) <= _LONGEST:
        raise InputError(f"username: {_SHORTEST} to {_LONGEST} characters, got {len(name)}")
    if not _ALLOWED.fullmatch(name):
        raise InputError(
            "username: letters, digits, spaces, dots and hyphens only, with a letter or digit at both ends"
        )
    if _has_blocked_word(name, blocked) or is_offensive(name):
        raise InputError("username: please choose another one")
    return name


def guest_name() -> str:
    """Return a username for a player who wants to choose none; two are the same once in a hundred million pairs."""
    return f"Guest {10_000_000 + secrets.randbelow(90_000_000)}"


@cache
def built_in() -> tuple[tuple[str, ...], frozenset[str]]:
    """Return the words of ``blocked_names.txt``, folded: those found anywhere, and those found as whole words only."""
    text = files.read_bytes(Path(__file__).with_name("blocked_names.txt")).decode()
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    anywhere = tuple(folded(line) for line in lines if not line.startswith("="))
    return anywhere, frozenset(folded(line) for line in lines if line.startswith("="))


def _has_blocked_word(name: str, blocked: Iterable[str]) -> bool:
    anywhere, whole = built_in()
    plain = folded(name)
    words = {plain, *map(folded, re.split(r"[ .-]+", name))}
    return not whole.isdisjoint(words) or any(word and word in plain for word in (*anywhere, *map(folded, blocked)))
