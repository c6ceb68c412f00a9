"""Attributions of networks compared with human maps, image by image: what is left beyond the centre, and whose is better."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from rapidvision.errors import InputError
from rapidvision.numerics.sign_flip import sign_flip_test
from rapidvision.system import files
from rapidvision.text import csv_text

from ..evaluation.agreement import MEASURES, MapAgreement, centre_map, map_agreement
from ..observer.observe import Network
from .maps import attributions

#: Side of the grid on which maps are compared, and blur of the networks' maps as a share of the image's side.
GRID, SMOOTH = 28, 0.04
#: What is compared beside the networks: maps that know nothing of the image.
CENTRE = "centre"
MEAN_OF_OTHERS = "mean of others"


@dataclass(frozen=True, eq=False)
class Alignment:
    """Agreement of networks' maps with human maps.

    Attributes
    ----------
    agreements : dict
        (network, method) → agreement per image; the network is empty for the two controls ``centre`` and ``mean of
        others``.
    images : tuple of str
        Names, in the order of the arrays.
    n_left_out : int
        Images without a human map.
    ceiling : float or None
        Correlation between human maps that a perfect map could reach, as given.
    """

    agreements: dict[tuple[str, str], MapAgreement]
    images: tuple[str, ...]
    n_left_out: int
    ceiling: float | None = None

    def summary(self, *, seed: int = 0) -> dict[str, Any]:
        """Means with intervals, tests, and differences between maps.

        Parameters
        ----------
        seed : int, default 0
            Of the bootstrap and the tests.

        Returns
        -------
        dict
            ``maps``: per network and method, each measure's mean and 95 % interval over images (None where
            nothing is left to measure), ``p`` of random pairings
            of maps and images, ``alignment`` (mean rho over the ceiling) where there is a ceiling; ``pairs``: differences
            in rho with two-sided p of sign flips over images.
        """
        rows = []
        for (network, method), found in self.agreements.items():
            row: dict[str, Any] = {
                "network": network,
                "attribution": method,
                "n": int(found.used.sum()),
                "n_flat": found.n_flat,
            }
            for measure in MEASURES:
                interval = found.interval(measure, seed=seed)
                row[measure] = [round(value, 6) for value in interval] if np.isfinite(interval.mean) else None
            row["p"] = found.p_value(seed=seed) if found.used.sum() > 1 else None
            if self.ceiling is not None and row["rho"] is not None:
                row["alignment"] = round(row["rho"][0] / self.ceiling, 6)
            rows.append(row)
        return {
            "n_images": len(self.images),
            "n_left_out": self.n_left_out,
            "ceiling": self.ceiling,
            "maps": rows,
            "pairs": [self._pair(one, other, seed) for one, other in combinations(self.agreements, 2)],
        }

    def _pair(self, one: tuple[str, str], other: tuple[str, str], seed: int) -> dict[str, Any]:
        difference = self.agreements[one].rho - self.agreements[other].rho
        test = sign_flip_test(difference, seed=seed)
        return {
            "first": _label(one),
            "second": _label(other),
            "n": int(test.n[0]),
            "rho_difference": float(test.mean[0]),
            "p": float(test.p_best[0]),
        }

    def text(self, *, seed: int = 0) -> str:
        """A line per network and method."""
        lines = []
        for row in self.summary(seed=seed)["maps"]:
            numbers = ", ".join(f"{name} {_interval(row[name])}" for name in MEASURES[:3])
            p = "no test" if row["p"] is None else f"p = {row['p']:.4g}"
            scaled = f", {row['alignment']:.3f} of the ceiling" if "alignment" in row else ""
            flat = f", {row['n_flat']} flat maps left out" if row["n_flat"] else ""
            lines.append(
                f"{_label((row['network'], row['attribution']))}: {numbers}, {p}{scaled}, n = {row['n']}{flat}"
            )
        return "\n".join(lines)

    def write(self, out: Path, *, seed: int = 0, inputs: Mapping[str, str] | None = None) -> None:
        """Write a CSV with a row per network, method and image, and a JSON of the same name with the summary."""
        rows = [
            [network, method, image, *(_cell(getattr(found, measure)[at]) for measure in MEASURES)]
            for (network, method), found in self.agreements.items()
            for at, image in enumerate(self.images)
        ]
        files.write_text(out, csv_text.text_of(["network", "attribution", "image_id", *MEASURES], rows))
        made = files.provenance(
            "models compare-attributions", seed=seed, inputs=dict(inputs or {}), packages=("torch",)
        )
        files.write_json(out.with_suffix(".json"), {**self.summary(seed=seed), "provenance": made})


def _interval(values: list[float] | None) -> str:
    return "none" if values is None else "{:.3f} [{:.3f}, {:.3f}]".format(*values)


def _cell(value: float) -> str:
    return repr(round(float(value), 6)) if np.isfinite(value) else ""


def _label(key: tuple[str, str]) -> str:
    return " ".join(filter(None, key))


def human_alignment(
    networks: Sequence[Network],
    images: NDArray[np.uint8],
    human: NDArray[np.floating[Any]],
    *,
    methods: Sequence[str] = ("attention",),
    names: Sequence[str] = (),
    grid: int = GRID,
    smooth: float = SMOOTH,
    ceiling: float | None = None,
) -> Alignment:
    """Compare attributions of networks with human maps of the same images.

    Beside the networks' maps stand two controls that know nothing of the image: a Gaussian in the centre, and the mean
    human map of the other images. Maps are compared on a grid; the networks' maps are blurred first, because human maps
    are.

    Parameters
    ----------
    networks : sequence of Network
        From :func:`load`, each with another name.
    images : ndarray of uint8, shape (n, side, side, 3)
        Square images of one size.
    human : ndarray, shape (n, height, width)
        Importance ≥ 0 of the whole images; all zero where an image has none.
    methods : sequence of str
        Names that :func:`attributions` takes.
    names : sequence of str, optional
        The images'; numbers by default.
    grid : int, default 28
        Side of the grid.
    smooth : float, default 0.04
        Standard deviation of the blur as a share of the side; 0 for none.
    ceiling : float, optional
        A noise ceiling, as of :func:`~rapidvision.gala_models.evaluation.agreement.split_half`; rho over it is the
        alignment score of Fel et al. (2022).

    Returns
    -------
    Alignment
        Agreement per network, method and image.

    Raises
    ------
    InputError
        When there are fewer than two images with a human map, shapes differ, two networks have one name, or a method
        refuses a network.

    Examples
    --------
    >>> import numpy as np
    >>> import rapidvision as rv
    >>> rng = np.random.default_rng(0)
    >>> images, human = rng.integers(0, 256, (4, 88, 88, 3), dtype=np.uint8), rng.random((4, 88, 88))
    >>> found = rv.models.human_alignment([rv.models.load("compact-gala")], images, human)
    >>> [name for _, name in found.agreements]
    ['attention', 'centre', 'mean of others']
    """
    maps = np.asarray(human, dtype=np.float64)
    if maps.ndim != 3 or len(maps) != len(images):
        raise InputError(
            f"alignment: human maps of shape {maps.shape} for {len(images)} images; (n, height, width) is needed"
        )
    if len({network.name for network in networks}) != len(networks) or not methods or len(set(methods)) != len(methods):
        raise InputError("alignment: networks and methods must have different names, and there must be a method")
    if grid < 2 or not 0 <= smooth < 1 or (ceiling is not None and not 0 < ceiling <= 1):
        raise InputError(
            f"alignment: grid {grid}, smooth {smooth}, ceiling {ceiling}; >= 2, 0 to 1 and 0 to 1 are allowed"
        )
    used = maps.reshape(len(maps), -1).max(1) > 0
    if used.sum() < 2:
        raise InputError(f"alignment: {int(used.sum())} images have a human map; two are needed")
    labels = tuple(name for name, here in zip(names or map(str, range(len(images))), used, strict=True) if here)
    wanted = on_grid(maps[used], grid)
    others = (wanted.sum(0) - wanted) / (len(wanted) - 1)
    agreements = {}
    for network in networks:
        for method in methods:
            found = attributions(network, images[used], method=method, names=labels)
            agreements[network.name, method] = map_agreement(on_grid(blurred_maps(found, smooth), grid), wanted)
    agreements["", CENTRE] = map_agreement(np.repeat(centre_map(grid, grid)[None], len(wanted), 0), wanted)
    agreements["", MEAN_OF_OTHERS] = map_agreement(others, wanted)
    return Alignment(agreements, labels, int((~used).sum()), ceiling)


def blurred_maps(maps: NDArray[Any], smooth: float) -> NDArray[np.float64]:
    """Blur maps (n, height, width) by a share of their side; outside them there is nothing."""
    sigma = smooth * maps.shape[1]
    each: NDArray[np.float64] = np.asarray(maps, dtype=np.float64)
    return np.asarray(gaussian_filter(each, (0, sigma, sigma), mode="constant")) if sigma > 0 else each


def on_grid(maps: NDArray[Any], side: int) -> NDArray[np.float64]:
    """Mean of maps (n, height, width) over the cells of a grid, shape (n, side, side).

    Examples
    --------
    >>> on_grid(np.arange(16.0).reshape(1, 4, 4), 2).tolist()
    [[[2.5, 4.5], [10.5, 12.5]]]
    """
    return np.asarray(F.adaptive_avg_pool2d(torch.from_numpy(np.array(maps, dtype=np.float64)), side))
