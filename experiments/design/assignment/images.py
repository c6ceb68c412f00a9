"""What planning needs of a stimulus set: images by source and level, masks by family, the values of its columns."""

from rapidvision.formats.canvases.draws import read_draws
from rapidvision.formats.manifest import Exemplar, Stimulus, StimulusSet
from rapidvision.formats.masks import MaskImage, read_masks
from rapidvision.task.response import Scalar
from rapidvision.task.trial import TrialImage


class SetImages:
    """A stimulus set, looked up once for all slots; the order of its rows does not matter.

    Parameters
    ----------
    stimulus_set : StimulusSet
        The set; its masks are read from its folder.

    Attributes
    ----------
    main, practice : tuple of Exemplar
        Each image once, by its id.
    masks : dict
        Family -> masks, by their path.
    digest : str
        The set's.

    Examples
    --------
    >>> import tempfile
    >>> import rapidvision as rv
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     images = SetImages(rv.stimuli.build("bundled", out=folder + "/set"))
    >>> len(images.main), len(images.practice), images.values("map_source"), images.values("level")[-1]
    (80, 16, ('clickme', 'salicon'), 11)
    """

    def __init__(self, stimulus_set: StimulusSet) -> None:
        self.digest = stimulus_set.digest
        self.level_labels = stimulus_set.description.level_labels
        self.main = _by_id(stimulus_set.exemplars("main"))
        self.practice = _by_id(stimulus_set.exemplars("practice"))
        found = read_masks(stimulus_set.folder)
        self.masks = {family: tuple(sorted(found[family], key=lambda mask: mask.path)) for family in sorted(found)}
        self._own = {
            (family, mask.image_id): mask for family, masks in self.masks.items() for mask in masks if mask.image_id
        }
        self._free = {
            family: tuple(mask for mask in masks if not mask.image_id) for family, masks in self.masks.items()
        }
        self._values: dict[str, tuple[Scalar, ...]] = {
            "level": tuple(range(len(self.level_labels))),
            "map_source": stimulus_set.description.map_sources,
        }
        self._rows: dict[tuple[str, Scalar, Scalar], Stimulus] = {
            (row.image_id, row.map_source, row.level_index): row for row in stimulus_set.stimuli
        }
        self._revealed = {row.level_index for row in stimulus_set.stimuli if row.reveal_fraction is not None}
        self._draws = read_draws(stimulus_set.folder)
        #: Canvases of each image; slots take them in turn.
        self.n_canvases = 1 + max((len(some) for some in self._draws.values()), default=0)
        self._made: dict[tuple[str, Scalar, Scalar, int], TrialImage] = {}

    def values(self, column: str) -> tuple[Scalar, ...]:
        """The values of ``map_source`` or ``level`` (its index), in the set's order."""
        return self._values[column]

    def is_revealed(self, level: Scalar) -> bool:
        """Whether a level shows a share of the features; the intact image has no place on that scale."""
        return level in self._revealed

    def has(self, image_id: str, source: Scalar, level: Scalar) -> bool:
        """Whether the set holds an image for a source at a level."""
        return (image_id, source, level) in self._rows

    def image(self, image_id: str, source: Scalar, level: Scalar, *, slot: int = 0) -> TrialImage:
        """One image as a trial of a slot shows it, on the canvas whose turn it is."""
        canvas = slot % self.n_canvases
        key = (image_id, source, level, canvas)
        made = self._made.get(key)
        if made is None:
            row = self._rows[key[:3]]
            drawn = self._draws.get(row.stimulus_id, ()) if canvas else ()
            file = drawn[canvas - 1] if drawn else row
            made = self._made[key] = TrialImage(
                image_id=row.image_id,
                category=row.category,
                target=row.target,
                map_source=row.map_source,
                level_index=row.level_index,
                level_label=row.level_label,
                reveal_fraction=row.reveal_fraction,
                revealed_px=row.revealed_px,
                path=file.path,
                stimulus_sha256=file.sha256,
            )
        return made

    def own_mask(self, family: str, image_id: str) -> MaskImage | None:
        """The mask of a family that was made from an image, if there is one."""
        return self._own.get((family, image_id))

    def free_masks(self, family: str) -> tuple[MaskImage, ...]:
        """The masks of a family that belong to no image."""
        return self._free.get(family, ())


def _by_id(exemplars: tuple[Exemplar, ...]) -> tuple[Exemplar, ...]:
    return tuple(sorted(exemplars, key=lambda exemplar: exemplar.image_id))
