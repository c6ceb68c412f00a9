"""What follows from a plan and a journal: outcomes, accuracy, adaptive choices, and the steps that are left.

A live session, a resumed one, a replay of a journal and the server of online sessions share this module. It needs
neither a screen nor inputs.
"""

from collections.abc import Iterable, Sequence

from rapidvision import observers
from rapidvision.errors import InputError
from rapidvision.plan import Ask, Gate, Page, Plan, Run, Step
from rapidvision.task.tracks import Track, track_of
from rapidvision.task.trial import Choice, Trial
from rapidvision.trials import Outcome

from ..interfaces import AnswerData, Entry, Event, TrialData

#: The event of a session whose practice missed its criterion in the last round.
CRITERION_MISSED = "criterion_missed"


def outcome_of(plan: Plan, trial: Trial, data: TrialData) -> Outcome:
    """Judge what happened in a trial by the plan's options and limits."""
    response = None if data.input is None else plan.inputs[data.input]
    return observers.outcome_of(plan, trial, response=response, response_ms=data.response_ms)


def questions_after(plan: Plan, trial: Trial, data: TrialData) -> tuple[str, ...]:
    """Return the questions that follow a completed trial: all of it, or only those that ask about no response."""
    answered = plan.protocol.response is None or outcome_of(plan, trial, data).status != "none"
    return tuple(name for name in trial.ask if answered or plan.protocol.question(name).when == "always")


def is_right(plan: Plan, trial: Trial, data: TrialData) -> bool:
    """Whether a trial was answered correctly and in time."""
    return outcome_of(plan, trial, data).right


def postpone(steps: Sequence[Step]) -> list[Step]:
    """Return the steps with the first one, a trial, moved behind the other trials of its block."""
    first, *rest = steps
    block = first.trial.block if isinstance(first, Run) else None
    places = [i for i, step in enumerate(rest) if isinstance(step, Run) and step.trial.block == block]
    after = places[-1] + 1 if places else 0
    return [*rest[:after], first, *rest[after:]]


def failed_pages(plan: Plan) -> list[Page]:
    """Return what is left of a session that ended because practice missed its criterion: the page that says so."""
    return [Page(part="end", text_id="practice_failed", min_ms=plan.protocol.breaks.page_ms)]


