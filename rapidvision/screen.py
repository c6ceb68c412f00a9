"""The screen: pixels, centimetres, degrees of visual angle, hertz, and the half-frame rule."""

import math
from pathlib import Path

from rapidvision import recipes
from rapidvision.errors import InputError
from rapidvision.recipes import Recipe

#: Durations this close to a half refresh count as ties; far below any clock's resolution.
_TIE_REFRESHES = 1e-9


class Screen(Recipe, frozen=True):
    """A display as the participant sees it; what degrees depend on has no default, which would be another monitor's.

    Attributes
    ----------
    width_px, height_px : int
        Resolution.
    width_cm : float
        Width of the visible area.
    distance_cm : float
        Eye to screen.
    refresh_hz : float
        Nominal refresh rate.

    Examples
    --------
    >>> lab = Screen(width_px=1920, height_px=1080, width_cm=53.0, distance_cm=57.0, refresh_hz=60)
    >>> round(lab.px_to_deg(256), 2)
    7.09
    >>> round(lab.deg_to_px(lab.px_to_deg(256)))
    256
    """

    width_px: int
    width_cm: float
    distance_cm: float
    height_px: int = 1080
    refresh_hz: float = 60.0

    def __post_init__(self) -> None:
        for name in ("width_px", "height_px", "width_cm", "distance_cm", "refresh_hz"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name} must be > 0 and finite, got {getattr(self, name)}")

    def px_to_deg(self, size_px: float) -> float:
        """Visual angle in degrees of a centred extent of `size_px` pixels."""
        size_cm = size_px * self.width_cm / self.width_px
        return math.degrees(2 * math.atan2(size_cm / 2, self.distance_cm))

    def deg_to_px(self, size_deg: float) -> float:
        """Extent in pixels of a centred visual angle of `size_deg` degrees (0 … 180, exclusive)."""
        if not 0 <= size_deg < 180:
            raise InputError(f"visual angle: got {size_deg} deg, allowed are 0 to below 180")
        size_cm = 2 * self.distance_cm * math.tan(math.radians(size_deg) / 2)
        return size_cm * self.width_px / self.width_cm


#: What to write where a size in degrees has no screen.
SCREEN_REMEDY = "add a [screen] table with width_px, width_cm and distance_cm of the monitor"
#: Sizes of a pixel and distances of the eyes that are no monitor's: metres or millimetres were meant.
_PIXEL_CM = (0.001, 0.25)
_NEAREST_CM = 10.0


def read_profile(path: Path | str) -> Screen:
    """Read a monitor's profile from TOML; every field must be in it, because a default would be somebody else's monitor.

    Parameters
    ----------
    path : path-like
        With width_px, height_px, width_cm, distance_cm and refresh_hz.

    Returns
    -------
    Screen
        As measured.

    Raises
    ------
    InputError
        When a field is missing, or a length cannot be in centimetres.
    """
    given = recipes.read(path, dict[str, object])
    missing = [name for name in Screen.__struct_fields__ if name not in given]
    if missing:
        raise InputError(
            f"{path}: lacks {', '.join(missing)}; measure them and write all of {', '.join(Screen.__struct_fields__)}"
        )
    profile = recipes.read(path, Screen)
    pixel_cm = profile.width_cm / profile.width_px
    if not _PIXEL_CM[0] <= pixel_cm <= _PIXEL_CM[1]:
        raise InputError(
            f"{path}: width_cm: got {profile.width_cm:g}, which makes a pixel {10 * pixel_cm:.3g} mm wide; give the "
            "width of the lit area in centimetres"
        )
    if profile.distance_cm < _NEAREST_CM:
        raise InputError(
            f"{path}: distance_cm: got {profile.distance_cm:g}; give the distance of the eyes in centimetres, at least "
            f"{_NEAREST_CM:g}"
        )
    return profile


def refresh_words(n: int) -> str:
    """Return a number of refreshes in words.

    Examples
    --------
    >>> refresh_words(1), refresh_words(2)
    ('1 refresh', '2 refreshes')
    """
    return "1 refresh" if n == 1 else f"{n} refreshes"


def refreshes(duration_ms: float, refresh_hz: float) -> int:
    """Return the number of refreshes nearest to a duration: the half-frame rule of every runner.

    A boundary goes up at the refresh nearest its target; an exact tie goes to the earlier one.

    Parameters
    ----------
    duration_ms : float
        Time from the onset, in milliseconds, ≥ 0.
    refresh_hz : float
        Refresh rate in hertz, > 0.

    Returns
    -------
    int
        Number of refreshes.

    Examples
    --------
    >>> refreshes(400, 60), refreshes(400, 144), refreshes(550, 70)
    (24, 58, 38)
    """
    if not (duration_ms >= 0 and refresh_hz > 0):
        raise InputError(f"refreshes: got {duration_ms} ms at {refresh_hz} Hz; both must be positive")
    return max(0, math.ceil(duration_ms * refresh_hz / 1000 - 0.5 - _TIE_REFRESHES))
