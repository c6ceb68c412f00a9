"""Expand a packed set into PNG files: byte for byte the set that ``build`` would have written."""

import dataclasses
import io
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.formats.manifest import StimulusSet, write_set
from rapidvision.formats.manifest_rows import Stimulus
from rapidvision.formats.masks import MASKS
from rapidvision.images.load import load_rgb
from rapidvision.recipes import convert
from rapidvision.system import files, json_text
from rapidvision.system.progress import Advance, silent
from rapidvision.text import csv_text

from ..pipeline.canvases import canvas_of, measured_of, shared_of
from ..pipeline.image_list import ImageEntry, image_entries
from ..pipeline.image_pipeline import ALGORITHMS, image_of, reader_of, target_of
from ..pipeline.object_masks import regions_of
from ..pipeline.quality import Quality
from ..pipeline.shown_numbers import shown_numbers
from ..plugins import check_plugins, recorded_plugins
from ..recipe import StimulusRecipe
from ..storage.forms import member_key, open_container, png_files, series_from
from .findings import TABLES, findings_of
from .journal import REJECTS
from .manifest_writer import IMAGES, LEFT_OUT, QUALITY, quality_table, summary
from .packed import PackedSet, read_packed
from .task import keep_freed_memory

_MASK = r"masks/\w[\w.-]*/\w[\w.-]*\.png"


def expand(
    folder: Path | str, out: Path | str, *, root: Path | str | None = None, advance: Advance = silent
) -> StimulusSet:
    """Write the PNG files of a packed set into a new folder.

    Parameters
    ----------
    folder : path-like
        A packed set.
    out : path-like
        A new or empty folder.
    root : path-like, optional
        Where the images of the recipe are; needed for the form ``recipe`` only.
    advance : callable
        Called with the number of images just done.

    Returns
    -------
    StimulusSet
        As it was written.

    Raises
    ------
    InputError
        When a container is damaged, an image is missing or another one, or `out` is not empty.
    CheckFailed
        When a file of the packed set, or the source of a plug-in that it was built with, was changed.
    """
    keep_freed_memory()
    packed, out = read_packed(folder), Path(out)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out}: not empty; choose another folder")
    packed.verify()
    for absent in check_plugins(recorded_plugins(packed.description.description.provenance), where=str(folder)):
        raise InputError(f"{folder}: {absent}")
    recipe = convert(packed.description.description.recipe, StimulusRecipe, name=f"{folder}: recipe")
    rows: list[Stimulus] = []
    quality: list[tuple[ImageEntry, Quality]] = []
    form = packed.description.form
    if form == "tar":
        parts = _from_tar(packed)
    elif form == "series":
        _check_algorithms(packed, ("png",))
        parts = _from_series(packed, recipe)
    else:
        if root is None:
            raise InputError(f"{folder}: a recipe set is made again from its images; say where they are with --root")
        _check_algorithms(packed, tuple(ALGORITHMS))
        parts = _from_recipe(packed, recipe, Path(root).resolve(), quality)
    images = set()
    for some, data in parts:
        rows += some
        files.write_bytes(out / some[0].path, data, durable=False)
        if some[0].image_id not in images:
            images.add(some[0].image_id)
            advance(1)
    tables = [name for name in packed.description.tables if name != IMAGES]
    for name in tables:
        if name not in (QUALITY, REJECTS, MASKS, *TABLES) and not re.fullmatch(_MASK, name):
            raise InputError(f"{folder}: holds the file {name}; not a packed set of ours")
        files.write_bytes(out / name, files.read_bytes(packed.folder / name))
    description = packed.description.description
    if quality:
        quality.sort(key=lambda one: one[0].image_id)
        files.write_text(out / QUALITY, quality_table(quality))
        left_out = {name: one for name, one in description.quality.items() if name == LEFT_OUT}
        found = findings_of(recipe, quality)
        figures = summary([one for _, one in quality]) | left_out | found.figures
        description = msgspec.structs.replace(description, quality=figures, certificate=found.certificate)
    return write_set(out, description, rows, tables=tables)


def _check_algorithms(packed: PackedSet, needed: tuple[str, ...]) -> None:
    """Refuse to draw with other algorithms than those of the build: the bytes would differ."""
    description = packed.description.description
    for name in needed:
        built = description.algorithms.get(name)
        if built != ALGORITHMS[name]:
            version = description.provenance.version if description.provenance else "of then"
            raise InputError(
                f"{packed.folder}: built with version {built} of {name}, this RapidVision has {ALGORITHMS[name]} and "
                f"would draw other bytes; expand it with RapidVision {version}, or build the set again"
            )


def _from_tar(packed: PackedSet) -> Iterator[tuple[list[Stimulus], bytes]]:
    for shard in packed.description.files:
        yield from tar_members(files.read_bytes(packed.folder / shard.path), where=str(packed.folder / shard.path))


