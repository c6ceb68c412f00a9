"""How two sets differ."""

from collections.abc import Iterator
from dataclasses import dataclass

from rapidvision.formats.manifest import StimulusSet


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs between two sets.

    Attributes
    ----------
    settings : tuple of str
        Lines ``key: first value -> second value`` of recipe, seed and algorithms.
    only_first, only_second : tuple of str
        Stimulus ids that only one set has.
    changed : tuple of str
        Stimulus ids whose files differ.
    n_same : int
        Stimuli that are the same in both.
    """

    settings: tuple[str, ...]
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]
    changed: tuple[str, ...]
    n_same: int

    @property
    def same(self) -> bool:
        """Whether both sets show the same stimuli."""
        return not (self.only_first or self.only_second or self.changed)


def compare(first: StimulusSet, second: StimulusSet) -> Difference:
    """Compare two sets by their manifests and descriptions.

    Parameters
    ----------
    first, second : StimulusSet
        Two sets; their pictures are not read, the manifest has their hashes.

    Returns
    -------
    Difference
        Settings and stimuli in which they differ.
    """
    one, two = ({row.stimulus_id: row for row in found.stimuli} for found in (first, second))
    shared = sorted(one.keys() & two.keys())
    changed = [name for name in shared if one[name].sha256 != two[name].sha256]
    a, b = first.description, second.description
    settings = [
        *_lines("recipe", a.recipe, b.recipe),
        *_lines("algorithms", a.algorithms, b.algorithms),
    ]
    if a.seed != b.seed and not any(line.startswith("recipe.seed") for line in settings):
        settings.append(f"seed: {a.seed} -> {b.seed}")
    return Difference(
        tuple(settings),
        tuple(sorted(one.keys() - two.keys())),
        tuple(sorted(two.keys() - one.keys())),
        tuple(changed),
        len(shared) - len(changed),
    )


def _lines(where: str, first: object, second: object) -> Iterator[str]:
    if isinstance(first, dict) and isinstance(second, dict):
        for key in sorted(first.keys() | second.keys()):
            yield from _lines(f"{where}.{key}", first.get(key), second.get(key))
    elif first != second:
        yield f"{where}: {first} -> {second}"
