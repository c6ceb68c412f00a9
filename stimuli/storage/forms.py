"""The forms in which an image's stimuli are stored; all of them expand to the same PNG files, byte for byte.

========  ==============================================================  ===============================
form      what lies on the disk                                           what is needed to expand it
========  ==============================================================  ===============================
png       a PNG per level                                                 nothing
tar       the same PNGs and their rows in WebDataset shards               nothing
series    per image: the image, the canvas, the orders and shifts     nothing
recipe    per image: which level each pixel belongs to                  the images; canvases are made again
========  ==============================================================  ===============================
"""

import io
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.formats.manifest_rows import Stimulus
from rapidvision.reveal import INTACT_LABEL, RevealSeries, level_label
from rapidvision.system import files

from ..pipeline.image_list import ImageEntry
from ..pipeline.made_image import MadeImage, PlannedImage
from ..pipeline.quality import Quality
from ..png.series import encode
from ..recipe import StimulusRecipe
from .compose import encoded_levels

Form = Literal["png", "tar", "series", "recipe"]
FORMS: tuple[Form, ...] = ("png", "tar", "series", "recipe")

#: How hard zlib tries on the levels: 6 would take six times as long to save half a kilobyte of three, 9 thirty times.
LEVELS_EFFORT = 3

#: zip and tar members carry a fixed date, so that equal content is equal bytes.
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)


