"""One look for every figure, and bytes that are the same on every run."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from rapidvision.system import files

#: Okabe & Ito's colours that stay apart for colour-blind readers; blue and vermilion first, as in the paper's Fig. 2B.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
MARKERS = ("o", "s", "D", "^", "v", "P")
DASHES: tuple[Any, ...] = ((0, (4, 1.5)), (0, (1, 1.2)), (0, (5, 1, 1, 1)), (0, (2.5, 1)), (0, (6, 1, 1, 1, 1, 1)))
GREY = "#666666"

RC: Any = {
    "font.family": "DejaVu Sans",
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
    "pdf.fonttype": 42,
    "svg.fonttype": "path",
    "svg.hashsalt": "rapidvision",
    "path.simplify": False,
}
_METADATA: dict[str, dict[str, Any]] = {
    "pdf": {"CreationDate": None, "Producer": None, "Creator": "RapidVision"},
    "svg": {"Date": None, "Creator": "RapidVision"},
    "png": {"Software": "RapidVision"},
}
FORMATS = ("pdf", "svg", "png")


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
        out = io.BytesIO()
        with mpl.rc_context(RC):
            self.figure.savefig(out, format=form, dpi=dpi, metadata=_METADATA[form])
        return out.getvalue()

    def save(self, folder: Path | str) -> tuple[Path, ...]:
        """Write PDF, SVG and PNG into `folder` and return their paths."""
        paths = tuple(Path(folder) / f"{self.name}.{form}" for form in FORMATS)
        for path, form in zip(paths, FORMATS, strict=True):
            files.write_bytes(path, self.to_bytes(form))
        return paths

    def _repr_png_(self) -> bytes:
        return self.to_bytes("png", dpi=150)


def new_figure(width_in: float, height_in: float) -> Figure:
    """An empty figure that belongs to nobody: no global state, no window."""
    figure = Figure(figsize=(width_in, height_in))
    FigureCanvasAgg(figure)
    return figure


def per_cent_axis(axes: Axes) -> None:
    """Show shares on the y axis as per cent."""
    from matplotlib.ticker import PercentFormatter

    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))


def stars(p: float) -> str:
    """The usual stars: *** below .001, ** below .01, * below .05.

    Examples
    --------
    >>> stars(0.0005), stars(0.02), stars(0.2), stars(float("nan"))
    ('***', '*', '', '')
    """
    return "***" if p < 0.001 else "**" if p < 0.01 else "*" if p < 0.05 else ""
