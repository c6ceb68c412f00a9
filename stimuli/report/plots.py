"""The small plots beside each image of a contact sheet: spectrum and histogram of image and canvas."""

import numpy as np
from numpy.typing import NDArray

from ..image.load import LUMA

#: Width and height of a plot.
WIDTH, HEIGHT = 112, 112
#: Space between the plots, and below them for their names.
GAP, TEXT = 12, 16
#: Bins of the luma histogram.
BINS = 64
_COLOURS = ("#222222", "#d1495b")


def before_and_after(image: NDArray[np.uint8], canvas: NDArray[np.uint8]) -> str:
    """Return an SVG file with two plots: amplitude by spatial frequency (both axes logarithmic), and the luma histogram.

    Parameters
    ----------
    image, canvas : ndarray of uint8, shape (side, side, 3)
        Drawn dark and red.
    """
    lumas = [image @ LUMA, canvas @ LUMA]
    spectra = [np.log10(np.maximum(radial_spectrum(one), 1e-3)) for one in lumas]
    cycles = np.log10(np.arange(1, spectra[0].size + 1))
    levels = np.arange(BINS)
    plots = _plot(cycles, spectra, "spectrum", 0), _plot(levels, [luma_histogram(one) for one in lumas], "histogram", 1)
    wide, high = 2 * WIDTH + GAP, HEIGHT + TEXT
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{high}" viewBox="0 0 {wide} {high}">'
        f"{''.join(plots)}</svg>\n"
    )


def _plot(x: NDArray[np.number], lines: list[NDArray[np.float64]], caption: str, place: int) -> str:
    low, high = min(line.min() for line in lines), max(line.max() for line in lines)
    across = (x - x[0]) / max(float(x[-1] - x[0]), 1e-9) * (WIDTH - 8) + 4
    drawn = []
    for line, colour in zip(lines, _COLOURS, strict=True):
        down = HEIGHT - 4 - (line - low) / max(float(high - low), 1e-9) * (HEIGHT - 8)
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(across, down, strict=True))
        drawn.append(f'<polyline fill="none" stroke="{colour}" points="{points}"/>')
    title = f"{caption}: image dark, canvas red"
    return (
        f'<g transform="translate({place * (WIDTH + GAP)} 0)"><title>{title}</title>{"".join(drawn)}'
        f'<text x="{WIDTH / 2:g}" y="{HEIGHT + 11}" font-family="sans-serif" font-size="11" text-anchor="middle">'
        f"{caption}</text></g>"
    )


def luma_histogram(luma: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of pixels in each of :data:`BINS` bins of luma, 0 … 256."""
    return np.asarray(np.histogram(luma, bins=BINS, range=(0, 256))[0] / luma.size)


def radial_spectrum(luma: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean amplitude at each whole number of cycles per image, from 1; shape (side // 2,)."""
    height, width = luma.shape
    amplitude = np.abs(np.fft.rfft2(luma - luma.mean()))
    radius = np.hypot(np.fft.fftfreq(height, 1 / height)[:, None], np.fft.rfftfreq(width, 1 / width)[None])
    ring = np.rint(radius).astype(np.int64).ravel()
    total, count = np.bincount(ring, amplitude.ravel()), np.bincount(ring)
    return np.asarray((total / np.maximum(count, 1))[1 : min(height, width) // 2 + 1])
