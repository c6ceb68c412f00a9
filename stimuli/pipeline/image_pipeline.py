"""One image from its files to its reveal series: the unit of work of a build."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.maps import ImportanceMap
from rapidvision.reveal import RevealSeries, level_counts, level_fractions
from rapidvision.seeds import key64
from rapidvision.system import files

from ..background import scramble
from ..background.canvas import MadeCanvas, make_canvas
from ..image.load import ImageReader, LoadedImage, load, remembering
from ..image.match import MatchQuality, matched
from ..image.match_target import Target, find_target
from ..maps import orientation
from ..maps.prepare import prepare
from ..maps.sources import Sources, sources_of
from ..plugins import plugins_of
from ..png import series as png
from ..recipe import StimulusRecipe
from ..reveal import flood
from ..reveal.flood import Engine
from ..reveal.order import centring_shift, n_revealed_px, reveal_order
from .duplicates import perceptual_hash
from .image_list import ImageEntry
from .made_image import Inputs, MadeImage, PlannedImage
from .quality import Quality, source_quality

#: What a stored stimulus depends on besides the recipe; a change of bytes anywhere raises a number here.
ALGORITHMS = {
    "flood": flood.VERSION,
    "scramble": scramble.VERSION,
    "png": png.VERSION,
    "canvas": "1",
    "prepare": "1",
    "match": "1",
}


class ImagePipeline:
    """Makes images of one recipe; holds the opened map sources.

    Parameters
    ----------
    recipe : StimulusRecipe
        What to make.
    root : Path
        What relative paths are relative to.
    target : Target, optional
        What images are matched to.
    engine : {"auto", "numba", "portable"}
        For the flood fill.
    read : callable, optional
        From :func:`reader_of`, when it has read the images before.
    sources : Sources, optional
        From :func:`.sources.sources_of`, when they are open.
    """

    def __init__(
        self,
        recipe: StimulusRecipe,
        root: Path,
        *,
        target: Target | None = None,
        engine: Engine = "auto",
        read: ImageReader | None = None,
        sources: Sources | None = None,
    ) -> None:
        self._read = reader_of(recipe) if read is None else read
        self.recipe, self.root, self.target, self.engine = recipe, root, target, engine
        self.readers, self.blurs = sources_of(recipe, root) if sources is None else sources
        self.frames = {one.source: one.frame for one in recipe.maps}
        self.fractions = fractions_of(recipe)
        left_out = ("name", "images", "maps", "screen", "image_deg", "plugins", "masks")
        settings: Any = {name: value for name, value in msgspec.to_builtins(recipe).items() if name not in left_out}
        self._settings = {"algorithms": ALGORITHMS, "recipe": settings | {"image_px": recipe.side_px}}
        if own := [one.name for one in recipe.mask_families if one.kind == "phase-scrambled"]:
            self._settings["masks"] = own
        if plugins := plugins_of(recipe):
            self._settings["plugins"] = {f"{one.kind} {one.name}": one.sha256 for one in plugins}

    def read(self, job: ImageEntry) -> Inputs:
        """Read image and maps of a job; InputError names the file that cannot be used."""
        read = image_of(job, self.recipe, self.target, self._read)
        image = read.image
        maps = {
            name: prepare(
                reader.read(job.image_id),
                image.geometry,
                self.blurs[name],
                image_id=job.image_id,
                source=name,
                frame=self.frames[name],
            )
            for name, reader in self.readers.items()
        }
        return Inputs(job, image.pixels, image.sha256, maps, read.look, read.match)

    def key(self, inputs: Inputs) -> str:
        """Return the content id of an image's outputs: equal ids, equal bytes."""
        job = msgspec.to_builtins(inputs.job)
        job.pop("path")
        content = {
            **self._settings,
            "job": job,
            "image": files.sha256(inputs.pixels.tobytes()),
            "image_file": inputs.image_sha256,
            "maps": [[name, prepared.map.sha256] for name, prepared in inputs.maps.items()],
        }
        return files.canonical_digest(content)

    def make(self, inputs: Inputs) -> MadeImage:
        """Make canvas and reveal series of an image."""
        canvas = canvas_of(inputs.job, inputs.pixels, self.recipe)
        planned = self.plan(inputs)
        quality = msgspec.structs.replace(planned.quality, canvas=canvas.quality)
        return MadeImage(inputs, planned.series, quality, canvas)

    def plan(self, inputs: Inputs) -> PlannedImage:
        """Make the reveal series of an image; a recipe that bounds clipping has its canvas tried all the same."""
        if self.recipe.canvas.largest_clipped_fraction < 1:
            canvas_of(inputs.job, inputs.pixels, self.recipe)
        maps = {name: prepared.map for name, prepared in inputs.maps.items()}
        n_px = n_revealed_px(list(maps.values()), self.recipe.reveal)
        counts = level_counts(n_px, self.fractions)
        series = {name: self._series(one, n_px, counts) for name, one in maps.items()}
        agreement = orientation.agreement({name: one.values for name, one in maps.items()})
        sources = {name: source_quality(inputs.maps[name], series[name], agreement[name]) for name in maps}
        return PlannedImage(inputs, series, Quality(canvas=None, sources=sources, match=inputs.match))

    def _series(self, one: ImportanceMap, n_px: int, counts: NDArray[np.int64]) -> RevealSeries:
        reveal = self.recipe.reveal
        key = key64(self.recipe.seed, "fill", one.image_id, one.source)
        order = reveal_order(one, n_px, reveal, key=key, engine=self.engine)
        return RevealSeries(order, one.shape, counts, centring_shift(order, one.shape, reveal.centring))


