"""What a folder is, told by what lies in it."""

from pathlib import Path

#: Folder inside a stimulus set while it is being built.
BUILD = ".build"


def instead_of_a_set(folder: Path) -> str:
    """Say what a folder without a finished stimulus set is, as far as can be seen, and what to do.

    Parameters
    ----------
    folder : Path
        A folder, a file, or nothing.

    Returns
    -------
    str
        The second half of a sentence.

    Examples
    --------
    >>> instead_of_a_set(Path("no-such-folder"))
    'there is no such folder; build one with `rapidvision stimuli build RECIPE --out SET`'
    """
    if not folder.exists():
        return "there is no such folder; build one with `rapidvision stimuli build RECIPE --out SET`"
    if not folder.is_dir():
        return "it is a file; give the folder that `rapidvision stimuli build --out` wrote"
    if (folder / BUILD).is_dir() or (folder / "manifest.csv").is_file():
        return "an unfinished build; run `rapidvision stimuli build` again to finish it"
    if (folder / "study.json").is_file():
        return f"it is a study; its stimulus set is named in {folder / 'study.json'}"
    if (folder / "images.csv").is_file():
        return "it is an image folder; build a set of it with `rapidvision stimuli build`"
    return "give the folder that `rapidvision stimuli build --out` wrote"
