"""One interface to every attribution: where a network looks, by name of the method."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..observer.observe import Network
from ..observer.overlay import attribution_of


def attributions(
    network: Network,
    images: NDArray[np.uint8],
    *,
    method: str = "attention",
    names: Sequence[str] = (),
    **options: Any,
) -> NDArray[np.float32]:
    """Maps of where a network looks.

    Parameters
    ----------
    network : Network
        From :func:`load`; its readout says what the evidence for "target" is.
    images : ndarray of uint8, shape (n, side, side, 3)
        Square images of one size.
    method : str
        ``attention`` (GALA's columns; activity of networks without attention modules of this package), ``activity``,
        ``smoothgrad``, ``grad-cam``, ``guided-backprop``, ``guided-grad-cam``, ``integrated-gradients``, ``occlusion``,
        ``rise``, ``rollout``, or a plug-in's.
    names : sequence of str, optional
        The images', for messages.
    **options
        The method's own: ``layer`` of ``grad-cam`` and ``activity``, ``n_steps`` of ``integrated-gradients``, ``n_samples`` of ``smoothgrad``, ``window`` and
        ``stride`` of ``occlusion``, ``n_masks``, ``n_cells``, ``share`` and ``seed`` of ``rise``.

    Returns
    -------
    ndarray of float32, shape (n, side, side)
        0 … 1 per image; 0 outside the part that the network saw.

    Raises
    ------
    InputError
        When there is no such method or option, or the network does not have what the method needs.
    MissingExtra
        When captum is needed and missing: the extra ``attribution``.

    Examples
    --------
    >>> import numpy as np
    >>> import rapidvision as rv
    >>> network, images = rv.models.load("compact-gala"), np.zeros((1, 88, 88, 3), np.uint8)
    >>> images[:, 20:50, 20:50] = 200
    >>> rv.models.attributions(network, images, method="grad-cam").shape
    (1, 88, 88)
    """
    return attribution_of(method, network, images, names=names, **options)