class SeriesHead(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``image.json`` inside a container: what is not pixels.

    Attributes
    ----------
    job : ImageEntry
        Which image.
    side_px : int
        Side in pixels.
    sources : tuple of str
        In the recipe's order.
    counts : tuple of int
        Revealed pixels at each level.
    shifts : dict
        Source → rows and columns.
    quality : Quality
        Figures of the image.
    image_sha256 : str
        Hash of the image's file.
    """

    job: ImageEntry
    side_px: int
    sources: tuple[str, ...]
    counts: tuple[int, ...]
    shifts: dict[str, tuple[int, int]]
    quality: Quality
    image_sha256: str


def png_files(
    job: ImageEntry,
    image: NDArray[np.uint8],
    canvas: NDArray[np.uint8],
    series: dict[str, RevealSeries],
    recipe: StimulusRecipe,
    fractions: NDArray[np.float64],
) -> Iterator[tuple[list[Stimulus], bytes]]:
    """Yield every PNG file of an image with the manifest rows that name it.

    The intact image comes last: one file, one row per map source.

    Parameters
    ----------
    job : ImageEntry
        Which image.
    image, canvas : ndarray of uint8, shape (side, side, 3)
        Coded sRGB.
    series : dict
        Map source → RevealSeries.
    recipe : StimulusRecipe
        Reveal options.
    fractions : ndarray of float64
        The levels.

    Yields
    ------
    (list of Stimulus, bytes)
        Rows with path and hash, and the file's content.
    """
    labels = [level_label(float(fraction)) for fraction in fractions]
    n_px = image.shape[0] * image.shape[1]
    for source, one in series.items():
        titles = [f"{job.image_id}.{source}.{label}" for label in labels]
        for level, data in enumerate(encoded_levels(image, canvas, one, recipe.reveal, titles)):
            shown = -1 if recipe.reveal.varies == "contrast" else level
            row = Stimulus(
                stimulus_id=titles[level],
                phase=job.phase,
                image_id=job.image_id,
                category=job.category,
                target=job.target,
                map_source=source,
                level_index=level,
                level_label=labels[level],
                reveal_fraction=float(fractions[level]),
                revealed_px=int(one.counts[shown]),
                image_fraction=int(one.counts[shown]) / n_px,
                shift_y_px=one.shift_px[0],
                shift_x_px=one.shift_px[1],
                path=f"images/{job.image_id}/{source}_{level:02d}.png",
                sha256=files.sha256(data),
            )
            yield [row], data
    if recipe.reveal.intact:
        data = encode(image, title=f"{job.image_id}.{INTACT_LABEL}")
        sha256 = files.sha256(data)
        yield [_intact_row(job, source, len(labels), n_px, sha256) for source in series], data


def _intact_row(job: ImageEntry, source: str, level: int, n_px: int, sha256: str) -> Stimulus:
    return Stimulus(
        stimulus_id=f"{job.image_id}.{source}.{INTACT_LABEL}",
        phase=job.phase,
        image_id=job.image_id,
        category=job.category,
        target=job.target,
        map_source=source,
        level_index=level,
        level_label=INTACT_LABEL,
        reveal_fraction=None,
        revealed_px=n_px,
        image_fraction=1.0,
        shift_y_px=0,
        shift_x_px=0,
        path=f"images/{job.image_id}/{INTACT_LABEL}.png",
        sha256=sha256,
    )


def tar_segment(rows_and_data: list[tuple[list[Stimulus], bytes]]) -> bytes:
    """Return tar members without the end mark: segments put together are a tar archive.

    Every PNG is followed by its rows as JSON under the same name, as WebDataset wants it. WebDataset's name of a sample
    ends at the first dot, so dots inside names are written as ``%2E``.
    """
    out = io.BytesIO()
    for rows, data in rows_and_data:
        path = rows[0].path
        key = member_key(path)
        for name, content in ((key + ".png", data), (key + ".json", msgspec.json.encode(rows))):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            out.write(info.tobuf(tarfile.USTAR_FORMAT if len(name) < 100 else tarfile.PAX_FORMAT))
            out.write(content + bytes(-len(content) % tarfile.BLOCKSIZE))
    return out.getvalue()


def member_key(path: str) -> str:
    """Return the name of a PNG file's sample in a shard, without suffix; other files, other names.

    Examples
    --------
    >>> member_key("images/p00/deepgaze.v2_00.png")
    'images/p00/deepgaze%2Ev2_00'
    """
    return path.removesuffix(".png").replace("%", "%25").replace(".", "%2E")


def series_container(made: MadeImage, recipe: StimulusRecipe) -> bytes:
    """Return a zip with ``image.json``, ``image.png``, ``canvas.png`` and an order per source."""
    members = {"image.png": encode(made.inputs.pixels), "canvas.png": encode(made.canvas.pixels)}
    for source, one in made.series.items():
        members[f"{source}.order"] = packed_order(one.order)
    return _zip({"image.json": msgspec.json.encode(head_of(made, recipe))} | members)


def recipe_container(made: PlannedImage, recipe: StimulusRecipe) -> bytes:
    """Return a zip with ``image.json`` and, per source, the level at which each pixel appears.

    No canvas was drawn for it, and none of its figures are in it: both follow from image, recipe and seed.
    """
    members = {"image.json": zlib.compress(msgspec.json.encode(head_of(made, recipe)), 6)}
    for source, one in made.series.items():
        levels = np.full(one.shape[0] * one.shape[1], 255, np.uint8)
        sizes = np.diff(one.counts, prepend=0)
        levels[one.order] = np.repeat(np.arange(one.n_levels, dtype=np.uint8), sizes)
        members[f"{source}.levels"] = zlib.compress(levels.tobytes(), LEVELS_EFFORT)
    return _zip(members)


def head_of(made: PlannedImage, recipe: StimulusRecipe) -> SeriesHead:
    """Return what a container says besides pixels."""
    first = next(iter(made.series.values()))
    return SeriesHead(
        job=msgspec.structs.replace(made.inputs.job, path=""),
        side_px=recipe.side_px,
        sources=tuple(made.series),
        counts=tuple(int(count) for count in first.counts),
        shifts={source: one.shift_px for source, one in made.series.items()},
        quality=made.quality,
        image_sha256=made.inputs.image_sha256,
    )


def open_container(data: bytes, *, where: str) -> tuple[SeriesHead, dict[str, bytes]]:
    """Open a series or recipe container.

    Raises
    ------
    InputError
        When it is damaged or something else.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        head = members.pop("image.json")
        decoded = msgspec.json.decode(zlib.decompress(head) if head[:1] == b"\x78" else head, type=SeriesHead)
    except Exception as error:  # the zip reader raises almost anything on damaged files
        raise InputError(f"{where}: not a stimulus container, or damaged ({error}); build it again") from error
    return decoded, members


def series_from(head: SeriesHead, members: dict[str, bytes], *, where: str) -> dict[str, RevealSeries]:
    """Return the reveal series of an opened container.

    From a recipe container the order within a level is the raster's, which no image of that level can show.

    Raises
    ------
    InputError
        When a member is missing or damaged.
    """
    shape, counts = (head.side_px, head.side_px), np.array(head.counts, np.int64)
    out = {}
    for source in head.sources:
        try:
            if f"{source}.order" in members:
                order = unpacked_order(members[f"{source}.order"])
            else:
                levels = np.frombuffer(zlib.decompress(members[f"{source}.levels"]), np.uint8)
                order = np.argsort(levels, kind="stable")[: counts[-1]].astype(np.int32)
        except (KeyError, zlib.error, ValueError) as error:
            raise InputError(f"{where}: the series of {source} is damaged ({error}); build it again") from error
        out[source] = RevealSeries(order, shape, counts, head.shifts[source])
    return out


def packed_order(order: NDArray[np.int32]) -> bytes:
    """Compress a pixel order: differences as little-endian int32, byte planes apart, deflated."""
    steps = np.diff(order, prepend=0).astype("<i4")
    zigzag = ((steps << 1) ^ (steps >> 31)).astype("<u4")
    return zlib.compress(zigzag.view(np.uint8).reshape(-1, 4).T.tobytes(), 9)


def unpacked_order(data: bytes) -> NDArray[np.int32]:
    """Undo :func:`packed_order`."""
    planes = np.frombuffer(zlib.decompress(data), np.uint8).reshape(4, -1)
    zigzag = np.ascontiguousarray(planes.T).view("<u4").ravel()
    steps = (zigzag >> 1).astype(np.int64) * np.where(zigzag & 1, -1, 1) - (zigzag & 1)
    return np.cumsum(steps).astype(np.int32)


def _zip(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, _ZIP_DATE), content)
    return out.getvalue()
