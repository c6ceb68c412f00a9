"""Importance maps of a file or folder, from Python."""

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np

from rapidvision.errors import InputError
from rapidvision.maps import ImportanceMap
from rapidvision.numerics.blur import blurred, parse

from ..image.load import Geometry
from ..input_tables import Frame, MapSource
from .prepare import rasterised
from .readers import DenseMap, MapReader, Points, open_source


def load_maps(
    path: Path | str,
    *,
    reader: str = "",
    preset: str = "",
    source: str = "maps",
    image_ids: Iterable[str] | None = None,
    frame: Frame | None = None,
    weights: Literal["none", "duration"] = "none",
    blur: str = "none",
) -> dict[str, ImportanceMap]:
    """Read importance maps with the readers that stimulus recipes name.

    Parameters
    ----------
    path : path-like
        File or folder.
    reader : {"folder", "npz", "clickme-tfrecord", "points-csv", "salicon-json", "salicon-mat", "fixations-mat", \
"bubbles-mat"} or the name of a plug-in
        How it is read; ``folder`` unless a preset says so: one grey image, ``.npy`` or ``.npz`` per image, named
        ``IMAGE_ID``.
    preset : str, optional
        A public data set or format; ``rapidvision stimuli presets`` lists them.
    source : str, default "maps"
        Name of the source, kept in each map.
    image_ids : iterable of str, optional
        Which images; all that the source has by default.
    frame : Frame, optional
        Size, axes, origin and unit of recorded points, where the file does not say; the size of points in other units.
    weights : {"none", "duration"}
        Whether fixations count once each, or for as long as they lasted.
    blur : str, default "none"
        ``paper`` (49 × 49 box), ``gala_tpu``, ``gauss:7`` or ``disc:10`` (pixels of the map).

    Returns
    -------
    dict of str to ImportanceMap
        Image → map, float32 of shape (height, width), in the order of the ids. Points are counted per pixel of their
        frame.

    Raises
    ------
    InputError
        Names the file and the image that cannot be used.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> import rapidvision as rv
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(folder + "/cat.npy", np.eye(4, dtype=np.float32))
    ...     maps = rv.load_maps(folder, source="clickme")
    >>> maps["cat"].shape, maps["cat"].source
    ((4, 4), 'clickme')
    """
    fields = {
        "source": source,
        "reader": reader or ("" if preset else "folder"),
        "preset": preset,
        "path": str(path),
        "frame": msgspec.to_builtins(frame or Frame()),
        "weights": weights,
    }
    try:
        named = msgspec.convert(fields, MapSource)
    except msgspec.ValidationError as error:
        raise InputError(f"load_maps: {error}") from error
    opened, smooth = open_source(named, Path()), parse(blur)
    names = sorted(opened.image_ids()) if image_ids is None else list(image_ids)
    if not names:
        raise InputError(f"{path}: no maps here; is the reader {reader} the right one?")
    found = {}
    for name in names:
        values, n_observers = _values(opened, name, named.frame)
        found[name] = ImportanceMap(
            np.asarray(blurred(values, smooth), dtype=np.float32), image_id=name, source=source, n_observers=n_observers
        )
    return found


def _values(
    opened: MapReader, name: str, frame: Frame
) -> tuple["np.ndarray[tuple[int, int], np.dtype[np.float64]]", int]:
    one: DenseMap | Points = opened.read(name)
    if isinstance(one, DenseMap):
        return one.values.astype(np.float64), one.n_observers
    if one.frame_px is None:
        raise InputError(
            f"{one.where}: the file does not say how large the image was; give frame=Frame(size_px=(width, height))"
        )
    width, height = one.frame_px
    own = msgspec.structs.replace(frame, place=None, offset_px=None, scale=None, share=None)
    geometry = Geometry((width, height), (width, height), (0, 0), width)
    whole, _ = rasterised(one, geometry, where=one.where, frame=own)
    return whole, one.n_observers
