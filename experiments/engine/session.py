"""A session from the first text to the last, on any screen: a plan's steps, carried out one by one.

Nothing here knows PsychoPy, a clock or a file: the plan decided everything, and three ports (screen, keys, journal) do
the rest. A trial itself is in ``trial.py``. "Participants were given feedback on their categorization accuracy at the
end of each of the five experimental blocks."
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

from rapidvision.errors import Aborted
from rapidvision.plan import Break, Feedback, Plan, Run, Show, Step
from rapidvision.protocol import PAGE_MS
from rapidvision.screen import refreshes
from rapidvision.trials import Outcome, Trial, judge

from .. import interfaces
from ..design.texts import fill
from ..interfaces import BLANK, Event, Journal, Keys, Picture, Press, Screen, TrialData
from ..recording.quality import quality_of
from .trial import RunningTrial

ESCAPE = "escape"


class Interrupted(Exception):
    """The escape key went down."""


def outcome_of(plan: Plan, trial: Trial, data: TrialData) -> Outcome:
    """Judge what happened in a trial by the plan's limits."""
    return judge(
        target=trial.target,
        pressed_target=None if data.response_key is None else data.response_key == plan.key_target,
        response_ms=data.response_ms,
        limit_ms=plan.protocol.timing.response_limit_ms,
        anticipation_ms=plan.protocol.anticipation_ms,
    )


def accuracy_percent(outcomes: Iterable[Outcome]) -> int:
    """Return the share of trials answered correctly and in time; late and missing answers count as wrong.

    Examples
    --------
    >>> late, right = Outcome("target", True, "late"), Outcome("target", True, "ok")
    >>> accuracy_percent([late, right, right, right])
    75
    """
    right = [outcome.correct is True and outcome.status in ("ok", "early") for outcome in outcomes]
    return round(100 * sum(right) / len(right)) if right else 0


def remaining(plan: Plan, done: Iterable[int], seen: Iterable[int] = ()) -> list[Step]:
    """Return the steps that are left when some trials are done.

    Parameters
    ----------
    plan : Plan
        The session.
    done : iterable of int
        Numbers of the completed trials.
    seen : iterable of int
        Trials that were interrupted after their picture had come up: they go to the end of their block.

    Returns
    -------
    list of Step
        Every undone trial once. Texts before the last completed trial are left out; where anything was done, the
        session opens with the text ``resume`` and both keys.
    """
    done, seen = set(done), set(seen)
    steps: list[Step] = []
    later: list[Step] = []
    for step in plan.steps:
        if isinstance(step, Run):
            number = step.trial.trial
            if number in done:
                steps = [kept for kept in steps if isinstance(kept, Run)]
            elif number in seen:
                later.append(step)
            else:
                steps.append(step)
        else:
            steps += later
            later = []
            steps.append(step)
    steps += later
    return [Show(text_id="resume", wait="both_keys"), *steps] if done else steps


def postpone(steps: Sequence[Step]) -> list[Step]:
    """Return the steps with the first one, a trial, moved behind the other trials of its block."""
    first, *rest = steps
    block = first.trial.block if isinstance(first, Run) else None
    places = [i for i, step in enumerate(rest) if isinstance(step, Run) and step.trial.block == block]
    after = places[-1] + 1 if places else 0
    return [*rest[:after], first, *rest[after:]]


