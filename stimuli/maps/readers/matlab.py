"""MATLAB files of version 5 to 7.2, read in plain Python.

SciPy's reader is compiled code that trusts lengths inside the file: some damaged files end the process. This one
checks every length against the bytes that are there, and reads struct fields only when they are asked for.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.system import files

#: Variables that unpack to more bytes are refused.
MOST_BYTES = 1 << 30

_NUMBERS = {
    1: "i1",
    2: "u1",
    3: "i2",
    4: "u2",
    5: "i4",
    6: "u4",
    7: "f4",
    9: "f8",
    12: "i8",
    13: "u8",
}
_TEXTS = {1: "latin-1", 2: "latin-1", 4: "utf-16", 16: "utf-8", 17: "utf-16", 18: "utf-32"}
_MATRIX, _COMPRESSED = 14, 15
_CELL, _STRUCT, _CHAR = 1, 2, 4
_NUMERIC = range(6, 16)


class _Damaged(ValueError):
    """What the bytes say cannot be."""


@dataclass(frozen=True, slots=True, eq=False)
class Structs:
    """A struct array: field names, and for each element the fields' unread bytes."""

    names: tuple[str, ...]
    elements: tuple[tuple[memoryview, ...], ...]
    order: str


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """A cell array: the cells' unread bytes."""

    elements: tuple[memoryview, ...]
    order: str


def loadmat(path: Path) -> dict[str, Any]:
    """Read the variables of a MATLAB file.

    Parameters
    ----------
    path : Path
        A ``.mat`` file.

    Returns
    -------
    dict
        Name → array, text, :class:`Structs` or :class:`Cells`.

    Raises
    ------
    InputError
        When it is damaged, of version 7.3, or something else.
    """
    data = files.read_bytes(path)
    if data.startswith((b"MATLAB 7.3", b"\x89HDF\r\n\x1a\n")):
        raise InputError(f"{path}: a MATLAB 7.3 file; save it in MATLAB with -v7")
    if len(data) < 128 or data[126:128] not in (b"IM", b"MI"):
        raise InputError(f"{path}: not a MATLAB file of version 5 to 7.2")
    order = "<" if data[126:128] == b"IM" else ">"
    try:
        return dict(_variables(memoryview(data)[128:], order))
    except (_Damaged, zlib.error, struct.error, UnicodeError) as error:
        raise InputError(f"{path}: damaged ({error}); get the file again") from error


def field(value: Any, name: str, *, where: str) -> Any:
    """Return a field of a struct (an array of one struct counts as one), or say that it is missing."""
    if isinstance(value, Structs) and len(value.elements) == 1 and name in value.names:
        try:
            return _matrix(value.elements[0][value.names.index(name)], value.order)[1]
        except (_Damaged, struct.error, UnicodeError) as error:
            raise InputError(f"{where}: field {name} is damaged ({error}); get the file again") from error
    raise InputError(f'{where}: no field "{name}"; it is not in the form that this reader knows')


def items(value: Any, *, where: str) -> list[Any]:
    """Return the elements of a struct array or cell array one by one; an empty array has none."""
    if isinstance(value, Structs):
        return [Structs(value.names, (element,), value.order) for element in value.elements]
    if isinstance(value, Cells):
        try:
            return [_matrix(element, value.order)[1] for element in value.elements]
        except (_Damaged, struct.error, UnicodeError) as error:
            raise InputError(f"{where}: a cell is damaged ({error}); get the file again") from error
    if isinstance(value, np.ndarray) and value.size == 0:
        return []
    raise InputError(f"{where}: structs or cells are needed; it is not in the form that this reader knows")


def numbers(value: Any, *, where: str) -> NDArray[np.float64]:
    """Return numbers as float64 of shape (n,)."""
    if not isinstance(value, np.ndarray):
        raise InputError(f"{where}: values that are not numbers")
    return value.astype(np.float64).ravel(order="F")


def pairs(value: Any, *, where: str) -> NDArray[np.float64]:
    """Return coordinate pairs as float64 of shape (n, 2)."""
    if not isinstance(value, np.ndarray):
        raise InputError(f"{where}: coordinates that are not numbers")
    if value.size == 0:
        return np.empty((0, 2))
    if value.ndim != 2 or value.shape[1] != 2:
        raise InputError(f"{where}: coordinates of shape {value.shape}; pairs (n, 2) are needed")
    return value.astype(np.float64)


def text(value: Any, *, where: str) -> str:
    """Return text."""
    if not isinstance(value, str) or not value:
        raise InputError(f"{where}: a name is needed, got {type(value).__name__}")
    return value


