"""Questions: one page each, answered by a key per option or by typing; the same for trials, blocks and the session's ends."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from rapidvision.task.questions import Question

from ..interfaces import ENTER, AnswerData, Frame, Press, Screen

#: Keys whose name is not the letter that they type.
_LETTERS = {
    "space": " ",
    "period": ".",
    "comma": ",",
    "minus": "-",
    "apostrophe": "'",
    "num_decimal": ".",
    "num_subtract": "-",
}
_ENTER = (ENTER, "num_enter", "enter")


class Typed(NamedTuple):
    """What one input makes of a question.

    Attributes
    ----------
    text : str
        What has been typed so far.
    done : bool
        Whether the question is answered.
    value : str, float or None
        The answer; None where it was left empty.
    """

    text: str
    done: bool = False
    value: str | float | None = None


def take(question: Question, text: str, key: str) -> Typed:
    """Return what an input does to a question.

    Parameters
    ----------
    question : Question
        What is asked.
    text : str
        What has been typed so far; empty for ratings and choices.
    key : str
        Name of the input that went down: a key, or ``area:OPTION`` of a click.

    Returns
    -------
    Typed
        A rating or choice is answered by the key of an option, a number or text by the return key once it is allowed;
        the backspace key takes the last letter away. An empty answer is refused where one is required.

    Examples
    --------
    >>> age = Question(name="age", kind="number", range=(18, 99))
    >>> take(age, "3", "4"), take(age, "34", "return"), take(age, "3", "return")
    (Typed(text='34', done=False, value=None), Typed(text='34', done=True, value=34.0), Typed(text='3', done=False, value=None))
    """
    enter = key in _ENTER
    if question.options:
        word = key.removeprefix("area:")
        option = word if key != word and word in question.options else question.option_keys.get(_letter(key) or key)
        if option is not None:
            return Typed("", True, option)
        return Typed("", enter and not question.required)
    if not enter:
        letter = "" if key == "backspace" else _letter(key)
        return Typed(text[:-1] if key == "backspace" else (text + letter)[: question.max_length])
    words = " ".join(text.split())
    if not words:
        return Typed(text, not question.required)
    if question.kind == "text":
        return Typed(text, True, words)
    number = _number(words)
    low, high = question.range or (-math.inf, math.inf)
    return Typed(text, True, number) if number is not None and low <= number <= high else Typed(text)


def _letter(key: str) -> str:
    """The letter that a key types; empty for other keys."""
    if key in _LETTERS:
        return _LETTERS[key]
    key = key.removeprefix("num_")
    return key if len(key) == 1 else ""


def _number(words: str) -> float | None:
    try:
        number = float(words.replace(",", "."))
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def ask(
    question: Question,
    screen: Screen,
    hear: Callable[[], Sequence[Press]],
    *,
    trial: int | None = None,
    block: int | None = None,
) -> AnswerData:
    """Show a question until it is answered or its time is up, and return the answer.

    Parameters
    ----------
    question : Question
        What is asked.
    screen : Screen
        Where.
    hear : callable
        Returns the new presses, and interrupts on escape.
    trial, block : int, optional
        What it belongs to.

    Returns
    -------
    AnswerData
        Without the time for the record. Only inputs that went down at or after the question's first refresh count.
    """
    number = -1 if trial is None else trial
    text, frame = "", _frame(question, "", number)
    hear()  # what was pressed before belongs to something else
    start = now = screen.flip(frame)
    while True:
        for press in hear():
            if not press.down or press.time_s < start:
                continue
            if question.limit_ms and press.time_s > start + question.limit_ms / 1000:
                continue
            text, done, value = take(question, text, press.input)
            if done:
                ms = (press.time_s - start) * 1000
                return AnswerData(question=question.name, value=value, response_ms=ms, trial=trial, block=block)
        if question.limit_ms and now - start >= question.limit_ms / 1000:
            ms = (now - start) * 1000
            return AnswerData(question=question.name, value=None, response_ms=ms, trial=trial, block=block)
        now = screen.flip(_frame(question, text, number))


def _frame(question: Question, text: str, trial: int) -> Frame:
    return Frame("question", f"{question.name}\t{text}", trial=trial)
