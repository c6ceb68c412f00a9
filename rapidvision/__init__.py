"""RapidVision: rapid visual categorization experiments, from importance maps to Fig. 2B.

RapidVision generates reveal stimuli from importance maps, runs lab and online sessions, analyses the data, and compares
humans with neural networks. ``import rapidvision as rv`` offers four packages and the words that they share::

    rv.stimuli       images and importance maps to reveal stimuli
    rv.experiments   plans, and the same plan in PsychoPy, in a browser and in a simulation
    rv.analysis      randomization tests per reveal level, Fig. 2B, human against model
    rv.models        GALA, squeeze-and-excitation and residual networks as observers (also ``rv.gala_models``)

Each part loads when it is first used.
"""

from pathlib import Path as _Path

__version__ = "0.1.0"

# In a working tree the packages lie beside this folder; in an installed wheel they lie inside it.
_here = _Path(__file__).parent
if not (_here / "stimuli").is_dir():
    __path__.append(str(_here.parent))

from rapidvision.system.lazy import attach as _attach  # noqa: E402  (the path above comes first)

__getattr__, __dir__ = _attach(__name__, __file__)
