"""An image without recognisable content, by either method of the recipe, from Python."""

from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rapidvision.errors import InputError, did_you_mean
from rapidvision.seeds import key64

from ..recipe_tables import Canvas
from .canvas import make_canvas
from .phase_scramble import phase_scramble

ScrambleMethod = Literal["phase", "noise"]


def scramble(image: ArrayLike, *, seed: int, method: ScrambleMethod = "phase") -> NDArray[np.uint8]:
    """Take the content out of an image and keep its colours and its spectrum.

    Parameters
    ----------
    image : array_like of uint8, shape (height, width) or (height, width, 3)
        Grey or RGB.
    seed : int
        Of the random phases, or of the noise; 0 or more.
    method : {"phase", "noise"}
        ``phase`` keeps every amplitude of this image and draws its phases, as the paper does
        (:func:`~rapidvision.stimuli.phase_scramble`, which has more options). ``noise`` gives white noise the image's
        spectrum, so that the single amplitudes are random too.

    Returns
    -------
    ndarray of uint8, same shape
        Values outside 0 … 255 are clipped.

    Raises
    ------
    InputError
        When the array is not an image of these types, or the method is unknown.

    Examples
    --------
    >>> import numpy as np
    >>> import rapidvision as rv
    >>> image = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    >>> noise = rv.stimuli.scramble(image, method="noise", seed=1)
    >>> noise.shape, bool((noise == rv.stimuli.scramble(image, method="phase", seed=1)).all())
    ((32, 32, 3), False)
    """
    if method not in get_args(ScrambleMethod):
        raise InputError(f'method: got "{method}". {did_you_mean(method, get_args(ScrambleMethod))}')
    phases = phase_scramble(image, seed=seed)
    if method == "phase":
        return phases
    pixels = np.asarray(image)
    colour = np.repeat(pixels[..., None], 3, axis=2) if pixels.ndim == 2 else pixels
    made = make_canvas(colour, Canvas(kind="noise"), key=key64(seed, "noise"), where="image").pixels
    return made[..., 0] if pixels.ndim == 2 else made
