"""What a worker does with an image, and the record that it leaves in the journal."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np

from rapidvision.errors import RapidVisionError
from rapidvision.formats.canvases.draws import CanvasDraw
from rapidvision.formats.manifest import DESCRIPTION, PACKED
from rapidvision.formats.manifest_rows import Stimulus
from rapidvision.formats.masks import MaskImage
from rapidvision.system import files

from ..certificate.numbers import numbers_of
from ..image.load import ImageReader
from ..image.match_target import Target
from ..maps.sources import Sources
from ..masks.make import masks_of_image
from ..pipeline.canvases import NOTHING_SHARED, Shared
from ..pipeline.image_list import ImageEntry
from ..pipeline.image_pipeline import ImagePipeline
from ..pipeline.made_image import Inputs, MadeImage
from ..pipeline.quality import Quality
from ..recipe import StimulusRecipe
from ..reveal.flood import Engine
from ..storage.forms import Form, png_files, recipe_container, series_container, tar_segment


class StoredFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that a worker wrote: its path inside the set and its hash."""

    path: str
    sha256: str


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the journal: an image that is done.

    Attributes
    ----------
    key : str
        Content id; equal ids, equal bytes.
    job : ImageEntry
        Which image; its path is left out, so that the record is the same wherever the images lie.
    image_sha256 : str
        Hash of its file.
    stored : tuple of StoredFile
        What was written.
    rows : tuple of Stimulus
        Manifest rows; empty for the forms ``series`` and ``recipe``.
    quality : Quality
        Figures.
    look : str
        What the image looks like from far away; see :func:`.duplicates.perceptual_hash`.
    masks : tuple of MaskImage
        The image's own masks. Absent where the recipe has none.
    draws : tuple of CanvasDraw
        The image's stimuli on further canvases. Absent where the recipe has one canvas per image.
    """

    key: str
    job: ImageEntry
    image_sha256: str
    stored: tuple[StoredFile, ...]
    rows: tuple[Stimulus, ...]
    quality: Quality
    look: str = ""
    masks: tuple[MaskImage, ...] | msgspec.UnsetType = msgspec.UNSET
    draws: tuple[CanvasDraw, ...] | msgspec.UnsetType = msgspec.UNSET


class BuiltImage(msgspec.Struct, frozen=True, kw_only=True):
    """An image that is there, and whether it was made just now."""

    record: Record
    made: bool


class Rejected(msgspec.Struct, frozen=True, kw_only=True):
    """An image that could not be used, and why."""

    job: ImageEntry
    reason: str


class Worker:
    """Turns jobs into files and records; every process of a build has one.

    Parameters
    ----------
    recipe : StimulusRecipe
        What to make.
    root, folder : Path
        Where the inputs are and where the outputs go.
    form : {"png", "tar", "series", "recipe"}
        Storage form.
    engine : {"auto", "numba", "portable"}
        For the flood fill.
    target : Target, optional
        What images are matched to.
    shared : Shared, optional
        What canvases have in common.
    read : callable, optional
        From :func:`.make.reader_of`, when it has read the images before.
    sources : Sources, optional
        From :func:`.sources.sources_of`, when they are open.
    """

    def __init__(
        self,
        recipe: StimulusRecipe,
        root: Path,
        folder: Path,
        form: Form,
        engine: Engine = "auto",
        target: Target | None = None,
        shared: Shared = NOTHING_SHARED,
        *,
        read: ImageReader | None = None,
        sources: Sources | None = None,
    ) -> None:
        keep_freed_memory()
        self.maker = ImagePipeline(
            recipe, root, target=target, shared=shared, engine=engine, read=read, sources=sources
        )
        self.folder, self.form = folder, form
        self._writing = False

    def run_task(self, job: ImageEntry, known: Record | None) -> BuiltImage | Rejected:
        """Make an image's files, or find that they are there already."""
        try:
            inputs = self.maker.read(job)
            key = self.maker.key(inputs)
            if known is not None and known.key == key and self._intact(known):
                return BuiltImage(record=known, made=False)
            masks = masks_of_image(job, inputs.pixels, self.maker.recipe)
            made = self.maker.plan(inputs) if self.form == "recipe" else self.maker.make(inputs)
            more = list(self._more_canvases(inputs, made)) if isinstance(made, MadeImage) else []
        except RapidVisionError as error:
            return Rejected(job=job, reason=str(error))
        outputs: list[tuple[str, bytes]] = []
        rows: list[Stimulus] = []
        recipe = self.maker.recipe
        if not isinstance(made, MadeImage):
            outputs = [(f"recipes/{job.image_id}.zip", recipe_container(made, recipe))]
        elif self.form in ("png", "tar"):
            pngs = list(png_files(job, inputs.pixels, made.canvas.pixels, made.series, recipe, self.maker.fractions))
            rows = [row for some, _ in pngs for row in some]
            if self.form == "png":
                outputs = [(some[0].path, data) for some, data in pngs]
            else:
                outputs = [(f".build/segments/{job.image_id}.tarpart", tar_segment(pngs))]
        else:
            outputs = [(f"series/{job.image_id}.zip", series_container(made, recipe))]
        if not self._writing:  # until the build is finished anew, the folder must not look as if it were
            self._writing = True
            for name in (DESCRIPTION, PACKED):
                (self.folder / name).unlink(missing_ok=True)
        stored = []
        for path, data in outputs:
            files.write_bytes(self.folder / path, data, durable=False)  # a resumed build hashes every file
            stored.append(StoredFile(path=path, sha256=files.sha256(data)))
        beside = [(mask.path, data) for mask, data in masks]
        beside += [(draw.path, data) for draws, _ in more for draw, data in draws]
        for path, data in beside:
            files.write_bytes(self.folder / path, data, durable=False)
        record = Record(
            key=key,
            job=msgspec.structs.replace(job, path=""),
            image_sha256=inputs.image_sha256,
            stored=tuple(stored),
            rows=tuple(rows),
            quality=msgspec.structs.replace(
                made.quality,
                numbers=made.quality.numbers | {name: one for _, shown in more for name, one in shown.items()},
            ),
            look=inputs.look,
            masks=tuple(mask for mask, _ in masks) or msgspec.UNSET,
            draws=tuple(draw for draws, _ in more for draw, _ in draws) or msgspec.UNSET,
        )
        return BuiltImage(record=record, made=True)

    def _more_canvases(
        self, inputs: Inputs, made: MadeImage
    ) -> Iterator[tuple[list[tuple[CanvasDraw, bytes]], dict[str, tuple[float, ...]]]]:
        """Yield, for every further canvas, the revealed stimuli on it and what a classifier sees of it."""
        recipe, maker = self.maker.recipe, self.maker
        for draw in range(1, recipe.canvas.draws):
            canvas = maker.canvas(inputs, draw=draw).pixels
            found = []
            for rows, data in png_files(inputs.job, inputs.pixels, canvas, made.series, recipe, maker.fractions):
                if rows[0].reveal_fraction is None:
                    continue
                path = f"{rows[0].path.removesuffix('.png')}_canvas{draw}.png"
                name, sha256 = rows[0].stimulus_id, files.sha256(data)
                found.append((CanvasDraw(stimulus_id=name, draw=draw, path=path, sha256=sha256), data))
            measured = maker.shared.measures(inputs.job)
            yield found, {f"canvas {draw + 1}": numbers_of(canvas)} if measured else {}

    def _intact(self, record: Record) -> bool:
        """Whether every file of a record is there and unchanged."""
        hashes = {one.path: one.sha256 for one in record.stored}
        hashes |= {mask.path: mask.sha256 for mask in record.masks or ()}
        hashes |= {draw.path: draw.sha256 for draw in record.draws or ()}
        return all(
            (self.folder / path).is_file() and files.sha256_file(self.folder / path) == sha256
            for path, sha256 in hashes.items()
        )


def keep_freed_memory() -> None:
    """Let the C library keep the memory of arrays that are done with, instead of handing it back to the system.

    Every image needs the same arrays of half a megabyte and more; asking the system anew for the pages of each
    takes a third of the whole time. glibc keeps blocks up to the size of the largest one that was ever freed, so one
    large block is asked for, not touched, and freed. Other libraries are not changed by it.
    """
    np.empty(24 * 2**20, np.uint8)
