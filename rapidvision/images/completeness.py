"""Whether an image file is all there: checksums where a format has them, end marks and sizes where it has not.

Decoders fill what is missing with grey or with the row before, and say nothing.
"""

import re
import zlib
from typing import Any

import numpy as np

from rapidvision.errors import InputError

_STRIPS, _STRIP_BYTES, _TILES, _TILE_BYTES = 273, 279, 324, 325
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_JPEG_MARKER = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])")
_JPEG_RESTART = re.compile(rb"\xff([\xd0-\xd7])")
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9


def check_complete(data: bytes, image: Any, *, name: str) -> None:
    """Refuse an image file that ends early, or whose checksum fails.

    Parameters
    ----------
    data : bytes
        The whole file.
    image : PIL.Image.Image
        The same file, opened and not yet decoded.
    name : str
        What to call it in messages.

    Raises
    ------
    InputError
        With the reason.
    """
    if image.format == "PNG":
        _check_png(data, name)
    elif image.format in ("JPEG", "MPO"):
        _check_jpeg(data, name)
    elif image.format == "GIF" and not data.rstrip(b"\0").endswith(b";"):
        raise _incomplete(name, "a GIF without its end mark")
    elif image.format == "TIFF":
        for at, sizes in ((_STRIPS, _STRIP_BYTES), (_TILES, _TILE_BYTES)):
            if at in image.tag_v2 and sizes in image.tag_v2:
                ends = np.atleast_1d(image.tag_v2[at]).astype(np.int64) + np.atleast_1d(image.tag_v2[sizes])
                if ends.max() > len(data):
                    raise _incomplete(name, f"a TIFF whose pixels end at byte {ends.max()} of {len(data)}")


def _incomplete(name: str, reason: str) -> InputError:
    return InputError(f"{name}: {reason}; the file is incomplete or damaged, get it again")


def _check_png(data: bytes, name: str) -> None:
    """Check the checksum of every chunk up to the end mark; Pillow checks those before the pixels only."""
    position, kind = len(_PNG_SIGNATURE), b""
    while kind != b"IEND":
        head = data[position : position + 8]
        length, kind = int.from_bytes(head[:4], "big"), head[4:]
        end = position + 8 + length
        checksum = data[end : end + 4]
        if len(checksum) < 4:
            raise _incomplete(name, f"a PNG that ends within a chunk (byte {position} of {len(data)})")
        if zlib.crc32(memoryview(data)[position + 4 : end]) != int.from_bytes(checksum, "big"):
            raise _incomplete(name, f"a PNG with a wrong checksum (chunk at byte {position})")
        position = end + 4


def _check_jpeg(data: bytes, name: str) -> None:
    """Follow the segments of the first image to its end mark."""
    position = 2
    while True:
        marker = _JPEG_MARKER.match(data, position)
        if marker is None:
            raise _incomplete(name, f"a JPEG without its end mark (byte {position} of {len(data)})")
        position, kind = marker.end(), marker[1][0]
        if kind == _END_OF_IMAGE:
            return
        position += int.from_bytes(data[position : position + 2], "big")
        if kind == _START_OF_SCAN:
            following = _JPEG_MARKER.search(data, position)
            end = following.start() if following else len(data)
            restarts = [found[1][0] & 7 for found in _JPEG_RESTART.finditer(data, position, end)]
            if restarts != [number % 8 for number in range(len(restarts))]:
                raise _incomplete(name, "a JPEG whose restart marks are out of order")
            position = end
