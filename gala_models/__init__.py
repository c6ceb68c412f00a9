"""Networks: GALA, squeeze-and-excitation and residual networks, trained with and without importance maps, as observers."""

from rapidvision.system.lazy import attach as _attach

__getattr__, __dir__ = _attach(__name__, __file__)
