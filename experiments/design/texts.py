"""The words on the screen, in several languages, for any task.

A language is a TOML file with one entry per text. Two kinds of place-holders stand in them: those that a plan fills
(:data:`PLANNED` and ``{key_NAME}``, the input of the option of that name) and those that only the running session knows
(:data:`TEXT_IDS`), which runners fill with :func:`fill`. Options that are called ``target`` and ``distractor`` have the
paper's words; every other task is named by its own options.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from rapidvision import recipes
from rapidvision.errors import InputError, did_you_mean
from rapidvision.protocol import Protocol
from rapidvision.task.response import Option, Scalar

from .assignment.conditions import word

_FOLDER = Path(__file__).parent / "languages"
_PLACE = re.compile(r"\{([\w-]+)\}")

#: Every text of a plan and the place-holders that runners fill in it.
TEXT_IDS: dict[str, tuple[str, ...]] = {
    "welcome": (),
    "inputs": (),
    "hold": (),
    "practice": (),
    "practice_again": (),
    "practice_failed": (),
    "main": (),
    "block": ("conditions",),
    "resume": (),
    "break": ("block",),
    "practice_accuracy": ("percent",),
    "block_accuracy": ("percent", "block"),
    "correct": (),
    "wrong": (),
    "too_slow": (),
    "reminder": (),
    "answer_option": (),
    "answer_number": ("low", "high"),
    "answer_text": (),
    "answer_optional": (),
    "paused": (),
    "end": (),
}
#: Place-holders that a plan fills.
PLANNED = ("n_blocks", "block_size", "options", "reminder", "hold_key", "rest_s")
#: Entries of a language that texts are put together from, and the place-holders of each.
_PARTS: dict[str, tuple[str, ...]] = {
    "welcome_animals": (),
    "inputs_animals": (),
    "inputs_pointer": (),
    "inputs_hold": (),
    "option_line": ("input", "option"),
    "option_withheld": ("option",),
    "option_release": ("input", "option"),
    "option_hold": ("option",),
    "option_target": (),
    "option_distractor": (),
    "input_space": (),
    "input_return": (),
    "input_tab": (),
    "input_button": ("n",),
    "any_key": (),
    "all_keys": (),
    "break_progress": ("block",),
    "break_rest": (),
    "break_locked": (),
}
_ARROWS = {"left": "←", "right": "→", "up": "↑", "down": "↓"}
_REMINDERS_IN_LINE = 4


def languages() -> list[str]:
    """Return the languages that come with the suite."""
    return sorted(path.stem for path in _FOLDER.glob("*.toml"))


def block_text_id(conditions: Mapping[str, Scalar]) -> str:
    """Return the name of the text before blocks of these conditions, which a file of texts may have beside ``block``.

    Examples
    --------
    >>> block_text_id({"deadline": 400})
    'block deadline=400'
    """
    return "block " + ", ".join(f"{name}={word(value)}" for name, value in conditions.items())


def named_conditions(conditions: Mapping[str, Scalar]) -> str:
    """Return conditions for a reader.

    Examples
    --------
    >>> named_conditions({"deadline": 400, "cue": "animal"})
    'deadline: 400, cue: animal'
    """
    return ", ".join(f"{name}: {word(value)}" for name, value in conditions.items())


def read_texts(language: str, *, override: Path | str | None = None) -> dict[str, str]:
    """Read a language's texts, some or all of them replaced by those of another file.

    Parameters
    ----------
    language : str
        One of :func:`languages`; another one where `override` has every text.
    override : path-like, optional
        A TOML file with entries of a language file, for another task or another language, and with a text for each
        condition that varies between blocks, such as ``"block deadline=400"``.

    Returns
    -------
    dict
        text_id → text with its place-holders.

    Raises
    ------
    InputError
        When the language does not come with the suite, or an entry is missing, unknown or has an unknown place-holder.

    Examples
    --------
    >>> read_texts("de")["too_slow"]
    'Zu langsam!'
    """
    known = language in languages()
    if override is None and not known:
        raise InputError(
            f'language: "{language}" does not come with the suite. {did_you_mean(language, languages())}'
            " For another one, write its texts into a file and plan with --texts FILE"
        )
    texts = _read(_FOLDER / f"{language}.toml") if known else {}
    if override is not None:
        own = _read(Path(override))
        texts |= own
        # A task's own words stand for the paper's too.
        texts |= {f"{name}_animals": own[name] for name in ("welcome", "inputs") if name in own}
    missing = [name for name in (*TEXT_IDS, *_PARTS) if name not in texts]
    if missing:
        raise InputError(f"{override}: lacks the text{'s' * (len(missing) > 1)} {', '.join(missing)}")
    return texts


def _read(path: Path) -> dict[str, str]:
    texts = recipes.read(path, dict[str, str])
    for name, text in texts.items():
        kind = "block" if name.startswith("block ") else name
        if kind not in TEXT_IDS and kind not in _PARTS:
            raise InputError(f'{path}: unknown text "{name}". {did_you_mean(name, (*TEXT_IDS, *_PARTS))}')
        allowed = (*PLANNED, *TEXT_IDS.get(kind, ()), *_PARTS.get(kind, ()))
        for place in _PLACE.findall(text):
            if place not in allowed and not place.startswith("key_"):
                raise InputError(f'{path}: {name}: unknown place-holder "{{{place}}}". {did_you_mean(place, allowed)}')
    return {name: text.strip("\n") for name, text in texts.items()}


def fill(text: str, **values: Scalar) -> str:
    """Put values into a text's place-holders and leave the others as they are.

    Examples
    --------
    >>> fill("Block {block}: {percent} %", block=2)
    'Block 2: {percent} %'
    """
    return _filled(text, values)


def _filled(text: str, values: Mapping[str, Scalar]) -> str:
    return _PLACE.sub(lambda place: str(values.get(place[1], place[0])), text)


def planned(
    texts: Mapping[str, str], protocol: Protocol, *, inputs: Mapping[str, str], block_size: int
) -> dict[str, str]:
    """Return the texts of a plan: those of its task, filled with what the plan knows.

    Parameters
    ----------
    texts : mapping
        Of :func:`read_texts`.
    protocol : Protocol
        The task.
    inputs : mapping
        Input -> option in this session.
    block_size : int
        Trials in a block.

    Returns
    -------
    dict
        A text for each of :data:`TEXT_IDS`, and for the conditions of blocks that have one.

    Raises
    ------
    InputError
        When a text names the key of an option that does not exist.
    """
    options = protocol.response.options if protocol.response else ()
    animals = _is_papers(protocol)
    first = {option: input_ for input_, option in reversed(list(inputs.items()))}
    keys = {option: _input_word(texts, input_) for option, input_ in first.items() if not input_.startswith("area:")}
    held = protocol.response is not None and protocol.response.press == "up"
    names = {option.name: option.words(protocol.language) for option in options}
    names |= {option.name: texts[f"option_{option.name}"] for option in options if animals}
    lines = [_option_line(texts, option, keys, names[option.name], held=held) for option in options]
    if protocol.response is None or not keys:
        lines = []
    values: dict[str, Scalar] = {
        "n_blocks": protocol.design.blocks,
        "block_size": block_size,
        "options": "\n".join(lines),
        "reminder": _in_lines(lines),
        "hold_key": next(iter(keys.values()), ""),
        "rest_s": f"{protocol.breaks.rest_ms / 1000:g}",
        **{f"key_{option}": key for option, key in keys.items()},
    }
    chosen = {name: texts[name] for name in texts if name in TEXT_IDS or name.startswith("block ")}
    chosen["welcome"] = texts["welcome_animals"] if animals else texts["welcome"]
    chosen["inputs"] = texts[_inputs_text(protocol, keys, animals=animals)]
    chosen["resume"] += "\n\n" + texts["all_keys" if keys else "any_key"]
    chosen["break"] = _break_text(texts, protocol)
    said = {name: re.sub(r"\n{3,}", "\n\n", _filled(text, values)).strip("\n") for name, text in chosen.items()}
    for name, text in said.items():
        for place in _PLACE.findall(text):
            if place.startswith("key_"):
                known = [f"key_{option}" for option in keys]
                hint = did_you_mean(place, known) if known else "No option has a key."
                raise InputError(f'texts: {name}: unknown place-holder "{{{place}}}". {hint}')
    return said


def _is_papers(protocol: Protocol) -> bool:
    """Whether the options are the paper's, under names of their own."""
    response = protocol.response
    return (
        response is not None
        and response.correct == "target"
        and {option.name for option in response.options} == {"target", "distractor"}
        and all(option.keys and not option.label for option in response.options)
    )


