"""Large JSON files element by element: memory does not grow with the file."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, TypeVar

import msgspec

from rapidvision.errors import InputError
from rapidvision.system import json_text

T = TypeVar("T")

_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|["{}\[\]]', re.DOTALL)
_BLOCK = 1 << 20
_DECODER = json.JSONDecoder()


def elements(path: Path, type_: type[T], *, key: str = "", form: str) -> Iterator[T]:
    """Yield the elements of a list in a JSON file, each checked.

    Parameters
    ----------
    path : Path
        The file.
    type_ : type
        Of an element: an object or a list.
    key : str
        The list's name in the object that the file holds; empty where the file is the list.
    form : str
        What the file should be, for messages.

    Raises
    ------
    InputError
        When the file cannot be read, is cut off, has no such list, or an element is another one.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.json"
    >>> _ = path.write_text('{"other": [1], "points": [[1, 2], [3, 4]]}')
    >>> list(elements(path, tuple[int, int], key="points", form="list of points"))
    [(1, 2), (3, 4)]
    """
    number = 0
    for number, raw in enumerate(_raw(path, key.encode(), form), 1):
        try:
            yield json_text.decode(raw, type_, name=f"{path}: {key or 'element'} {number}")
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise InputError(f"{path}: not a {form} ({key or 'element'} {number}: {error})") from error


def _raw(path: Path, key: bytes, form: str) -> Iterator[bytes]:
    """Yield the bytes of each object or list in the wanted list."""
    inside = 2 if key else 1
    depth, last, within, found = 0, b"", not key, False
    start: int | None = None
    buffer, at = b"", 0
    with _opened(path) as file:
        while block := file.read(_BLOCK):
            kept = at if start is None else start
            buffer, at, start = buffer[kept:] + block, at - kept, None if start is None else 0
            text_of_block = buffer.decode("latin-1")  # a letter for each byte, so that places are the same
            while token := _TOKEN.search(buffer, at):
                text = token.group()
                if text == b'"':  # its end is in the next block
                    break
                at = token.end()
                if text[:1] == b'"':
                    last = text[1:-1] if depth == 1 else last
                elif text in b"{[":
                    if depth == inside and within and (end := _end(text_of_block, token.start())):
                        yield buffer[token.start() : end]
                        at = end
                        continue
                    depth += 1
                    if depth == 1 and (text == b"{") != bool(key):
                        raise InputError(f"{path}: not a {form} (it begins with {text.decode()})")
                    if depth == inside and text == b"[":
                        within = not key or last == key
                        if within and found:
                            raise InputError(f'{path}: not a {form} (the key "{key.decode()}" stands twice)')
                        found = found or within
                    elif depth == inside + 1 and within:
                        start = token.start()
                else:
                    if depth == inside + 1 and within and start is not None:
                        yield buffer[start:at]
                        start = None
                    if depth == inside:
                        within = False
                    depth -= 1
            else:
                at = len(buffer)
    if depth != 0 or not found or buffer[at:].strip():
        reason = f'no list "{key.decode()}"' if key and not found and depth == 0 else "it is cut off, or no JSON"
        raise InputError(f"{path}: not a {form} ({reason})")


def _end(text: str, start: int) -> int:
    """Return where an element ends; 0 where it does not end in this text, or is damaged."""
    try:
        return _DECODER.raw_decode(text, start)[1]
    except (ValueError, RecursionError):
        return 0


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
