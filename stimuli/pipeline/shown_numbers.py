"""What a classifier sees of an image's canvas and of each source's lowest level."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from rapidvision.reveal import RevealSeries

from ..certificate.numbers import NOT_SCRAMBLED, numbers_of


def shown_numbers(
    image: NDArray[np.uint8], canvas: NDArray[np.uint8], series: Mapping[str, RevealSeries], *, kind: str
) -> dict[str, tuple[float, ...]]:
    """Return colour and spectrum numbers by what is shown.

    Parameters
    ----------
    image, canvas : ndarray of uint8, shape (side, side, 3)
        Coded sRGB.
    series : mapping
        Map source → its series.
    kind : str
        Of the canvas; one that is not scrambled is tested for its layout as well.

    Returns
    -------
    dict
        ``canvas`` and ``lowest level of SOURCE``; edges of the region are hard.
    """
    layout = kind in NOT_SCRAMBLED
    found = {"canvas": numbers_of(canvas, layout=layout)}
    for name, one in series.items():
        found[f"lowest level of {name}"] = numbers_of(one.compose(image, canvas, 0), layout=layout)
    return found
