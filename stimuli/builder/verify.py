"""Check from Python that the files of a set are those that were built."""

from pathlib import Path

from rapidvision.formats.manifest import StimulusSet

from .open_set import open_set


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
