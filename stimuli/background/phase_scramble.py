"""Phase scrambling of one image, from Python; :mod:`.scramble` has the method."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rapidvision.errors import InputError
from rapidvision.seeds import key64

from .scramble import scramble


def phase_scramble(
    image: ArrayLike,
    *,
    seed: int,
    coherence: float = 0.0,
    edges: Literal["periodic", "raw"] = "periodic",
    gamut_iterations: int = 5,
) -> NDArray[np.uint8]:
    """Replace an image's phases by random ones and keep its amplitude spectrum.

    Parameters
    ----------
    image : array_like of uint8, shape (height, width) or (height, width, 3)
        Grey or RGB. One phase field is added to all channels, so the colours stay correlated.
    seed : int
        Seed of the phase field, 0 or more.
    coherence : float, default 0
        Weight of the image's own phases, 0 … 1; 1 gives the image back.
    edges : {"periodic", "raw"}, default "periodic"
        ``periodic`` takes the jump between opposite borders out of the spectrum first; ``raw`` leaves its cross in it.
    gamut_iterations : int, default 5
        How often the phases are improved so that fewer values lie outside 0 … 255; 0 is the plain method.

    Returns
    -------
    ndarray of uint8, same shape
        Values outside 0 … 255 are clipped.

    Raises
    ------
    InputError
        When the array is not an image of these types, or a number lies outside its range.

    Notes
    -----
    Linsley et al. (2019), appendix "Stimulus generation": the background of the reveal stimuli.

    Examples
    --------
    >>> import numpy as np
    >>> import rapidvision as rv
    >>> rng = np.random.default_rng(0)
    >>> image = rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)
    >>> background = rv.stimuli.phase_scramble(image, seed=1)
    >>> background.shape, abs(float(background.mean()) - float(image.mean())) < 3
    ((32, 32, 3), True)
    """
    pixels = np.asarray(image)
    if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3) or (pixels.ndim == 3 and pixels.shape[2] != 3):
        raise InputError(
            f"phase scramble: got {pixels.dtype} of shape {pixels.shape}; "
            "allowed is uint8 of shape (height, width) or (height, width, 3)"
        )
    if not 0 <= coherence <= 1:
        raise InputError(f"phase scramble: coherence is {coherence}; allowed is 0 to 1")
    if edges not in ("periodic", "raw"):
        raise InputError(f'phase scramble: edges is "{edges}"; allowed are periodic and raw')
    values = pixels[..., None] if pixels.ndim == 2 else pixels
    made = scramble(
        values.astype(np.float64),
        key=key64(seed, "phase scramble"),
        coherence=coherence,
        edges=edges,
        gamut_iterations=gamut_iterations,
    )
    return np.clip(np.rint(made.values), 0, 255).astype(np.uint8).reshape(pixels.shape)
