from rapidvision.formats.manifest import StimulusSet as StimulusSet
from rapidvision.formats.manifest import read_set as read_set

from .background.phase_scramble import phase_scramble as phase_scramble
from .builder.build import read_recipe as read_recipe
from .builder.build_set import build as build
from .recipe import StimulusRecipe as StimulusRecipe
from .reveal.flood_fill import flood_fill as flood_fill
