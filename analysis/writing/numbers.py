"""Numbers in APA style, each with its place in ``results.json``: nothing is written that is not there."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from rapidvision.errors import InputError

#: Keys and places that lead to a value of ``results.json``.
Path = tuple[str | int, ...]
#: p below it is written as a bound.
SMALLEST_P = 0.001


class Source(NamedTuple):
    """A written number, and where it stands.

    Attributes
    ----------
    text : str
        As in the paragraph.
    path : tuple of str and int
        Keys and places in ``results.json``.
    """

    text: str
    path: Path


class Numbers:
    """Values of ``results.json`` as text; `sources` keeps each with its place.

    Examples
    --------
    >>> numbers = Numbers({"test": {"p": [0.0123, 0.0001], "n": 1200, "share": 0.9162}})
    >>> numbers.p("test", "p", 0), numbers.p("test", "p", 1), numbers.count("test", "n"), numbers.share("test", "share")
    ('p = .012', 'p < .001', '1,200', '91.6%')
    >>> numbers.sources[0]
    Source(text='.012', path=('test', 'p', 0))
    """

    def __init__(self, results: Mapping[str, Any]) -> None:
        self.results = results
        self.sources: list[Source] = []

    def get(self, *path: str | int) -> Any:
        """The value at a place."""
        return value_at(self.results, path)

    def _said(self, text: str, path: Path) -> str:
        self.sources.append(Source(text, path))
        return text

    def count(self, *path: str | int) -> str:
        """A whole number with commas."""
        return self._said(f"{self.get(*path):,}", path)

    def p(self, *path: str | int) -> str:
        """``p = .012`` or ``p < .001``."""
        value = self.get(*path)
        return f"p {'<' if value < SMALLEST_P else '='} {self.bare_p(*path)}"

    def bare_p(self, *path: str | int) -> str:
        """``.012``, or the bound ``.001``."""
        return self._said(apa_p(self.get(*path)), path)

    def share(self, *path: str | int) -> str:
        """A share in per cent."""
        return self._said(f"{self.get(*path):.1%}", path)

    def percent(self, *path: str | int) -> str:
        """A share in per cent, in its shortest form: ``50%``, ``6.25%``."""
        return self._said(f"{100 * self.get(*path):.3g}%", path)

    def points(self, *path: str | int) -> str:
        """A share as points of per cent."""
        return self._said(f"{100 * self.get(*path):.1f}", path)

    def number(self, *path: str | int, digits: int = 2) -> str:
        """A number with so many decimals."""
        return self._said(f"{self.get(*path):.{digits}f}", path)

    def plain(self, *path: str | int) -> str:
        """A number or label in its shortest form: ``0.05``, ``15.8``."""
        value = self.get(*path)
        return self._said(f"{value:g}" if isinstance(value, float) else str(value), path)


def apa_p(p: float) -> str:
    """A p without its zero: ``.012``; ``.001`` for anything smaller.

    Examples
    --------
    >>> apa_p(0.04), apa_p(1.0), apa_p(2e-5)
    ('.040', '1.000', '.001')
    """
    return f"{max(p, SMALLEST_P):.3f}".removeprefix("0")


def value_at(results: Any, path: Path) -> Any:
    """The value at a place of nested objects and lists.

    Raises
    ------
    InputError
        When there is none; names the place.
    """
    found = results
    for step in path:
        try:
            found = found[step]
        except (KeyError, IndexError, TypeError):
            raise InputError(f"results: nothing at {' / '.join(map(str, path))}") from None
    return found


def listed(words: Sequence[str]) -> str:
    """Words with commas and "and".

    Examples
    --------
    >>> listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"])
    ('a', 'a and b', 'a, b, and c')
    """
    if len(words) < 3:
        return " and ".join(words)
    return f"{', '.join(words[:-1])}, and {words[-1]}"
