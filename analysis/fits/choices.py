"""The named choices of the fits, without the packages that the fits import: the command line shows them in its help."""

from typing import Literal

#: Axis of the levels; ``auto`` goes by their unit.
AxisScale = Literal["auto", "log", "linear"]
SCALES: tuple[AxisScale, ...] = ("auto", "log", "linear")
#: What is random by participant and by image beside the intercepts.
Random = Literal["auto", "slopes", "maximal", "participant-slopes", "intercepts"]
RANDOM: tuple[Random, ...] = ("auto", "slopes", "maximal", "participant-slopes", "intercepts")
#: Seconds after which a fit ends with what it has.
TIME_LIMIT_S = 300.0
#: What differs between images in the hierarchical model.
ImageEffects = Literal["auto", "both", "threshold", "none"]
IMAGE_EFFECTS: tuple[ImageEffects, ...] = ("auto", "both", "threshold", "none")
