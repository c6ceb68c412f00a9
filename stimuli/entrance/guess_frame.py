"""How images lie in what a source recorded, guessed from coordinates and from the sizes of maps."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np

from rapidvision.errors import InputError, RapidVisionError

from ..input_tables import Frame, MapSource
from ..maps.frame import check_aspect
from ..maps.readers import DenseMap, Points, open_source

#: Displays that are usual, by their number of pixels.
DISPLAYS = tuple(
    (int(size.partition("x")[0]), int(size.partition("x")[2]))
    for size in (
        *("640x480", "800x600", "1024x768", "1280x720", "1280x800", "1366x768", "1280x1024", "1440x900", "1600x900"),
        *("1680x1050", "1600x1200", "1920x1080", "1920x1200", "2560x1440", "2560x1600", "3840x2160"),
    )
)
#: Images whose maps are looked at.
N_LOOKED_AT = 40
_INSIDE = 0.95

Size = tuple[int, int]


class GuessedFrame(NamedTuple):
    """A frame, why it was guessed, and what else it may be; `n_maps` of the images looked at have a map."""

    frame: dict[str, Any]
    why: str
    n_maps: int


def guess_frame(keys: Mapping[str, Any], root: Path, sizes: Mapping[str, Size]) -> GuessedFrame:
    """Guess the frame of a source.

    Parameters
    ----------
    keys : mapping
        Keys of the map source, its frame left out.
    root : Path
        What its path is relative to.
    sizes : mapping
        Image id → width and height.

    Returns
    -------
    GuessedFrame
        With `n_maps` 0 where the source has no map of these images, or cannot be opened.
    """
    for origin in (None, 0, 1):
        frame: dict[str, Any] = {} if origin is None else {"origin": origin}
        try:
            source = msgspec.convert({"source": "guess", **keys, "frame": frame}, MapSource)
            reader = open_source(source, root)
        except (RapidVisionError, msgspec.ValidationError, OSError) as error:
            return GuessedFrame({}, str(error), 0)
        known = [image_id for image_id in sizes if reader.has(image_id)]
        looked_at = known[:: max(1, len(known) // N_LOOKED_AT)][:N_LOOKED_AT]
        found: dict[str, DenseMap | Points] = {}
        counted_otherwise = False
        for image_id in looked_at:
            try:
                found[image_id] = reader.read(image_id)
            except InputError as error:
                counted_otherwise |= "frame.origin" in str(error)
        if counted_otherwise and origin != 1:
            continue
        points = {name: one for name, one in found.items() if isinstance(one, Points) and one.x_px.size}
        dense = {name: one.values.shape[::-1] for name, one in found.items() if isinstance(one, DenseMap)}
        declared = source.frame.place is not None or source.frame.unit is not None
        if points:
            made, why = _of_points(points, sizes, source.frame, declared=declared)
        else:
            made, why = _of_maps(dense, sizes, declared=declared)
        return GuessedFrame(frame | made, why, len(known))
    return GuessedFrame({}, "coordinates count neither from 0 nor from 1", 0)


def _of_points(
    points: Mapping[str, Points], sizes: Mapping[str, Size], frame: Frame, *, declared: bool
) -> tuple[dict[str, Any], str]:
    x, y = (np.concatenate([getattr(one, name) for one in points.values()]) for name in ("x_px", "y_px"))
    reach = f"x is {x.min():.4g} to {x.max():.4g}, y {y.min():.4g} to {y.max():.4g}"
    if frame.place == "letterbox" or frame.unit == "fraction":
        return {}, f"{reach}; the preset says how images lie in the frame"
    named = {one.frame_px for one in points.values()}
    if x.size > 20 and min(x.min(), y.min()) >= 0 and max(x.max(), y.max()) <= 1:
        return {"unit": "fraction"}, f"{reach}: shares of the image"
    inside = _share_inside(points, sizes)
    fits = all(
        one is None or one == sizes[name] for name, one in ((name, each.frame_px) for name, each in points.items())
    )
    if inside >= _INSIDE and fits and not declared:
        begins = {"origin": 1} if frame.origin is None and _from_one(points, sizes) else {}
        counted = ", counted from 1" if begins else ""
        return begins, f"{reach}: {inside:.0%} of the points lie on their images{counted}"
    swapped = _share_inside({name: _swapped(one) for name, one in points.items()}, sizes)
    if not declared and swapped >= _INSIDE and len({*sizes.values()}) > 0 and inside < swapped:
        return {
            "axes": "row-column"
        }, f"{reach}: {swapped:.0%} lie on their images as [row, column], {inside:.0%} as [x, y]"
    if named != {None} and len(named) == 1:
        size = next(iter(named))
        assert size is not None
        return _placed(size, sizes, {}), f"{reach}; the file names a frame of {size[0]} x {size[1]}"
    within = [one for one in DISPLAYS if (x < one[0]).mean() > _INSIDE and (y < one[1]).mean() > _INSIDE]
    if x.min() < -20 and y.min() < -20 and abs(np.median(x)) < 0.2 * x.max():
        return {}, f"{reach}: 0 seems to be the middle of a display; give frame.size_px and frame.middle = true"
    if not within:
        return {}, f"{reach}: no usual display is so large; give frame.size_px"
    middle = float(np.median(x)), float(np.median(y))
    size = min(within, key=lambda one: sum(abs(2 * at / side - 1) for at, side in zip(middle, one, strict=True)))
    why = f"{reach}, the middle {middle[0]:.0f}, {middle[1]:.0f}: as on a display of {size[0]} x {size[1]}"
    return _placed(size, sizes, {"size_px": list(size)}), why


def _placed(size: Size, sizes: Mapping[str, Size], frame: dict[str, Any]) -> dict[str, Any]:
    small = all(one[0] <= size[0] and one[1] <= size[1] for one in sizes.values())
    return frame | {"place": "centred" if small else "letterbox"}


def _share_inside(points: Mapping[str, Points], sizes: Mapping[str, Size]) -> float:
    inside = [
        (one.x_px >= -1) & (one.x_px <= sizes[name][0]) & (one.y_px >= -1) & (one.y_px <= sizes[name][1])
        for name, one in points.items()
    ]
    return float(np.concatenate(inside).mean())


def _swapped(one: Points) -> Points:
    return Points(one.y_px, one.x_px, one.n_observers)


def _from_one(points: Mapping[str, Points], sizes: Mapping[str, Size]) -> bool:
    """Whether some whole coordinates are the width or height, and none is 0."""
    ends = zero = False
    for name, one in points.items():
        ends |= bool(np.any(one.x_px == sizes[name][0]) or np.any(one.y_px == sizes[name][1]))
        zero |= bool(np.any(one.x_px < 1) or np.any(one.y_px < 1))
    return ends and not zero


def _of_maps(
    maps: Mapping[str, tuple[int, ...]], sizes: Mapping[str, Size], *, declared: bool
) -> tuple[dict[str, Any], str]:
    if not maps:
        return {}, "no map could be read"
    shapes = set(maps.values())
    shown = f"maps of {' and '.join(f'{width} x {height}' for width, height in sorted(shapes)[:3])}"
    if declared:
        return {}, f"{shown}; the preset says how images lie in them"
    same = 0
    for name, shape in maps.items():
        try:
            check_aspect((shape[0], shape[1]), sizes[name], name)
            same += 1
        except InputError:
            pass
    if same == len(maps):
        return {}, f"{shown}, with the proportions of their images"
    if all(width == height for width, height in shapes):
        return (
            {"place": "stretched"},
            (
                f"{shown}, squares of images that are none: a network that saw the whole image scaled to a square is taken; "
                'if it saw the middle square, place = "square", with share = 0.875 where 224 of 256 were cut'
            ),
        )
    if len(shapes) == 1:
        return {"place": "letterbox"}, f"{shown} whatever the image: images between margins are taken"
    return (
        {},
        f"{shown}; {same} of {len(maps)} have the proportions of their images: how images lie in them is not known",
    )
