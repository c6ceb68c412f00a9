"""What a build would refuse about one image and its maps, without making anything."""

from pathlib import Path

from rapidvision.errors import InputError
from rapidvision.images.load import size_of
from rapidvision.maps import ImportanceMap
from rapidvision.numerics.blur import Blur
from rapidvision.reveal import level_counts
from rapidvision.system import files

from ..image.load import Geometry
from ..maps.prepare import prepare
from ..maps.readers import DenseMap, Points
from ..maps.sources import Sources
from ..pipeline.image_list import ImageEntry
from ..recipe import StimulusRecipe
from ..reveal.order import n_revealed_px
from .problems import Problem

_NO_BLUR = Blur("none")
#: The recipe and its opened sources, in a process of a pool.
_here: dict[str, tuple[StimulusRecipe, Sources]] = {}


def check_image(job: ImageEntry, recipe: StimulusRecipe, sources: Sources) -> list[Problem]:
    """Return all that is wrong with an image and with its map of each source.

    Parameters
    ----------
    job : ImageEntry
        The image.
    recipe : StimulusRecipe
        What is to be made of it.
    sources : Sources
        The map sources, opened; those that could not be opened are left out.
    """
    found: list[Problem] = []
    geometry: Geometry | None = None
    try:
        data = files.read_bytes(job.path)
        size = size_of(data, name=job.path)
        geometry = Geometry.of(size, recipe.side_px, fit=recipe.fit, upscale=recipe.upscale, where=job.path)
    except InputError as error:
        found.append(Problem("image", job.image_id, "", str(error)))
    maps: list[ImportanceMap] = []
    for name, reader in sources.readers.items():
        try:
            one = reader.read(job.image_id)
            if geometry is not None:
                maps.append(_prepared(one, geometry, sources.blurs[name], job, name, recipe))
        except InputError as error:
            found.append(Problem("image", job.image_id, name, str(error)))
    if maps and not found:
        try:
            n_px = n_revealed_px(maps, recipe.reveal)
            level_counts(n_px, recipe.reveal.fractions)
            if recipe.reveal.mode == "top":
                least = min(maps, key=lambda one: one.n_supported_px)
                if least.n_supported_px < n_px:
                    raise InputError(
                        f"{job.image_id}: {n_px} pixels are to be revealed and only {least.n_supported_px} have "
                        f"importance ({least.source})"
                    )
        except InputError as error:
            found.append(Problem("image", job.image_id, "", str(error)))
    return found


def _prepared(
    one: DenseMap | Points, geometry: Geometry, blur: Blur, job: ImageEntry, name: str, recipe: StimulusRecipe
) -> ImportanceMap:
    """Lay a map on the image as a build does; blurred only where something depends on it, which takes much longer."""
    frame = next(source.frame for source in recipe.maps if source.source == name)
    exact = recipe.reveal.budget == "support" or recipe.reveal.mode == "top"
    try:
        return prepare(one, geometry, blur if exact else _NO_BLUR, image_id=job.image_id, source=name, frame=frame).map
    except InputError:
        return prepare(one, geometry, blur, image_id=job.image_id, source=name, frame=frame).map


def begin(recipe: StimulusRecipe, sources: Sources) -> None:
    """Keep what every image needs, in a process of a pool."""
    _here["here"] = recipe, sources


def check_images(jobs: list[ImageEntry]) -> list[list[Problem]]:
    """Do :func:`check_image` for some images, in a process of a pool."""
    recipe, sources = _here["here"]
    return [check_image(job, recipe, sources) for job in jobs]


def file_size(job: ImageEntry) -> int:
    """Return the size of an image's file; -1 where there is none."""
    path = Path(job.path)
    return path.stat().st_size if path.is_file() else -1
