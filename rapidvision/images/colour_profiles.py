"""Colour profiles: what a file says its numbers mean becomes sRGB, or is refused."""

import io
from collections.abc import Mapping
from typing import Any

import numpy as np

from rapidvision.errors import InputError

#: A profile that moves no colour by more levels than this is taken for sRGB, and the image is left unchanged.
SAME_LEVELS = 2
#: The PNG chunk gAMA of images coded for a display of gamma 2.2, as sRGB nearly is.
SRGB_GAMMA = 1 / 2.2
_GAMMA_TOLERANCE = 0.02
_STEPS = 9


def to_srgb(image: Any, info: Mapping[str, Any], *, name: str) -> Any:
    """Convert an image to sRGB by the profile that its file holds.

    Parameters
    ----------
    image : PIL.Image.Image
        Mode L or RGB.
    info : mapping
        Pillow's ``info`` of the file; ``icc_profile``, ``gamma`` and ``srgb`` are looked at.
    name : str
        What to call it in messages.

    Returns
    -------
    PIL.Image.Image
        Mode RGB, coded sRGB.

    Raises
    ------
    InputError
        When the profile is damaged, or not one of the image's kind; when a PNG says another gamma than sRGB's.
    """
    profile = info.get("icc_profile")
    if profile:
        return _converted(image, profile, name)
    gamma = info.get("gamma")
    if gamma and "srgb" not in info and abs(gamma - SRGB_GAMMA) > _GAMMA_TOLERANCE:
        raise InputError(f"{name}: coded with gamma {gamma:.3f} (sRGB: {SRGB_GAMMA:.3f}); save it as sRGB")
    return image.convert("RGB")


def _converted(image: Any, profile: bytes, name: str) -> Any:
    from PIL import Image, ImageCms

    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        space = str(source.profile.xcolor_space).strip()
        if space == "RGB":
            image = image.convert("RGB")
        elif (space, image.mode) != ("GRAY", "L"):
            raise InputError(f"{name}: an image of mode {image.mode} with a {space} profile; save it as sRGB")
        transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), image.mode, "RGB")
        probe = Image.fromarray(_probe(image.mode))
        moved = np.asarray(transform.apply(probe), np.int16) - np.asarray(probe.convert("RGB"), np.int16)
        return image.convert("RGB") if np.abs(moved).max() <= SAME_LEVELS else transform.apply(image)
    except (ImageCms.PyCMSError, OSError) as error:
        raise InputError(f"{name}: its colour profile cannot be used ({error}); save it as sRGB") from error


def _probe(mode: str) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Colours on a grid, as an image of `mode`."""
    levels = np.linspace(0, 255, _STEPS).astype(np.uint8)
    if mode == "L":
        return levels[None]
    return np.stack(np.meshgrid(levels, levels, levels), -1).reshape(1, -1, 3)
