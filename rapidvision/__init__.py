"""RapidVision: rapid visual categorization experiments, from importance maps to Fig. 2B.

RapidVision generates reveal stimuli from importance maps, runs lab and online sessions, analyses the data, and compares
humans with neural networks. ``import rapidvision as rv`` offers four packages and the words that they share::

    rv.stimuli       images and importance maps to reveal stimuli
    rv.experiments   plans, and the same plan in PsychoPy, in a browser and in a simulation
    rv.analysis      randomization tests per reveal level, Fig. 2B, human against model
    rv.models        GALA, squeeze-and-excitation and residual networks as observers (also ``rv.gala_models``)

Each part loads when it is first used.
"""

import os.path as _path

__version__ = "0.1.0"

# In a working tree the packages lie beside this folder; in an installed wheel they lie inside it.
_here = _path.dirname(__file__)
if not _path.isdir(_path.join(_here, "stimuli")):
    __path__.append(_path.dirname(_here))


def __getattr__(name: str) -> object:
    if _path.isfile(_path.join(_here, f"{name}.py")):  # `from rapidvision import cli` imports a module, no public name
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from rapidvision.system.lazy import attach  # so that the command line starts without it

    return attach(__name__, __file__)[0](name)


def __dir__() -> list[str]:
    from rapidvision.system.lazy import attach

    return attach(__name__, __file__)[1]()
