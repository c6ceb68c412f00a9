from rapidvision.formats.manifest import StimulusSet as StimulusSet
from rapidvision.formats.manifest import read_set as read_set

from .background.phase_scramble import phase_scramble as phase_scramble
from .background.scramble_image import scramble as scramble
from .builder.build import read_recipe as read_recipe
from .builder.build_set import build as build
from .builder.verify import verify as verify
from .maps.load_maps import load_maps as load_maps
from .recipe import Canvas as Canvas
from .recipe import MapSource as MapSource
from .recipe import Match as Match
from .recipe import Reveal as Reveal
from .recipe import StimulusRecipe as StimulusRecipe
from .report.contact_sheet import contact_sheet as contact_sheet
from .reveal.flood_fill import flood_fill as flood_fill