class ReadImage(NamedTuple):
    """An image ready for use, its look before it was matched, and how near it is to the set's common target."""

    image: LoadedImage
    look: str
    match: MatchQuality | None


def reader_of(recipe: StimulusRecipe) -> ImageReader:
    """Return what reads the recipe's images; where they are matched, with a memory for those that it has read."""

    def read(path: str) -> LoadedImage:
        return load(path, recipe.side_px, fit=recipe.fit, upscale=recipe.upscale, greyscale=recipe.greyscale)

    return read if recipe.match.kind == "none" else remembering(read)


def image_of(job: ImageEntry, recipe: StimulusRecipe, target: Target | None, read: ImageReader) -> ReadImage:
    """Read a job's image and match it to the target, if there is one.

    Raises
    ------
    InputError
        Names the file that cannot be used, as :func:`.images.load` does.
    """
    image = read(job.path)
    look = perceptual_hash(image.pixels)
    if target is None:
        return ReadImage(image, look, None)
    pixels, quality = matched(image.pixels, target, key=key64(recipe.seed, "match", job.image_id))
    return ReadImage(dataclasses.replace(image, pixels=pixels), look, quality)


def canvas_of(job: ImageEntry, pixels: NDArray[np.uint8], recipe: StimulusRecipe) -> MadeCanvas:
    """Make the canvas of a job's image.

    Parameters
    ----------
    job : ImageEntry
        Its id decides the phases.
    pixels : ndarray of uint8, shape (side, side, 3)
        The image, coded sRGB.
    recipe : StimulusRecipe
        Seed and canvas.

    Raises
    ------
    InputError
        When more is clipped than the recipe allows.
    """
    key = key64(recipe.seed, "canvas", job.image_id)
    return make_canvas(pixels, recipe.canvas, key=key, where=job.path or job.image_id)


def target_of(
    recipe: StimulusRecipe,
    jobs: Sequence[ImageEntry],
    read: ImageReader,
    *,
    skip_bad: bool = False,
    lacking: Callable[[str], str] | None = None,
) -> Target | None:
    """Return what the images of a set are matched to.

    Parameters
    ----------
    recipe : StimulusRecipe
        What is matched.
    jobs : sequence of ImageEntry
        The images.
    read : callable
        From :func:`reader_of`.
    skip_bad : bool
        Leave images out that cannot be read, or have no map, and name them in the target.
    lacking : callable, optional
        Image id → the map source that has no map of it; see :meth:`.sources.Sources.lacking`.

    Raises
    ------
    InputError
        When some image cannot have the target, see :func:`.match_target.find_target`; when one cannot be read and
        `skip_bad` is false.
    """
    if recipe.match.kind == "none":
        return None
    left_out: dict[str, str] = {}

    def images() -> Iterator[tuple[str, NDArray[np.uint8]]]:
        for job in jobs:
            without = lacking(job.image_id) if lacking is not None and skip_bad else ""
            try:
                if without:
                    raise InputError(f"{job.image_id}: no map from {without}")
                yield job.image_id, read(job.path).pixels
            except InputError as error:
                if not skip_bad:
                    raise
                left_out[job.image_id] = str(error)

    try:
        target = find_target(recipe.match, images)
    except InputError as error:
        if not skip_bad or not left_out:
            raise
        raise InputError(f"{error}; left out of the target: {'; '.join(left_out.values())}") from error
    return dataclasses.replace(target, left_out=left_out)


def fractions_of(recipe: StimulusRecipe) -> NDArray[np.float64]:
    """Return the recipe's reveal levels as fractions of the features, the intact image not counted."""
    reveal = recipe.reveal
    return np.array(reveal.levels) if reveal.levels else level_fractions(reveal.n_levels, reveal.lowest)
