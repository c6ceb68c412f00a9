"""
Power analysis: number of participants
======================================

Power of the permutation test (maximum over levels, Holm, cluster mass) from simulations of the whole experiment.
"""

from rapidvision.analysis.figures.plots import draw_power
from rapidvision.analysis.sample_size.power import power

table = power(n_per_group=(10, 20, 40, 80), effects=(0.1, 0.2), n_experiments=200, n_resamples=999, seed=1)
drawing = draw_power(table)
drawing

# %%
# Each point has 200 experiments, so standard errors are up to 3.5 percentage points. Use more experiments for a proposal: ``rapidvision analyse power``.

table.head(6).round(3)
