"""Questions: which input answers, what is refused, and when the time is up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapidvision.experiments.engine.questions import Typed, ask, take
from rapidvision.experiments.engine.virtual import VirtualScreen
from rapidvision.experiments.interfaces import Press
from rapidvision.task.questions import Question

RATING = Question(name="sure", kind="rating", options=("1", "2", "3"))
CHOICE = Question(name="hand", kind="choice", options=("left", "right"), keys=("q", "p"), required=False)
AGE = Question(name="age", kind="number", range=(18, 99))
LABEL = Question(name="label", kind="text", max_length=8)
REMARK = Question(name="remark", kind="text", required=False)


def typed(question, *keys):
    """What a row of keys makes of a question."""
    text = ""
    for key in keys:
        found = take(question, text, key)
        if found.done:
            return found.value
        text = found.text
    return Typed(text)


@pytest.mark.parametrize(
    ("question", "keys", "value"),
    [
        (RATING, ["2"], "2"),
        (RATING, ["num_3"], "3"),
        (RATING, ["x", "4", "return", "1"], "1"),
        (RATING, ["area:2"], "2"),
        (CHOICE, ["p"], "right"),
        (CHOICE, ["area:left"], "left"),
        (CHOICE, ["return"], None),
        (AGE, ["3", "4", "return"], 34.0),
        (AGE, ["num_2", "num_0", "comma", "5", "num_enter"], 20.5),
        (AGE, ["9", "9", "9", "return", "backspace", "return"], 99.0),
        (AGE, ["return", "a", "return", "backspace", "1", "8", "return"], 18.0),
        (LABEL, ["return", "space", "return", "s", "o", "f", "a", "return"], "sofa"),
        (LABEL, [*"a" * 20, "return"], "a" * 8),
        (LABEL, ["d", "space", "space", "f1", "shift", "minus", "1", "return"], "d -1"),
        (REMARK, ["return"], None),
    ],
)
def test_an_answer_is_what_its_keys_say(question, keys, value):
    assert typed(question, *keys) == value


@given(st.lists(st.sampled_from([*"0123456789", "period", "minus", "backspace", "return", "x"]), max_size=12))
def test_a_number_is_within_its_range_or_is_not_taken(keys):
    found = typed(AGE, *keys)
    assert isinstance(found, Typed) or 18 <= found <= 99


class Keys:
    """Presses at given times, heard when the screen's clock has passed them."""

    def __init__(self, screen, presses):
        self.screen, self.presses = screen, sorted(presses, key=lambda press: press.time_s)

    def __call__(self):
        ready = [press for press in self.presses if press.time_s <= self.screen.now_s]
        self.presses = self.presses[len(ready) :]
        return ready


def asked(question, presses, **who):
    screen = VirtualScreen(60)
    return ask(question, screen, Keys(screen, presses), **who), screen


def test_the_time_of_an_answer_is_that_of_its_key_from_the_first_refresh():
    answer, screen = asked(RATING, [Press("2", 0.5)], trial=7)
    assert (answer.question, answer.value, answer.trial, answer.block) == ("sure", "2", 7, None)
    assert answer.response_ms == pytest.approx(500 - 1000 / 60, abs=1e-6)
    assert [(frame.content, frame.trial) for frame, _ in screen.shown] == [("sure\t", 7)]


def test_what_was_pressed_before_and_what_comes_up_are_no_answer():
    answer, _ = asked(RATING, [Press("1", 0.001), Press("2", 0.1, down=False), Press("3", 0.2)], block=2)
    assert (answer.value, answer.block) == ("3", 2)


def test_letters_stand_on_the_screen_as_they_are_typed():
    answer, screen = asked(AGE, [Press("4", 0.1), Press("2", 0.2), Press("return", 0.3)])
    assert answer.value == 42.0
    assert [frame.content for frame, _ in screen.shown] == ["age\t", "age\t4", "age\t42"]


def test_a_question_with_a_limit_ends_without_an_answer():
    limited = Question(name="sure", kind="rating", options=("1", "2"), limit_ms=1000)
    answer, _ = asked(limited, [Press("x", 0.3)])
    assert (answer.value, answer.response_ms) == (None, pytest.approx(1000, abs=1000 / 60))
    answer, _ = asked(limited, [Press("1", 1.015)])
    assert answer.value == "1"  # in time: the limit counts from the first refresh
    answer, _ = asked(limited, [Press("1", 1.02)])
    assert answer.value is None
