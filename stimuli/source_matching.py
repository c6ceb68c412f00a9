"""``[match_sources]`` of a recipe: in what two map sources reveal alike at each level."""

from typing import Annotated, Literal, get_args

from msgspec import Meta

from rapidvision.recipes import Recipe

Row = Literal["attainable", "captured", "compactness", "spread", "components", "eccentricity", "object"]
ROWS: tuple[Row, ...] = get_args(Row)


class MatchSources(Recipe, frozen=True):
    """What the regions of two or more map sources have in common, level by level, besides their number of pixels.

    Attributes
    ----------
    rows : tuple of str
        ``attainable``: captured importance as a share of what as many pixels could capture at best. ``captured``:
        captured importance itself. ``compactness``: perimeter² over area. ``spread``: root mean square distance from the
        region's middle. ``components``: connected parts; needs `seeds`. ``eccentricity``: mean distance from the middle
        of the canvas; needs `move_px`. ``object``: share of the region on the object; needs ``object_masks``.
    seeds : bool
        Whether growth may start at a second, third … place, far from the region.
    move_px : int
        How far a region may be moved off its centring, 0 to 64 pixels, for ``eccentricity``.
    tolerance : float
        An image is listed as not matched at a level where a row differs by more than so many of the row's scales: .03 of
        the attainable, 10 % of the perimeter or the eccentricity, 4 % of the spread, 30 % of the captured importance, half
        a component, .1 of the region on the object.

    Examples
    --------
    >>> import rapidvision as rv
    >>> rv.stimuli.MatchSources(rows=("attainable", "spread")).move_px
    8
    """

    rows: tuple[Row, ...] = ("attainable", "compactness", "spread", "eccentricity")
    seeds: bool = False
    move_px: Annotated[int, Meta(ge=0, le=64)] = 8
    tolerance: Annotated[float, Meta(gt=0)] = 1.5

    def __post_init__(self) -> None:
        if not self.rows or len(set(self.rows)) != len(self.rows):
            raise ValueError(f"rows must name one or more different of {', '.join(ROWS)}; got {list(self.rows)}")
        if "components" in self.rows and not self.seeds:
            raise ValueError('rows has "components" and seeds is false; one seed gives one component, set seeds = true')
        if "eccentricity" in self.rows and self.move_px == 0:
            raise ValueError('rows has "eccentricity" and move_px is 0; give the pixels by which regions may be moved')
