"""Stimuli: from images and importance maps to reproducible reveal stimuli (paper, "Stimulus generation")."""

from rapidvision.system.lazy import attach as _attach

__getattr__, __dir__ = _attach(__name__, __file__)
