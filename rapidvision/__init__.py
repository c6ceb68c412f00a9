"""RapidVision: which parts of a picture let a person, or a network, recognise it at a glance.

The ground of the suite: the words, the file formats, the seeds and the command line that the four rooms
(``rapidvision.stimuli``, ``rapidvision.experiments``, ``rapidvision.analysis``, ``rapidvision.gala_models``) share.
Import from the module that owns a thing, for example ``from rapidvision.protocol import Protocol``.
"""

from pathlib import Path

__version__ = "0.1.0"

# In a working tree the rooms lie beside this folder; in an installed wheel they lie inside it.
_here = Path(__file__).parent
if not (_here / "stimuli").is_dir():
    __path__.append(str(_here.parent))