class Session:
    """A running session.

    Parameters
    ----------
    plan : Plan
        What to do.
    screen, keys, journal : Screen, Keys, Journal
        The three ports.
    past : sequence of TrialData or Event
        What the journal already holds, when a session is resumed.
    utc : callable
        Returns the time for the record.
    between : callable
        Called while nothing is being timed: during breaks and before texts.
    opening : str
        Words for the experimenter before anything else, such as whose session is resumed; none by default.

    Attributes
    ----------
    done : dict
        Trial number → TrialData.
    attempts : dict
        Trial number → how often its picture was seen without the trial being completed.
    held : set of str
        Keys that are down.
    """

    def __init__(
        self,
        plan: Plan,
        screen: Screen,
        keys: Keys,
        journal: Journal,
        *,
        past: Sequence[TrialData | Event] = (),
        utc: Callable[[], str] = lambda: "",
        between: Callable[[], object] = lambda: None,
        opening: str = "",
    ) -> None:
        self.plan, self.screen, self.keys, self.journal = plan, screen, keys, journal
        self.utc, self.between, self.opening = utc, between, opening
        self._entries = list(past)
        self.done = {entry.trial: entry for entry in past if isinstance(entry, TrialData)}
        self.attempts: dict[int, int] = {}
        for entry in past:
            if isinstance(entry, Event) and entry.trial is not None and entry.seen:
                self.attempts[entry.trial] = self.attempts.get(entry.trial, 0) + 1
        self._trials = {trial.trial: trial for trial in plan.trials()}
        self.response_keys = (plan.key_target, plan.key_distractor)
        self.held: set[str] = set()

    def run(self) -> None:
        """Run what is left of the session, and tell the experimenter when much of it is void or flagged.

        Raises
        ------
        Aborted
            When escape is pressed, and again on the text ``paused``; what was done is stored. After the last trial
            both finish the session.
        """
        if self.opening:
            self._open()
        steps = remaining(self.plan, self.done, self.attempts)
        while steps:
            try:
                self._step(steps[0])
                steps.pop(0)
            except Interrupted:
                if len(steps) == 1 and isinstance(steps[0], Show):
                    break  # the page of thanks
                if self._pause(last=not any(isinstance(step, Run) for step in steps)):
                    break
                first = steps[0]
                if isinstance(first, Run):
                    if first.trial.trial in self.done:
                        steps.pop(0)
                    elif first.trial.trial in self.attempts:
                        steps = postpone(steps)
        self._log("finished", code=interfaces.END_CODE)
        quality = quality_of(self.plan, self._entries)
        if quality.warns:
            with suppress(Interrupted):
                self._show(f"For the experimenter\n\n{quality.sentence()}\n\nPress any key.")

    def _open(self) -> None:
        try:
            self._show(self.opening)
        except Interrupted:
            self._log("aborted", code=interfaces.END_CODE)
            raise Aborted("stopped before it was resumed; no trial was run") from None

    def _step(self, step: Step) -> None:
        if isinstance(step, Run):
            self._run(step.trial)
            return
        self.between()
        if isinstance(step, Show):
            self._show(self.plan.texts[step.text_id], wait=step.wait, ms=step.ms)
        elif isinstance(step, Feedback):
            outcomes = [
                outcome_of(self.plan, self._trials[number], data)
                for number, data in self.done.items()
                if self._trials[number].block == step.block
            ]
            name = "practice_accuracy" if step.block < 0 else "block_accuracy"
            self._show(fill(self.plan.texts[name], percent=accuracy_percent(outcomes), block=step.block + 1))
        elif isinstance(step, Break):
            self._show(self.plan.texts[step.text_id])
        # Save asks for nothing more: whatever `journal.append` returned from is stored.

    def _run(self, trial: Trial) -> None:
        notes = self.screen.notes()
        if notes:  # trouble between trials belongs to no trial
            self._store(Event(what="noted", detail="; ".join(notes), utc=self.utc()))
        running = RunningTrial(self, trial, attempt=1 + self.attempts.get(trial.trial, 0))
        try:
            data = running.run()
        except Interrupted:
            seen = running.onset_s is not None
            if seen:
                self.attempts[trial.trial] = self.attempts.get(trial.trial, 0) + 1
            self._log("interrupted", trial=trial.trial, seen=seen, onset_s=running.onset_s)
            raise
        self._store(data)
        self.done[trial.trial] = data
        if trial.phase == "practice":
            outcome = outcome_of(self.plan, trial, data)
            if outcome.status in ("ok", "early"):
                words = self.plan.texts["correct" if outcome.correct else "wrong"]
                self._show(words, wait="ms", ms=self.plan.protocol.practice.feedback_ms)

    def _pause(self, *, last: bool) -> bool:
        """Show the text ``paused``; return whether that ended the session because its last trial is done."""
        self._log("paused")
        try:
            self._show(self.plan.texts["paused"])
        except Interrupted:
            if last:
                return True
            self._log("aborted", code=interfaces.END_CODE)
            raise Aborted("stopped at the participant's place; go on with `rapidvision session resume`") from None
        self._log("resumed")
        return False

    def _store(self, entry: TrialData | Event) -> None:
        self.journal.append(entry)
        self._entries.append(entry)

    def _log(
        self,
        what: str,
        *,
        trial: int | None = None,
        seen: bool = False,
        onset_s: float | None = None,
        code: int | None = None,
    ) -> None:
        if code is not None:
            self.screen.mark(code)
            self.screen.flip(BLANK)
        detail = "; ".join(self.screen.notes())
        self._store(Event(what=what, trial=trial, seen=seen, onset_s=onset_s, detail=detail, utc=self.utc()))

    def note(self, new: Sequence[Press]) -> None:
        """Keep track of what is held down; an escape that goes down interrupts."""
        for press in new:
            if press.down:
                self.held.add(press.key)
            else:
                self.held.discard(press.key)
        if any(press.down and press.key == ESCAPE for press in new):
            raise Interrupted

    def _show(self, words: str, *, wait: str = "key", ms: int = 0) -> None:
        """Show words until a key, both response keys or a time; keys count once the page was up for ``PAGE_MS``.

        Where both response keys are asked for and another one arrives, its name is added to the page: a keyboard that
        is labelled otherwise than it is read shows there.
        """
        picture = Picture("text", words)
        self.note(self.keys.poll())
        shown = last = self.screen.flip(picture)
        wanted = set(self.response_keys)
        end = shown + (refreshes(ms, 1 / self.screen.period_s) - 1.5) * self.screen.period_s
        while wait != "ms" or last < end:
            new = self.keys.poll()
            self.note(new)
            for press in new:
                if press.down and press.time_s >= shown + PAGE_MS / 1000:
                    if wait == "key":
                        return
                    wanted.discard(press.key)
                    if wait == "both_keys" and press.key not in self.response_keys:
                        needed = " ".join(key.upper() for key in self.response_keys)
                        picture = Picture("text", f"{words}\n\n{press.key.upper()} ?   ({needed})")
            if wait == "both_keys" and not wanted:
                return
            last = self.screen.flip(picture)
