"""An image on its way through the pipeline: what was read, its reveal series, and its canvas."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rapidvision.reveal import RevealSeries

from ..background.canvas import MadeCanvas
from ..image.match import MatchQuality
from ..maps.prepare import PreparedMap
from .image_list import ImageEntry
from .quality import Quality


@dataclass(frozen=True, slots=True, eq=False)
class Inputs:
    """Everything read from files for one image.

    Attributes
    ----------
    job : ImageEntry
        Which image.
    pixels : ndarray of uint8, shape (side, side, 3)
        The image, ready for use.
    image_sha256 : str
        Hash of its file.
    maps : dict
        Map source → prepared map, in the recipe's order.
    look : str
        What it looks like from far away, before it was matched; see :func:`.duplicates.perceptual_hash`.
    match : MatchQuality or None
        How near the image is to the set's common target.
    masks : dict
        Name of an object mask → bool, shape (side, side).
    """

    job: ImageEntry
    pixels: NDArray[np.uint8]
    image_sha256: str
    maps: dict[str, PreparedMap]
    look: str = ""
    match: MatchQuality | None = None
    masks: dict[str, NDArray[np.bool_]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class PlannedImage:
    """An image and its reveal series: all that the form ``recipe`` needs, and much quicker than the canvas.

    Attributes
    ----------
    inputs : Inputs
        What went in.
    series : dict
        Map source → RevealSeries.
    quality : Quality
        Figures for the set's tables; those of the canvas are missing.
    """

    inputs: Inputs
    series: dict[str, RevealSeries]
    quality: Quality


@dataclass(frozen=True, slots=True, eq=False)
class MadeImage(PlannedImage):
    """An image, its reveal series and its canvas, which all sources share; `quality` is complete."""

    canvas: MadeCanvas
