"""From the names of files to ids of images: patterns, and a slug for names that cannot be ids.

A pattern is a path with ``/`` in which ``{word}`` stands for a part without ``/``, ``*`` for any such part that is not
kept, and ``**/`` for any folders. Every pattern is compared without regard to capitals.
"""

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from pathlib import PurePosixPath

from rapidvision.formats.image_folder import SAFE_NAME
from rapidvision.system import platforms

_WORD = re.compile(r"\{([a-z_]+)\}|(\*\*/)|(\*)")
#: What every name has: its stem, its whole last part, the folder that it lies in, and its suffix.
PARTS = ("stem", "name", "folder", "suffix")
_LONGEST = 100


def slug(name: str) -> str:
    """Return the id that a name is given: the name itself where it can be an id.

    Else accents are taken off letters, every run of other signs becomes ``_``, and where letters or digits are lost by
    that, six hexadecimal digits of the name's SHA-256 follow, so that different names have different ids.

    Parameters
    ----------
    name : str
        Any text.

    Returns
    -------
    str
        Letters, digits, ``.``, ``_`` and ``-``; begins with a letter or digit.

    Examples
    --------
    >>> slug("Äpfel 1"), slug("Amazon(2)"), slug("cat-01")
    ('Apfel_1', 'Amazon_2', 'cat-01')
    >>> slug("猫")
    'x_a810bf'
    """
    if re.fullmatch(SAFE_NAME, name) and len(name) <= _LONGEST and not platforms.name_fault(name):
        return name
    plain = "".join(letter for letter in unicodedata.normalize("NFKD", name) if not unicodedata.combining(letter))
    lost = any(letter.isalnum() and not letter.isascii() for letter in plain)
    made = re.sub(r"[^A-Za-z0-9._-]+", "_", plain).strip("._-")
    if lost or not made or len(made) > _LONGEST or platforms.name_fault(made):
        digest = hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()[:6]
        made = f"{made[: _LONGEST - 7] or 'x'}_{digest}"
    return made


@dataclass(frozen=True, slots=True)
class Naming:
    """How names of files become ids.

    Attributes
    ----------
    files : str
        Pattern of the names; empty for any.
    id : str
        Pattern of the ids, of the words of `files` and :data:`PARTS`.

    Examples
    --------
    >>> Naming("{category}/{stem}_fixMap.jpg", "{category}-{stem}").id_of("Action/001_fixmap.JPG")
    'Action-001'
    >>> Naming("", "{stem}").id_of("val/n01/a.JPEG")
    'a'
    """

    files: str = ""
    id: str = "{stem}"

    def __post_init__(self) -> None:
        known = {*PARTS, *words_of(self.files)}
        unknown = [word for word in words_of(self.id) if word not in known]
        if unknown or not words_of(self.id):
            raise ValueError(
                f'id is "{self.id}"; it needs one or more of {", ".join("{" + one + "}" for one in known)}'
            )

    def words(self, name: str) -> dict[str, str] | None:
        """Return the words of a name; None where it does not have the pattern."""
        path = PurePosixPath(name.replace("\\", "/"))
        found = {"stem": path.stem, "name": path.name, "folder": path.parent.name, "suffix": path.suffix}
        if not self.files:
            return found
        match = compiled(self.files).fullmatch(str(path))
        return None if match is None else found | match.groupdict()

    def id_of(self, name: str) -> str | None:
        """Return the id of a name; None where it does not have the pattern."""
        words = self.words(name)
        return None if words is None else id_of_words(self.id, words)


def id_of_words(pattern: str, words: dict[str, str]) -> str:
    """Fill an id's pattern in, and make the result an id; see :func:`slug`."""
    return slug(re.sub(r"\{([a-z_]+)\}", lambda match: words[match[1]], pattern))


def words_of(pattern: str) -> list[str]:
    """Return the words of a pattern in their order.

    Examples
    --------
    >>> words_of("{category}/{stem}_fixMap.jpg")
    ['category', 'stem']
    """
    return [match[1] for match in _WORD.finditer(pattern) if match[1]]


def compiled(pattern: str) -> re.Pattern[str]:
    """Return the regular expression of a pattern; one without a suffix takes any.

    Raises
    ------
    ValueError
        When a word stands twice, or a brace stands alone.
    """
    out, at = "", 0
    if len(set(words_of(pattern))) < len(words_of(pattern)):
        raise ValueError(f'the pattern "{pattern}" has a word twice')
    for match in _WORD.finditer(pattern):
        out += re.escape(pattern[at : match.start()])
        out += f"(?P<{match[1]}>[^/]+)" if match[1] else ("(?:[^/]+/)*" if match[2] else "[^/]*")
        at = match.end()
    rest = pattern[at:]
    if re.search(r"[{}]", _WORD.sub("", pattern)):
        raise ValueError(f'the pattern "{pattern}" has a brace that belongs to no word like {{stem}}')
    out += re.escape(rest)
    if "." not in rest.rpartition("/")[2] and not pattern.endswith(("*", "{name}", "{suffix}")):
        out += r"(?:\.[A-Za-z0-9]+)"
    return re.compile(out, re.IGNORECASE)
