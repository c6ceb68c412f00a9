"""
Per-level tests and Fig. 2B
===========================

Two groups of 60 simulated participants whose thresholds differ, as a trials table. One call relabels whole participants jointly over all
levels, gives exact p and step-down max-T stars; another draws Fig. 2B.
"""

from rapidvision.analysis import fig2b
from rapidvision.analysis.sample_size.simulation import Design, simulate

trials = simulate(Design(n_per_group=60, thresholds=(1.3, 1.6)), seed=7).trials(seed=7)
result = fig2b(trials, seed=7)
result

# %%
# Every p of every level: Monte-Carlo with its interval, exact, and four corrections.

result.tests
