"""An action of the desk: a form, the commands that it runs, and the same in Python."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from rapidvision.errors import InputError
from rapidvision.formats.manifest import DESCRIPTION

from .project import Project

Values = Mapping[str, str]
Words = list[str]
Steps = Callable[[Project, Values], list[Words]]


@dataclass(frozen=True)
class Field:
    """One thing that a form asks for.

    Attributes
    ----------
    name, label : str
        Name of the value, and the words before it.
    kind : {"text", "number", "select", "check"}
        How it is asked.
    default : str
        Suggested value; empty: nothing.
    options : tuple of str
        Of a select.
    hint : str
        A sentence below.
    needed : bool
        Whether an empty value is refused.
    """

    name: str
    label: str
    kind: Literal["text", "number", "select", "check"] = "text"
    default: str = ""
    options: tuple[str, ...] = ()
    hint: str = ""
    needed: bool = False


@dataclass(frozen=True)
class Action:
    """One button.

    Attributes
    ----------
    name, stage, label : str
        Name in addresses, the stage under which it stands, and the words on the button.
    about : str
        A sentence above the form.
    steps : callable
        ``(project, values) -> list of command lines`` without the program's name.
    python : callable
        ``(project, values) -> lines of Python`` that do the same.
    fields : tuple of Field
        What the form asks.
    ready : callable
        ``(project) -> sentence``: what is missing before it can run; empty: nothing.
    long : bool
        Whether it runs until it is stopped.
    """

    name: str
    stage: str
    label: str
    about: str
    steps: Steps
    python: Callable[[Project, Values], Sequence[str]]
    fields: tuple[Field, ...] = ()
    ready: Callable[[Project], str] = lambda _: ""
    long: bool = False


def values_of(action: Action, given: Values) -> dict[str, str]:
    """Check a form's values and fill in its defaults.

    Raises
    ------
    InputError
        Names the field, the value and what is allowed.
    """
    found = {}
    for field in action.fields:
        value = given.get(field.name, "" if field.kind == "check" else field.default).strip()
        if field.needed and not value:
            raise InputError(f"{field.label}: nothing was given; {field.hint or 'a value is needed'}")
        if field.kind == "number" and value and not value.isdecimal():
            raise InputError(f'{field.label}: got "{value}"; a whole number is needed')
        if field.kind == "select" and value not in field.options:
            raise InputError(f'{field.label}: got "{value}", allowed are {", ".join(map(repr, field.options))}')
        if value.startswith("-"):
            raise InputError(f'{field.label}: got "{value}"; a value cannot begin with -')
        found[field.name] = value
    return found


def through_the_command_line(steps: Steps) -> Callable[[Project, Values], Sequence[str]]:
    """Return the Python of commands for which the package has no function of its own."""

    def python(project: Project, values: Values) -> Sequence[str]:
        return ["from rapidvision import cli", *(f"cli.main({json.dumps(step)})" for step in steps(project, values))]

    return python


def text(value: object) -> str:
    """Return a value as a text of Python."""
    return json.dumps(str(value), ensure_ascii=False)


def option(name: str, value: str) -> Words:
    """Return an option with its values, which blanks separate; nothing where there is no value."""
    return [name, *value.split()] if value else []


def need(*parts: str, what: str) -> Callable[[Project], str]:
    """Return a check that a file of the project exists."""
    return lambda project: "" if project.has(*parts) else f"{what} first"


NEED_SET = need("set", DESCRIPTION, what="build the stimuli")
NEED_STUDY = need("study", "study.json", what="plan the study")
SEED = Field("seed", "Seed", "number", "1", needed=True, hint="the same seed gives the same numbers")
