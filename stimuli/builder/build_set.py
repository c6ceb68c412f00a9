"""Build a stimulus set from Python: a recipe by file, name or value becomes a finished set."""

from collections.abc import Sequence
from pathlib import Path

from rapidvision.errors import InputError
from rapidvision.formats.manifest import StimulusSet
from rapidvision.system.progress import progress as progress_bar

from ..masks.make import with_masks
from ..pipeline.image_list import image_entries
from ..recipe import StimulusRecipe
from . import build as run


def build(
    recipe: StimulusRecipe | Path | str,
    *,
    out: Path | str,
    root: Path | str | None = None,
    seed: int | None = None,
    masks: Sequence[str] = (),
    preset: str | None = None,
    workers: int = 1,
    skip_bad: bool = False,
    progress: bool = False,
) -> StimulusSet:
    """Build a stimulus set, or finish one whose build was stopped.

    Parameters
    ----------
    recipe : StimulusRecipe, path-like or "bundled"
        What to make: a recipe, its TOML file, or the recipe of the images that come with RapidVision.
    out : path-like
        Folder of the set: new, empty, or an unfinished set of the same recipe.
    root : path-like, optional
        What the recipe's relative paths are relative to; by default the folder of the TOML file, or the current
        folder for a recipe that is no file.
    seed : int, optional
        Replaces the recipe's seed.
    masks : sequence of {"noise", "phase-scrambled", "checkerboard"}
        Families of masks that the recipe does not name, with the default of every setting.
    preset : {"paper", "controlled"}, optional
        Settings of a recipe file, or of ``bundled``, that stand before its key ``preset``; a recipe that is no file has
        :func:`~rapidvision.stimuli.controlled`.
    workers : int, default 1
        Processes. The set does not depend on it.
    skip_bad : bool, default False
        Leave out images that cannot be used and list them in ``rejects.csv``, instead of stopping.
    progress : bool, default False
        Show a progress bar.

    Returns
    -------
    StimulusSet
        The finished set; its PNG files lie in `out`.

    Raises
    ------
    InputError
        Names the file, row and value that cannot be used.

    Examples
    --------
    >>> import tempfile
    >>> import rapidvision as rv
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     stimulus_set = rv.stimuli.build("bundled", out=folder)
    ...     len(stimulus_set.exemplars())
    80
    """
    if isinstance(recipe, StimulusRecipe):
        if seed is not None or preset is not None:
            raise InputError(
                "build: a recipe has its own seed and settings; give seed and preset only with a file or a name"
            )
        found, base = with_masks(recipe, masks), Path("." if root is None else root)
    else:
        found, base = run.read_recipe(
            str(recipe), root=None if root is None else Path(root), seed=seed, masks=masks, preset=preset
        )
    with progress_bar("images", len(image_entries(found, base)), quiet=not progress) as advance:
        built = run.build(found, out, root=base, workers=workers, skip_bad=skip_bad, advance=advance)
    if not isinstance(built.result, StimulusSet):
        raise InputError(f"{out}: the set is not finished ({built.n_missing} images are missing); build it again")
    return built.result
