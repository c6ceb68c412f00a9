"""JSON files that no value can hide in: a key that stands twice in one object is refused, not overwritten."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from rapidvision.errors import RecipeError
from rapidvision.system import files

T = TypeVar("T")


def loads(text: str, *, name: str = "JSON") -> Any:
    """Return what a JSON text holds, as dicts, lists, texts and numbers.

    Parameters
    ----------
    text : str
        The JSON.
    name : str
        Stands for the file in messages.

    Raises
    ------
    RecipeError
        When the text is no JSON, holds NaN or an infinite number, or an object has one key twice.

    Examples
    --------
    >>> loads('{"level": 0.5}')
    {'level': 0.5}
    >>> loads('{"level": 0.5, "level": 1.0}', name="plan.json")
    Traceback (most recent call last):
        ...
    rapidvision.errors.RecipeError: plan.json: the key "level" stands twice in one object; keep the right one
    """
    try:
        return json.loads(text, object_pairs_hook=keys_once(name), parse_constant=_refusal(name))
    except (ValueError, RecursionError) as error:
        raise RecipeError(f"{name}: not JSON ({error})") from error


def decode(data: bytes | str, type_: type[T], *, name: str) -> T:
    """Read JSON as a checked value of a type.

    Parameters
    ----------
    data : bytes or str
        The JSON, UTF-8.
    type_ : type
        What msgspec decodes to.
    name : str
        Stands for the file in messages.

    Raises
    ------
    msgspec.DecodeError
        When it is no JSON, or does not fit.
    RecipeError
        When an object has one key twice.

    Examples
    --------
    >>> decode(b'{"level": 1}', dict[str, int], name="plan.json")
    {'level': 1}
    """
    found = msgspec.json.decode(data, type=type_)
    check_keys(data, name=name)
    return found


def check_keys(data: bytes | str, *, name: str) -> None:
    """Refuse valid JSON in which an object has one key twice; keeps no part of it, because a file may be large.

    Raises
    ------
    RecipeError
        Names the key.
    """
    once = keys_once(name)

    def checked(pairs: list[tuple[str, Any]]) -> None:
        once(pairs)

    json.loads(data, object_pairs_hook=checked)


def keys_once(name: str) -> Callable[[list[tuple[str, Any]]], dict[str, Any]]:
    """Return the hook that makes an object of its pairs and refuses a key that stands twice.

    Examples
    --------
    >>> keys_once("plan.json")([("level", 1)])
    {'level': 1}
    """

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            keys = [key for key, _ in pairs]
            twin = next(key for key in keys if keys.count(key) > 1)
            raise RecipeError(f'{name}: the key "{twin}" stands twice in one object; keep the right one')
        return found

    return once


def _refusal(name: str) -> Callable[[str], Any]:
    def refused(constant: str) -> Any:
        raise RecipeError(f"{name}: {constant} is not JSON; write a finite number, or null")

    return refused


def read(path: Path | str) -> Any:
    """Read a JSON file; see :func:`loads`.

    Raises
    ------
    InputError
        When the file is missing, unreadable or not UTF-8.
    RecipeError
        When it is no JSON, or an object has one key twice.
    """
    return loads(files.read_text(path), name=str(path))
