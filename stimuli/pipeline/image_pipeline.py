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
from rapidvision.reveal import RevealSeries, level_counts
from rapidvision.seeds import key64
from rapidvision.system import files

from ..background import scramble, set_spectrum
from ..background.canvas import MadeCanvas
from ..image.load import ImageReader, LoadedImage, load, remembering
from ..image.luma import Region
from ..image.match import MatchQuality, matched
from ..image.match_target import Target, find_target
from ..ladder import ladder
from ..ladder.series import SourceMatch, matched_series
from ..ledger.figures import figures_of_series
from ..maps import orientation
from ..maps.prepare import prepare
from ..maps.sources import Sources, sources_of
from ..plugins import plugins_of
from ..png import series as png
from ..recipe import StimulusRecipe
from ..reveal import flood
from ..reveal.flood import Engine
from ..reveal.order import centring_shift, n_revealed_px, reveal_order
from .canvases import NOTHING_SHARED, Shared, canvas_of
from .duplicates import perceptual_hash
from .image_list import ImageEntry
from .made_image import Inputs, MadeImage, PlannedImage
from .object_masks import ObjectMasks, regions_of
from .quality import Quality, source_quality
from .shown_numbers import shown_numbers

#: What a stored stimulus depends on besides the recipe; a change of bytes anywhere raises a number here.
ALGORITHMS = {
    "flood": flood.VERSION,
    "scramble": scramble.VERSION,
    "png": png.VERSION,
    "canvas": "1",
    "set-spectrum": set_spectrum.VERSION,
    "prepare": "1",
    "match": "2",
    "ladder": ladder.VERSION,
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
    shared : Shared, optional
        What canvases have in common.
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
        shared: Shared = NOTHING_SHARED,
        engine: Engine = "auto",
        read: ImageReader | None = None,
        sources: Sources | None = None,
    ) -> None:
        self._read = reader_of(recipe) if read is None else read
        self.recipe, self.root, self.target, self.shared, self.engine = recipe, root, target, shared, engine
        self.readers, self.blurs = sources_of(recipe, root) if sources is None else sources
        self.frames = {one.source: one.frame for one in recipe.maps}
        self.fractions = recipe.reveal.fractions
        self._objects = ObjectMasks(recipe.object_masks or {}, root)
        self._regions = regions_of(recipe, root)
        left_out = ("name", "images", "maps", "screen", "image_deg", "plugins", "masks")
        settings: Any = {name: value for name, value in msgspec.to_builtins(recipe).items() if name not in left_out}
        self._settings = {"algorithms": ALGORITHMS, "recipe": settings | {"image_px": recipe.side_px}}
        if shared.digest:
            self._settings["canvases"] = shared.digest
        if own := [one.name for one in recipe.mask_families if one.kind == "phase-scrambled"]:
            self._settings["masks"] = own
        if plugins := plugins_of(recipe):
            self._settings["plugins"] = {f"{one.kind} {one.name}": one.sha256 for one in plugins}

    def read(self, job: ImageEntry) -> Inputs:
        """Read image and maps of a job; InputError names the file that cannot be used."""
        read = image_of(job, self.recipe, self.target, self._read, self._regions)
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
        masks = self._objects.of(job.image_id, image.geometry)
        return Inputs(job, image.pixels, image.sha256, maps, read.look, read.match, masks)

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
        if inputs.masks:
            content["object_masks"] = [[name, files.sha256(one.tobytes())] for name, one in inputs.masks.items()]
        if self.shared.measured is not None:
            content["measured"] = self.shared.measures(inputs.job)
        return files.canonical_digest(content)

    def make(self, inputs: Inputs) -> MadeImage:
        """Make canvas and reveal series of an image."""
        canvas = self.canvas(inputs)
        planned = self.plan(inputs)
        measured, kind = self.shared.measures(inputs.job), self.recipe.canvas.kind
        numbers = shown_numbers(inputs.pixels, canvas.pixels, planned.series, kind=kind) if measured else {}
        quality = msgspec.structs.replace(planned.quality, canvas=canvas.quality, numbers=numbers)
        return MadeImage(inputs, planned.series, quality, canvas)

    def canvas(self, inputs: Inputs, *, draw: int = 0) -> MadeCanvas:
        """Make a canvas of an image; InputError as :func:`.canvases.canvas_of`."""
        return canvas_of(inputs.job, inputs.pixels, self.recipe, self.shared, self.pixels, draw=draw)

    def pixels(self, job: ImageEntry) -> NDArray[np.uint8]:
        """Read the finished pixels of a job's image."""
        return image_of(job, self.recipe, self.target, self._read, self._regions).image.pixels

    def plan(self, inputs: Inputs) -> PlannedImage:
        """Make the reveal series of an image; a recipe that bounds clipping has its canvas tried all the same."""
        if self.recipe.canvas.largest_clipped_fraction < 1:
            self.canvas(inputs)
        values = {name: prepared.map.values for name, prepared in inputs.maps.items()}
        n_px = n_revealed_px([prepared.map for prepared in inputs.maps.values()], self.recipe.reveal)
        series, source_match = self._all_series(inputs, values, n_px)
        agreement = orientation.agreement(values)
        ledger: dict[str, dict[str, tuple[float, ...]]] = {}
        if self.shared.measures(inputs.job):
            ledger = figures_of_series(series, values, inputs.pixels, inputs.masks)
        sources = {
            name: source_quality(one, series[name], agreement[name], ledger.get(name))
            for name, one in inputs.maps.items()
        }
        quality = Quality(canvas=None, sources=sources, match=inputs.match, source_match=source_match)
        return PlannedImage(inputs, series, quality)

    def _all_series(
        self, inputs: Inputs, values: dict[str, NDArray[np.float32]], n_px: int
    ) -> tuple[dict[str, RevealSeries], SourceMatch | None]:
        counts, recipe = level_counts(n_px, self.fractions), self.recipe
        if recipe.match_sources is msgspec.UNSET:
            return {name: self._series(one.map, n_px, counts) for name, one in inputs.maps.items()}, None
        return matched_series(
            values,
            counts,
            recipe.match_sources,
            seed=recipe.seed,
            image_id=inputs.job.image_id,
            epsilon=recipe.reveal.epsilon,
            centring=recipe.reveal.centring,
            objects=inputs.masks.get("object"),
            engine=self.engine,
        )

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


