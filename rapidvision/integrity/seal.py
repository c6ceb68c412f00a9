"""A hash over a description, kept inside it: a description that was changed by hand is refused."""

from typing import Protocol

import msgspec

from rapidvision.errors import InputError
from rapidvision.system import files


class Sealed(Protocol):
    """A description that can carry a hash over itself; a msgspec struct."""

    @property
    def checksum(self) -> str:
        """SHA-256 over everything else, as :func:`seal_of` makes it."""
        ...


def seal_of(description: Sealed) -> str:
    """Return the SHA-256 of a description, its own `checksum` left out.

    Examples
    --------
    >>> class Note(msgspec.Struct):
    ...     text: str
    ...     checksum: str = ""
    >>> seal_of(Note("a", "x")) == seal_of(Note("a")) != seal_of(Note("b"))
    True
    """
    content = msgspec.to_builtins(description)
    return files.canonical_digest({name: value for name, value in content.items() if name != "checksum"})


def check_seal(description: Sealed, *, where: str) -> None:
    """Refuse a description that was changed after it was written.

    Raises
    ------
    InputError
        Names the file.
    """
    if description.checksum != seal_of(description):
        raise InputError(f"{where}: was changed after the set was built (checksum differs); build the set again")
