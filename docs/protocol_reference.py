"""The page of every field of ``protocol.toml``, made from the types and their docstrings.

``python docs/protocol_reference.py`` writes it again.
"""

import inspect
import typing
from pathlib import Path
from typing import Any

import msgspec

from rapidvision.grammar.schema import attributes_of
from rapidvision.protocol import Protocol
from rapidvision.task.adaptive import Adaptive, Grid, Quest, Staircase
from rapidvision.task.design import Design, Factor, Pair
from rapidvision.task.phases import Phase
from rapidvision.task.questions import Question
from rapidvision.task.response import Option, Response
from rapidvision.task.session import Breaks, Display, Feedback, Practice

#: Heading in the file -> the struct behind it.
TABLES: dict[str, type[msgspec.Struct]] = {
    "the file itself": Protocol,
    "[[phases]]": Phase,
    "[response]": Response,
    "[[response.options]]": Option,
    "[[questions]]": Question,
    "[design]": Design,
    "[[design.factors]]": Factor,
    "[design.pair]": Pair,
    "[practice]": Practice,
    "[breaks]": Breaks,
    "[feedback]": Feedback,
    "[adaptive]": Adaptive,
    "[adaptive.quest]": Quest,
    "threshold, slope and lapse of [adaptive.quest]": Grid,
    "[adaptive.staircase]": Staircase,
    "[display]": Display,
}
HEAD = """\
---
myst:
  html_meta:
    description: "Every field of protocol.toml: phases of a trial, responses, questions, design, practice, adaptive factors."
    keywords: "protocol, trial phases, backward mask, factorial design, Latin square, QUEST+, rapid categorization"
---

# protocol.toml

Every field, its type, its default and its meaning. [Your own task](../howto/own-task.md) explains how they work together.
`rapidvision session protocol --schema protocol.schema.json` writes them as a JSON Schema for editors.
"""


def page() -> str:
    """Return the page as Markdown."""
    parts = [HEAD]
    for heading, struct in TABLES.items():
        about = inspect.cleandoc(struct.__doc__ or "").split("\n\n")[0].replace("\n", " ")
        rows = ["| field | type | default | meaning |", "|---|---|---|---|"]
        described = attributes_of(struct)
        hints = typing.get_type_hints(struct)
        for field in msgspec.structs.fields(struct):
            cells = (f"`{field.name}`", _type(hints[field.name]), _default(field), described[field.name])
            rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
        title = heading if heading == "the file itself" or " of " in heading else f"`{heading}`"
        parts.append(f"## {title}\n\n{about}\n\n" + "\n".join(rows) + "\n")
    return "\n".join(parts).replace("``", "`")


def _type(hint: Any) -> str:
    """A type in the words of the file."""
    if typing.get_origin(hint) is typing.Literal:
        return " or ".join(f'`"{word}"`' if isinstance(word, str) else f"`{word}`" for word in typing.get_args(hint))
    names = {int: "whole number", float: "number", str: "text", bool: "true or false", type(None): "left out"}
    if hint in names:
        return names[hint]
    arguments = typing.get_args(hint)
    if typing.get_origin(hint) is tuple:
        return (
            f"list of {_type(arguments[0])}" if ... in arguments else f"list of {len(arguments)} {_type(arguments[0])}s"
        )
    if typing.get_origin(hint) is dict:
        return f"table of {_type(arguments[1])}"
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return "table"
    return " or ".join(dict.fromkeys(_type(each) for each in arguments))


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "needed"
    value = field.default_factory() if field.default is msgspec.NODEFAULT else field.default
    if value is None:
        return "left out"
    if isinstance(value, msgspec.Struct):
        return "its defaults"
    return f"`{msgspec.json.encode(value).decode()}`"


if __name__ == "__main__":
    (Path(__file__).parent / "reference" / "protocol.md").write_text(page(), encoding="utf-8")
