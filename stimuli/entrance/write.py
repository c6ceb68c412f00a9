"""Write what was guessed: ``images.csv``, ``recipe.toml`` with the reasons as comments, and the page to look at."""

import json
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from rapidvision.errors import InputError
from rapidvision.formats import image_folder
from rapidvision.screen import Screen
from rapidvision.system import files
from rapidvision.system.progress import Advance, silent

from ..builder.build import read_recipe
from .guess import Guessed, GuessedSource, guess
from .page import write_page

RECIPE, PAGE = "recipe.toml", "look.html"


def guess_recipe(
    folders: Sequence[Path | str],
    *,
    out: Path | str,
    image_deg: float | None = None,
    screen: Screen | None = None,
    targets: Sequence[str] = (),
    advance: Advance = silent,
) -> Guessed:
    """Look at folders of images, maps and tables of points, and write a recipe with guesses.

    Parameters
    ----------
    folders : sequence of path-like
        Where the files are.
    out : path-like
        A folder for ``images.csv``, ``recipe.toml`` and ``look.html``, in which images and their maps are shown; it may
        be one of `folders`. Files of these names are never replaced.
    image_deg : float, optional
        Side of the finished images in degrees of visual angle on `screen`.
    screen : Screen, optional
        The participants' monitor.
    targets : sequence of str
        Categories that are targets.
    advance : callable
        Called after each image of the page.

    Returns
    -------
    Guessed
        Rows of the table, map sources with reasons, and notes.

    Raises
    ------
    InputError
        When there are no images, a file would be replaced, or degrees have no screen.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from PIL import Image
    >>> import rapidvision as rv
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("cat-1", "cat-2", "cup-1", "cup-2"):
    ...         for part, mode in (("photos", "RGB"), ("saliency", "L")):
    ...             Path(folder, part).mkdir(exist_ok=True)
    ...             values = np.random.default_rng(len(name)).integers(0, 255, (64, 64, 3), np.uint8)
    ...             Image.fromarray(values).convert(mode).save(Path(folder, part, f"{name}.png"))
    ...     guessed = rv.stimuli.guess_recipe([folder], out=folder + "/study", targets=["cat"])
    >>> [one.keys["source"] for one in guessed.sources], guessed.rows[0]["category"]
    (['saliency'], 'cat')
    """
    folder = Path(out)
    if image_deg is not None and screen is None:
        raise InputError("image_deg needs a screen: width_px, width_cm and distance_cm of the participants' monitor")
    there = [name for name in (image_folder.TABLE, RECIPE, PAGE) if (folder / name).exists()]
    if there:
        raise InputError(f"{folder / there[0]}: there already; remove it, or choose another folder")
    folder.mkdir(parents=True, exist_ok=True)
    guessed = guess([Path(one) for one in folders], folder, targets=targets, screen=screen)
    image_folder.write_table(folder / image_folder.TABLE, guessed.rows)
    files.write_text(
        folder / RECIPE, recipe_text(guessed, name=folder.resolve().name, image_deg=image_deg, screen=screen)
    )
    if guessed.sources:
        recipe, root = read_recipe(str(folder / RECIPE))
        write_page(folder / PAGE, guessed, recipe, root, advance=advance)
    return guessed


def recipe_text(guessed: Guessed, *, name: str, image_deg: float | None, screen: Screen | None) -> str:
    """Return the recipe as TOML, with the reason of every guess as a comment.

    Parameters
    ----------
    guessed : Guessed
        From :func:`.guess.guess`.
    name : str
        Of the set.
    image_deg, screen : float, Screen
        As of the recipe.
    """
    lines = ["# Guesses of `rapidvision stimuli init`. Look at look.html, correct what is wrong, and run", "#"]
    lines += [
        "#     rapidvision stimuli check recipe.toml",
        "#     rapidvision stimuli build recipe.toml --out set",
        "",
    ]
    for note in guessed.notes:
        lines += _comment(note)
    lines += [f"name = {json.dumps(name or 'mine')}", "seed = 2019"]
    if image_deg is None:
        lines += [f"image_px = {guessed.side_px}  # of the finished images; or image_deg, with a [screen] table"]
    else:
        lines += [f"image_deg = {image_deg:g}"]
    widths = [min(size) for size in guessed.sizes.values()]
    lines += _comment(
        f"images: {len(guessed.rows)}, shorter sides {min(widths)} to {max(widths)} pixels; ids are {guessed.id_pattern}"
    )
    lines += [
        f'images = "{image_folder.TABLE}"',
        'fit = "crop"  # the middle square; "pad" shows the whole image with margins',
    ]
    if screen is not None:
        lines += ["", "[screen]", *(f"{key} = {value}" for key, value in msgspec.to_builtins(screen).items())]
    for source in guessed.sources:
        lines += ["", *_source(source)]
    if not guessed.sources:
        lines += ["", "# [[maps]]", '# source = "name"', '# reader = "folder"', '# path = "maps"']
    return "\n".join(lines) + "\n"


def _source(source: GuessedSource) -> list[str]:
    lines = [line for reason in source.why for line in _comment(reason)]
    lines.append("[[maps]]")
    for key, value in source.keys.items():
        lines.append(f"{key} = {_toml(value)}")
    return lines


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(one)}" for key, one in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False)


def _comment(text: str) -> list[str]:
    return textwrap.wrap(
        " ".join(text.split()), 116, initial_indent="# ", subsequent_indent="# ", break_long_words=False
    )
