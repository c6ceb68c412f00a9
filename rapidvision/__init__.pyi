from . import analysis as analysis
from . import experiments as experiments
from . import gala_models as gala_models
from . import stimuli as stimuli
from .formats.manifest import StimulusSet as StimulusSet
from .formats.manifest import read_set as read_set
from .maps import ImportanceMap as ImportanceMap
from .plan import Plan as Plan
from .protocol import Protocol as Protocol
from .protocol import preset as preset
from .study import Study as Study
from .trials import Trial as Trial

__version__: str
