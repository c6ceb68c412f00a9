"""An input port that looks at the screen: reads pages, responds to trials, answers questions, some time later each.

What it responds and answers is a :class:`Mind`'s affair: that of a simulated participant with thresholds
(``participants.py``) or of one whose answers are a plain function of the trial (``scripted.py``).
"""

import re
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from rapidvision.plan import Page, Plan
from rapidvision.task.questions import Question
from rapidvision.task.trial import Choice, Trial

from ..design.texts import fill
from ..interfaces import ENTER, ESCAPE, EXPERIMENTER, Frame, Press

#: How long a key stays down, how long a page is read beyond its own time, and how long one letter takes.
HOLD_S, READ_S, LETTER_S = 0.08, 0.2, 0.1
_KEYS = {" ": "space", ".": "period", ",": "comma", "-": "minus", "'": "apostrophe"}
_PLACE = re.compile(r"\\\{\w+\\\}")


class Mind(Protocol):
    """What a participant answers."""

    def respond(self, trial: Trial) -> tuple[str, float] | None:
        """Return the option and its time from time zero in ms; None for no response."""
        ...

    def answer(self, question: Question, trial: Trial | None) -> tuple[str, float]:
        """Return the words of the answer (an option, or what is typed) and the time in ms until its first key."""
        ...

    def leaves(self, trial: Trial) -> bool:
        """Whether the participant gives up when the trial's image comes up."""
        ...


class _Reading(NamedTuple):
    pattern: re.Pattern[str]
    leave: str
    min_ms: int


class Person:
    """A participant without hands: sees frames come up and gives inputs some time later.

    It is an :class:`~rapidvision.experiments.interfaces.Inputs` port.

    Parameters
    ----------
    plan : Plan
        The session it takes part in.
    mind : Mind
        What it answers.
    clock : callable
        Returns the time on the screen's clock; inputs are delivered when it has passed them.

    Attributes
    ----------
    choose : callable
        Returns the value of an adaptive factor that a trial shows, :meth:`State.choose` of the running session; without
        it the image that comes up tells.
    """

    def __init__(self, plan: Plan, mind: Mind, *, clock: Callable[[], float]) -> None:
        self.plan, self.mind, self._clock = plan, mind, clock
        self.choose: Callable[[Trial], Choice | None] = lambda _: None
        self._trials = {trial.trial: trial for trial in plan.trials()}
        self._due: deque[Press] = deque()
        self._trial: Trial | None = None
        self._asked: tuple[str, int] | None = None
        self._gone = False
        texts, page_ms = plan.texts, plan.protocol.breaks.page_ms
        self._passing = {texts[name] for name in ("too_slow", "correct", "wrong") if name in texts}
        resume = Page(part="start", text_id="resume", leave="inputs", min_ms=page_ms)
        pages = [resume, *(step for step in plan.steps if isinstance(step, Page))]
        self._pages = [_reading(plan, page) for page in pages]

    def see(self, frame: Frame, time_s: float) -> None:
        """Take in a frame that came up at `time_s` and prepare the inputs that follow from it."""
        if frame.kind == "question":
            self._see_question(frame, time_s)
            return
        self._asked = None
        if frame.kind == "text":
            self._see_page(frame.content, time_s)
        elif frame.phase:
            self._see_phase(frame, time_s)

    def _see_phase(self, frame: Frame, time_s: float) -> None:
        plan, response = self.plan, self.plan.protocol.response
        if self._trial is None or self._trial.trial != frame.trial or frame.phase == self._trial.phases[0].name:
            planned = self._trials[frame.trial]
            self._trial = planned.chosen(self.choose(planned))
        if frame.kind == "stimulus":
            self._trial = _as_shown(self._trials[frame.trial], self._trial, frame.content)
            if self.mind.leaves(self._trial):
                self._gone = True
                self._press(ESCAPE, time_s + READ_S)
                return
        if self._gone or response is None or frame.phase != response.opens:
            return
        found = self.mind.respond(self._trial)
        option, response_ms = found or ("", 0.0)
        key = plan.input_of(option)
        if found is None or key is None:
            return
        if response.press == "up":
            self._add(Press(key, time_s + response_ms / 1000, down=False))
        else:
            self._press(key, time_s + response_ms / 1000)

    def _see_page(self, words: str, time_s: float) -> None:
        plan = self.plan
        if words in self._passing:
            return
        self._stop_pressing()
        if self._gone and words == plan.texts["paused"]:
            self._press(ESCAPE, time_s + READ_S)
            return
        if words == plan.texts.get("hold"):
            self._add(Press(next(iter(plan.inputs)), time_s + READ_S))
            return
        default = _Reading(re.compile(""), "key", plan.protocol.breaks.page_ms)
        page = next((page for page in self._pages if page.pattern.match(words)), default)
        at = time_s + page.min_ms / 1000 + READ_S
        keys = [EXPERIMENTER] if page.leave == "experimenter" else list(plan.inputs) or [ENTER]
        for number, key in enumerate(keys if page.leave == "inputs" else keys[:1]):
            if plan.protocol.response is not None and plan.protocol.response.press == "up":
                up = Press(key, at + number * LETTER_S - HOLD_S, down=False)
                self._add(up, Press(key, at + number * LETTER_S))  # and held, for the trial that follows
            else:
                self._press(key, at + number * LETTER_S)

    def _see_question(self, frame: Frame, time_s: float) -> None:
        name = frame.content.partition("\t")[0]
        if self._asked == (name, frame.trial):
            return  # it sees its own letters come up
        self._stop_pressing()
        self._asked = (name, frame.trial)
        question = self.plan.protocol.question(name)
        trial = None
        if frame.trial >= 0:
            shown = self._trial is not None and self._trial.trial == frame.trial
            trial = self._trial if shown else self._trials[frame.trial]
        words, ms = self.mind.answer(question, trial)
        at = time_s + ms / 1000
        if question.options:
            self._press(next(key for key, option in question.option_keys.items() if option == words), at)
            return
        for number, letter in enumerate([*words, ENTER]):
            self._press(_KEYS.get(letter, letter.lower()), at + number * LETTER_S)

    def _stop_pressing(self) -> None:
        """Drop what was meant for something else; keys that are down still come up."""
        self._due = deque(press for press in self._due if not press.down)

    def _press(self, key: str, time_s: float) -> None:
        self._add(Press(key, time_s), Press(key, time_s + HOLD_S, down=False))

    def _add(self, *new: Press) -> None:
        self._due = deque(sorted([*self._due, *new], key=lambda press: press.time_s))

    def poll(self) -> Sequence[Press]:
        """Return the inputs whose time has come."""
        due = self._due
        if not due:
            return ()
        now, ready = self._clock(), []
        while due and due[0].time_s <= now:
            ready.append(due.popleft())
        return ready


def _reading(plan: Plan, page: Page) -> _Reading:
    """How a page is recognised, whatever accuracy it states, and how it is left."""
    words = re.escape(fill(plan.texts[page.text_id], **page.values))
    return _Reading(re.compile(_PLACE.sub(".*", words)), page.leave, page.min_ms)


def _as_shown(planned: Trial, trial: Trial, path: str) -> Trial:
    """The trial with the choice whose image came up."""
    if any(image.path == path for image in trial.images.values()):
        return trial
    found = (choice for choice in planned.choices if any(image.path == path for image in choice.images.values()))
    return planned.chosen(next(found))