def tar_members(data: bytes, *, where: str) -> Iterator[tuple[list[Stimulus], bytes]]:
    """Yield rows and PNG bytes of a shard; members that are not what their rows say are refused.

    A member's own name decides nothing but which rows belong to it, and rows whose path would leave the set are
    refused, so no name in an archive can write outside.

    Parameters
    ----------
    data : bytes
        A whole shard.
    where : str
        Names it in messages.

    Yields
    ------
    (list of Stimulus, bytes)
        Rows and the PNG file that they name.

    Raises
    ------
    InputError
        When the shard is damaged, or a member is not what its rows say or leads out of the set.
    """
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
            png = b""
            for member in archive:
                content = archive.extractfile(member) if member.isfile() else None
                if content is None:
                    raise InputError(f"{where}: {member.name} is not a plain file; not a shard of ours")
                if member.name.endswith(".png"):
                    png = content.read()
                    continue
                rows = json_text.decode(content.read(), list[Stimulus], name=f"{where}: {member.name}")
                key, sha256 = member.name.removesuffix(".json"), files.sha256(png)
                if not rows or any(member_key(row.path) != key or row.sha256 != sha256 for row in rows):
                    raise InputError(f"{where}: {member.name} does not describe the image before it; get it again")
                name = rows[0].path
                if not re.fullmatch(r"images/[^\\]+\.png", name) or ".." in Path(name).parts:
                    raise InputError(f"{where}: {member.name} leads out of the set; not a shard of ours")
                yield rows, png
    except (tarfile.TarError, msgspec.DecodeError, EOFError, OSError, ValueError) as error:
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise InputError(f"{where}: not a readable shard ({reason}); get it again") from error


def _from_series(packed: PackedSet, recipe: StimulusRecipe) -> Iterator[tuple[list[Stimulus], bytes]]:
    fractions = recipe.reveal.fractions
    for one in packed.description.files:
        where = str(packed.folder / one.path)
        head, members = open_container(files.read_bytes(packed.folder / one.path), where=where)
        series = series_from(head, members, where=where)
        image, canvas = (
            load_rgb(members.get(name, b""), name=f"{where}: {name}") for name in ("image.png", "canvas.png")
        )
        yield from png_files(head.job, image, canvas, series, recipe, fractions)


def _from_recipe(
    packed: PackedSet, recipe: StimulusRecipe, root: Path, quality: list[tuple[ImageEntry, Quality]]
) -> Iterator[tuple[list[Stimulus], bytes]]:
    """Draw the canvases again; `quality` is filled with the figures that a recipe set does not have."""
    paths = {job.image_id: job for job in _jobs(packed, recipe, root)}
    read = reader_of(recipe)
    part = [job for job in image_entries(recipe, root) if job.image_id not in packed.description.left_out]
    regions = regions_of(recipe, root)
    target = target_of(recipe, part, read, regions=regions)
    if (target.digest if target else "") != packed.description.target:
        raise InputError(
            f"{root}: the images here have another common {recipe.match.kind} than those of the build, to which all "
            "were matched; --root must be that of the build"
        )

    def pixels_of(job: ImageEntry) -> NDArray[np.uint8]:
        return image_of(job, recipe, target, read, regions).image.pixels

    measured = measured_of(recipe, image_entries(recipe, root))  # of all images, as the build drew them
    shared = dataclasses.replace(shared_of(recipe, part, pixels_of), measured=measured)
    if shared.digest != packed.description.canvases:
        raise InputError(
            f"{root}: canvases depend on all images of a set, and the images here are not those of the build; --root "
            "must be that of the build"
        )
    fractions = recipe.reveal.fractions
    for one in packed.description.files:
        where = str(packed.folder / one.path)
        head, members = open_container(files.read_bytes(packed.folder / one.path), where=where)
        job = paths[head.job.image_id]
        image = image_of(job, recipe, target, read, regions).image
        if image.sha256 != head.image_sha256:
            raise InputError(f"{job.path}: not the image that the set was built from (hash differs)")
        canvas = canvas_of(job, image.pixels, recipe, shared, pixels_of)
        series = series_from(head, members, where=where)
        numbers = {}
        if shared.measures(head.job):
            numbers = shown_numbers(image.pixels, canvas.pixels, series, kind=recipe.canvas.kind)
        quality.append((head.job, msgspec.structs.replace(head.quality, canvas=canvas.quality, numbers=numbers)))
        yield from png_files(head.job, image.pixels, canvas.pixels, series, recipe, fractions)


def _jobs(packed: PackedSet, recipe: StimulusRecipe, root: Path) -> list[ImageEntry]:
    """The images of the set, found again by the recipe's own table."""
    wanted = {row["image_id"] for row in csv_text.read(packed.folder / IMAGES, ("image_id",))}
    jobs = [job for job in image_entries(recipe, root) if job.image_id in wanted]
    missing = sorted(wanted - {job.image_id for job in jobs})
    if missing:
        raise InputError(f"{root}: {missing[0]} is not among the images here; --root must be that of the build")
    return jobs
