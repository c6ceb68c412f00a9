"""The words on the screen, in several languages, for the animal task or any other.

A language is a TOML file with one entry per text. Two kinds of place-holders stand in them: those that a plan fills
(``{key_target} {key_distractor} {n_blocks} {block_size}``) and those that only the running session knows
(``{percent} {block}``), which runners fill with :func:`fill`.
"""

import re
from pathlib import Path

from rapidvision import recipes
from rapidvision.errors import InputError, did_you_mean
from rapidvision.protocol import Protocol

_FOLDER = Path(__file__).parent / "languages"
_PLACE = re.compile(r"\{(\w+)\}")

#: Every text and the place-holders that runners fill in it.
TEXT_IDS: dict[str, tuple[str, ...]] = {
    "welcome": (),
    "keys": (),
    "practice": (),
    "main": (),
    "resume": (),
    "break": (),
    "practice_accuracy": ("percent",),
    "block_accuracy": ("percent", "block"),
    "correct": (),
    "wrong": (),
    "too_slow": (),
    "reminder": (),
    "paused": (),
    "end": (),
}
_PLANNED = ("key_target", "key_distractor", "n_blocks", "block_size")


def languages() -> list[str]:
    """Return the languages that come with the suite."""
    return sorted(path.stem for path in _FOLDER.glob("*.toml"))


def read_texts(language: str, *, override: Path | str | None = None) -> dict[str, str]:
    """Read a language's texts, or another file with the same entries.

    Parameters
    ----------
    language : str
        One of :func:`languages`.
    override : path-like, optional
        A TOML file with every entry of :data:`TEXT_IDS`, for another task or another language.

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
    if override is None and language not in languages():
        raise InputError(
            f'language: "{language}" does not come with the suite. {did_you_mean(language, languages())}'
            " For another one, write its texts into a file and plan with --texts FILE"
        )
    path = Path(override) if override is not None else _FOLDER / f"{language}.toml"
    texts = recipes.read(path, dict[str, str])
    missing = [name for name in TEXT_IDS if name not in texts]
    if missing:
        raise InputError(f"{path}: lacks the text{'s' * (len(missing) > 1)} {', '.join(missing)}")
    for name, text in texts.items():
        if name not in TEXT_IDS:
            raise InputError(f'{path}: unknown text "{name}". {did_you_mean(name, TEXT_IDS)}')
        allowed = (*_PLANNED, *TEXT_IDS[name])
        for place in _PLACE.findall(text):
            if place not in allowed:
                raise InputError(f'{path}: {name}: unknown place-holder "{{{place}}}". {did_you_mean(place, allowed)}')
    return {name: text.strip("\n") for name, text in texts.items()}


def fill(text: str, **values: str | float) -> str:
    """Put values into a text's place-holders and leave the others as they are.

    Examples
    --------
    >>> fill("Block {block}: {percent} %", block=2)
    'Block 2: {percent} %'
    """
    return _PLACE.sub(lambda place: str(values.get(place[1], place[0])), text)


def planned(texts: dict[str, str], protocol: Protocol, *, key_target: str, key_distractor: str) -> dict[str, str]:
    """Fill what a plan knows: keys as they are printed on the keyboard, and the numbers of blocks and pictures."""
    values: dict[str, str | int] = {
        "key_target": key_target.upper(),
        "key_distractor": key_distractor.upper(),
        "n_blocks": protocol.n_blocks,
        "block_size": protocol.block_size,
    }
    return {name: fill(text, **values) for name, text in texts.items()}
