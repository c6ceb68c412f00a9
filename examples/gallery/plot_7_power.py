"""
How many participants?
======================

Power of the randomization test (maximum over levels, Holm, cluster mass along the levels) by simulation of the whole experiment.
"""

from rapidvision.analysis.figures.plots import draw_power
from rapidvision.analysis.sample_size.power import power

table = power(n_per_group=(10, 20, 40, 80), effects=(0.1, 0.2), n_experiments=200, m=999, seed=1)
drawing = draw_power(table)
drawing

# %%
# 200 experiments for each point: standard errors of up to 3.5 points. Use more for a proposal: ``rapidvision analyse power``.

table.head(6).round(3)
