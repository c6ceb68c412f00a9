"""Reliability of importance maps: do participants agree, how far from chance, and how much of it does a model explain.

Paper, appendix "Inter-rater reliability of the ClickMe maps": Spearman correlation between participants' maps of one
image, a null from maps of different images, and a model's correlation as a fraction of the former. The paper
calls the share of correlations below the null a p-value; it is reported here as what it is, beside a test.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rapidvision.errors import InputError
from rapidvision.numerics.ranks import spearman_pairs, unit_ranks
from rapidvision.numerics.resampling import row_order
from rapidvision.protocol import N_RELABELLINGS
from rapidvision.seeds import fresh_seed, stream
from rapidvision.text.result_repr import ShownAsRow

from .pairing import pairing_p

Floats = NDArray[np.float64]
N_BOOTSTRAP = 2000
N_SPLITS = 100


@dataclass(frozen=True, eq=False, repr=False)
class Reliability(ShownAsRow):
    """Agreement of participants about where to look.

    Attributes
    ----------
    images : tuple of str
        Images with at least two usable maps, in the order of `per_image`.
    per_image : ndarray of float64, shape (images,)
        Mean correlation over the pairs of participants of each image.
    mean : float
        Mean of `per_image`.
    interval : (float, float)
        95 %, images resampled.
    null : float
        Mean correlation over *all* pairs of maps of different images, exactly.
    share_below_null : float
        Share of images whose correlation lies below the null (the paper's "p").
    p : float
        Randomization test: halves of the participants paired with the wrong images correlate at least as well.
    split_half, spearman_brown : float
        Correlation of the mean maps of random halves of the participants, and corrected to the full number.
    n_maps, n_dropped : int
        Usable maps, and constant ones, which have no ranks.
    n_resamples, seed : int
        Of the test, the splits and the bootstrap.
    notes : tuple of str
        What was left out, with counts.

    Examples
    --------
    >>> import numpy as np
    >>> import rapidvision as rv
    >>> rng = np.random.default_rng(1)
    >>> maps = {name: rng.random((6, 6)) + rng.random((4, 6, 6)) for name in ("cat", "dog")}
    >>> found = rv.analysis.reliability(maps, n_resamples=99, seed=1)
    >>> found.images, found.per_image.shape, found.n_maps
    (('cat', 'dog'), (2,), 8)
    """

    images: tuple[str, ...]
    per_image: Floats
    mean: float
    interval: tuple[float, float]
    null: float
    share_below_null: float
    p: float
    split_half: float
    spearman_brown: float
    n_maps: int
    n_dropped: int
    n_resamples: int
    seed: int
    notes: tuple[str, ...] = ()


def reliability(
    maps: Mapping[str, ArrayLike],
    *,
    n_resamples: int = N_RELABELLINGS,
    n_splits: int = N_SPLITS,
    n_bootstrap: int = N_BOOTSTRAP,
    seed: int | None = None,
) -> Reliability:
    """Measure how well participants' maps of the same image agree.

    Parameters
    ----------
    maps : mapping of str to array_like, shape (participants, height, width) or (participants, pixels)
        Image → one map per participant; one size for all.
    n_resamples, n_splits, n_bootstrap : int
        Randomizations, random halves, resamples of images.
    seed : int, optional
        Drawn and stored when absent.

    Returns
    -------
    Reliability
        Constant maps are dropped and counted; images with fewer than two maps are left out.

    Raises
    ------
    InputError
        When fewer than two images have two maps, or sizes differ.

    Examples
    --------
    >>> import numpy as np
    >>> import rapidvision as rv
    >>> rng = np.random.default_rng(1)
    >>> rv.analysis.reliability({name: rng.random((6, 6)) + rng.random((4, 6, 6)) for name in ("cat", "dog")}, seed=1).n_maps
    8
    """
    seed = fresh_seed() if seed is None else seed
    raters, n_dropped = _usable(maps)
    if len(raters) < 2:
        raise InputError("reliability: fewer than two images have two usable maps; the null needs different images")
    images = tuple(sorted(raters, key=lambda image: raters[image].tobytes()))  # names change no random draw
    units = {image: unit_ranks(raters[image]) for image in images}
    per_image = np.array([_mean_pair(units[image]) for image in images])
    rng = stream(seed, "analysis", "reliability")
    chosen = rng.integers(len(images), size=(n_bootstrap, len(images)))
    low, high = np.percentile(per_image[chosen].mean(axis=1), [2.5, 97.5])
    null = _mean_between([units[image] for image in images])
    halves = [_half_means(raters[image], rng, n_splits) for image in images]
    split = float(np.mean([np.nanmean(spearman_pairs(a, b)) for a, b in halves]))
    first = unit_ranks(np.stack([a[0] for a, _ in halves]))
    second = unit_ranks(np.stack([b[0] for _, b in halves]))
    by_name = np.argsort(np.array(images))
    return Reliability(
        images=tuple(images[at] for at in by_name),
        per_image=per_image[by_name],
        mean=float(per_image.mean()),
        interval=(float(low), float(high)),
        null=null,
        share_below_null=float(np.mean(per_image < null)),
        p=pairing_p(first @ second.T, n_resamples=n_resamples, seed=seed),
        split_half=split,
        spearman_brown=2 * split / (1 + split),
        n_maps=sum(len(raters[image]) for image in images),
        n_dropped=n_dropped,
        n_resamples=n_resamples,
        seed=seed,
    )


def _usable(maps: Mapping[str, ArrayLike]) -> tuple[dict[str, Floats], int]:
    """Flat maps per image without constant ones; images with fewer than two are left out."""
    out, dropped, sizes = {}, 0, set()
    for image, raters in maps.items():
        stack = np.asarray(raters, dtype=float)
        flat = stack.reshape(len(stack), -1) if len(stack) else stack.reshape(0, 1)
        varied = np.ptp(flat, axis=1) > 0 if len(flat) else np.zeros(0, dtype=bool)
        dropped += int(len(flat) - varied.sum())
        if varied.sum() >= 2:
            usable = flat[varied]
            out[image] = usable[row_order(usable)]
            sizes.add(flat.shape[1])
    if len(sizes) > 1:
        raise InputError(f"reliability: maps of {len(sizes)} sizes; bring all of them to one size first")
    return out, dropped


def _mean_pair(units: Floats) -> float:
    """Mean correlation over all pairs of rows: the length of their sum knows it."""
    n = len(units)
    return float((np.sum(units.sum(axis=0) ** 2) - n) / (n * (n - 1)))


def _mean_between(groups: list[Floats]) -> float:
    """Mean correlation over all pairs of rows of different groups, without forming any pair."""
    sums = np.stack([units.sum(axis=0) for units in groups])
    sizes = np.array([len(units) for units in groups], dtype=float)
    every = np.sum(sums.sum(axis=0) ** 2) - np.sum(sums**2)
    return float(every / (sizes.sum() ** 2 - np.sum(sizes**2)))


def _half_means(raters: Floats, rng: np.random.Generator, n_splits: int) -> tuple[Floats, Floats]:
    """Mean maps of random halves of the participants, shape (splits, pixels) each."""
    n = len(raters)
    order = rng.permuted(np.tile(np.arange(n), (n_splits, 1)), axis=1)
    half = n // 2
    pick = np.zeros((n_splits, n))
    np.put_along_axis(pick, order[:, :half], 1 / half, axis=1)
    rest = np.zeros((n_splits, n))
    np.put_along_axis(rest, order[:, half : 2 * half], 1 / half, axis=1)
    return pick @ raters, rest @ raters
