"""Experiments: balanced plans, and the same plan in PsychoPy, in a browser and in a simulation."""

from rapidvision.system.lazy import attach as _attach

__getattr__, __dir__ = _attach(__name__, __file__)
