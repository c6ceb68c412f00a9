"""JSON Schema of ``protocol.toml``, made from the types, with the descriptions of their docstrings, for editors."""

import inspect
import re
from typing import Any

import msgspec

from rapidvision.protocol import Protocol

_FIELD = re.compile(r"^(?P<names>\w+(, \w+)*) : .+$")


def protocol_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a protocol file; every field has its description.

    Examples
    --------
    >>> schema = protocol_schema()
    >>> schema["$ref"], schema["$defs"]["Practice"]["properties"]["max_rounds"]["description"]
    ('#/$defs/Protocol', 'Most rounds.')
    """
    schema = msgspec.json.schema(Protocol)
    structs = {struct.__name__: struct for struct in _structs(Protocol)}
    for name, definition in schema["$defs"].items():
        described = attributes_of(structs[name])
        definition["description"] = inspect.cleandoc(structs[name].__doc__ or "").split("\n\n")[0].replace("\n", " ")
        for field, about in definition["properties"].items():
            about["description"] = described[field]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "RapidVision protocol", **schema}


def attributes_of(struct: type) -> dict[str, str]:
    """Return the descriptions in a struct's "Attributes" section: field -> text."""
    section = inspect.cleandoc(struct.__doc__ or "").split("Attributes\n----------\n")[-1]
    found: dict[str, str] = {}
    names: list[str] = []
    for line in section.splitlines():
        if field := _FIELD.match(line):
            names = field["names"].split(", ")
            found |= dict.fromkeys(names, "")
        elif line.startswith("    "):
            found |= {name: f"{found[name]} {line.strip()}".strip() for name in names}
        elif line.strip():
            break
    return found


def _structs(type_: Any) -> set[type]:
    """Every struct that a type is made of."""
    found: set[type] = set()
    waiting = [type_]
    while waiting:
        one = waiting.pop()
        if isinstance(one, type) and issubclass(one, msgspec.Struct):
            if one in found:
                continue
            found.add(one)
            waiting += [field.type for field in msgspec.structs.fields(one)]
        waiting += list(getattr(one, "__args__", ()))
    return found
