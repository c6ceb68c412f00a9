"""What a recipe may name: reveal modes, backgrounds and map readers, built in and plugged in."""

from collections.abc import Callable
from typing import Any

import msgspec

from rapidvision.plugins.registry import Registry

_READERS = "rapidvision.stimuli.maps.readers"
_RECORDINGS = "rapidvision.stimuli.maps.recordings"

#: Which pixel appears when; see :class:`.plugins.RevealMode`.
REVEAL_MODES: Registry[Callable[..., Any]] = Registry(
    "reveal mode",
    "rapidvision.reveal",
    {
        "growth": "rapidvision.stimuli.reveal.order:growth",
        "uniform": "rapidvision.stimuli.reveal.order:uniform",
        "top": "rapidvision.stimuli.reveal.order:top",
        "bubbles": "rapidvision.stimuli.reveal.order:bubbles",
    },
)

#: What is shown where the image is not revealed; see :class:`.plugins.BackgroundMaker`.
BACKGROUNDS: Registry[Callable[..., Any]] = Registry(
    "background",
    "rapidvision.background",
    {
        "phase": "rapidvision.stimuli.background.canvas:scrambled",
        "grey": "rapidvision.stimuli.background.canvas:grey",
        "mean": "rapidvision.stimuli.background.canvas:mean_colour",
        "blur": "rapidvision.stimuli.background.canvas:out_of_focus",
        "noise": "rapidvision.stimuli.background.canvas:scrambled",
        "set-spectrum": "rapidvision.stimuli.background.canvas:of_photographs",
        "yoked": "rapidvision.stimuli.background.canvas:scrambled",
    },
)

#: How files of importance maps are opened; see :class:`.plugins.ReaderOpener`.
READERS: Registry[Callable[..., Any]] = Registry(
    "map reader",
    "rapidvision.reader",
    {
        "folder": f"{_READERS}.folder:open_folder",
        "npz": f"{_READERS}.npz:open_npz",
        "clickme-tfrecord": f"{_READERS}.clickme:open_clickme",
        "points-csv": f"{_READERS}.table:open_points_csv",
        "salicon-json": f"{_READERS}.salicon:open_salicon_json",
        "salicon-mat": f"{_READERS}.salicon:open_salicon_mat",
        "fixations-mat": f"{_READERS}.fixations:open_fixations_mat",
        "bubbles-mat": f"{_READERS}.fixations:open_bubbles_mat",
        "scanpaths-json": f"{_RECORDINGS}.scanpaths:open_scanpaths",
        "codecharts-json": f"{_RECORDINGS}.codecharts:open_codecharts",
        "clickme-npz": f"{_RECORDINGS}.clickme_npz:open_clickme_npz",
        "eyelink-asc": f"{_RECORDINGS}.eyelink:open_eyelink",
        "bids-eyetrack": f"{_RECORDINGS}.bids:open_bids",
        "pysaliency-hdf5": f"{_RECORDINGS}.pysaliency:open_pysaliency",
        "webgazer-csv": f"{_RECORDINGS}.webgazer:open_webgazer",
    },
)

#: Parameters of a plug-in, as its author named them; absent where there are none.
Options = dict[str, str | int | float | bool] | msgspec.UnsetType


def check_name(name: str, parts: Registry[Any], options: Options) -> None:
    """Refuse a name that no part has, and options of a part that takes none.

    Parameters
    ----------
    name : str
        From a recipe.
    parts : Registry
        The parts of its kind.
    options : dict or UNSET
        What the recipe gives the part.

    Raises
    ------
    ValueError
        As msgspec wants it, which adds the place in the file.
    """
    if name not in parts:
        raise ValueError(parts.unknown(name))
    if options and parts.is_builtin(name):
        raise ValueError(f'options: the {parts.kind} "{name}" is built in and takes none of {", ".join(options)}')
