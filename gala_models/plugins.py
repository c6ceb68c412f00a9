"""Plug-ins for networks: what a network, a readout and an attribution of your own must look like."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from .registries import ARCHITECTURES, ATTRIBUTIONS, NETWORKS, READOUTS

if TYPE_CHECKING:
    from torch import nn

    from .layers.architecture import Architecture
    from .observer.observe import Network
    from .observer.readout import Readout


class Attribution(Protocol):
    """Where a network looks."""

    def __call__(self, network: "Network", images: NDArray[np.uint8], /, *, names: Sequence[str]) -> Any:
        """Return maps of images, an array or tensor in 0 … 1 of shape (n, height, width).

        `images` are uint8 of shape (n, height, width, 3), square and of one size. ``network.preprocessing(images)`` is
        the input of ``network.model``, and ``network.readout.evidence`` turns its scores into log odds of "target".
        `names` are the images', for messages.
        """


F = TypeVar("F", bound="Callable[[Architecture], nn.Module]")
N = TypeVar("N", bound="Callable[[], nn.Module]")
R = TypeVar("R", bound="Callable[[], Readout]")
A = TypeVar("A", bound=Attribution)


def register_architecture(name: str) -> Callable[[F], F]:
    """Register a function that builds a network to be trained, under the name that recipes write as ``model.family``.

    Parameters
    ----------
    name : str
        Without blanks; not that of a built-in family.

    Returns
    -------
    callable
        A decorator for a function that takes an :class:`Architecture` and returns a ``torch.nn.Module`` with fresh
        weights: images in, of shape (n, 3, height, width), ``n_classes`` scores out. What it draws comes from PyTorch's
        global generator, which is seeded. Maps supervise the :class:`GALA` modules in it.

    Raises
    ------
    InputError
        When another architecture has the name.

    Examples
    --------
    >>> import torch
    >>> import rapidvision as rv
    >>> @rv.models.register_architecture("linear-of-the-example")
    ... def linear(architecture):
    ...     layers = torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(3, architecture.n_classes)
    ...     return torch.nn.Sequential(*layers)
    >>> rv.models.Architecture(family="linear-of-the-example", n_classes=2).family
    'linear-of-the-example'
    """
    return ARCHITECTURES.register(name)  # type: ignore[return-value]  # typed by what all architectures share


def register_network(name: str) -> Callable[[N], N]:
    """Register a function that returns a network, under the name that ``--model`` takes.

    Parameters
    ----------
    name : str
        Without blanks; not that of another network.

    Returns
    -------
    callable
        A decorator for a function that takes nothing and returns a ``torch.nn.Module``: images in, of shape
        (n, 3, height, width), class scores out.

    Raises
    ------
    InputError
        When another network has the name.

    Examples
    --------
    >>> import torch
    >>> import rapidvision as rv
    >>> from rapidvision.gala_models.registries import NETWORKS
    >>> @rv.models.register_network("linear-of-the-example")
    ... def linear():
    ...     return torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(3, 2))
    >>> "linear-of-the-example" in NETWORKS
    True
    """
    return NETWORKS.register(name)  # type: ignore[return-value]  # the registry is typed by what all networks share


def register_readout(name: str) -> Callable[[R], R]:
    """Register a readout under the name that ``--readout`` takes.

    Parameters
    ----------
    name : str
        Without blanks; not that of a built-in readout.

    Returns
    -------
    callable
        A decorator for a function that takes nothing and returns a
        :class:`~rapidvision.gala_models.observer.readout.Readout`.

    Raises
    ------
    InputError
        When another readout has the name.

    Examples
    --------
    >>> import rapidvision as rv
    >>> from rapidvision.gala_models.observer.readout import Readout
    >>> from rapidvision.gala_models.registries import READOUTS
    >>> @rv.models.register_readout("first-of-the-example")
    ... def first():
    ...     return Readout("first-of-the-example", 1, lambda scores: scores[:, 0].double())
    >>> "first-of-the-example" in READOUTS
    True
    """
    return READOUTS.register(name)  # type: ignore[return-value]  # as above


def register_attribution(name: str) -> Callable[[A], A]:
    """Register an attribution under the name that ``models attention-maps --attribution`` takes.

    Parameters
    ----------
    name : str
        Without blanks; not that of a built-in attribution.

    Returns
    -------
    callable
        A decorator for an :class:`Attribution`.

    Raises
    ------
    InputError
        When another attribution has the name.

    Examples
    --------
    >>> import numpy as np
    >>> import rapidvision as rv
    >>> from rapidvision.gala_models.registries import ATTRIBUTIONS
    >>> @rv.models.register_attribution("everywhere-of-the-example")
    ... def everywhere(network, images, /, *, names):
    ...     return np.ones(images.shape[:3], np.float32)
    >>> "everywhere-of-the-example" in ATTRIBUTIONS
    True
    """
    return ATTRIBUTIONS.register(name)  # type: ignore[return-value]  # as above
