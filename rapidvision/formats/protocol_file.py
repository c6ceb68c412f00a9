"""``protocol.toml``: read a protocol by file or by the name of a preset."""

from functools import cache
from pathlib import Path

from rapidvision import recipes
from rapidvision.errors import InputError, did_you_mean
from rapidvision.protocol import Protocol

_FOLDER = Path(__file__).parents[1] / "task" / "presets"
#: Names of the presets; each is a file that can be read by itself.
PRESETS: tuple[str, ...] = tuple(sorted(path.stem for path in _FOLDER.glob("*.toml")))


@cache
def preset(name: str) -> Protocol:
    """Return a named protocol.

    Parameters
    ----------
    name : str
        One of :data:`PRESETS`, such as ``paper`` (the text) or ``authors-2017`` (how the predecessor's code behaved).

    Raises
    ------
    InputError
        When there is no such preset.

    Examples
    --------
    >>> [option.keys for option in preset("paper").response.options]
    [('s',), ('l',)]
    """
    if name not in PRESETS:
        raise InputError(f'protocol: no preset "{name}". {did_you_mean(name, PRESETS)}')
    return recipes.read(_FOLDER / f"{name}.toml", Protocol)


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
    >>> read_protocol("paper").response.limit_ms
    550
    """
    if isinstance(source, Protocol):
        return source
    if isinstance(source, str) and (source in PRESETS or not Path(source).suffix):
        return preset(source)
    return recipes.read(source, Protocol)
