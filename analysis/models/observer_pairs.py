"""Kappa of all pairs of observers of a condition, as observed and for resampled images."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rapidvision.numerics.resampling import row_order
from rapidvision.seeds import stream

from .consistency import kappa_of

Floats = NDArray[np.float64]
#: Right (1), wrong (0) or not seen (NaN): rows are level and image, columns kind of observer (0: participant) and name.
Right = pd.DataFrame
#: Name of the row with the mean over the levels' kappa.
MEAN = "mean of levels"


class ObserverPairs:
    """Kappa of all pairs of one condition, as observed and for resampled images."""

    def __init__(self, name: str, right: Right, levels: dict[int, str], *, n_bootstrap: int, seed: int) -> None:
        self.name, self.labels = name, levels
        right, image = by_content(right)
        kinds = right.columns.get_level_values("kind").to_numpy()
        self.observers = [str(who) for who in right.columns.get_level_values("observer")]
        self.people, self.models = np.flatnonzero(kinds == 0), np.flatnonzero(kinds == 1)
        values = right.to_numpy(dtype=float)
        self.level = right.index.get_level_values("level").to_numpy()
        self.levels = sorted(set(self.level.tolist()))
        yes, no = (values == 1).astype(float), (values == 0).astype(float)
        n_images = int(image.max()) + 1 if len(image) else 0
        rng = stream(seed, "analysis", "observer consistency")
        self.parts = [(yes[self.level == level], no[self.level == level]) for level in self.levels]
        self.observed = self._kappas(None)
        self.shared = sum(((yes + no).T @ (yes + no) for yes, no in self.parts), np.zeros(2 * (len(kinds),)))
        self.again: list[Floats] = []  # summaries of resampled images
        again = []
        for _ in range(n_bootstrap):
            weight = rng.multinomial(n_images, np.full(n_images, 1 / max(n_images, 1))).astype(float)
            kappas = self._kappas([weight[image[self.level == level]] for level in self.levels])
            self.again.append(np.array([self._mean(kappas, self.people, model) for model in self._kinds()]))
            again.append(kappas[-1].astype(np.float32))
        self.again_pairs = np.array(again)

    def _kinds(self) -> list[int | None]:
        """None for pairs of participants, and each network's column."""
        return [None, *self.models.tolist()]

    @staticmethod
    def _mean(kappas: Floats, who: NDArray[np.intp], model: int | None) -> Floats:
        """Mean over pairs of the participants `who`, or of a network with each of them, shape (…,)."""
        if model is not None:
            values = kappas[..., model, :][..., who]
        else:
            a, b = np.triu_indices(len(who), 1)
            values = kappas[..., who[a], who[b]]
        here = np.isfinite(values)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(np.where(here, values, 0.0).sum(axis=-1) / here.sum(axis=-1))

    def _kappas(self, weights: list[Floats] | None) -> Floats:
        """Kappa of every pair, shape (levels + 1, observers, observers); the last is the mean over levels."""
        found = []
        for at, (yes, no) in enumerate(self.parts):
            heavy = (yes, no) if weights is None else tuple(part * weights[at][:, None] for part in (yes, no))
            both, only = heavy[0].T @ yes, heavy[0].T @ no
            no_yes, neither = heavy[1].T @ yes, heavy[1].T @ no
            found.append(kappa_of(both, only, no_yes, neither)[2])
        every = np.array(found)
        here = np.isfinite(every)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = np.where(here, every, 0.0).sum(axis=0) / here.sum(axis=0)
        return np.concatenate([every, mean[None]])

    def rows(self) -> Iterator[dict[str, object]]:
        """One row per level and kind of pair."""
        ceiling = {}
        for at, label in enumerate([*(self.labels[level] for level in self.levels), MEAN]):
            people = self._summary(at, None)
            ceiling[label] = people["kappa"]
            yield {"condition": self.name, "level": label, "pairs": "participants", **people, "of_ceiling": np.nan}
        for model in self.models.tolist():
            for at, label in enumerate([*(self.labels[level] for level in self.levels), MEAN]):
                found = self._summary(at, model)
                share = found["kappa"] / ceiling[label] if ceiling[label] > 0 else np.nan
                row = {"condition": self.name, "level": label, "pairs": self.observers[model], **found}
                yield {**row, "of_ceiling": share}

    def _summary(self, at: int, model: int | None) -> dict[str, float]:
        """Mean kappa of the participants' pairs, or of a network with each of them, and its interval."""
        from scipy.stats import t as student

        people = self.people

        kappa = float(self._mean(self.observed[at], people, model))
        n = len(people)
        again = np.array([one[self._kinds().index(model), at] for one in self.again])
        images = float(np.var(again[np.isfinite(again)], ddof=1)) if np.isfinite(again).sum() > 1 else np.nan
        observers = np.nan
        if n > (1 if model is not None else 2):
            without = np.array(
                [float(self._mean(self.observed[at], np.delete(people, one), model)) for one in range(n)]
            )
            observers = (n - 1) / n * float(((without - without.mean()) ** 2).sum())
        half = student.ppf(0.975, max(n - 1, 1)) * np.sqrt(images + observers)
        return {
            "n": n,
            "kappa": kappa,
            "low": max(kappa - half, -1.0) if np.isfinite(half) else np.nan,
            "high": min(kappa + half, 1.0) if np.isfinite(half) else np.nan,
        }

    def pairs(self) -> pd.DataFrame:
        """One row per pair with at least one participant."""
        rows = []
        for a in range(len(self.observers)):
            for b in range(a + 1, len(self.observers)):
                if a in self.models and b in self.models:
                    continue
                again = self.again_pairs[:, a, b]
                again = again[np.isfinite(again)]
                low, high = np.percentile(again, [2.5, 97.5]) if len(again) else (np.nan, np.nan)
                first, second = sorted((a, b), key=lambda one: (one in self.models, self.observers[one]))
                rows.append(
                    {
                        "condition": self.name,
                        "first": self.observers[first],
                        "second": self.observers[second],
                        "kappa": float(self.observed[-1, a, b]),
                        "low": float(low),
                        "high": float(high),
                        "n": int(self.shared[a, b]),
                    }
                )
        table = pd.DataFrame(rows, columns=["condition", "first", "second", "kappa", "low", "high", "n"])
        return table.sort_values(["first", "second"], ignore_index=True)