def _inputs_text(protocol: Protocol, keys: Mapping[str, str], *, animals: bool) -> str:
    if animals:
        return "inputs_animals"
    if protocol.response is not None and protocol.response.press == "up":
        return "inputs_hold"
    return "inputs" if keys else "inputs_pointer"


def _option_line(texts: Mapping[str, str], option: Option, keys: Mapping[str, str], name: str, *, held: bool) -> str:
    if option.name in keys:
        kind = "option_release" if held else "option_line"
        return _filled(texts[kind], {"input": keys[option.name], "option": name})
    if option.inputs:
        return name
    return _filled(texts["option_hold" if held else "option_withheld"], {"option": name})


def _in_lines(lines: Iterable[str]) -> str:
    """Short lines side by side, a few in a row."""
    lines = list(lines)
    rows = [lines[i : i + _REMINDERS_IN_LINE] for i in range(0, len(lines), _REMINDERS_IN_LINE)]
    return "\n".join((" " * 8).join(row) for row in rows)


def _input_word(texts: Mapping[str, str], input_: str) -> str:
    """How an input is called: what is printed on the key, or words."""
    if input_.startswith("button:"):
        return _filled(texts["input_button"], {"n": input_.removeprefix("button:")})
    return _ARROWS.get(input_) or texts.get(f"input_{input_}") or input_.upper()


def _break_text(texts: Mapping[str, str], protocol: Protocol) -> str:
    breaks = protocol.breaks
    parts = [
        *(["break_progress"] if protocol.display.progress == "blocks" else []),
        "break",
        *(["break_rest"] if breaks.rest_ms else []),
        "break_locked" if breaks.unlock == "experimenter" else "any_key",
    ]
    return "\n\n".join(texts[name] for name in parts)
