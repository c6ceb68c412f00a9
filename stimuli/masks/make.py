"""The masks of a recipe as PNG files: those of an image beside it, the others once for the set."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError, did_you_mean
from rapidvision.formats.image_folder import checked_name
from rapidvision.formats.masks import KINDS, MaskImage, read_masks
from rapidvision.images.listing import list_images
from rapidvision.seeds import key64
from rapidvision.system import files

from ..background.canvas import make_canvas
from ..background.set_spectrum import SetSpectrum, texture
from ..image.colorspace import rounded
from ..image.load import load
from ..image.match_target import Target
from ..mask_family import CHECKERBOARD_CONTRAST, MEAN, NOISE_CONTRAST, MaskFamily
from ..pipeline.image_list import ImageEntry
from ..pipeline.image_pipeline import ALGORITHMS
from ..png.series import encode
from ..recipe import StimulusRecipe
from .drawn import VERSION, checkerboards, grey_pixels, noise

#: Folder of the masks within a set.
FOLDER = "masks"
Made = tuple[MaskImage, bytes]


def with_masks(recipe: StimulusRecipe, kinds: Sequence[str]) -> StimulusRecipe:
    """Return a recipe with more families of masks, each named after its kind and with the default of every setting.

    Parameters
    ----------
    recipe : StimulusRecipe
        Any.
    kinds : sequence of {"noise", "phase-scrambled", "checkerboard"}
        One that the recipe has a family of that name of is passed over.

    Raises
    ------
    InputError
        When a kind is unknown, or needs a folder.

    Examples
    --------
    >>> from rapidvision.stimuli.builder.build import read_recipe
    >>> recipe, _ = read_recipe("bundled", masks=["noise"])
    >>> [one.name for one in recipe.mask_families]
    ['noise']
    """
    families = {family.name: family for family in recipe.mask_families}
    for kind in sorted(kinds):
        if kind == "files":
            raise InputError('masks: "files" needs a folder; write it into the recipe, under [[masks]]')
        if kind not in KINDS:
            raise InputError(f'masks: got "{kind}". {did_you_mean(kind, KINDS)}')
        families.setdefault(kind, msgspec.convert({"kind": kind}, MaskFamily))
    return msgspec.structs.replace(recipe, masks=tuple(families.values())) if families else recipe


def counts_of(folder: Path | str) -> dict[str, int]:
    """How many masks a set has of each family."""
    return {family: len(masks) for family, masks in read_masks(folder).items()}


def algorithms_of(recipe: StimulusRecipe) -> dict[str, str]:
    """Return the versions of the algorithms that a recipe uses; that of masks where it has some."""
    return ALGORITHMS | ({"masks": VERSION} if recipe.mask_families else {})


def masks_of_image(job: ImageEntry, pixels: NDArray[np.uint8], recipe: StimulusRecipe) -> list[Made]:
    """Make the masks that belong to one image.

    Parameters
    ----------
    job : ImageEntry
        Its id decides the phases.
    pixels : ndarray of uint8, shape (side, side, 3)
        The image as the set has it, matched where the set is.
    recipe : StimulusRecipe
        Families, seed and `[canvas]`.

    Returns
    -------
    list of (MaskImage, bytes)
        A row and a PNG file for each family of the kind ``phase-scrambled``.
    """
    canvas = msgspec.structs.replace(recipe.canvas, kind="phase", coherence=0.0, options=msgspec.UNSET)
    out = []
    for family in recipe.mask_families:
        if family.kind == "phase-scrambled":
            key = key64(recipe.seed, FOLDER, family.name, job.image_id)
            made = make_canvas(pixels, canvas, key=key, where=job.path or job.image_id)
            out.append(_made(family, job.image_id, made.pixels, image_id=job.image_id))
    return out


def masks_of_set(
    recipe: StimulusRecipe, root: Path, target: Target | None, spectrum: SetSpectrum | None = None
) -> Iterator[Made]:
    """Make the masks that belong to no image.

    Parameters
    ----------
    recipe : StimulusRecipe
        Families and seed.
    root : Path
        What folders are relative to.
    target : Target or None
        What the images are matched to; masks that are drawn have its mean and contrast.
    spectrum : SetSpectrum, optional
        Mean spectrum of the images, for families with ``spectrum = "set"``.

    Yields
    ------
    (MaskImage, bytes)
        A row and a PNG file.

    Raises
    ------
    InputError
        When a folder has no images or one that cannot be used, or a checkerboard does not fit into 0 … 255.
    """
    for family in recipe.mask_families:
        if family.spectrum == "set" and spectrum is not None:
            yield from _of_spectrum(family, recipe, spectrum)
        else:
            yield from _of_family(family, recipe, root, target)


def check_masks(recipe: StimulusRecipe, root: Path, target: Target | None) -> None:
    """Refuse, before the images are made, masks that :func:`masks_of_set` cannot make; noise can always be made."""
    for family in recipe.mask_families:
        if family.kind != "noise":
            for _ in _of_family(family, recipe, root, target):
                pass


def _of_family(family: MaskFamily, recipe: StimulusRecipe, root: Path, target: Target | None) -> Iterator[Made]:
    if family.kind == "files":
        yield from _of_files(family, recipe, root)
    elif family.kind != "phase-scrambled":
        for number, values in enumerate(_drawn(family, recipe, target)):
            yield _made(family, f"{number:04d}", grey_pixels(values, recipe.match.space))


def _of_spectrum(family: MaskFamily, recipe: StimulusRecipe, spectrum: SetSpectrum) -> Iterator[Made]:
    for number in range(family.n_masks):
        values, _ = texture(
            spectrum,
            key=key64(recipe.seed, FOLDER, family.name, number),
            gamut_iterations=recipe.canvas.gamut_iterations,
            tolerance=recipe.canvas.gamut_tolerance,
        )
        yield _made(family, f"{number:04d}", rounded(values))


def _drawn(family: MaskFamily, recipe: StimulusRecipe, target: Target | None) -> Iterator[NDArray[np.float64]]:
    own = CHECKERBOARD_CONTRAST if family.kind == "checkerboard" else NOISE_CONTRAST
    mean = family.mean if family.mean is not None else MEAN if target is None else target.mean
    contrast = family.contrast if family.contrast is not None else own if target is None else target.contrast
    side = recipe.side_px
    if family.kind == "noise":
        for number in range(family.n_masks):
            yield noise(side, key=key64(recipe.seed, FOLDER, family.name, number), mean=mean, contrast=contrast)
        return
    most = min(mean, 255 - mean)
    if contrast > most + 1e-9:
        raise InputError(
            f"masks: {family.name}: a contrast of {contrast:g} around a mean of {mean:g} does not fit into 0 to 255; "
            f"give a contrast of at most {most:g}, or another mean"
        )
    yield from checkerboards(side, check_px=family.check_px, mean=mean, contrast=contrast)


def _of_files(family: MaskFamily, recipe: StimulusRecipe, root: Path) -> Iterator[Made]:
    folder = root / family.folder
    paths = list_images(folder).paths
    if not paths:
        raise InputError(f"{folder}: no images here; the masks {family.name} are read from it")
    for path in paths:
        try:
            name = checked_name(path.stem, "the name of a mask")
        except ValueError as error:
            raise InputError(f"{path}: {error}") from None
        image = load(path, recipe.side_px, fit=recipe.fit, upscale=recipe.upscale, greyscale=recipe.greyscale)
        yield _made(family, name, image.pixels)


def _made(family: MaskFamily, name: str, pixels: NDArray[np.uint8], *, image_id: str | None = None) -> Made:
    data = encode(pixels, title=f"mask.{family.name}.{name}")
    path = f"{FOLDER}/{family.name}/{name}.png"
    return MaskImage(family=family.name, image_id=image_id, path=path, sha256=files.sha256(data)), data
