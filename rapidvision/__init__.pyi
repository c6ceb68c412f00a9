from . import analysis as analysis
from . import experiments as experiments
from . import gala_models as gala_models
from . import gala_models as models
from . import stimuli as stimuli
from .analysis.table.trials import read_trials as read_trials
from .errors import RapidVisionError as RapidVisionError
from .formats.manifest import StimulusSet as StimulusSet
from .formats.manifest import read_set as read_set
from .formats.protocol_file import preset as preset
from .formats.protocol_file import read_protocol as read_protocol
from .maps import ImportanceMap as ImportanceMap
from .plan import Plan as Plan
from .protocol import Protocol as Protocol
from .stimuli.maps.load_maps import load_maps as load_maps
from .study import Study as Study
from .task.trial import Trial as Trial
from .trials import COLUMNS as COLUMNS

__version__: str

# `models` is another name of `gala_models`, so the list says what is public.
__all__ = [
    "COLUMNS",
    "ImportanceMap",
    "Plan",
    "Protocol",
    "RapidVisionError",
    "StimulusSet",
    "Study",
    "Trial",
    "__version__",
    "analysis",
    "experiments",
    "gala_models",
    "load_maps",
    "models",
    "preset",
    "read_protocol",
    "read_set",
    "read_trials",
    "stimuli",
]
