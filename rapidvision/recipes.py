"""TOML in, typed frozen values out; unknown keys are refused with a hint.

A recipe is a :class:`Recipe` subclass: its fields are the keys, its defaults are the paper's numbers, its
``__post_init__`` checks what types cannot say.
"""

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from rapidvision.errors import RecipeError
from rapidvision.messages.field_messages import explain
from rapidvision.system import files, json_text


class Recipe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every typed file: frozen, keyword-only, closed to unknown keys."""


R = TypeVar("R")

#: Key of a recipe that names plug-in modules; they are imported before the names that they register are read.
PLUGINS = "plugins"


def read(path: Path | str, type_: type[R], *, change: Callable[[Any], Any] | None = None) -> R:
    """Read a TOML (or JSON) file as a value of `type_`.

    Parameters
    ----------
    path : path-like
        A ``.toml`` or ``.json`` file.
    type_ : type
        A :class:`Recipe` or any type that msgspec converts to.
    change : callable, optional
        Changes the file's content before it is checked: fills in what a preset says.

    Returns
    -------
    object
        The value of that type, checked.

    Raises
    ------
    RecipeError
        When a key is unknown or stands twice, or a value does not fit; the message names the file, the key and the remedy.
    InputError
        When the file is missing, unreadable or not UTF-8.
    """
    text = "" if Path(path).suffix.lower() == ".json" else files.read_text(path)
    raw = _parsed(text, str(path)) if text else _raw(path)
    return convert(raw if change is None else change(raw), type_, name=str(path), text=text)


def parse(text: str, type_: type[R], *, name: str = "recipe") -> R:
    """Read TOML text as a value of `type_`; `name` stands for the file in messages.

    Examples
    --------
    >>> class Reveal(Recipe, frozen=True):
    ...     n_levels: int = 11
    >>> parse("n_levels = 5", Reveal)
    Reveal(n_levels=5)
    >>> parse("n_leves = 5", Reveal, name="stimuli.toml")
    Traceback (most recent call last):
        ...
    rapidvision.errors.RecipeError: stimuli.toml:1: unknown key "n_leves". Did you mean "n_levels"?
    """
    return convert(_parsed(text, name), type_, name=name, text=text)


def _raw(path: Path | str) -> Any:
    if Path(path).suffix.lower() == ".json":
        return json_text.read(path)
    return _parsed(files.read_text(path), str(path))


def _parsed(text: str, name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"{name}: not TOML ({error})") from error


def convert(raw: Any, type_: type[R], *, name: str = "recipe", text: str = "") -> R:
    """Turn plain dicts, lists and numbers into a checked value of `type_`; see :func:`read` for the errors.

    `name` stands for the file in messages, and `text`, its TOML, gives the line.
    """
    try:
        return msgspec.convert(raw, type_, strict=True)
    except msgspec.ValidationError as error:
        raise RecipeError(explain(error, type_, raw, name=name, text=text)) from error


def import_plugins_of(path: Path | str) -> None:
    """Import the plug-in modules that a recipe names, from the Python path, the current folder or the recipe's folder.

    Raises
    ------
    RecipeError
        When the file is neither TOML nor JSON, or the key holds something else than a list of module names.
    InputError
        When a module is not found or cannot be imported.
    """
    from rapidvision.plugins.modules import import_plugins

    raw = _raw(path)
    modules = raw.get(PLUGINS, []) if isinstance(raw, dict) else []
    if not isinstance(modules, list) or not all(isinstance(one, str) for one in modules):
        raise RecipeError(f'{path}: {PLUGINS}: got {modules!r}; a list of module names is needed, like ["my_module"]')
    import_plugins(modules, folder=Path(path).parent)


def dump(value: Recipe) -> str:
    """Return a recipe as TOML, every key present: what was resolved, ready to be read again."""
    import tomli_w

    return tomli_w.dumps(_without_none(msgspec.to_builtins(value)))


def write(path: Path | str, value: Recipe) -> None:
    """Write the resolved recipe beside an output, atomically."""
    files.write_text(path, dump(value))


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_none(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_without_none(item) for item in value]
    return value
