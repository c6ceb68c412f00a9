"""What does not fit in a typed file, in one form: ``file:line: field: got X``, and what is allowed."""

import re
import typing
from collections.abc import Iterable
from typing import Any

import msgspec

from rapidvision.errors import did_you_mean

from .toml_lines import Step, line_of, steps_of

_AT = re.compile(r" - at `(?P<key>key in )?\$\.?(?P<path>[^`]*)`")
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<key>[^`]*)`")
_MISSING = re.compile(r"Object missing required field `(?P<key>[^`]*)`")
_ENUM = re.compile(r"Invalid enum value|Expected `[^`]*` of `")


def place_of(name: str, text: str, path: str) -> str:
    """Return file, line and field with a colon behind each, as far as they are known; `path` is empty for the whole file."""
    line = line_of(text, path) if text else None
    return f"{name}{f':{line}' if line else ''}: {f'{path}: ' if path else ''}"


def explain(error: msgspec.ValidationError, type_: Any, raw: Any, *, name: str, text: str = "") -> str:
    """Turn msgspec's message into one line that says where, what was got and what is allowed.

    Parameters
    ----------
    error : msgspec.ValidationError
        What msgspec said.
    type_ : type
        What the file should be.
    raw : object
        What the file holds, as plain values.
    name, text : str
        The file and, where there is one, its TOML text, which gives the line.

    Examples
    --------
    >>> class Reveal(msgspec.Struct, forbid_unknown_fields=True):
    ...     mode: typing.Literal["fill", "aperture"] = "fill"
    >>> raw = {"mode": "fil"}
    >>> try:
    ...     msgspec.convert(raw, Reveal)
    ... except msgspec.ValidationError as error:
    ...     explain(error, Reveal, raw, name="r.toml", text='mode = "fil"')
    'r.toml:1: mode: got "fil". Did you mean "fill"?'
    """
    message = str(error)
    at = _AT.search(message)
    path = at["path"] if at else ""
    words = _AT.sub("", message)
    if unknown := _UNKNOWN.search(message):
        known = _keys(_types_at(type_, path))
        where = f" in [{path}]" if path else ""
        hint = did_you_mean(unknown["key"], known) if known else ""
        here = f"{path}.{unknown['key']}" if path else unknown["key"]
        line = line_of(text, here) if text else None
        return f'{name}{f":{line}" if line else ""}: unknown key "{unknown["key"]}"{where}. {hint}'.rstrip()
    if missing := _MISSING.search(message):
        return f"{place_of(name, text, path)}`{missing['key']}` is needed"
    got = _value_at(raw, steps_of(path))
    allowed = sorted({str(word) for hint in _types_at(type_, path) for word in _literals(hint)})
    if words.startswith(("Invalid enum value", "Expected")) and allowed and not isinstance(got, dict | list):
        words = f"got {_short(got)}. {did_you_mean(str(got), allowed)}"
    elif words.startswith("Expected"):
        words = f"got {_short(got)}, e{words[1:].replace('`', '')}"
    return place_of(name, text, path) + words


def _short(value: Any) -> str:
    """A value as the file writes it, cut where it is long."""
    text = msgspec.json.encode(value, enc_hook=str).decode()
    return text if len(text) < 60 else text[:56] + " ..."


def _value_at(raw: Any, steps: Iterable[Step]) -> Any:
    for step in steps:
        try:
            raw = raw[step]
        except (KeyError, IndexError, TypeError):
            return None
    return raw


def _types_at(type_: Any, path: str) -> list[Any]:
    """Types that may stand at a path inside `type_`: several where a field is a union."""
    found = [type_]
    for step in steps_of(path):
        found = [inner for hint in found for inner in _inside(hint, step)]
    return found


def _inside(hint: Any, step: Step) -> Iterable[Any]:
    hint = _bare(hint)
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        if step in (hints := typing.get_type_hints(hint)):
            yield hints[str(step)]
        return
    arguments = typing.get_args(hint)
    if typing.get_origin(hint) in (tuple, list) and isinstance(step, int):
        yield arguments[min(step, len(arguments) - 1)] if ... not in arguments else arguments[0]
    elif typing.get_origin(hint) is dict and len(arguments) == 2:
        yield arguments[1]
    elif typing.get_origin(hint) not in (tuple, list, typing.Literal):
        for argument in arguments:
            yield from _inside(argument, step)


def _bare(hint: Any) -> Any:
    return typing.get_args(hint)[0] if typing.get_origin(hint) is typing.Annotated else hint


def _keys(hints: Iterable[Any]) -> list[str]:
    """Fields of the structs among some types."""
    return [
        field.encode_name
        for hint in hints
        for one in (_bare(hint), *map(_bare, typing.get_args(_bare(hint))))
        if isinstance(one, type) and issubclass(one, msgspec.Struct)
        for field in msgspec.structs.fields(one)
    ]


def _literals(hint: Any) -> list[Any]:
    hint = _bare(hint)
    if typing.get_origin(hint) is typing.Literal:
        return list(typing.get_args(hint))
    if typing.get_origin(hint) in (tuple, list, dict):
        return []
    return [word for part in typing.get_args(hint) for word in _literals(part)]
