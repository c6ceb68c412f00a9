"""One look for every figure, and bytes that are the same on every run."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rapidvision.errors import InputError
from rapidvision.system import files
from rapidvision.system.figures import FORMATS, figure_bytes, figure_style

#: Okabe & Ito's colours that stay apart for colour-blind readers; blue and vermilion first, as in the paper's Fig. 2B.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
MARKERS = ("o", "s", "D", "^", "v", "P")
#: Of networks, told apart without colour.
DASHES: tuple[Any, ...] = (
    (0, (4, 1.5)),
    (0, (1, 1.2)),
    (0, (5, 1, 1, 1)),
    (0, (2, 1)),
    (0, (6, 1, 1, 1, 1, 1)),
    (0, (8, 2)),
    (0, (4, 1, 4, 1, 1, 1)),
    (0, (1, 3)),
)
GREY = "#666666"
#: Of the line of guessing.
CHANCE = "#999999"
#: Axes of the user's own figure.
UserAxes: TypeAlias = Axes
_MM_PER_INCH = 25.4
#: Widths of figures in journals, mm: one column, and two.
WIDTHS_MM = {"single": 89.0, "double": 183.0}
#: Narrowest and widest figure, mm.
_LEAST_MM, _MOST_MM = 60.0, 400.0

RC: Any = {
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "legend.fontsize": 7,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
    "xtick.major.width": 0.8,
    "ytick.major.width": 0.8,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "legend.frameon": False,
    "path.simplify": False,
}


@dataclass(frozen=True, eq=False)
class Drawing:
    """A finished figure, shown by notebooks, saved for print.

    Attributes
    ----------
    name : str
        File name without ending.
    figure : matplotlib.figure.Figure
        For those who want to change it.
    """

    name: str
    figure: Figure

    def to_bytes(self, form: str, *, dpi: int = 300) -> bytes:
        """Return the figure as ``pdf``, ``svg`` or ``png``; equal inputs give equal bytes."""
        with figure_style(RC):
            return figure_bytes(self.figure, form, dpi=dpi)

    def save(self, folder: Path | str) -> tuple[Path, ...]:
        """Write PDF, SVG and PNG into `folder` and return their paths."""
        paths = tuple(Path(folder) / f"{self.name}.{form}" for form in FORMATS)
        for path, form in zip(paths, FORMATS, strict=True):
            files.write_bytes(path, self.to_bytes(form))
        return paths

    def _repr_png_(self) -> bytes:
        return self.to_bytes("png", dpi=150)


def per_cent_axis(axes: Axes) -> None:
    """Show shares on the y axis as per cent."""
    from matplotlib.ticker import PercentFormatter

    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))


def draw_chance(axes: Axes, chance: float | None) -> None:
    """Draw the dashed line of guessing; none where the guess rate is unknown."""
    if chance is not None:
        axes.axhline(chance, color=CHANCE, lw=0.8, ls=(0, (3, 2)), zorder=0)


def width_in(width: str | float) -> float:
    """Width of a figure in inches.

    Parameters
    ----------
    width : {"single", "double"} or float
        One column (89 mm) or two (183 mm), or millimetres.

    Raises
    ------
    InputError
        When it is another word, or not from 60 to 400 mm.

    Examples
    --------
    >>> round(width_in("single"), 2), round(width_in(140), 2)
    (3.5, 5.51)
    """
    try:
        found = WIDTHS_MM[width] if isinstance(width, str) and width in WIDTHS_MM else float(width)
    except ValueError:
        found = float("nan")
    if not _LEAST_MM <= found <= _MOST_MM:
        raise InputError(f"width: got {width}, allowed are single, double, or {_LEAST_MM:g} to {_MOST_MM:g} mm")
    return found / _MM_PER_INCH


def stars(p: float) -> str:
    """The usual stars: *** below .001, ** below .01, * below .05.

    Examples
    --------
    >>> stars(0.0005), stars(0.02), stars(0.2), stars(float("nan"))
    ('***', '*', '', '')
    """
    return "***" if p < 0.001 else "**" if p < 0.01 else "*" if p < 0.05 else ""
