"""JSON files that no value can hide in: a key that stands twice in one object is refused, not overwritten."""

import json
from pathlib import Path
from typing import Any

from rapidvision.errors import RecipeError
from rapidvision.system import files


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

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in pairs:
            if key in found:
                raise RecipeError(f'{name}: the key "{key}" stands twice in one object; keep the right one')
            found[key] = value
        return found

    def refused(constant: str) -> Any:
        raise RecipeError(f"{name}: {constant} is not JSON; write a finite number, or null")

    try:
        return json.loads(text, object_pairs_hook=once, parse_constant=refused)
    except (ValueError, RecursionError) as error:
        raise RecipeError(f"{name}: not JSON ({error})") from error


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
