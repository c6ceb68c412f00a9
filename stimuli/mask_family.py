"""``[[masks]]`` of a recipe: which masks a stimulus set has."""

from typing import Annotated, Literal

from msgspec import Meta

from rapidvision.formats.image_folder import checked_name
from rapidvision.recipes import Recipe
from rapidvision.task.phases import NO_MASK

MaskKind = Literal["phase-scrambled", "noise", "checkerboard", "files"]
#: Mean of masks of an unmatched set, in 255ths of white.
MEAN = 127.5
#: Standard deviation of 1/f noise in an unmatched set: three of them fit on either side of the middle.
NOISE_CONTRAST = 42.5
#: Standard deviation of a checkerboard in an unmatched set: black and white.
CHECKERBOARD_CONTRAST = 127.5
#: How many masks of noise there are unless the recipe says so.
N_NOISE = 20


class MaskFamily(Recipe, frozen=True):
    """One family of masks; a protocol's `mask` names it.

    Attributes
    ----------
    family : str
        Its name; the kind by default.
    kind : {"phase-scrambled", "noise", "checkerboard", "files"}
        ``phase-scrambled``: each image's own, with its amplitudes and colours, by the settings of `[canvas]`.
        ``noise``: noise, by `spectrum`. ``checkerboard``: two boards, one the other's negative.
        ``files``: the images of a folder, scaled and cut as the images of the set are.
    spectrum : {"1/f", "set"}
        Of ``noise``. ``1/f``: grey, amplitudes fall with 1/f. ``set``: mean colour, colours and amplitudes are those of
        the set's images on average, as of canvases of the kind ``set-spectrum``.
    n_masks : int
        How many masks of ``noise``, 1 to 10,000.
    mean, contrast : float or None
        Mean and standard deviation of ``noise`` and ``checkerboard`` in 255ths of white, in the space of `[match]`. Left
        out, those to which the set's images are matched; in a set that is not matched 127.5, and 42.5 for noise or 127.5
        (black and white) for a checkerboard.
    check_px : int
        Side of a check in pixels.
    folder : str
        Where the images of ``files`` are.
    """

    kind: MaskKind
    family: str = ""
    spectrum: Literal["1/f", "set"] = "1/f"
    n_masks: Annotated[int, Meta(ge=1, le=10_000)] = N_NOISE
    mean: float | None = None
    contrast: float | None = None
    check_px: Annotated[int, Meta(ge=1, le=4096)] = 16
    folder: str = ""

    def __post_init__(self) -> None:
        checked_name(self.name, "family")
        if self.name == NO_MASK:
            raise ValueError(f'family must not be "{NO_MASK}"; a protocol calls a phase without a mask so')
        drawn = self.kind in ("noise", "checkerboard")
        for name, value, most in (("mean", self.mean, 255.0), ("contrast", self.contrast, 127.5)):
            if value is not None and not drawn:
                raise ValueError(f'{name} belongs to kind = "noise" or "checkerboard", got {self.kind}')
            if value is not None and not 0 < value <= most:
                raise ValueError(f"{name} must be above 0 and at most {most:g}, got {value:g}")
        if self.spectrum == "set" and (self.kind != "noise" or self.mean is not None or self.contrast is not None):
            raise ValueError(
                f'spectrum = "set" belongs to kind = "noise" and has the set\'s mean and contrast; got {self.kind}, '
                f"mean {self.mean}, contrast {self.contrast}"
            )
        if (self.kind == "files") != bool(self.folder):
            raise ValueError(f'folder is needed for kind = "files" and belongs to no other, got {self.kind}')

    @property
    def name(self) -> str:
        """What a protocol calls it."""
        return self.family or self.kind
