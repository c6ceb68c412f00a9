"""How far two sources are apart over a set: standardised differences, and the rows that are to be looked at."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .figures import unit_of

#: A standardised difference larger than this is flagged.
LARGEST_D = 0.2
#: Fewer images have no standardised difference.
FEWEST_IMAGES = 3

#: Source → figure → a value per level; one of these for each image.
ImageFigures = Mapping[str, Mapping[str, Sequence[float]]]


class LedgerRow(NamedTuple):
    """One figure of two sources at one level, over the images of a set.

    Attributes
    ----------
    level_label, figure, unit : str
        What is compared.
    source, other : str
        Whose regions.
    n_images : int
        How many images.
    mean, sd, other_mean, other_sd : float
        Over images.
    d : float or None
        Difference of the means over the root of the mean variance; None where it has none.
    matched : bool
        Whether the recipe matches the figure.
    flagged : bool
        Whether |d| is above 0.2, or the means differ where nothing varies.
    """

    level_label: str
    figure: str
    unit: str
    source: str
    other: str
    n_images: int
    mean: float
    sd: float
    other_mean: float
    other_sd: float
    d: float | None
    matched: bool
    flagged: bool


def standardised(a: NDArray[np.float64], b: NDArray[np.float64]) -> float | None:
    """Return the difference of two means over the root of the mean of the two variances.

    Parameters
    ----------
    a, b : ndarray of float64, shape (n,)
        One value per image.

    Returns
    -------
    float or None
        0 where both are constant and equal; None where they are constant and differ, or there are too few.

    Examples
    --------
    >>> standardised(np.array([1.0, 2.0, 3.0]), np.array([2.0, 3.0, 4.0]))
    -1.0
    """
    if min(a.size, b.size) < FEWEST_IMAGES:
        return None
    spread = float(np.sqrt((a.var(ddof=1) + b.var(ddof=1)) / 2))
    apart = float(a.mean() - b.mean())
    scale = max(abs(float(a.mean())), abs(float(b.mean())), 1e-300)
    if spread > 1e-9 * scale:
        return apart / spread
    return 0.0 if abs(apart) <= 1e-9 * scale else None


def ledger_rows(images: Sequence[ImageFigures], labels: Sequence[str], matched: Sequence[str]) -> tuple[LedgerRow, ...]:
    """Return a row per figure, pair of sources and level.

    Parameters
    ----------
    images : sequence
        Figures of every image that was measured.
    labels : sequence of str
        Names of the levels.
    matched : sequence of str
        Figures that the recipe matches.

    Returns
    -------
    tuple of LedgerRow
        Empty without images or with one source only.
    """
    out = []
    sources = tuple(images[0]) if images else ()
    for source, other in combinations(sources, 2):
        for figure in images[0][source]:
            values = [np.array([one[name][figure] for one in images]) for name in (source, other)]
            for level, label in enumerate(labels):
                a, b = (some[:, level] for some in values)
                d = standardised(a, b)
                differ = d is None and len(images) >= FEWEST_IMAGES
                out.append(
                    LedgerRow(
                        level_label=label,
                        figure=figure,
                        unit=unit_of(figure),
                        source=source,
                        other=other,
                        n_images=len(images),
                        mean=float(a.mean()),
                        sd=_sd(a),
                        other_mean=float(b.mean()),
                        other_sd=_sd(b),
                        d=None if d is None else round(d, 6),
                        matched=figure in matched,
                        flagged=differ or (d is not None and abs(round(d, 6)) > LARGEST_D),
                    )
                )
    return tuple(out)


def _sd(values: NDArray[np.float64]) -> float:
    return float(values.std(ddof=1)) if values.size > 1 else 0.0


def ledger_summary(rows: Sequence[LedgerRow]) -> dict[str, object]:
    """Return what a set's description says of its ledger: images, largest |d| of each figure, flagged rows."""
    if not rows:
        return {}
    largest: dict[str, float | None] = {}
    for row in rows:
        if row.d is not None:
            largest[row.figure] = max(largest.get(row.figure) or 0.0, abs(row.d))
        else:
            largest.setdefault(row.figure, None)
    of_matched = [row for row in rows if row.matched]
    return {
        "n_images": rows[0].n_images,
        "largest_d": largest,
        "n_rows": len(rows),
        "n_flagged": sum(row.flagged for row in rows),
        "n_matched_rows": len(of_matched),
        "n_matched_flagged": sum(row.flagged for row in of_matched),
    }
