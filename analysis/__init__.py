"""Analysis: randomization tests per reveal level, Fig. 2B, and human against model.

::

    import rapidvision as rv

    trials = rv.analysis.read_trials("study/trials.csv")
    rv.analysis.level_tests(trials, groups=("clickme", "salicon"), alternative="greater")
    rv.analysis.fig2b(trials, models="study/models.csv")

Every function takes a checked table, a data frame or a path. Results print as tables and have ``to_frame()``.
"""

from rapidvision.system.lazy import attach as _attach

__getattr__, __dir__ = _attach(__name__, __file__)
