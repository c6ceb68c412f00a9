"""Marginal models from statsmodels: the logistic regression that ignores clustering, and the one that clusters people.

The only module that knows statsmodels. Its variational mixed model is not offered: on data of the paper's size its
standard errors are two to four times too small.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .regressors import Regressors


@dataclass(frozen=True, eq=False)
class MarginalFit:
    """Coefficients of a population-average logistic regression.

    Attributes
    ----------
    kind : {"glm", "gee"}
        ``glm`` takes trials as independent (too sure of itself); ``gee`` clusters them by participant, but not by
        image.
    names : tuple of str
        Names of the effects.
    estimate, se : ndarray
        Coefficients and standard errors (robust ones for ``gee``).
    """

    kind: str
    names: tuple[str, ...]
    estimate: NDArray[np.float64]
    se: NDArray[np.float64]


def fit_marginal(rows: Regressors) -> tuple[MarginalFit, MarginalFit]:
    """Fit accuracy ~ level × condition as GLM and as GEE with exchangeable correlation within participants.

    Parameters
    ----------
    rows : Regressors
        Answers and regressors.

    Returns
    -------
    glm, gee : MarginalFit
        To stand beside :func:`~rapidvision.analysis.fits.mixed.fit_crossed`.
    """
    from statsmodels.genmod.cov_struct import Exchangeable
    from statsmodels.genmod.families import Binomial
    from statsmodels.genmod.generalized_estimating_equations import GEE
    from statsmodels.genmod.generalized_linear_model import GLM

    glm = GLM(rows.y, rows.X, family=Binomial()).fit()
    gee = GEE(rows.y, rows.X, groups=rows.participant, family=Binomial(), cov_struct=Exchangeable()).fit()
    return (
        MarginalFit("glm", rows.names, np.asarray(glm.params), np.asarray(glm.bse)),
        MarginalFit("gee", rows.names, np.asarray(gee.params), np.asarray(gee.bse)),
    )
