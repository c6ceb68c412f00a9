"""One image as a PNG file; the levels of a series, which share most of their pixels, have a writer of their own."""

import io

import numpy as np
from numpy.typing import NDArray

#: What zlib is asked to do where neither size nor time matters much.
EFFORT = 6


def png_bytes(pixels: NDArray[np.uint8] | NDArray[np.uint16], *, effort: int = EFFORT) -> bytes:
    r"""Encode pixels as PNG; the same bytes for the same pixels and the same zlib.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (height, width) or (height, width, 3), or of uint16, shape (height, width)
        Grey or colour.
    effort : int, 1 … 9, default 6
        1 is fast, 9 is small.

    Returns
    -------
    bytes
        The whole file.

    Examples
    --------
    >>> png_bytes(np.zeros((2, 2), np.uint8))[:4]
    b'\x89PNG'
    """
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG", compress_level=effort)
    return out.getvalue()
