"""Masks that say where an object, a face or text is in each image; ``object_masks`` of a recipe."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.images.listing import list_images
from rapidvision.images.load import MAP_SUFFIXES, load_map

from ..image.load import Geometry
from ..image.luma import Region, disc_of
from ..recipe import StimulusRecipe

#: A mask whose proportions differ more from the image's is refused.
_LARGEST_ASPECT_MISMATCH = 0.02


class ObjectMasks:
    """The folders of masks of a recipe.

    Parameters
    ----------
    folders : mapping
        Name of the masks → folder, relative to `root`, with a grey image ``<image_id>.png`` of every image; a pixel
        belongs to the object where it is brighter than half of the mask's brightest. Black masks: no object is there.
    root : Path
        What folders are relative to.

    Raises
    ------
    InputError
        When a folder is missing, or two masks of one have one name.
    """

    def __init__(self, folders: Mapping[str, str], root: Path) -> None:
        self._paths: dict[str, dict[str, Path]] = {}
        self._folders = {name: root / folder for name, folder in folders.items()}
        for name, folder in self._folders.items():
            if not folder.is_dir():
                raise InputError(f"{folder}: not a folder; object_masks names one for {name}")
            listing = list_images(folder, suffixes=MAP_SUFFIXES)
            self._paths[name] = {path.stem: folder / path.name for path in listing.paths}

    def of(self, image_id: str, geometry: Geometry) -> dict[str, NDArray[np.bool_]]:
        """Return the masks of an image: name → bool, shape (side, side).

        Raises
        ------
        InputError
            When an image has no mask, or one with other proportions.
        """
        found = {}
        for name, paths in self._paths.items():
            if image_id not in paths:
                raise InputError(f"{self._folders[name]}: no mask for {image_id}; a file {image_id}.png is looked for")
            found[name] = _laid_on(load_map(paths[image_id]), geometry, str(paths[image_id]))
        return found


def regions_of(recipe: StimulusRecipe, root: Path) -> Region | None:
    """Return where values of images are counted for matching; None where all are.

    Raises
    ------
    InputError
        When a folder of masks is missing.
    """
    region = recipe.match.region
    if region == "frame":
        return None
    if region == "disc":
        return lambda _, geometry: disc_of(geometry.side_px)
    masks = ObjectMasks({region: (recipe.object_masks or {})[region]}, root)
    return lambda image_id, geometry: masks.of(image_id, geometry)[region]


def _laid_on(values: NDArray[np.float64], geometry: Geometry, where: str) -> NDArray[np.bool_]:
    from PIL import Image

    height, width = values.shape
    source = geometry.source_px
    if abs(width * source[1] / (height * source[0]) - 1) > _LARGEST_ASPECT_MISMATCH:
        raise InputError(
            f"{where}: {width} x {height} for an image of {source[0]} x {source[1]}; a mask must have the image's "
            "proportions"
        )
    whole = Image.fromarray(np.asarray(values / max(float(values.max()), 1e-300), np.float32))
    if whole.size != geometry.scaled_px:
        whole = whole.resize(geometry.scaled_px, Image.Resampling.BILINEAR)
    return np.asarray(geometry.cut(np.asarray(whole)) > 0.5)
