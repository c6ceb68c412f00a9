"""The tables of a stimulus recipe about what is made: reveal, canvas and match, each with its checks."""

from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from rapidvision.protocol import FEATURE_BUDGET, LOWEST_LEVEL, N_LEVELS
from rapidvision.recipes import Recipe
from rapidvision.reveal import level_fractions

from .registries import BACKGROUNDS, REVEAL_MODES, Options, check_name


class Reveal(Recipe, frozen=True):
    """How pixels are revealed; the decisions page of the documentation explains the defaults.

    Attributes
    ----------
    mode : {"growth", "uniform", "top", "bubbles"} or the name of a plug-in
        ``growth``: the stochastic flood fill. ``uniform``: the same blind to importance (control). ``top``: the most
        important pixels first, connected or not. ``bubbles``: discs at points drawn in proportion to importance.
    gamma, epsilon : float
        A pixel's rate is importance**gamma + epsilon.
    neighbours : {4, 8}
        Which pixels touch.
    start : "peak", "centre" or (row, column)
        Where the fill starts.
    budget : float or "support"
        100 % of the features as a share of the image; ``support``: the smaller of the maps' supports.
    n_levels, lowest : int, float
        Log-spaced levels, the intact image not counted.
    levels : tuple of float
        Explicit fractions instead, rising to 1.
    intact : bool
        Whether the intact image is one more level.
    centring : {"region", "start", "none"}
        What is moved to the middle of the canvas.
    bubble_radius_px : int
        Radius of the discs of ``bubbles``.
    feather_px : int
        Width of a soft edge; 0 is the hard edge.
    light : {"srgb", "linear"}
        In which light a soft edge mixes.
    options : dict
        Parameters of a mode that is a plug-in.
    varies : "contrast"
        Makes the levels differ in contrast: each shows all of the features, mixed with the canvas by the level's share.
        With ``budget = 1.0`` and a grey canvas it is the contrast of the whole image. Absent where the levels differ in
        the area that is revealed.

    Examples
    --------
    >>> import rapidvision as rv
    >>> reveal = rv.stimuli.Reveal(levels=(0.05, 0.2, 1.0), budget=0.1)
    >>> reveal.mode, reveal.gamma
    ('growth', 2.0)
    """

    mode: str = "growth"
    gamma: float = 2.0
    epsilon: float = 1e-3
    neighbours: Literal[4, 8] = 4
    start: Literal["peak", "centre"] | tuple[int, int] = "peak"
    budget: float | Literal["support"] = FEATURE_BUDGET
    n_levels: int = N_LEVELS
    lowest: float = LOWEST_LEVEL
    levels: tuple[float, ...] = ()
    intact: bool = True
    centring: Literal["region", "start", "none"] = "region"
    bubble_radius_px: int = 8
    feather_px: int = 0
    light: Literal["srgb", "linear"] = "srgb"
    options: Options = msgspec.UNSET
    varies: Literal["contrast"] | msgspec.UnsetType = msgspec.UNSET

    def __post_init__(self) -> None:
        check_name(self.mode, REVEAL_MODES, self.options)
        if not 0 <= self.gamma <= 16 or not 1e-6 <= self.epsilon <= 1:
            raise ValueError(f"gamma must be 0 to 16, epsilon 1e-6 to 1; got {self.gamma} and {self.epsilon}")
        if not isinstance(self.budget, str) and not 0 < self.budget <= 1:
            raise ValueError(f'budget must be above 0 and at most 1, or "support"; got {self.budget}')
        rising = all(low < high for low, high in zip(self.levels, self.levels[1:], strict=False))
        if self.levels and (not rising or self.levels[0] <= 0 or self.levels[-1] != 1):
            raise ValueError(f"levels must rise from above 0 to exactly 1, got {list(self.levels)}")
        if self.n_levels < 2 or not 0 < self.lowest < 1:
            raise ValueError(f"n_levels must be >= 2 and lowest between 0 and 1; got {self.n_levels}, {self.lowest}")
        if self.bubble_radius_px < 1 or self.feather_px < 0:
            raise ValueError("bubble_radius_px must be >= 1 and feather_px >= 0")

    @property
    def fractions(self) -> NDArray[np.float64]:
        """The levels as shares, rising to 1; the intact image not counted."""
        return np.array(self.levels) if self.levels else level_fractions(self.n_levels, self.lowest)


