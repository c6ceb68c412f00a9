"""Covariates of participants: two groups compared after what the covariates explain, by the method of Freedman and Lane.

Scores are regressed on the covariates alone; what is left is permuted over participants, all levels together; and the
group's coefficient in the regression on group and covariates, over its standard error, is compared with the permuted
ones. The test is exact where nothing is to be estimated, and close to its level else (Winkler et al. 2014, NeuroImage 92).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.numerics.resampling import SIDED, TIE, Alternative, Counts, p_values, row_order

from ...inference.permutation import RandomizationTest
from ...inference.spread_counts import TwoWay
from ...relabelling.random_bits import stream_key
from ...resampling.multiplicity import benjamini_hochberg, holm
from ...table.columns import Columns
from .group_labels import random_orders

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class _Fit:
    """The group's t from permuted residuals: one coefficient less its standard error, per level."""

    nuisance: Floats
    target: Floats

    def t(self, residuals: Floats) -> Floats:
        """Shape (…, n, levels) of residuals to (…, levels)."""
        over = np.einsum("n,...nl->...l", self.target, residuals)
        inside = self.nuisance.T @ residuals
        left = (residuals**2).sum(axis=-2) - (inside**2).sum(axis=-2) - over**2
        freedom = len(self.target) - self.nuisance.shape[1] - 1
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(over / np.sqrt(np.maximum(left, 0.0) / freedom))


def covariate_test(
    columns: Columns,
    first: "NDArray[np.bool_]",
    covariates: Floats,
    *,
    n_resamples: int,
    seed: int,
    alternative: Alternative = "two-sided",
    names: Sequence[str] = (),
) -> RandomizationTest:
    """Test two groups at every level, adjusted for covariates of the participants.

    Parameters
    ----------
    columns : Columns
        A mean over participants.
    first : ndarray of bool, shape (n,)
        Who is in the first group.
    covariates : ndarray of float64, shape (n, k)
        One row per participant.
    n_resamples, seed : int
        Permutations, and their seed.
    alternative : {"two-sided", "greater", "less"}
        ``greater``: the first group scores higher.
    names : sequence of str
        Of the covariates, for the notes.

    Returns
    -------
    RandomizationTest
        `difference` is the adjusted one; `g` holds t.

    Raises
    ------
    InputError
        When covariates determine the group, or leave no degree of freedom.
    """
    if not columns.is_mean:
        raise InputError(f"covariates: {columns.name} is no mean over participants; choose participant_mean")
    here = columns.present
    x = np.where(here, columns.sums / columns.scale, 0.0)
    # rows by content, and the group's direction by content, so that neither names nor who is first change p
    content = np.concatenate([columns.parts.reshape(len(first), -1).astype(float), covariates], axis=1)
    sides = [np.concatenate([content, side[:, None]], axis=1) for side in (first.astype(float), (~first).astype(float))]
    orders = [row_order(one) for one in sides]
    keys = [
        (int(side[:, -1].sum()), side[rows].astype(">f8").tobytes()) for side, rows in zip(sides, orders, strict=True)
    ]
    turned = keys[0] > keys[1]
    rows = orders[1] if turned else orders[0]
    member = (~first if turned else first)[rows]
    x, here, known = x[rows], here[rows], covariates[rows]
    design = np.column_stack([np.ones(len(x)), known - known.mean(axis=0)])
    spread = np.abs(design).max(axis=0)
    base, upper = np.linalg.qr(design / np.where(spread > 0, spread, 1.0))
    base = base[:, np.abs(np.diag(upper)) > 1e-9]
    raw = member - base @ (base.T @ member.astype(float))
    size = float(np.sqrt((raw**2).sum()))
    if size < 1e-6 * np.sqrt(len(x)):
        raise InputError(f"covariates: {', '.join(names) or 'they'} determine the group; leave one out")
    if len(x) - base.shape[1] - 1 < 1:
        raise InputError(
            f"covariates: {len(x)} participants and {base.shape[1] - 1} covariates leave no degree of freedom"
        )
    fit = _Fit(base, raw / size)
    n_here = np.maximum(here.sum(axis=0), 1)
    filled = np.where(here, x, (x * here).sum(axis=0) / n_here)  # an empty cell is the level's mean: it shows no group
    residuals = filled - base @ (base.T @ filled)
    residuals = np.where(here, residuals, 0.0)
    varies = (residuals**2).sum(axis=0) > 1e-18 * np.maximum(1.0, (filled**2).sum(axis=0))
    observed = np.where(varies, fit.t(residuals), np.nan)
    slack = TIE * np.maximum(1.0, np.abs(observed))
    sided = SIDED[alternative]
    joint = TwoWay(observed, sided=-sided if turned else sided, turned=turned)
    at_least, at_most = np.zeros((2, x.shape[1]), dtype=np.int64)
    for one in random_orders(stream_key(seed, "freedman lane"), len(x), n_resamples):
        values = np.where(varies, fit.t(residuals[one[:, 0]]), np.nan)
        at_least += (~(values < observed - slack)).sum(axis=0)
        at_most += (~(values > observed + slack)).sum(axis=0)
        joint.add(values)
    counts = Counts(at_least, at_most)
    counts = counts.turned() if turned else counts
    p, low, high = p_values(counts, n_resamples, alternative)
    blank = ~np.isfinite(columns.difference(first))
    for values in (p, low, high):
        values[blank] = np.nan
    adjusted = (raw @ filled) / size**2 * (-1 if turned else 1)

    def told(one: Floats) -> Floats:
        return np.where(np.isnan(one) & ~blank, 1.0, one)

    empty = int((~here).sum())
    how = (
        f"adjusted for {', '.join(names) or 'covariates'} (Freedman and Lane): residuals of the regression on the covariates "
        "are permuted over participants, and the group's t is compared; the difference is the adjusted one"
    )
    notes = [how]
    if empty:
        notes.append(f"{empty} of {here.size} participant x level cells are empty; they add nothing to either group")
    return RandomizationTest(
        difference=np.where(blank, np.nan, adjusted),
        p=p,
        p_low=low,
        p_high=high,
        p_exact=np.full(len(p), np.nan),
        p_holm=holm(p),
        p_bh=benjamini_hochberg(p),
        p_max_t=told(joint.p_single_step()),
        p_step_down=told(joint.p_step_down()),
        clusters=joint.clusters(),
        n_first=int(first.sum()),
        n_second=int((~first).sum()),
        n_resamples=n_resamples,
        seed=seed,
        alternative=alternative,
        statistic=columns.name,
        labels=columns.labels,
        smallest_p=1 / (n_resamples + 1),
        notes=(*notes, *columns.notes(first)[: int(blank.sum())]),
        g=-observed if turned else observed,
    )
