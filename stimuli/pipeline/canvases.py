"""What the canvases of a set have in common, found once for all images: mean spectrum, or who gives whom a canvas."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.seeds import key64
from rapidvision.system import files

from ..background.canvas import MadeCanvas, make_canvas
from ..background.donors import blind_donors
from ..background.set_spectrum import SetSpectrum, SpectrumSum
from ..recipe import StimulusRecipe
from .image_list import ImageEntry

#: So many images of the main phase are measured for ledger and certificate, drawn by lot in larger sets.
MOST_MEASURED = 1000

#: Returns the finished pixels of an image, matched where the set is.
PixelsOf = Callable[[ImageEntry], NDArray[np.uint8]]


@dataclass(frozen=True, slots=True, eq=False)
class Shared:
    """What canvases, or masks, of a set have in common, and which images are measured.

    Attributes
    ----------
    spectrum : SetSpectrum or None
        Mean colour and spectrum of the set's images.
    donors : dict
        Image id → the image whose canvas it gets; empty unless canvases are yoked.
    left_out : dict
        Images that had no part in it: id → reason.
    measured : frozenset of str or None
        Images of the main phase that ledger and certificate count; None is all of them.
    """

    spectrum: SetSpectrum | None = None
    donors: dict[str, ImageEntry] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    measured: frozenset[str] | None = None

    def measures(self, job: ImageEntry) -> bool:
        """Whether ledger and certificate count an image."""
        return job.phase == "main" and (self.measured is None or job.image_id in self.measured)

    @property
    def digest(self) -> str:
        """SHA-256 of all that reaches a pixel; empty where nothing is shared."""
        if self.spectrum is None and not self.donors:
            return ""
        donors = {name: one.image_id for name, one in self.donors.items()}
        return files.canonical_digest(["" if self.spectrum is None else self.spectrum.digest, donors])


NOTHING_SHARED = Shared()


def shared_of(
    recipe: StimulusRecipe,
    jobs: Sequence[ImageEntry],
    pixels_of: PixelsOf,
    *,
    skip_bad: bool = False,
    lacking: Callable[[str], str] | None = None,
) -> Shared:
    """Return what the canvases of a recipe have in common; reads every image where a mean spectrum is asked for.

    Parameters
    ----------
    recipe : StimulusRecipe
        Its canvas and masks.
    jobs : sequence of ImageEntry
        All images of the set, sorted by id: sums depend on their order.
    pixels_of : callable
        Returns the pixels of an image.
    skip_bad : bool
        Leave images out that cannot be read, or have no map.
    lacking : callable, optional
        Image id → the map source that has no map of it.

    Raises
    ------
    InputError
        When an image cannot be read and `skip_bad` is false, or there are too few images to exchange canvases.
    """
    masks = any(family.spectrum == "set" for family in recipe.mask_families)
    if recipe.canvas.kind not in ("set-spectrum", "yoked") and not masks:
        return Shared(measured=measured_of(recipe, jobs))
    left_out: dict[str, str] = {}
    found = SpectrumSum()
    needs_spectrum = masks or recipe.canvas.kind == "set-spectrum"
    for job in jobs if needs_spectrum or skip_bad else ():
        without = lacking(job.image_id) if lacking is not None and skip_bad else ""
        try:
            if without:
                raise InputError(f"{job.image_id}: no map from {without}")
            pixels = pixels_of(job)
        except InputError as error:
            if not skip_bad:
                raise
            left_out[job.image_id] = str(error)
            continue
        if needs_spectrum:
            found.add(pixels)
    used = [job for job in jobs if job.image_id not in left_out]
    donors: dict[str, ImageEntry] = {}
    if recipe.canvas.kind == "yoked":
        entries = {job.image_id: job for job in used}
        names = blind_donors({job.image_id: job.target for job in used}, seed=recipe.seed)
        donors = {name: entries[donor] for name, donor in names.items()}
    return Shared(found.found() if needs_spectrum else None, donors, left_out, measured_of(recipe, jobs))


def measured_of(recipe: StimulusRecipe, jobs: Sequence[ImageEntry]) -> frozenset[str] | None:
    """Return which images of a large set ledger and certificate count, from all its jobs; None where all are counted."""
    names = [job.image_id for job in jobs if job.phase == "main"]
    if len(names) <= MOST_MEASURED:
        return None
    return frozenset(sorted(names, key=lambda name: key64(recipe.seed, "measured", name))[:MOST_MEASURED])


def canvas_of(
    job: ImageEntry,
    pixels: NDArray[np.uint8],
    recipe: StimulusRecipe,
    shared: Shared = NOTHING_SHARED,
    pixels_of: PixelsOf | None = None,
    *,
    draw: int = 0,
) -> MadeCanvas:
    """Make the canvas of a job's image.

    Parameters
    ----------
    job : ImageEntry
        Its id decides the phases.
    pixels : ndarray of uint8, shape (side, side, 3)
        The image, coded sRGB.
    recipe : StimulusRecipe
        Seed and canvas.
    shared : Shared
        From :func:`shared_of`.
    pixels_of : callable, optional
        Reads the donor of a yoked canvas.
    draw : int
        Which of the image's canvases.

    Raises
    ------
    InputError
        When more is clipped than the recipe allows, or an image has no donor.
    """
    donor = job
    if recipe.canvas.kind == "yoked":
        if job.image_id not in shared.donors or pixels_of is None:
            raise InputError(f"{job.image_id}: no donor for its canvas; yoked canvases are made with the whole set")
        donor = shared.donors[job.image_id]
        pixels = pixels_of(donor)
    key = key64(recipe.seed, "canvas", donor.image_id, *([draw] if draw else []))
    return make_canvas(pixels, recipe.canvas, key=key, where=job.path or job.image_id, shared=shared.spectrum)
