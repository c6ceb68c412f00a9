"""Presets of stimulus recipes: named settings that a recipe's own keys stand before."""

from collections.abc import Mapping
from typing import Any

import msgspec

from rapidvision.errors import InputError, did_you_mean

from .recipe import StimulusRecipe
from .recipe_tables import Canvas
from .source_matching import MatchSources

#: ``paper``: the settings of the paper, which are the defaults. ``controlled``: canvases that cannot tell the category,
#: and map sources that reveal alike.
PRESETS: dict[str, dict[str, dict[str, Any]]] = {
    "paper": {},
    "controlled": {"canvas": {"kind": "set-spectrum", "gamut_iterations": 20}, "match_sources": {}},
}


def with_preset(raw: Any, name: str | None = None) -> Any:
    """Return the content of a recipe file with the settings of its preset in place of what it leaves out.

    Parameters
    ----------
    raw : object
        As TOML or JSON has it; the key ``preset`` names the preset.
    name : str, optional
        Stands before that key.

    Returns
    -------
    object
        Without the key ``preset``.

    Raises
    ------
    InputError
        When there is no such preset.

    Examples
    --------
    >>> made = with_preset({"preset": "controlled", "canvas": {"gamut_iterations": 40}, "maps": [{}]})
    >>> made["canvas"]
    {'kind': 'set-spectrum', 'gamut_iterations': 40}
    """
    if not isinstance(raw, Mapping):
        return raw
    out = dict(raw)
    own_name = out.pop("preset", "paper")
    name = own_name if name is None else name
    if name not in PRESETS:
        raise InputError(f'preset: got "{name}". {did_you_mean(str(name), PRESETS)}')
    for table, settings in PRESETS[str(name)].items():
        own = out.get(table, {})
        alone = table == "match_sources" and isinstance(out.get("maps"), list) and len(out["maps"]) < 2
        if isinstance(own, Mapping) and not alone:
            out[table] = settings | dict(own)
    return out


def controlled(recipe: StimulusRecipe) -> StimulusRecipe:
    """Return a recipe with the canvases and matched sources of the preset ``controlled``.

    Parameters
    ----------
    recipe : StimulusRecipe
        Any; with one map source only its canvases change.

    Returns
    -------
    StimulusRecipe
        Its `canvas` and `match_sources` are replaced.

    Examples
    --------
    >>> import rapidvision as rv
    >>> recipe, _ = rv.stimuli.read_recipe("bundled")
    >>> rv.stimuli.controlled(recipe).canvas.kind
    'set-spectrum'
    """
    canvas = msgspec.convert(PRESETS["controlled"]["canvas"], Canvas)
    if len(recipe.maps) < 2:
        return msgspec.structs.replace(recipe, canvas=canvas)
    return msgspec.structs.replace(recipe, canvas=canvas, match_sources=MatchSources())
