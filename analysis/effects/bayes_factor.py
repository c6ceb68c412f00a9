"""The JZS Bayes factor of a t statistic (Rouder, Speckman, Sun, Morey & Iverson, 2009)."""

import math

from rapidvision.errors import InputError

#: Scale of the Cauchy prior on the standardised difference: half of it lies within ± this.
PRIOR_SCALE = math.sqrt(0.5)


def jzs_bayes_factor(
    t: float, n_first: int, n_second: int | None = None, *, df: float | None = None, scale: float = PRIOR_SCALE
) -> float:
    """Bayes factor for a difference (BF10) from a t statistic, under a Cauchy prior on the standardised difference.

    Parameters
    ----------
    t : float
        Of a comparison of participants, never of pooled trials: trials of one participant are not independent.
    n_first : int
        Participants of the first group, or all of them where every participant saw both conditions.
    n_second : int, optional
        Participants of the second group; None for one sample and for paired differences.
    df : float, optional
        Degrees of freedom of t; n - 1 or n_first + n_second - 2 by default. Groups of unequal spread have fewer (Welch).
    scale : float, default sqrt(1/2)
        Of the Cauchy prior.

    Returns
    -------
    float
        How many times as probable the data are with a difference as without; below 1, they favour no difference. NaN for
        a t that is NaN.

    Raises
    ------
    InputError
        When there are too few participants for a t statistic, or the scale is not above 0.

    Examples
    --------
    >>> import rapidvision as rv
    >>> round(rv.analysis.jzs_bayes_factor(3.5, 20, 20), 2), round(rv.analysis.jzs_bayes_factor(0.5, 20), 3)
    (26.74, 0.26)
    """
    n = n_first if n_second is None else n_first * n_second / (n_first + n_second)
    freedom: float = n_first - 1 if n_second is None else n_first + n_second - 2
    if freedom < 1 or n_first < 1 or (n_second is not None and n_second < 1):
        raise InputError(f"bayes factor: {n_first} and {n_second or 'no other'} participants; two or more are needed")
    freedom = freedom if df is None else df
    if not freedom > 0:
        raise InputError(f"df: got {freedom:g}; a number above 0 is needed")
    if not scale > 0:
        raise InputError(f"scale: got {scale:g}; a number above 0 is needed, such as {PRIOR_SCALE:.3f}")
    if math.isnan(t):
        return math.nan
    if math.isinf(t):
        return math.inf
    from scipy.integrate import quad

    def log_ratio(g: float) -> float:
        wide = 1 + n * g * scale * scale
        with_effect = -0.5 * math.log(wide) - (freedom + 1) / 2 * math.log1p(t * t / (wide * freedom))
        return with_effect + (freedom + 1) / 2 * math.log1p(t * t / freedom)

    def weight(x: float) -> float:  # g = exp(x), inverse-gamma(1/2, 1/2)
        return -0.5 * math.log(2 * math.pi) - 0.5 * x - 0.5 * math.exp(-x)

    # the integrand over log g has one peak; it is divided by its height, so that nothing overflows
    grid = [0.25 * step for step in range(-40, 241)]
    at = max(grid, key=lambda x: log_ratio(math.exp(x)) + weight(x))
    top = log_ratio(math.exp(at)) + weight(at)

    def integrand(x: float) -> float:
        return math.exp(log_ratio(math.exp(x)) + weight(x) - top)

    area = quad(integrand, at - 25, at, epsabs=0, epsrel=1e-10, limit=200)[0]
    area += quad(integrand, at, at + 120, epsabs=0, epsrel=1e-10, limit=200)[0]
    return float(math.exp(min(top + math.log(area), 709.0)))
