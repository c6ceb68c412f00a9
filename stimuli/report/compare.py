"""How two sets differ."""

from collections.abc import Iterator
from dataclasses import dataclass

from rapidvision.formats.canvases.draws import read_draws
from rapidvision.formats.manifest import StimulusSet
from rapidvision.formats.masks import read_masks


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs between two sets.

    Attributes
    ----------
    settings : tuple of str
        Lines ``key: first value -> second value`` of recipe, seed and algorithms.
    only_first, only_second : tuple of str
        Stimulus ids, and paths of masks, that only one set has.
    changed : tuple of str
        Stimulus ids, and paths of masks, whose files differ.
    n_same : int
        Stimuli and masks that are the same in both.
    """

    settings: tuple[str, ...]
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]
    changed: tuple[str, ...]
    n_same: int

    @property
    def same(self) -> bool:
        """Whether both sets show the same stimuli and masks."""
        return not (self.only_first or self.only_second or self.changed)


def compare(first: StimulusSet, second: StimulusSet) -> Difference:
    """Compare two sets by their manifests and descriptions.

    Parameters
    ----------
    first, second : StimulusSet
        Two sets; their images are not read, the manifest has their hashes.

    Returns
    -------
    Difference
        Settings and stimuli in which they differ.
    """
    one, two = (_hashes(found) for found in (first, second))
    shared = sorted(one.keys() & two.keys())
    changed = [name for name in shared if one[name] != two[name]]
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


def _hashes(found: StimulusSet) -> dict[str, str]:
    """Hash of every stimulus by its id, and of every mask and every stimulus on a further canvas by its path."""
    masks = {mask.path: mask.sha256 for family in read_masks(found.folder).values() for mask in family}
    draws = {one.path: one.sha256 for some in read_draws(found.folder).values() for one in some}
    return {row.stimulus_id: row.sha256 for row in found.stimuli} | masks | draws


def _lines(where: str, first: object, second: object) -> Iterator[str]:
    if isinstance(first, dict) and isinstance(second, dict):
        for key in sorted(first.keys() | second.keys()):
            yield from _lines(f"{where}.{key}", first.get(key), second.get(key))
    elif first != second:
        yield f"{where}: {first} -> {second}"
