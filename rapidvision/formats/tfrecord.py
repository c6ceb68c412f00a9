"""TFRecord files of ``tf.train.Example`` without TensorFlow: framing, checksums, features; the ClickMe release's form.

A file is a row of records: length (8 bytes), masked CRC-32C of the length, payload, masked CRC-32C of the payload.
The ClickMe release exists with raw float32 images and with JPEG images; :func:`image` reads both.
"""

import mmap
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.images.load import load_map, load_rgb
from rapidvision.integrity.crc32c import crc32c
from rapidvision.system import files

#: A feature's values: byte strings, float32 numbers or 64-bit whole numbers.
Feature = list[bytes] | NDArray[np.float32] | NDArray[np.int64]

_HEAD = struct.Struct("<QI")
_FOOT = struct.Struct("<I")


class Record(NamedTuple):
    """One record: its number in the file, the byte where it begins, its payload (a view, not a copy) and checksum."""

    number: int
    offset: int
    payload: memoryview
    checksum: int

    def check(self, path: Path | str) -> None:
        """Compare the payload with its checksum.

        Raises
        ------
        InputError
            When they differ: names the file, the record and the byte.
        """
        if _masked(crc32c(self.payload)) != self.checksum:
            raise InputError(
                f"{path}: record {self.number} at byte {self.offset}: its content is damaged (checksum differs); "
                "get the file again"
            )


def records(path: Path | str, *, verify: bool = True) -> Iterator[Record]:
    """Read the records of a file one after the other; memory does not grow with the file.

    Parameters
    ----------
    path : path-like
        A TFRecord file without compression.
    verify : bool, default True
        Check the payloads' checksums; without it, call :meth:`Record.check` before a payload is used. The lengths'
        checksums are always checked.

    Yields
    ------
    Record
        In the order of the file.

    Raises
    ------
    InputError
        When the file is cut off or damaged: names the file, the record and the byte.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "a.tfrecords"
    ...     write(path, [encode({"label": [7]})])
    ...     [example(record.payload)["label"].tolist() for record in records(path)]
    [[7]]
    """
    view = _mapped(Path(path))
    offset = index = 0
    while offset < len(view):
        end = _payload_end(view, offset, where=f"{path}: record {index} at byte {offset}")
        record = Record(index, offset, view[offset + _HEAD.size : end], _FOOT.unpack_from(view, end)[0])
        if verify:
            record.check(path)
        yield record
        offset, index = end + _FOOT.size, index + 1


def write(path: Path | str, payloads: Iterable[bytes]) -> None:
    """Write payloads as a TFRecord file, atomically."""
    with files.atomic(path) as file:
        for payload in payloads:
            size = struct.pack("<Q", len(payload))
            file.write(size + _FOOT.pack(_masked(crc32c(size))) + payload + _FOOT.pack(_masked(crc32c(payload))))


def _mapped(path: Path) -> memoryview:
    try:
        with path.open("rb") as file:
            if path.stat().st_size == 0:
                return memoryview(b"")
            return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error


def _payload_end(view: memoryview, offset: int, *, where: str) -> int:
    if len(view) - offset < _HEAD.size + _FOOT.size:
        raise InputError(f"{where}: the file ends within its head; get the file again")
    length, checksum = _HEAD.unpack_from(view, offset)
    if _masked(crc32c(view[offset : offset + 8])) != checksum:
        raise InputError(
            f"{where}: not a TFRecord, or damaged (the length's checksum differs); compressed files are not read"
        )
    end = offset + _HEAD.size + int(length)
    if end + _FOOT.size > len(view):
        raise InputError(
            f"{where}: wants {length} bytes, {len(view) - offset - _HEAD.size} are left; get the file again"
        )
    return end


def _masked(crc: int) -> int:
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def example(payload: bytes | memoryview) -> dict[str, Feature]:
    """Read a ``tf.train.Example``: feature name → values.

    Parameters
    ----------
    payload : bytes or memoryview
        One record.

    Returns
    -------
    dict
        Byte strings as a list of bytes, numbers as float32 or int64 arrays. A feature without values is left out.

    Raises
    ------
    InputError
        When the bytes are not an Example.

    Examples
    --------
    >>> example(encode({"label": [3, -1], "image": [b"abc"], "score": [0.5]}))
    {'label': array([ 3, -1]), 'image': [b'abc'], 'score': array([0.5], dtype=float32)}
    """
    view, found = memoryview(payload), {}
    try:
        for features in _chunks(view, 1):
            for entry in _chunks(features, 1):
                name, value = _chunks(entry, 1), _chunks(entry, 2)
                if name and value:
                    feature = _feature(value[-1])
                    if feature is not None:
                        found[bytes(name[-1]).decode()] = feature
    except (IndexError, ValueError, struct.error) as error:
        raise InputError(f"record: not a tf.train.Example ({error})") from error
    return found


