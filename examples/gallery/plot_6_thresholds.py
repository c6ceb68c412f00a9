"""
Psychometric functions: thresholds and their difference
=======================================================

Psychometric functions with guess rate ½ and a free lapse rate, jackknife intervals over participants, and a studentized permutation test that
refits both groups for each of 10,000 relabellings.
"""

from rapidvision.analysis import fit_psychometric
from rapidvision.analysis.sample_size.simulation import Design, simulate

truth = (1.3, 1.6)
trials = simulate(Design(n_per_group=60, thresholds=truth), seed=7).trials(seed=7)
fits = fit_psychometric(trials, seed=7)
fits

# %%
# The true thresholds are 10 ** 1.3 = 20 % and 10 ** 1.6 = 40 % of the features.

fits.to_frame().round(3)

# %%
# The difference in log10 per cent, its interval, and p:

low, high = fits.test.interval
print(f"{fits.test.difference:.3f} [{low:.3f}, {high:.3f}], p = {fits.test.p:.4f}")