def image_of(
    job: ImageEntry,
    recipe: StimulusRecipe,
    target: Target | None,
    read: ImageReader,
    regions: Region | None = None,
) -> ReadImage:
    """Read a job's image and match it to the target, if there is one; `regions` is from :func:`regions_of`.

    Raises
    ------
    InputError
        Names the file that cannot be used, as :func:`.images.load` does.
    """
    image = read(job.path)
    look = perceptual_hash(image.pixels)
    if target is None:
        return ReadImage(image, look, None)
    region = None if regions is None else regions(job.image_id, image.geometry)
    key = key64(recipe.seed, "match", job.image_id)
    pixels, quality = matched(image.pixels, target, key=key, region=region)
    return ReadImage(dataclasses.replace(image, pixels=pixels), look, quality)


def target_of(
    recipe: StimulusRecipe,
    jobs: Sequence[ImageEntry],
    read: ImageReader,
    *,
    skip_bad: bool = False,
    lacking: Callable[[str], str] | None = None,
    regions: Region | None = None,
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
    regions : callable, optional
        From :func:`regions_of`.

    Raises
    ------
    InputError
        When some image cannot have the target, see :func:`.match_target.find_target`; when one cannot be read and
        `skip_bad` is false.
    """
    if recipe.match.kind == "none":
        return None
    left_out: dict[str, str] = {}
    counted: dict[str, NDArray[np.bool_]] = {}

    def images() -> Iterator[tuple[str, NDArray[np.uint8]]]:
        for job in jobs:
            without = lacking(job.image_id) if lacking is not None and skip_bad else ""
            try:
                if without:
                    raise InputError(f"{job.image_id}: no map from {without}")
                image = read(job.path)
                if regions is not None:
                    counted[job.image_id] = regions(job.image_id, image.geometry)
                yield job.image_id, image.pixels
            except InputError as error:
                if not skip_bad:
                    raise
                left_out[job.image_id] = str(error)

    try:
        target = find_target(recipe.match, images, None if regions is None else counted.pop)
    except InputError as error:
        if not skip_bad or not left_out:
            raise
        raise InputError(f"{error}; left out of the target: {'; '.join(left_out.values())}") from error
    return dataclasses.replace(target, left_out=left_out)