def encode(features: Mapping[str, Sequence[bytes] | Sequence[int] | Sequence[float] | NDArray[np.float32]]) -> bytes:
    """Return features as a ``tf.train.Example``; the inverse of :func:`example`."""
    entries = b""
    for name, values in features.items():
        if isinstance(values, np.ndarray) or (values and isinstance(values[0], float)):
            kind, body = 2, _tagged(1, np.asarray(values, "<f4").tobytes())
        elif values and isinstance(values[0], bytes):
            kind, body = 1, b"".join(_tagged(1, bytes(value)) for value in values)  # type: ignore[arg-type]
        else:
            kind, body = 3, _tagged(1, b"".join(_varint_bytes(int(value) & (2**64 - 1)) for value in values))
        entries += _tagged(1, _tagged(1, name.encode()) + _tagged(2, _tagged(kind, body)))
    return _tagged(1, entries)


def _feature(view: memoryview) -> Feature | None:
    for kind, _wire, value in _fields(view):
        if not isinstance(value, memoryview):
            continue
        if kind == 1:
            return [bytes(item) for item in _chunks(value, 1)]
        if kind == 2:
            parts = [np.frombuffer(item, "<f4") for _, _, item in _fields(value) if isinstance(item, memoryview)]
            return np.concatenate(parts).astype(np.float32, copy=False) if parts else np.empty(0, np.float32)
        if kind == 3:
            return _whole_numbers(value)
    return None


def _whole_numbers(view: memoryview) -> NDArray[np.int64]:
    numbers: list[int] = []
    for _field, _wire, value in _fields(view):
        if isinstance(value, int):
            numbers.append(value)
            continue
        position = 0
        while position < len(value):
            number, position = _varint(value, position)
            numbers.append(number)
    return np.array(numbers, np.uint64).view(np.int64)


def _chunks(view: memoryview, field: int) -> list[memoryview]:
    return [value for number, _wire, value in _fields(view) if number == field and isinstance(value, memoryview)]


def _fields(view: memoryview) -> Iterator[tuple[int, int, memoryview | int]]:
    """Fields of a protocol-buffer message: number, wire type, value."""
    position = 0
    while position < len(view):
        key, position = _varint(view, position)
        wire = key & 7
        if wire == 0:
            number, position = _varint(view, position)
            yield key >> 3, wire, number
            continue
        if wire == 2:
            size, position = _varint(view, position)
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
        else:
            raise ValueError(f"wire type {wire} at byte {position}")
        if position + size > len(view):
            raise ValueError(f"field of {size} bytes at byte {position} runs past the end")
        yield key >> 3, wire, view[position : position + size]
        position += size


def _varint(view: memoryview, position: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = view[position]
        position += 1
        number |= (byte & 127) << shift
        if byte < 128:
            return number, position
        shift += 7
        if shift > 63:
            raise ValueError(f"number of more than 64 bits at byte {position}")


def _varint_bytes(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def _tagged(field: int, body: bytes) -> bytes:
    return _varint_bytes(field << 3 | 2) + _varint_bytes(len(body)) + body


def image(blob: bytes, *, n_channels: int, where: str = "image") -> NDArray[np.float32] | NDArray[np.uint8]:
    """Read an image or map of the ClickMe release: raw float32 of a square, or an encoded file (JPEG, PNG).

    Parameters
    ----------
    blob : bytes
        The feature's bytes.
    n_channels : int
        3 for images, 1 for maps.
    where : str
        What to call it in a message.

    Returns
    -------
    ndarray of float32 or uint8, shape (height, width, n_channels) or (height, width) for one channel
        float32 as stored; uint8 from encoded images, float32 from encoded maps.

    Raises
    ------
    InputError
        When the bytes are neither, or damaged.

    Examples
    --------
    >>> image(np.zeros((4, 4, 3), "<f4").tobytes(), n_channels=3).shape
    (4, 4, 3)
    """
    if blob[:2] == b"\xff\xd8" or blob[:4] == b"\x89PNG":
        return load_rgb(blob, name=where) if n_channels == 3 else load_map(blob, name=where).astype(np.float32)
    side = round((len(blob) / (4 * n_channels)) ** 0.5)
    if side == 0 or side * side * 4 * n_channels != len(blob):
        raise InputError(f"{where}: {len(blob)} bytes are neither JPEG nor PNG nor a square of float32 x {n_channels}")
    pixels = np.frombuffer(blob, "<f4").astype(np.float32, copy=False)
    return pixels.reshape((side, side) if n_channels == 1 else (side, side, n_channels))
