from rapidvision.formats.manifest import StimulusSet as StimulusSet
from rapidvision.formats.manifest import read_set as read_set

from .background.canvas import Background as Background
from .background.phase_scramble import phase_scramble as phase_scramble
from .builder.build import read_recipe as read_recipe
from .builder.build_set import build as build
from .maps.readers.base import DenseMap as DenseMap
from .maps.readers.base import Points as Points
from .plugins import register_background as register_background
from .plugins import register_reader as register_reader
from .plugins import register_reveal as register_reveal
from .recipe import StimulusRecipe as StimulusRecipe
from .reveal.flood_fill import flood_fill as flood_fill
