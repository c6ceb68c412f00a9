"""Agreement of two sources of importance maps, and how much of people's agreement a model reaches."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rapidvision.errors import InputError
from rapidvision.numerics.ranks import unit_ranks
from rapidvision.protocol import N_RELABELLINGS
from rapidvision.seeds import fresh_seed, stream
from rapidvision.text.result_repr import ShownAsRow

from .pairing import pairing_p
from .reliability import N_BOOTSTRAP

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class SourceAgreement(ShownAsRow):
    """Correlation of two sources' maps of the same images.

    Attributes
    ----------
    images : tuple of str
        Images that both have.
    per_image : ndarray of float64, shape (images,)
        Correlation per image.
    mean : float
        Their mean.
    interval : (float, float)
        95 %, images resampled.
    null : float
        Mean over all wrong pairings, exactly.
    p : float
        Randomization test of the pairing.
    share_below_null : float
        Share of images below the null.
    fraction_of_human, fraction_interval : float and (float, float), or None
        ``mean / human``: "fraction of explained human variability", when human correlations were given.
    n_resamples, seed : int
        Of test and bootstrap.
    notes : tuple of str
        What was left out, with counts.

    Examples
    --------
    >>> import numpy as np
    >>> import rapidvision as rv
    >>> rng = np.random.default_rng(1)
    >>> maps = {name: rng.random((6, 6)) for name in ("cat", "dog", "zebra")}
    >>> found = rv.analysis.agreement(maps, maps, n_resamples=99, seed=1)
    >>> found.per_image.tolist(), found.null < found.mean
    ([1.0, 1.0, 1.0], True)
    """

    images: tuple[str, ...]
    per_image: Floats
    mean: float
    interval: tuple[float, float]
    null: float
    p: float
    share_below_null: float
    fraction_of_human: float | None
    fraction_interval: tuple[float, float] | None
    n_resamples: int
    seed: int
    notes: tuple[str, ...] = ()


def agreement(
    first: Mapping[str, ArrayLike],
    second: Mapping[str, ArrayLike],
    *,
    human: Mapping[str, float] | None = None,
    n_resamples: int = N_RELABELLINGS,
    n_bootstrap: int = N_BOOTSTRAP,
    seed: int | None = None,
) -> SourceAgreement:
    """Compare two sources of maps: ClickMe with a second set of maps, or a model with people.

    Parameters
    ----------
    first, second : mapping of str to array_like, shape (height, width)
        Image → map; images that only one has are left out.
    human : mapping of str to float, optional
        Image → correlation between people; its mean is the ceiling of the fraction.
    n_resamples, n_bootstrap : int
        Randomizations and resamples of images.
    seed : int, optional
        Drawn and stored when absent.

    Returns
    -------
    SourceAgreement
        The interval of the fraction resamples images jointly in both correlations.

    Raises
    ------
    InputError
        When fewer than two images are shared, or a map is constant.

    Examples
    --------
    >>> import numpy as np
    >>> import rapidvision as rv
    >>> rng = np.random.default_rng(1)
    >>> maps = {name: rng.random((6, 6)) for name in ("cat", "dog", "zebra")}
    >>> rv.analysis.agreement(maps, {name: one + 0.1 * rng.random((6, 6)) for name, one in maps.items()}, seed=1).mean > 0.9
    True
    """
    seed = fresh_seed() if seed is None else seed
    images = tuple(sorted(set(first) & set(second) & (set(human) if human is not None else set(first))))
    if len(images) < 2:
        raise InputError(f"agreement: {len(images)} images are in both; at least two are needed")
    a = unit_ranks(np.stack([np.ravel(np.asarray(first[image])) for image in images]))
    b = unit_ranks(np.stack([np.ravel(np.asarray(second[image])) for image in images]))
    flat = [image for at, image in enumerate(images) if not (np.isfinite(a[at]).all() and np.isfinite(b[at]).all())]
    if flat:
        raise InputError(
            f"agreement: {len(flat)} images have a constant map ({flat[0]}), which has no ranks; leave them out"
        )
    table = a @ b.T
    per_image = np.diagonal(table).copy()
    n = len(images)
    null = float((table.sum() - per_image.sum()) / (n * (n - 1)))
    rng = stream(seed, "analysis", "agreement")
    chosen = rng.integers(n, size=(n_bootstrap, n))
    order = np.argsort(per_image, kind="stable")  # by content, so that names change no interval
    means = per_image[order][chosen].mean(axis=1)
    fraction, fraction_interval = None, None
    if human is not None:
        people = np.array([float(human[image]) for image in images])
        fraction = float(per_image.mean() / people.mean())
        fraction_interval = _interval(means / people[order][chosen].mean(axis=1))
    return SourceAgreement(
        images=images,
        per_image=per_image,
        mean=float(per_image.mean()),
        interval=_interval(means),
        null=null,
        p=pairing_p(table, n_resamples=n_resamples, seed=seed),
        share_below_null=float(np.mean(per_image < null)),
        fraction_of_human=fraction,
        fraction_interval=fraction_interval,
        n_resamples=n_resamples,
        seed=seed,
    )


def _interval(values: Floats) -> tuple[float, float]:
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)
