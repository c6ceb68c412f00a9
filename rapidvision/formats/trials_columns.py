"""``<name>-columns.json``: the description of a trials table's columns, written beside the table."""

from pathlib import Path
from typing import Any

from rapidvision.errors import InputError
from rapidvision.protocol import Protocol
from rapidvision.system import files, json_text
from rapidvision.trials import COLUMNS, NO_RESPONSE, columns_of


def description_of(protocol: Protocol) -> dict[str, dict[str, Any]]:
    """Describe every column of a protocol's table: type, unit, meaning and allowed values.

    Returns
    -------
    dict
        Column -> ``{"type", "unit", "meaning", "allowed"}``; it is written beside the table. The columns of responses
        allow the options of the protocol; nothing is listed where responses are free words.
    """
    options = options_of(protocol)
    responses = {"correct_response": options, "response": (*options, NO_RESPONSE) if options else ()}
    return {
        column.name: {
            "type": column.dtype,
            "unit": column.unit,
            "meaning": column.meaning,
            "allowed": list(responses.get(column.name, column.allowed)),
        }
        for column in (*COLUMNS, *columns_of(protocol))
    }


def options_of(protocol: Protocol) -> tuple[str, ...]:
    """Return the names of a protocol's options: of the response, or of the question that is scored instead."""
    if protocol.response is not None:
        return tuple(option.name for option in protocol.response.options)
    return protocol.scored.options if protocol.scored is not None else ()


def description_path(table: Path | str) -> Path:
    """Where the description of a table's columns lies: beside it, as ``<name>-columns.json``."""
    return Path(table).with_name(f"{Path(table).stem}-columns.json")


def read_options(table: Path | str) -> tuple[str, ...] | None:
    """Return the options of a table's task by the description beside it.

    Returns
    -------
    tuple of str or None
        Empty where responses are free words; None where there is no description.

    Raises
    ------
    InputError
        When the description is damaged.
    """
    path = description_path(table)
    if not path.is_file():
        return None
    found = json_text.read(path)
    try:
        return tuple(str(name) for name in found["response"]["allowed"] if name != NO_RESPONSE)
    except (KeyError, TypeError):
        raise InputError(
            f"{path}: not the description of a trials table; remove it, or write the table again"
        ) from None


def write_description(table: Path | str, protocol: Protocol) -> Path:
    """Write the description of a table's columns beside it, as ``<name>-columns.json``, and return its path."""
    path = description_path(table)
    files.write_json(path, description_of(protocol))
    return path
