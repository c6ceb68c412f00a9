"""
Permutation tests per level and Fig. 2B
=======================================

A trials table of two groups of 60 simulated participants with different thresholds. One call relabels whole participants jointly over
all levels, computes exact p and max-T step-down stars, and draws Fig. 2B.
"""

from rapidvision.analysis import fig2b
from rapidvision.analysis.sample_size.simulation import Design, simulate

trials = simulate(Design(n_per_group=60, thresholds=(1.3, 1.6)), seed=7).trials(seed=7)
result = fig2b(trials, seed=7)
result

# %%
# The p of each level: Monte Carlo with its interval, exact, and four corrections.

result.tests