class Canvas(Recipe, frozen=True):
    """Recipe of the background: what is shown where the image is not revealed.

    Attributes
    ----------
    kind : {"phase", "set-spectrum", "yoked", "grey", "mean", "blur", "noise"} or the name of a plug-in
        ``phase``: the image with scrambled phases. ``set-spectrum``: the set's mean spectrum and colours, so that no
        canvas tells the category. ``yoked``: the scrambled phases of another image, drawn blindly.
        ``noise``: white noise given the image's spectrum.
        ``grey``: one grey; ``mean``: the image's mean colour; ``blur``: the image out of focus.
    coherence : float
        For ``phase``: 0 scrambles fully, 1 keeps the image. Edges, contrast and the search for phases that
        clip less hold at every coherence.
    edges : {"periodic", "raw"}
        Whether the border's jump is taken out of the spectrum first.
    gamut_iterations : int
        How often at most the phases are improved so that less is clipped; 0 is the plain recipe.
    gamut_tolerance : float
        Share of values that may be clipped: phases are improved until no more are.
    draws : int
        Canvases of each image, 1 to 16, which participants' slots take in turn, so that accidents of a draw cancel over
        participants. More than one for canvases with random phases, and sets of PNG files.
    space : {"srgb", "linear"}
        In which light the scrambling is done.
    grey : int
        Level of the grey canvas, 0 … 255.
    blur_px : float
        Sigma of the blurred canvas.
    largest_clipped_fraction : float
        Images whose canvas clips a larger share of its values are refused.
    options : dict
        Parameters of a background that is a plug-in.

    Examples
    --------
    >>> import rapidvision as rv
    >>> rv.stimuli.Canvas(kind="grey", grey=100).grey
    100
    """

    kind: str = "phase"
    coherence: float = 0.0
    edges: Literal["periodic", "raw"] = "periodic"
    gamut_iterations: int = 5
    gamut_tolerance: float = 0.0
    draws: int = 1
    space: Literal["srgb", "linear"] = "srgb"
    grey: int = 128
    blur_px: float = 16.0
    largest_clipped_fraction: float = 1.0
    options: Options = msgspec.UNSET

    def __post_init__(self) -> None:
        check_name(self.kind, BACKGROUNDS, self.options)
        if not 0 <= self.coherence <= 1 or not 0 <= self.largest_clipped_fraction <= 1:
            raise ValueError("coherence and largest_clipped_fraction must be 0 to 1")
        if not 1 <= self.draws <= 16:
            raise ValueError(f"draws must be 1 to 16, got {self.draws}")
        if self.draws > 1 and self.kind in ("grey", "mean", "blur"):
            raise ValueError(f'draws belongs to canvases with random phases, got kind = "{self.kind}"')
        if not 0 <= self.gamut_tolerance <= 1:
            raise ValueError(f"gamut_tolerance must be 0 to 1, got {self.gamut_tolerance}")
        if self.space == "linear" and self.kind == "set-spectrum":
            raise ValueError('space = "linear" is not for kind = "set-spectrum", whose statistics are of coded values')
        if self.coherence > 0 and self.kind != "phase":
            raise ValueError(f'coherence belongs to kind = "phase", got {self.kind}')
        if self.gamut_iterations < 0 or not 0 <= self.grey <= 255 or not self.blur_px > 0:
            raise ValueError("gamut_iterations must be >= 0, grey 0 to 255, blur_px > 0")


class Match(Recipe, frozen=True):
    """Matching of luminance, histogram or spectrum over all images of a set, before any other step.

    Attributes
    ----------
    kind : {"none", "luminance", "histogram", "spectrum"}
        ``luminance``: mean and contrast (in `space`). ``histogram``: all values. ``spectrum``: the amplitudes.
    mean : float or None
        Common mean in 255ths of white, for ``luminance`` and ``spectrum``; left out, the average of the set.
    contrast : float, "own" or None
        Common standard deviation in 255ths of white, for ``luminance``; left out, the average of the set. ``own``: only
        the means are made equal, and each image keeps its contrast.
    spectrum : {"rotational", "full"}
        Whether amplitudes agree on average at each spatial frequency, or each by itself.
    space : {"rec709", "rec601", "linear", "lab"}
        In what images are matched: luma of coded sRGB values with either standard's weights, luminance of linear
        light, or CIE lightness L*. Mean and contrast are in 255ths of white in each of them.
    region : str
        Where values are counted: ``frame``, ``disc`` (the largest disc in the frame), or the name of ``object_masks``.
        For ``luminance`` the whole image is changed, for ``histogram`` the region alone.
    shrink : bool
        Lower the set's contrast until 19 of 20 images fit, and that of the others as far as each needs, with own
        contrasts only that of images that do not fit; else such a set is refused.
    clipped : float
        Share of an image's values that may be clipped.

    Examples
    --------
    >>> import rapidvision as rv
    >>> rv.stimuli.Match(kind="luminance", mean=128, contrast="own").space
    'rec709'
    """

    kind: Literal["none", "luminance", "histogram", "spectrum"] = "none"
    mean: float | None = None
    contrast: float | Literal["own"] | None = None
    spectrum: Literal["rotational", "full"] = "rotational"
    space: Literal["rec709", "rec601", "linear", "lab"] = "rec709"
    region: str = "frame"
    shrink: bool = False
    clipped: float = 0.0

    def __post_init__(self) -> None:
        if self.mean is not None and not 0 < self.mean < 255:
            raise ValueError(f"mean must be between 0 and 255, got {self.mean}")
        if isinstance(self.contrast, float) and not 0 < self.contrast <= 127.5:
            raise ValueError(f'contrast must be above 0 and at most 127.5, or "own"; got {self.contrast}')
        if self.contrast is not None and self.kind != "luminance":
            raise ValueError(f'contrast belongs to kind = "luminance", got {self.kind}')
        if self.mean is not None and self.kind not in ("luminance", "spectrum"):
            raise ValueError(f'mean belongs to kind = "luminance" or "spectrum", got {self.kind}')
        if self.region != "frame" and self.kind not in ("luminance", "histogram"):
            raise ValueError(f'region belongs to kind = "luminance" or "histogram", got {self.kind}')
        if not 0 <= self.clipped <= 0.1:
            raise ValueError(f"clipped must be 0 to 0.1, got {self.clipped}")
