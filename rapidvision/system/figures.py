"""Figures that look the same whatever the user's Matplotlib settings are.

Every figure starts from Matplotlib's own defaults: a ``matplotlibrc`` that asks for TeX or other spines, and the
backend that a Jupyter kernel puts into its children's environment, change neither how it looks nor its bytes.
Matplotlib is imported when the first figure is drawn.
"""

import io
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Literal

from rapidvision.errors import InputError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Format = Literal["pdf", "svg", "png"]
FORMATS: tuple[Format, ...] = ("pdf", "svg", "png")

#: What all figures share: the font that Matplotlib brings with it, text that editors can change in PDF and that looks
#: the same everywhere in SVG, and identifiers in SVG that do not change from run to run.
SHARED: Mapping[str, Any] = {
    "font.family": "DejaVu Sans",
    "pdf.fonttype": 42,
    "svg.fonttype": "path",
    "svg.hashsalt": "rapidvision",
}
_METADATA: dict[str, dict[str, Any]] = {
    "pdf": {"CreationDate": None, "Producer": None, "Creator": "RapidVision"},
    "svg": {"Date": None, "Creator": "RapidVision"},
    "png": {"Software": "RapidVision"},
}


@contextmanager
def figure_style(own: Mapping[str, Any] | None = None) -> Iterator[None]:
    """Draw and save with Matplotlib's defaults, :data:`SHARED` and `own`, and none of the user's settings.

    The user's settings are in force again afterwards.

    Parameters
    ----------
    own : mapping of str to value, optional
        Matplotlib settings of a package's figures, by name.

    Examples
    --------
    >>> import matplotlib as mpl
    >>> with mpl.rc_context({"axes.spines.left": False}):
    ...     with figure_style({"font.size": 8}):
    ...         print(mpl.rcParams["axes.spines.left"], mpl.rcParams["font.size"])
    ...     print(mpl.rcParams["axes.spines.left"])
    True 8.0
    False
    """
    mpl = load_matplotlib()
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update({**SHARED, **(own or {})})
        yield


def new_figure(width_in: float, height_in: float, **options: Any) -> "Figure":
    """Return an empty figure without a window, of the given size in inches.

    Parameters
    ----------
    width_in, height_in : float
        Size on paper, inches.
    **options
        Further arguments of ``matplotlib.figure.Figure``.

    Returns
    -------
    matplotlib.figure.Figure
        It is drawn by Agg, whichever backend the user has chosen.

    Examples
    --------
    >>> with figure_style():
    ...     new_figure(2, 1).get_size_inches().tolist()
    [2.0, 1.0]
    """
    load_matplotlib()
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width_in, height_in), **options)
    FigureCanvasAgg(figure)
    return figure


def figure_bytes(figure: "Figure", form: str, *, dpi: float) -> bytes:
    """Return a figure as a file; equal figures give equal bytes.

    Call it inside the :func:`figure_style` in which the figure was drawn: Matplotlib makes some parts when it saves.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        What to save.
    form : {"pdf", "svg", "png"}
        File format.
    dpi : float
        Pixels per inch of PNG, and of images inside PDF and SVG.

    Returns
    -------
    bytes
        The file's content.

    Raises
    ------
    InputError
        When the format is none of the three.

    Examples
    --------
    >>> with figure_style():
    ...     figure_bytes(new_figure(1, 1), "png", dpi=20)[1:4]
    b'PNG'
    """
    if form not in FORMATS:
        raise InputError(f'figure format "{form}"; allowed: {", ".join(FORMATS)}')
    out = io.BytesIO()
    figure.savefig(out, format=form, dpi=dpi, metadata=_METADATA[form])
    return out.getvalue()


def load_matplotlib() -> Any:
    """Import Matplotlib, whichever backend the environment names, and return it.

    ``MPLBACKEND`` stays in the environment for child processes. Where Matplotlib knows the backend, it is in force for
    the user's own figures; where it does not (a Jupyter kernel's, in a Python without Jupyter), Matplotlib would refuse
    to be imported, and the name is passed over.

    Raises
    ------
    InputError
        When the user's settings file is not UTF-8, without which Matplotlib cannot be imported.
    """
    if "matplotlib" in sys.modules:
        return sys.modules["matplotlib"]
    backend = os.environ.pop("MPLBACKEND", None)
    try:
        import matplotlib as mpl
    except UnicodeDecodeError as error:
        raise InputError(
            f"Matplotlib cannot read its settings file, which is not UTF-8 ({error}): save your matplotlibrc as UTF-8"
        ) from error
    finally:
        if backend is not None:
            os.environ["MPLBACKEND"] = backend
    if backend:
        with suppress(ValueError):
            mpl.rcParams["backend"] = backend
    return mpl
