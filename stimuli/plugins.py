"""Plug-ins for stimuli: what a reveal mode, a background and a map reader of your own must look like."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import CheckFailed
from rapidvision.maps import ImportanceMap
from rapidvision.plugins.source import PluginSource
from rapidvision.system.files import Provenance

from .background.canvas import Background
from .input_tables import MapSource
from .maps.readers.base import MapReader
from .recipe import StimulusRecipe
from .recipe_tables import Canvas, Reveal
from .registries import BACKGROUNDS, READERS, REVEAL_MODES
from .reveal.flood import Engine


class RevealMode(Protocol):
    """Which pixels of a map appear, and in which order."""

    def __call__(
        self, importance: ImportanceMap, n_px: int, reveal: Reveal, /, *, key: int, engine: Engine
    ) -> NDArray[np.int32]:
        """Return raster indices of `n_px` pixels, shape (n_px,), first to appear first, none twice.

        `reveal` is the recipe's table, with the mode's own parameters in ``reveal.options``. Every random decision
        must follow from `key`, 64 bits that are different for every image and map source. `engine` is that of the flood
        fill.
        """


class BackgroundMaker(Protocol):
    """Makes what is shown where the image is not revealed."""

    def __call__(self, image: NDArray[np.uint8], canvas: Canvas, /, *, key: int) -> Background:
        """Return the background of an image, uint8 sRGB of shape (height, width, 3), as the image itself is.

        The parameters are in ``canvas.options``. Every random decision must follow from `key`.
        """


class ReaderOpener(Protocol):
    """How files of importance maps are opened."""

    def __call__(self, path: Path, source: MapSource, /) -> MapReader:
        """Return an opened source: an object with ``has(image_id)``, ``image_ids()`` and ``read(image_id)``.

        The parameters are in ``source.options``.
        """


R = TypeVar("R", bound=RevealMode)
B = TypeVar("B", bound=BackgroundMaker)
M = TypeVar("M", bound=ReaderOpener)


def register_reveal(name: str) -> Callable[[R], R]:
    """Register a reveal mode under the name that recipes write as ``mode``.

    Parameters
    ----------
    name : str
        Without blanks; not that of a built-in mode.

    Returns
    -------
    callable
        A decorator for a :class:`RevealMode`.

    Raises
    ------
    InputError
        When another part has the name.

    Examples
    --------
    >>> import numpy as np
    >>> import rapidvision as rv
    >>> @rv.stimuli.register_reveal("rows-of-the-example")
    ... def rows(importance, n_px, reveal, /, *, key, engine):
    ...     return np.arange(n_px, dtype=np.int32)
    >>> rv.stimuli.Reveal(mode="rows-of-the-example").mode
    'rows-of-the-example'
    """
    return REVEAL_MODES.register(name)  # type: ignore[return-value]  # the registry is typed by what all modes share


def register_background(name: str) -> Callable[[B], B]:
    """Register a background under the name that recipes write as ``kind`` of the canvas.

    Parameters
    ----------
    name : str
        Without blanks; not that of a built-in background.

    Returns
    -------
    callable
        A decorator for a :class:`BackgroundMaker`.

    Raises
    ------
    InputError
        When another part has the name.

    Examples
    --------
    >>> import numpy as np
    >>> import rapidvision as rv
    >>> @rv.stimuli.register_background("black-of-the-example")
    ... def black(image, canvas, /, *, key):
    ...     return rv.stimuli.Background(np.zeros_like(image))
    >>> rv.stimuli.Canvas(kind="black-of-the-example").kind
    'black-of-the-example'
    """
    return BACKGROUNDS.register(name)  # type: ignore[return-value]  # as above


def register_reader(name: str) -> Callable[[M], M]:
    """Register a map reader under the name that recipes write as ``reader``.

    Parameters
    ----------
    name : str
        Without blanks; not that of a built-in reader.

    Returns
    -------
    callable
        A decorator for a :class:`ReaderOpener`.

    Raises
    ------
    InputError
        When another part has the name.

    Examples
    --------
    >>> import numpy as np
    >>> import rapidvision as rv
    >>> from rapidvision.stimuli.maps.readers.base import DenseMap
    >>> class Flat:
    ...     def has(self, image_id):
    ...         return True
    ...     def image_ids(self):
    ...         return ("cat", "zebra")
    ...     def read(self, image_id):
    ...         return DenseMap(np.eye(8, dtype=np.float32))
    >>> @rv.stimuli.register_reader("flat-of-the-example")
    ... def open_flat(path, source, /):
    ...     return Flat()
    >>> rv.stimuli.MapSource(source="mine", reader="flat-of-the-example", path=".").reader
    'flat-of-the-example'
    """
    return READERS.register(name)  # type: ignore[return-value]  # as above


def plugins_of(recipe: StimulusRecipe) -> tuple[PluginSource, ...]:
    """Return the plug-ins that a recipe names, with the hashes of their sources; empty for built-in parts."""
    return (
        *REVEAL_MODES.plugins(recipe.reveal.mode),
        *BACKGROUNDS.plugins(recipe.canvas.kind),
        *READERS.plugins(*(one.reader for one in recipe.maps)),
    )


def check_plugins(recorded: Sequence[PluginSource], *, where: str) -> tuple[str, ...]:
    """Compare the plug-ins that a set records with those of this process.

    Parameters
    ----------
    recorded : sequence of PluginSource
        From the set's provenance.
    where : str
        Names the set in messages.

    Returns
    -------
    tuple of str
        A sentence per plug-in that this process does not know, so that it could not be compared.

    Raises
    ------
    CheckFailed
        When the source of a plug-in is another one than that of the build.
    """
    known = {parts.kind: parts for parts in (REVEAL_MODES, BACKGROUNDS, READERS)}
    absent = []
    for one in recorded:
        parts = known.get(one.kind)
        if parts is None or one.name not in parts:
            absent.append(f"{one} (sha256 {one.sha256[:12]}) is not known here; import it with --plugin {one.module}")
        elif (found := parts.source_of(one.name)).sha256 != one.sha256:
            raise CheckFailed(
                f"{where}: built with the {one} (sha256 {one.sha256[:12]}), whose source is now another "
                f"({found.sha256[:12]}, {found}); bring the old source back, or build the set again"
            )
    return tuple(absent)


def recorded_plugins(provenance: Provenance | None) -> tuple[PluginSource, ...]:
    """Return the plug-ins of a provenance; empty where none took part."""
    return () if provenance is None else provenance.plugins or ()
