"""Figures for print: the only folder of the package that imports matplotlib.

A package and not a module because style, Fig. 2B and the smaller figures together pass three hundred lines.
"""

from rapidvision.system.figures import load_matplotlib

load_matplotlib()  # before the modules of this package import parts of it