class State:
    """A plan and its journal so far.

    Parameters
    ----------
    plan : Plan
        The session.
    past : iterable of Entry
        The journal; other entries than the engine's are passed over.

    Attributes
    ----------
    done : dict
        Trial number -> TrialData, in the order of the journal.
    attempts : dict
        Trial number -> how often its image was seen without the trial being completed.
    answers : dict
        (question, trial or None, block or None) -> AnswerData.
    differs : list of int
        Trials in which another value of the adaptive factor was shown than the rule chooses.
    stopped : bool
        Whether the session ended because practice missed its criterion.
    """

    def __init__(self, plan: Plan, past: Iterable[object] = ()) -> None:
        self.plan = plan
        self.trials = {trial.trial: trial for trial in plan.trials()}
        self.done: dict[int, TrialData] = {}
        self.attempts: dict[int, int] = {}
        self.answers: dict[tuple[str, int | None, int | None], AnswerData] = {}
        self.differs: list[int] = []
        self.stopped = False
        self.tracks: dict[str, Track] = {}
        for entry in past:
            if isinstance(entry, TrialData | AnswerData | Event):
                self.add(entry)

    def add(self, entry: Entry) -> None:
        """Take in one entry.

        Raises
        ------
        InputError
            When a trial is none of the plan's, or shows a value that it does not offer.
        """
        if isinstance(entry, AnswerData):
            self.answers[entry.question, entry.trial, entry.block] = entry
        elif isinstance(entry, TrialData):
            if entry.trial not in self.trials:
                raise InputError(f"journal: got trial {entry.trial}, the plan has {len(self.trials)}; is it another's?")
            self.done[entry.trial] = entry
            self._learn(self.trials[entry.trial], entry)
        elif entry.what == CRITERION_MISSED:
            gate = next(step for step in reversed(self.plan.steps) if isinstance(step, Gate))
            self.stopped = gate.otherwise == "stop"
        elif entry.seen and entry.trial is not None:
            self.attempts[entry.trial] = self.attempts.get(entry.trial, 0) + 1

    # Adaptive factors.

    def _learn(self, trial: Trial, data: TrialData) -> None:
        if not trial.choices:
            return
        values = [choice.value for choice in trial.choices]
        if data.chosen not in values:
            raise InputError(f"journal: trial {trial.trial}: got the value {data.chosen}, the plan offers {values}")
        index, track = values.index(data.chosen), self._track(trial)
        if index != track.choose():
            self.differs.append(trial.trial)
        self.tracks[trial.track] = track.after(index, is_right(self.plan, trial.chosen(trial.choices[index]), data))

    def _track(self, trial: Trial) -> Track:
        if trial.track not in self.tracks:
            rule, response = self.plan.protocol.adaptive, self.plan.protocol.response
            if rule is None:
                raise InputError(f"plan: trial {trial.trial} offers values, but its protocol has no [adaptive]")
            self.tracks[trial.track] = track_of(trial, rule, len(response.options) if response else 2)
        return self.tracks[trial.track]

    def choose(self, trial: Trial) -> Choice | None:
        """Return the value of the adaptive factor for a trial, given every answer so far; None where nothing adapts."""
        return trial.choices[self._track(trial).choose()] if trial.choices else None

    def choices_after(self, trial: Trial, following: Trial) -> tuple[Choice, ...]:
        """Return what may be chosen in the following trial: after a wrong answer in `trial`, and after a right one."""
        if not following.choices or following.track != trial.track:
            choice = self.choose(following)
            return () if choice is None else (choice,)
        track = self._track(trial)
        index = track.choose()
        return tuple(following.choices[track.after(index, right).choose()] for right in (False, True))

    # Outcomes.

    def shown(self, number: int) -> Trial:
        """The trial with the value that was shown put in, or would be."""
        trial, data = self.trials[number], self.done.get(number)
        if data is None:
            return trial.chosen(self.choose(trial))
        return trial.chosen(next((choice for choice in trial.choices if choice.value == data.chosen), None))

    def accuracy(self, block: int) -> float:
        """Share of a block's completed trials that were answered correctly and in time, 0 to 1; 0 without trials."""
        trials = [(self.trials[number], data) for number, data in self.done.items()]
        right = [is_right(self.plan, trial, data) for trial, data in trials if trial.block == block]
        return sum(right) / len(right) if right else 0.0

    # Steps.

    def passed(self, gate: Gate) -> bool:
        """Whether practice reached the criterion of a gate."""
        return self.accuracy(gate.block) >= gate.at_least

    def remaining(self) -> list[Step]:
        """Return the steps that are left.

        Returns
        -------
        list of Step
            Every trial that is not done once, each interrupted after its image had been seen at the end of its block.
            Parts behind a gate that was passed fall away, pages before the last completed trial too, and questions
            that have an answer. Where a trial was done, the session opens with the page ``resume``. After practice
            that ended the session there is one page, ``practice_failed``.
        """
        page_ms = self.plan.protocol.breaks.page_ms
        if self.stopped:
            return [*failed_pages(self.plan)]
        steps: list[Step] = []
        later: list[Run] = []
        skip: set[str] = set()
        for step in self.plan.steps:
            if step.part in skip:
                continue
            if later and not (isinstance(step, Run) and step.trial.block == later[0].trial.block):
                steps, later = [*steps, *later], []
            if isinstance(step, Run):
                if step.trial.trial in self.done:
                    steps = [kept for kept in steps if isinstance(kept, Run | Ask)]
                elif step.trial.trial in self.attempts:
                    later.append(step)
                else:
                    steps.append(step)
            elif isinstance(step, Gate) and not any(isinstance(kept, Run) for kept in steps) and self.passed(step):
                skip |= set(step.skip)
            elif not (isinstance(step, Ask) and (step.question, None, step.block) in self.answers):
                steps.append(step)
        steps += later
        tries = any(isinstance(step, Page) and step.leave == "inputs" for step in self.plan.steps)
        resume = Page(part="start", text_id="resume", leave="inputs" if tries else "key", min_ms=page_ms)
        return [resume, *steps] if self.done else steps

    @property
    def finished(self) -> bool:
        """Whether no trial is left."""
        return not any(isinstance(step, Run) for step in self.remaining())
