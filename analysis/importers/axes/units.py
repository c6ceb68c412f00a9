"""Units in cells: ``10 %``, ``-12 dB`` and ``50ms`` are a number and its unit."""

import re
from functools import lru_cache

_UNITS = {
    "%": "percent", "percent": "percent", "db": "dB", "ms": "ms", "msec": "ms", "s": "s", "sec": "s", "deg": "degrees",
    "°": "degrees", "degrees": "degrees", "px": "px", "hz": "Hz", "cpd": "cycles/degree",
}  # fmt: skip
_MARKED = re.compile(r"([-+]?[\d.,]+(?:[eE][-+]?\d+)?)\s*(%|°|[A-Za-z]+)")


@lru_cache(maxsize=1 << 14)
def split_unit(text: str) -> tuple[str, str]:
    """Split a cell in number and unit; a cell without a unit that is known stays whole.

    Examples
    --------
    >>> split_unit("-12 dB"), split_unit("40%"), split_unit("40"), split_unit("3 apples")
    (('-12', 'dB'), ('40', 'percent'), ('40', ''), ('3 apples', ''))
    """
    found = _MARKED.fullmatch(text)
    if found is None or found[2].casefold() not in _UNITS:
        return text, ""
    return found[1], _UNITS[found[2].casefold()]
