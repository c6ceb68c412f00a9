"""What is to be known about a finished image and its maps: the figures of ``quality.csv``."""

import msgspec
import numpy as np
from numpy.typing import NDArray

from rapidvision.reveal import RevealSeries

from ..background.canvas import CanvasQuality
from ..image.match import MatchQuality
from ..ladder.series import SourceMatch
from ..maps.prepare import PreparedMap


class SourceQuality(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be known about one map of one image.

    Attributes
    ----------
    support_px : int
        Pixels with any importance.
    n_observers, n_points, n_outside, n_missing : int
        People, recorded points, points outside the image, and samples without a position, which are no points; 0 where
        unknown or not recorded.
    cut_fraction : float
        Share of the importance lost by cutting the image square.
    captured : tuple of float
        Share of the map's importance revealed at each level.
    best_captured : float
        The same if 100 % of the features were the most important pixels.
    map_sha256 : str
        Hash of the map as it was used.
    agreement : tuple of float
        Correlation with the other sources' maps of the image, upright first and then turned as :data:`.turns.TURNS`
        says; empty where there is one source only.
    ledger : dict
        Figure of the ledger → a value per level; empty for images that the ledger does not count.
    """

    support_px: int
    n_observers: int
    n_points: int
    n_outside: int
    cut_fraction: float
    captured: tuple[float, ...]
    best_captured: float
    map_sha256: str
    agreement: tuple[float, ...] = ()
    ledger: dict[str, tuple[float, ...]] = {}
    n_missing: int = 0


class Quality(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be known about one image of a set.

    Attributes
    ----------
    canvas : CanvasQuality or None
        How the canvas compares with the image; None where none was drawn (form ``recipe``).
    sources : dict
        Map source → :class:`SourceQuality`.
    match : MatchQuality or None
        How near the image is to the set's common target.
    source_match : SourceMatch or None
        How its sources were matched.
    numbers : dict
        What a classifier sees of the canvas (``canvas``) and of each source's lowest level: colour and spectrum
        numbers; empty where no canvas was drawn, and for images that are not tested.
    """

    canvas: CanvasQuality | None
    sources: dict[str, SourceQuality]
    match: MatchQuality | None = None
    source_match: SourceMatch | None = None
    numbers: dict[str, tuple[float, ...]] = {}


def source_quality(
    prepared: PreparedMap,
    series: RevealSeries,
    agreement: tuple[float, ...],
    ledger: dict[str, tuple[float, ...]] | None = None,
) -> SourceQuality:
    """Return the figures of one map.

    Parameters
    ----------
    prepared : PreparedMap
        The map as it was used.
    series : RevealSeries
        What is revealed of it.
    agreement : tuple of float
        From :func:`.turns.agreement`.
    ledger : dict, optional
        From :func:`~..ledger.figures.region_figures`.
    """
    values = prepared.map.values.ravel().astype(np.float64)
    total = values.sum()
    reached = np.cumsum(values[series.order])[series.counts - 1] / total
    best = _largest(values, series.order.size) / total
    return SourceQuality(
        support_px=prepared.map.n_supported_px,
        n_observers=prepared.map.n_observers,
        n_points=prepared.n_points,
        n_outside=prepared.n_outside,
        n_missing=prepared.n_missing,
        cut_fraction=round(prepared.cut_fraction, 9),
        captured=tuple(round(float(share), 9) for share in reached),
        best_captured=round(float(best), 9),
        map_sha256=prepared.map.sha256,
        agreement=agreement,
        ledger=ledger or {},
    )


def _largest(values: NDArray[np.float64], n: int) -> float:
    """Sum of the `n` largest values, to one part in 65,535 of the largest; counting is much faster than sorting."""
    grades = np.rint(values * (65535 / values.max())).astype(np.int64)
    counts = np.bincount(grades, minlength=65536)[::-1]
    sums = np.bincount(grades, values, minlength=65536)[::-1]
    reached = np.cumsum(counts)
    last = int(np.searchsorted(reached, n))
    before = int(reached[last - 1]) if last else 0
    return float(sums[:last].sum() + (sums[last] / counts[last] * (n - before) if counts[last] else 0.0))
