"""Writers of image files that no library would write, byte by byte from their standards: PNG (2003) and TIFF 6."""

import struct
import zlib

import numpy as np

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


def png(values, *, bits=8, colour_type=0, **chunks):
    """A PNG file of levels of shape (h, w) or (h, w, channels); `chunks` come before the pixels."""
    head = struct.pack(">IIBBBBB", values.shape[1], values.shape[0], bits, colour_type, 0, 0, 0)
    rows = values.reshape(values.shape[0], -1)
    if bits == 16:
        packed = [row.astype(">u2").tobytes() for row in rows]
    elif bits == 8:
        packed = [row.astype(np.uint8).tobytes() for row in rows]
    else:
        ones = (rows[..., None].astype(np.uint8) >> np.arange(bits - 1, -1, -1)) & 1
        packed = [np.packbits(one.ravel()).tobytes() for one in ones]
    body = zlib.compress(b"".join(b"\0" + row for row in packed))
    more = b"".join(_chunk(name, content) for name, content in chunks.items())
    return _SIGNATURE + _chunk("IHDR", head) + more + _chunk("IDAT", body) + _chunk("IEND", b"")


def bomb(side):
    """A PNG of a few bytes that says it has `side` x `side` pixels."""
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return _SIGNATURE + _chunk("IHDR", head) + _chunk("IDAT", zlib.compress(bytes(1000))) + _chunk("IEND", b"")


def _chunk(name, body):
    kind = name.encode()
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def tiff(values, *, photometric=1, sample_format=1, order="<", orientation=1, bits=None):
    """An uncompressed TIFF of one strip; `values` (h, w) or (h, w, channels) of 8, 16, 32 or 64 bits each."""
    channels = 1 if values.ndim == 2 else values.shape[2]
    bits = values.dtype.itemsize * 8 if bits is None else bits
    data = values.astype(values.dtype.newbyteorder(order)).tobytes()
    depth = [bits] * channels
    tags = [
        (256, "I", [values.shape[1]]), (257, "I", [values.shape[0]]), (258, "H", depth), (259, "H", [1]),
        (262, "H", [photometric]), (273, "I", [8]), (274, "H", [orientation]), (277, "H", [channels]),
        (278, "I", [values.shape[0]]), (279, "I", [len(data)]), (339, "H", [sample_format] * channels),
    ]  # fmt: skip
    data += b"\0" * (len(data) % 2)
    start = 8 + len(data)
    beyond, extra = b"", start + 2 + 12 * len(tags) + 4
    entries = b""
    for tag, kind, numbers in tags:
        packed = struct.pack(order + kind * len(numbers), *numbers)
        entries += struct.pack(order + "HHI", tag, {"H": 3, "I": 4}[kind], len(numbers))
        if len(packed) <= 4:
            entries += packed.ljust(4, b"\0")
        else:
            entries += struct.pack(order + "I", extra + len(beyond))
            beyond += packed
    mark = {"<": b"II", ">": b"MM"}[order]
    head = mark + struct.pack(order + "HI", 42, start)
    return head + data + struct.pack(order + "H", len(tags)) + entries + bytes(4) + beyond
