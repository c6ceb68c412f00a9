"""``protocol.toml``: read a protocol by file or by the name of a preset."""

from pathlib import Path

from rapidvision import recipes
from rapidvision.protocol import PRESETS, Protocol, preset


def read_protocol(source: Protocol | Path | str) -> Protocol:
    """Return a protocol: the one given, the preset of that name, or the one in a TOML file.

    Parameters
    ----------
    source : Protocol, path-like or str
        A word without an ending is the name of a preset.

    Returns
    -------
    Protocol
        Checked.

    Raises
    ------
    InputError
        When there is no such preset or file, or the file is not a protocol.

    Examples
    --------
    >>> import rapidvision as rv
    >>> rv.read_protocol("paper").n_trials
    80
    """
    if isinstance(source, Protocol):
        return source
    if isinstance(source, str) and (source in PRESETS or not Path(source).suffix):
        return preset(source)
    return recipes.read(source, Protocol)