def by_content(right: Right) -> tuple[Right, NDArray[np.intp]]:
    """Observers and images in the order of what was answered, so that no name and no order of rows changes a number.

    Returns
    -------
    right : DataFrame
        Columns in the order of the observers' counts at every level; rows by level and image.
    image : ndarray of int, shape (rows,)
        Number of each row's image in that order.

    Examples
    --------
    >>> index = pd.MultiIndex.from_tuples([(0, "x"), (0, "y")], names=["level", "image"])
    >>> columns = pd.MultiIndex.from_tuples([(0, "p"), (0, "q")], names=["kind", "observer"])
    >>> one, image = by_content(pd.DataFrame([[1.0, 0.0], [1.0, 1.0]], index, columns))
    >>> one.columns.get_level_values("observer").tolist(), image.tolist()
    (['q', 'p'], [0, 1])
    """
    level, levels = pd.factorize(right.index.get_level_values("level"), sort=True)
    values = right.to_numpy(dtype=float)
    parts = [(values == 1).astype(np.int64), (values == 0).astype(np.int64)]
    counts = [part[level == one].sum(axis=0) for one in range(len(levels)) for part in parts]
    kinds = right.columns.get_level_values("kind").to_numpy(dtype=np.int64)
    order = row_order(np.stack([kinds, *counts], axis=1))
    # a random number for every level, place of an observer and answer: their sum tells what an image was answered
    marks = stream(0, "analysis", "content of images").integers(1, 2**40, (len(levels), len(order), 2))
    row_key = sum(
        ((part[:, order] * marks[level][..., side]).sum(axis=1) for side, part in enumerate(parts)),
        np.zeros(len(level), dtype=np.int64),
    )
    codes = pd.factorize(right.index.get_level_values("image"))[0]
    keys = np.zeros(int(codes.max()) + 1 if len(codes) else 0, dtype=np.int64)
    np.add.at(keys, codes, row_key)
    place = np.empty(len(keys), dtype=np.intp)
    place[np.argsort(keys, kind="stable")] = np.arange(len(keys))
    rows = np.lexsort((place[codes], level))
    return right.iloc[rows, order], place[codes][rows]
