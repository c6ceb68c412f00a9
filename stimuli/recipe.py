"""The recipe of a stimulus set: one TOML file says everything that is decided about it.

Relative paths are relative to the recipe's folder, or to the folder given as ``--root``.
"""

from typing import Literal

import msgspec

from rapidvision.formats.image_folder import checked_name
from rapidvision.recipes import Recipe
from rapidvision.screen import SCREEN_REMEDY, Screen

from .input_tables import ImageTable, MapSource
from .mask_family import MaskFamily
from .recipe_tables import Canvas, Match, Reveal
from .source_matching import MatchSources


class StimulusRecipe(Recipe, frozen=True):
    """Everything that is decided about a stimulus set.

    Attributes
    ----------
    name : str
        Name of the set.
    seed : int
        Every random decision follows from it.
    image_px : int
        Side of the images in pixels.
    image_deg : float or None
        Side in degrees of visual angle on `screen`, which it needs; replaces `image_px`.
    screen : Screen or None
        The participants' monitor; there is no default, because degrees on another one are other pixels.
    images : str or ImageTable
        ``images.csv`` (columns image_id, path, category, target, and optionally phase, credit, licence), or a foreign table.
    maps : tuple of MapSource
        One or more sources; every image needs a map from each.
    fit : {"crop", "pad", "stretch"}
        How an image that is not square becomes so: its middle square, the whole image with margins of its mean colour
        (which have no importance), or other proportions.
    upscale : bool
        Whether images smaller than `image_px` may be enlarged.
    greyscale : bool
        Whether colour is taken out.
    match, reveal, canvas : Match, Reveal, Canvas
        See there.
    match_sources : MatchSources
        In what the map sources reveal alike. Absent: they show the same number of pixels, and each grows by itself.
    object_masks : dict
        Name → folder of masks that say where the object (``object``), a face or text is. Absent where there are none.
    masks : tuple of MaskFamily
        Families of masks. Absent where there are none.
    plugins : tuple of str
        Python modules that register the plug-ins which the recipe names; looked for on the Python path, in the current
        folder and in the recipe's folder. Absent where there are none.

    Examples
    --------
    >>> import rapidvision as rv
    >>> clickme = rv.stimuli.MapSource(source="clickme", reader="folder", path="maps")
    >>> recipe = rv.stimuli.StimulusRecipe(name="mine", maps=(clickme,), seed=1)
    >>> recipe.image_px, recipe.reveal.n_levels
    (256, 11)
    """

    name: str
    maps: tuple[MapSource, ...]
    seed: int = 2019
    image_px: int = 256
    image_deg: float | None = None
    screen: Screen | None = None
    images: str | ImageTable = "images.csv"
    fit: Literal["crop", "pad", "stretch"] = "crop"
    upscale: bool = False
    greyscale: bool = False
    match: Match = Match()
    reveal: Reveal = Reveal()
    canvas: Canvas = Canvas()
    match_sources: MatchSources | msgspec.UnsetType = msgspec.UNSET
    object_masks: dict[str, str] | msgspec.UnsetType = msgspec.UNSET
    masks: tuple[MaskFamily, ...] | msgspec.UnsetType = msgspec.UNSET
    plugins: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET

    def __post_init__(self) -> None:
        names = [source.source for source in self.maps]
        if not names or len(set(names)) != len(names):
            raise ValueError(f"maps must name one or more different sources, got {names}")
        if self.seed < 0 or not 16 <= self.image_px <= 4096:
            raise ValueError(f"seed must be >= 0 and image_px 16 to 4096, got {self.seed} and {self.image_px}")
        if self.image_deg is not None and self.screen is None:
            raise ValueError(
                f"image_deg is {self.image_deg}, and there is no screen; {SCREEN_REMEDY}, or give image_px"
            )

        families = [family.name.casefold() for family in self.mask_families]
        if len(set(families)) != len(families):
            raise ValueError(f"masks must have different families, got {families}")
        for name in self.object_masks or ():
            checked_name(name, "object_masks")
        self._check_matching()

    def _check_matching(self) -> None:
        matched, reveal = self.match_sources, self.reveal
        if self.match.region not in ("frame", "disc") and self.match.region not in (self.object_masks or {}):
            raise ValueError(
                f'match.region is "{self.match.region}"; allowed are frame, disc and the names of object_masks: '
                f"{', '.join(self.object_masks or {}) or 'none'}"
            )
        if matched is msgspec.UNSET:
            return
        if len(self.maps) < 2:
            raise ValueError(f"match_sources needs two or more maps, got {len(self.maps)}")
        if (reveal.mode, reveal.neighbours, reveal.start, reveal.gamma) != ("growth", 4, "peak", 2.0):
            raise ValueError(
                'match_sources chooses how regions grow; reveal must have mode = "growth", neighbours = 4, start = "peak" '
                "and gamma = 2"
            )
        if "eccentricity" in matched.rows and reveal.centring != "region":
            raise ValueError('rows of match_sources have "eccentricity"; centring must be "region"')
        if "object" in matched.rows and "object" not in (self.object_masks or {}):
            raise ValueError('rows of match_sources have "object"; object_masks must name a folder for object')

    @property
    def mask_families(self) -> tuple[MaskFamily, ...]:
        """The families of masks, none where the recipe has none."""
        return () if self.masks is msgspec.UNSET else self.masks

    @property
    def side_px(self) -> int:
        """Side of the finished images in pixels, degrees resolved."""
        if self.image_deg is None or self.screen is None:  # degrees have a screen: see __post_init__
            return self.image_px
        return round(self.screen.deg_to_px(self.image_deg))