def _variables(view: memoryview, order: str) -> Iterator[tuple[str, Any]]:
    while len(view):
        kind, body, view = _element(view, order)
        if kind == _COMPRESSED:
            unpacker = zlib.decompressobj()
            unpacked = unpacker.decompress(body, MOST_BYTES)
            if unpacker.unconsumed_tail:
                raise _Damaged(f"a variable of more than {MOST_BYTES} bytes")
            # MATLAB leaves out the end mark of some streams, so completeness is judged by the element's own length
            kind, body, _ = _element(memoryview(unpacked), order)
        if kind != _MATRIX:
            raise _Damaged(f"an element of type {kind} where a variable is expected")
        name, value = _matrix(body, order)
        if name:
            yield name, value


def _element(view: memoryview, order: str) -> tuple[int, memoryview, memoryview]:
    """Split off one element: its type, its content, and what follows."""
    if len(view) < 8:
        raise _Damaged("it ends within an element's head")
    kind, size = struct.unpack_from(order + "II", view)
    if kind >> 16:  # a small element: type and size share a word, up to four bytes follow
        kind, size = kind & 0xFFFF, kind >> 16
        if size > 4:
            raise _Damaged(f"a small element of {size} bytes")
        return kind, view[4 : 4 + size], view[8:]
    padded = size if kind == _COMPRESSED else size + -size % 8
    if size > len(view) - 8:
        raise _Damaged(f"an element of {size} bytes, {len(view) - 8} are left")
    return kind, view[8 : 8 + size], view[min(8 + padded, len(view)) :]


def _matrix(view: memoryview, order: str) -> tuple[str, Any]:
    """Read an array: its name and its value."""
    if not len(view):
        return "", np.empty((0, 0))
    _, flags, view = _element(view, order)
    kind_of_dims, dims, view = _element(view, order)
    _, name, view = _element(view, order)
    if len(flags) < 4 or kind_of_dims != 5:
        raise _Damaged("an array without flags or dimensions")
    class_ = struct.unpack_from(order + "I", flags)[0] & 0xFF
    shape = tuple(int(size) for size in np.frombuffer(dims[: len(dims) // 4 * 4], order + "i4"))
    if len(shape) < 2 or min(shape) < 0:
        raise _Damaged(f"dimensions {shape}")
    count = 1
    for size in shape:
        count *= size
    return bytes(name).decode("latin-1"), _value(class_, shape, count, view, order)


def _value(class_: int, shape: tuple[int, ...], count: int, view: memoryview, order: str) -> Any:
    if class_ == _CELL:
        return Cells(tuple(_matrices(view, count, order)[0]), order)
    if class_ == _STRUCT:
        return _structs(view, count, order)
    if class_ == _CHAR:
        kind, content, _ = _element(view, order) if len(view) else (1, memoryview(b""), view)
        if kind not in _TEXTS:
            raise _Damaged(f"text of type {kind}")
        codec = _TEXTS[kind]
        ending = {"<": "-le", ">": "-be"}[order] if codec in ("utf-16", "utf-32") else ""
        return bytes(content).decode(codec + ending)
    if class_ in _NUMERIC:
        kind, content, _ = _element(view, order)
        if kind not in _NUMBERS:
            raise _Damaged(f"numbers of type {kind}")
        dtype = np.dtype(order + _NUMBERS[kind])
        if len(content) != count * dtype.itemsize:
            raise _Damaged(f"{len(content)} bytes for an array of {'x'.join(map(str, shape))}")
        return np.frombuffer(content, dtype).reshape(shape, order="F")
    return None  # sparse arrays, objects and functions: passed over unless a reader asks for them


def _structs(view: memoryview, count: int, order: str) -> Structs:
    _, length, view = _element(view, order)
    _, packed, view = _element(view, order)
    size = struct.unpack_from(order + "i", length)[0] if len(length) >= 4 else 0
    if not 0 < size <= 4096:
        raise _Damaged(f"field names of {size} bytes")
    names = [bytes(packed[at : at + size]).split(b"\0")[0].decode("latin-1") for at in range(0, len(packed), size)]
    elements: list[tuple[memoryview, ...]] = []
    if names:
        for _ in range(count):
            fields, view = _matrices(view, len(names), order)
            elements.append(tuple(fields))
    return Structs(tuple(names), tuple(elements), order)


def _matrices(view: memoryview, count: int, order: str) -> tuple[list[memoryview], memoryview]:
    """Split off `count` arrays without reading them."""
    found = []
    for _ in range(count):
        kind, body, view = _element(view, order)
        if kind != _MATRIX:
            raise _Damaged(f"an element of type {kind} where an array is expected")
        found.append(body)
    return found, view
