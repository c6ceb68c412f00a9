"""A PNG writer for series: images that share most of their rows share the work.

Rows are compressed in strips, each an independent deflate segment; a strip that did not change since the last
image is not compressed again, and its checksum is combined with the others'. Any PNG reader sees ordinary files.
Huffman coding alone (:mod:`.deflate`) is as small as a search for repeats within a tenth.
"""

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

from .deflate import deflated

VERSION = "2"

STRIP_ROWS = 16
_ADLER = 65521


class SeriesWriter:
    r"""Encodes 8-bit RGB images of one size, one after the other.

    Parameters
    ----------
    height, width : int
        Size of every image in pixels.

    Examples
    --------
    >>> writer = SeriesWriter(2, 2)
    >>> data = writer.encode(np.zeros((2, 2, 3), np.uint8), title="black")
    >>> data[:4]
    b'\x89PNG'
    """

    def __init__(self, height: int, width: int) -> None:
        self.height, self.width = height, width
        self._strips: list[tuple[bytes, int, int]] = []
        header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
        self._head = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"sRGB", b"\0")

    def encode(
        self, image: NDArray[np.uint8], *, title: str = "", changed_rows: NDArray[np.bool_] | None = None
    ) -> bytes:
        """Return the bytes of a PNG file.

        Parameters
        ----------
        image : ndarray of uint8, shape (height, width, 3)
            Coded sRGB.
        title : str
            Latin-1 text that the file carries, so that a stray file can be traced.
        changed_rows : ndarray of bool, shape (height,), optional
            Rows that differ from the image encoded before; None means all.

        Returns
        -------
        bytes
            The whole file.
        """
        tops = np.arange(0, self.height, STRIP_ROWS)
        if changed_rows is None or not self._strips:
            self._strips = [_strip(image[top : top + STRIP_ROWS]) for top in tops]
        else:
            for number in np.flatnonzero(np.logical_or.reduceat(changed_rows, tops)):
                self._strips[number] = _strip(image[tops[number] : tops[number] + STRIP_ROWS])
        checksum = 1
        for _, adler, length in self._strips:
            checksum = _joined_adler(checksum, adler, length)
        coded = (strip[0] for strip in self._strips)
        data = b"".join([b"\x78\x01", *coded, b"\x03\x00", struct.pack(">I", checksum)])
        text = _chunk(b"tEXt", b"Title\0" + title.encode("latin-1", "replace")) if title else b""
        return self._head + text + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def encode(image: NDArray[np.uint8], *, title: str = "") -> bytes:
    """Return one image of shape (height, width, 3) as a PNG file."""
    return SeriesWriter(image.shape[0], image.shape[1]).encode(image, title=title)


def _strip(rows: NDArray[np.uint8]) -> tuple[bytes, int, int]:
    """Filter rows by their left neighbour and deflate them; returns data, Adler-32 and length before deflation."""
    flat = rows.reshape(rows.shape[0], -1)
    filtered = np.empty((flat.shape[0], flat.shape[1] + 1), np.uint8)
    filtered[:, 0] = 1
    filtered[:, 1:4] = flat[:, :3]
    np.subtract(flat[:, 3:], flat[:, :-3], out=filtered[:, 4:])
    raw = filtered.ravel()
    return deflated(raw), zlib.adler32(raw.data), raw.size


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(data, zlib.crc32(name)))


def _joined_adler(first: int, second: int, second_length: int) -> int:
    """Adler-32 of two pieces of data put together, from the checksums of the pieces."""
    low = ((first & 0xFFFF) + (second & 0xFFFF) - 1) % _ADLER
    high = ((first >> 16) + (second >> 16) + second_length * ((first & 0xFFFF) - 1)) % _ADLER
    return high << 16 | low
