"""The figures of the contact sheet: spectrum, histogram, captured importance, clipping."""

import numpy as np
from numpy.typing import NDArray

from rapidvision.system.figures import figure_bytes, figure_style, new_figure

from ..image.load import LUMA
from .plots import luma_histogram, radial_spectrum

_DPI = 110
_IMAGE, _CANVAS = "#222222", "#d1495b"
_SOURCES = ("#00798c", "#edae49", "#7b5ea7", "#66a182")


@figure_style()
def set_figures(
    originals: list[NDArray[np.uint8]], canvases: list[NDArray[np.uint8]], quality: list[dict[str, str]]
) -> bytes:
    """Draw four panels about a set.

    Parameters
    ----------
    originals, canvases : list of ndarray of uint8, shape (side, side, 3)
        Intact images, and the lowest level of each, which is nearly all canvas.
    quality : list of dict
        Rows of ``quality.csv``.

    Returns
    -------
    bytes
        A PNG file.
    """
    figure = new_figure(13, 3.2, dpi=_DPI, layout="constrained")
    axes = figure.subplots(1, 4)
    for many, colour, name in ((originals, _IMAGE, "images"), (canvases, _CANVAS, "canvases")):
        if not many:
            continue
        luma = [one @ LUMA for one in many]
        spectra = np.array([radial_spectrum(one) for one in luma])
        axes[0].loglog(np.arange(1, spectra.shape[1] + 1), np.median(spectra, axis=0), color=colour, label=name)
        counts = np.array([luma_histogram(one) for one in luma])
        axes[1].plot(np.arange(2, 256, 4), 100 * counts.mean(axis=0), color=colour, label=name)
    axes[0].set(title="Luma spectrum (median)", xlabel="cycles per image", ylabel="amplitude")
    axes[0].legend(frameon=False)
    axes[1].set(title="Luma histogram (mean)", xlabel="grey level", ylabel="% of the pixels")
    sources = list(dict.fromkeys(row["map_source"] for row in quality))
    levels = sorted(name for name in quality[0] if name.startswith("captured_"))
    for colour, source in zip(_SOURCES * 8, sources, strict=False):
        captured = 100 * np.array(
            [[float(row[name]) for name in levels] for row in quality if row["map_source"] == source]
        )
        low, middle, high = np.quantile(captured, [0.1, 0.5, 0.9], axis=0)
        axes[2].plot(middle, color=colour, label=source)
        axes[2].fill_between(np.arange(len(levels)), low, high, color=colour, alpha=0.2, linewidth=0)
    axes[2].set(title="Importance captured (10–90 %)", xlabel="level", ylabel="% of the map", ylim=(0, 100))
    axes[2].legend(frameon=False)
    clipped = [100 * float(row["canvas_clipped_fraction"]) for row in quality if row["map_source"] == sources[0]]
    axes[3].hist(clipped, bins=20, color=_CANVAS)
    axes[3].set(title="Clipped share of each canvas", xlabel="% of the values", ylabel="images")
    for one in axes:
        one.spines[["top", "right"]].set_visible(False)
    return figure_bytes(figure, "png", dpi=_DPI)
