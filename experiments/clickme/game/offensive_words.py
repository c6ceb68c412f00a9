"""Offensive words of 24 languages for usernames: a maintained list (glin-profanity), its words found in disguise.

Letters of other alphabets that look like Latin ones are taken for them (Unicode's table of confusables).
"""

import json
import re
import unicodedata
from functools import cache
from importlib import resources

#: Digits and signs that stand for letters, and q for g.
_SIGNS = str.maketrans("013457869@$!|+q", "oieastbggasiitg")
#: Shorter words of the list are half-words, initials and common names in other languages.
_SHORTEST = 4
_SHORTEST_WIDE = 2  # Chinese, Japanese, Korean
_WIDE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_PACKAGE, _FOLDER = "glin_profanity", ("data", "dictionaries")


def key_of(name: str) -> str:
    """Return what two usernames must not share: case and accents do not tell people apart.

    Examples
    --------
    >>> key_of("Zoë B") == key_of("zoe b")
    True
    """
    letters = unicodedata.normalize("NFKD", name.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def folded(text: str) -> str:
    r"""Return `text` as a reader hears it: lower case, look-alikes as Latin letters, nothing between, no doubled letters.

    Examples
    --------
    >>> folded("H3.l-l0"), folded("fu\u0441k")
    ('helo', 'fuck')
    """
    letters = key_of(text).translate(_latin()).translate(_SIGNS)
    return _single(re.sub(r"[^a-z]", "", letters))


def is_offensive(name: str) -> bool:
    r"""Whether a word of a username, or the whole of it, is on the list, in its own letters or in disguise.

    Examples
    --------
    >>> is_offensive("fu\u0441k69"), is_offensive("Scunthorpe fan"), is_offensive("Hurensohn")
    (True, False, True)
    """
    latin, own = _listed()
    words = [name, *re.split(r"[ .-]+", name)]
    words += [word.strip("0123456789") for word in words]
    words += [re.sub(r"^x+|x+$", "", word.casefold()) for word in words]
    return any(folded(word) in latin or _own_letters(word) in own for word in words)


def _single(letters: str) -> str:
    return re.sub(r"(.)\1+", r"\1", letters)


def _own_letters(text: str) -> str:
    """Return the letters of a text in its own alphabet."""
    return _single("".join(letter for letter in key_of(text) if letter.isalpha()))


@cache
def _latin() -> dict[int, str]:
    """Return the Latin letter for every letter of other alphabets that looks like one."""
    from rapidvision.system import extras

    extras.need("confusable_homoglyphs", extra="online", purpose="checking usernames")
    from confusable_homoglyphs.confusables import confusables_data

    found: dict[int, str] = {}
    for letter, alike in confusables_data.items():
        if len(letter) == 1 and not letter.isascii() and letter.isalpha():
            plain = sorted(one["c"].casefold() for one in alike if len(one["c"]) == 1 and one["c"].isascii())
            if plain and plain[0].isalpha():
                found[ord(letter)] = plain[0]
    return found


@cache
def _listed() -> tuple[frozenset[str], frozenset[str]]:
    """Return the list's words: those in Latin letters, folded, and those in other alphabets."""
    from rapidvision.system import extras

    extras.need(_PACKAGE, extra="online", purpose="checking usernames")
    folder = resources.files(_PACKAGE).joinpath(*_FOLDER)
    latin, own = set(), set()
    for file in folder.iterdir():
        if not file.name.endswith(".json") or "hitelist" in file.name:
            continue
        for word in json.loads(file.read_text(encoding="utf-8"))["words"]:
            letters = _own_letters(word)
            if letters.isascii() and len(letters) >= _SHORTEST and len(folded(word)) >= _SHORTEST - 1:
                latin.add(folded(word))
            elif len(letters) >= (_SHORTEST_WIDE if _WIDE.search(word) else _SHORTEST):
                own.add(letters)
    return frozenset(latin), frozenset(own)
