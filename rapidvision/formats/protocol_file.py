"""``protocol.toml``: read a protocol by file or by the name of a preset."""

from functools import cache
from pathlib import Path

import msgspec

from rapidvision import recipes
from rapidvision.errors import InputError, did_you_mean
from rapidvision.grammar import rules
from rapidvision.protocol import Protocol
from rapidvision.system import files

_FOLDER = Path(__file__).parents[1] / "task" / "presets"
#: Names of the presets; each is a file that can be read by itself.
PRESETS: tuple[str, ...] = tuple(sorted(path.stem for path in _FOLDER.glob("*.toml")))


def path_of(name: str) -> Path:
    """Return the file of a preset."""
    return _FOLDER / f"{name}.toml"


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
    >>> import rapidvision as rv
    >>> [option.keys for option in rv.preset("paper").response.options]
    [('s',), ('l',)]
    """
    if name not in PRESETS:
        raise InputError(f'protocol: no preset "{name}". {did_you_mean(name, PRESETS)}')
    return _read(path_of(name))


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
        When there is no such preset or file, or the protocol cannot be run: one line per mistake, with file, line,
        field, what was got and what is allowed.

    Examples
    --------
    >>> import rapidvision as rv
    >>> rv.read_protocol("paper").response.limit_ms
    550
    """
    if isinstance(source, Protocol):
        return rules.check(recipes.convert(msgspec.to_builtins(source), Protocol, name="protocol"))
    if isinstance(source, str) and (source in PRESETS or not Path(source).suffix):
        return preset(source)
    return _read(Path(source))


def parse_protocol(text: str, *, name: str = "protocol.toml") -> Protocol:
    """Read TOML text as a protocol and check it; `name` stands for the file in messages.

    Raises
    ------
    RecipeError
        One line per mistake: file, line, field, what was got, what is allowed.

    Examples
    --------
    >>> parse_protocol("protocl = 2")
    Traceback (most recent call last):
        ...
    rapidvision.errors.RecipeError: protocol.toml:1: unknown key "protocl". Did you mean "protocol"?
    """
    return rules.check(recipes.parse(text, Protocol, name=name), name=name, text=text)


def _read(path: Path) -> Protocol:
    if path.suffix.lower() == ".json":
        return rules.check(recipes.read(path, Protocol), name=str(path))
    return parse_protocol(files.read_text(path), name=str(path))
