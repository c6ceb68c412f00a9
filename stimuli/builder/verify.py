"""Sets on the disk, whatever their form: read, and checked to be those that were built."""

from pathlib import Path

from rapidvision.formats.manifest import PACKED, StimulusSet, read_set

from .packed import PackedSet, read_packed


def open_set(folder: Path | str) -> StimulusSet | PackedSet:
    """Read a set, packed or not; InputError when the folder holds neither."""
    folder = Path(folder)
    return read_packed(folder) if (folder / PACKED).is_file() else read_set(folder)


def verify(stimulus_set: StimulusSet | Path | str) -> None:
    """Hash every file of a stimulus set again.

    Parameters
    ----------
    stimulus_set : StimulusSet or path-like
        The set, or its folder; packed or not.

    Raises
    ------
    CheckFailed
        Names every changed, missing and added file (the first ten of them).
    InputError
        When the folder holds no set.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import rapidvision as rv
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     stimulus_set = rv.stimuli.build("bundled", out=folder)
    ...     rv.stimuli.verify(stimulus_set)
    ...     _ = next(Path(folder).rglob("*.png")).write_bytes(b"changed")
    ...     rv.stimuli.verify(folder)
    Traceback (most recent call last):
        ...
    rapidvision.errors.CheckFailed: ...
    """
    found = stimulus_set if isinstance(stimulus_set, StimulusSet) else open_set(stimulus_set)
    found.verify()
