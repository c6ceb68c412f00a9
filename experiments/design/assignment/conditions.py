"""The factors of a protocol with their values in a stimulus set: between participants, blocks and trials."""

import itertools
import re
from collections.abc import Mapping

from rapidvision.protocol import Protocol
from rapidvision.task.design import SET_COLUMNS, Factor
from rapidvision.task.response import Scalar

from .images import SetImages

#: Name of the only group where nothing varies between participants.
EVERYBODY = "all"


def word(value: Scalar) -> str:
    """Return a value as it stands in names and texts.

    Examples
    --------
    >>> word(True), word(400), word("animal")
    ('true', '400', 'animal')
    """
    return str(value).lower() if isinstance(value, bool) else str(value)


def values_of(factor: Factor, images: SetImages) -> tuple[Scalar, ...]:
    """Return a factor's values: those that it lists, or all that the set has."""
    return factor.values or images.values(factor.name)


def group_name(between: Mapping[str, Scalar]) -> str:
    """Return the name of a group, which is part of file names: its values joined by ``-``.

    Examples
    --------
    >>> group_name({"map_source": "clickme", "cue": "???"}), group_name({})
    ('clickme-_', 'all')
    """
    return "-".join(re.sub(r"[^A-Za-z0-9_.]+", "_", word(value)) for value in between.values()) or EVERYBODY


class Conditions:
    """All combinations of the factors of a protocol.

    Parameters
    ----------
    protocol : Protocol
        The task.
    images : SetImages
        The stimulus set.

    Attributes
    ----------
    groups : dict
        Name of a group -> factor -> value, for the factors that vary between participants.
    within, by_block : dict
        Factor -> values, for those that vary between trials (the adaptive one left out) and between blocks.
    cells, blocks : tuple of dict
        Every combination of them; one empty combination where there is no such factor.
    fixed : dict
        ``map_source`` and ``level`` where they are no factor.
    over : str
        The adaptive factor; empty where nothing adapts.
    candidates : tuple
        Its values, from the hardest to the easiest; the intact image is no candidate.
    """

    def __init__(self, protocol: Protocol, images: SetImages) -> None:
        factors = protocol.design.factors
        self.over = protocol.adaptive.over if protocol.adaptive else ""
        values = {factor.name: values_of(factor, images) for factor in factors}
        between = {factor.name: values[factor.name] for factor in factors if factor.vary == "between"}
        self.combinations = _combinations(between)
        self.groups = {group_name(each): each for each in self.combinations}
        self.within = {f.name: values[f.name] for f in factors if f.vary == "within" and f.name != self.over}
        self.by_block = {f.name: values[f.name] for f in factors if f.vary == "block"}
        self.cells, self.blocks = _combinations(self.within), _combinations(self.by_block)
        single = {name: images.values(name)[0] for name in SET_COLUMNS if len(images.values(name)) == 1}
        given = single | protocol.design.fixed
        self.fixed = {name: value for name, value in given.items() if name not in values}
        self.candidates = tuple(sorted(values[self.over], key=_number)) if self.over else ()
        if self.over == "level":
            self.candidates = tuple(value for value in self.candidates if images.is_revealed(value))
        self.values = values

    @property
    def n_cells(self) -> int:
        """Slots in a round: combinations of all factors that vary within a participant."""
        return len(self.cells) * len(self.blocks)


def _combinations(values: Mapping[str, tuple[Scalar, ...]]) -> tuple[dict[str, Scalar], ...]:
    return tuple(dict(zip(values, combination, strict=True)) for combination in itertools.product(*values.values()))


def _number(value: Scalar) -> float:
    return float(value)
