"""A session from the first page to the last, on any screen: a plan's steps, carried out one by one.

Nothing here knows PsychoPy, a clock or a file: the plan decided everything, and three ports (screen, inputs, journal) do
the rest. A trial itself is in ``trial.py``; what follows from the answers (practice criterion, adaptive choices, the
steps that are left) is in ``state.py``. "Participants were given feedback on their categorization accuracy at the end
of each of the five experimental blocks."
"""

from collections.abc import Callable, Sequence
from contextlib import suppress

from rapidvision.errors import Aborted
from rapidvision.plan import Ask, Gate, Page, Plan, Run, Step
from rapidvision.task.trial import Trial

from .. import interfaces
from ..design.texts import fill
from ..interfaces import BLANK, ESCAPE, EXPERIMENTER, Entry, Event, Frame, Inputs, Journal, Press, Screen, TrialData
from ..recording.quality import quality_of
from . import questions
from .state import CRITERION_MISSED, State, outcome_of, postpone, questions_after
from .trial import RunningTrial, last_before


class Interrupted(Exception):
    """The escape key went down."""


class Session:
    """A running session.

    Parameters
    ----------
    plan : Plan
        What to do.
    screen, inputs, journal : Screen, Inputs, Journal
        The three ports.
    past : sequence of Entry
        What the journal already holds, when a session is resumed.
    utc : callable
        Returns the time for the record.
    between : callable
        Called while nothing is being timed: before pages and questions.
    opening : str
        Words for the experimenter before anything else, such as whose session is resumed; none by default.

    Attributes
    ----------
    state : State
        What follows from the plan and the journal so far.
    held : set of str
        Inputs that are down.
    """

    def __init__(
        self,
        plan: Plan,
        screen: Screen,
        inputs: Inputs,
        journal: Journal,
        *,
        past: Sequence[Entry] = (),
        utc: Callable[[], str] = lambda: "",
        between: Callable[[], object] = lambda: None,
        opening: str = "",
    ) -> None:
        self.plan, self.screen, self.inputs, self.journal = plan, screen, inputs, journal
        self.utc, self.between, self.opening = utc, between, opening
        self._entries = list(past)
        self.state = State(plan, past)
        self.held: set[str] = set()
        self._n_looked_at = len(self._entries)

    def run(self) -> None:
        """Run what is left of the session, and tell the experimenter when much of it is void or flagged.

        Raises
        ------
        Aborted
            When escape is pressed, and again on the page ``paused``; what was done is stored. After the last trial
            both finish the session.
        """
        if self.opening:
            self._open()
        steps = self.state.remaining()
        while steps:
            try:
                going = not self.state.stopped
                skip = self._step(steps[0])
                steps = [step for step in steps[1:] if step.part not in skip]
                if going and self.state.stopped:
                    steps = self.state.remaining()
            except Interrupted:
                if len(steps) == 1 and isinstance(steps[0], Page):
                    break  # the page of thanks
                if self._pause(last=not any(isinstance(step, Run | Ask) for step in steps)):
                    break
                steps = self._after_pause(steps)
        self._log("finished", code=interfaces.END_CODE)
        quality = quality_of(self.plan, self._entries)
        if quality.warns:
            with suppress(Interrupted):
                self._page(f"For the experimenter\n\n{quality.sentence()}\n\nPress any key.")

    def _open(self) -> None:
        try:
            self._page(self.opening)
        except Interrupted:
            self._log("aborted", code=interfaces.END_CODE)
            raise Aborted("stopped before it was resumed; no trial was run") from None

    def _after_pause(self, steps: list[Step]) -> list[Step]:
        """An interrupted trial comes again at once where its image was not seen, else at the end of its block."""
        first = steps[0]
        if isinstance(first, Run):
            if first.trial.trial in self.state.done:
                return steps[1:]
            if first.trial.trial in self.state.attempts:
                return postpone(steps)
        return steps

    def _step(self, step: Step) -> tuple[str, ...]:
        """Carry out a step and return the parts that fall away by it."""
        if isinstance(step, Run):
            self._run(step.trial)
            return ()
        if isinstance(step, Gate):
            return self._gate(step)
        self.between()
        if isinstance(step, Ask):
            self._ask(step.question, block=step.block)
        else:
            if step.block is not None:
                self._tell_of_triggers()
            self._page(self._words(step), leave=step.leave, min_ms=step.min_ms)
        return ()

    def _tell_of_triggers(self) -> None:
        """Tell the experimenter at the end of a block that triggers failed in it, while the recording can be saved."""
        new, self._n_looked_at = self._entries[self._n_looked_at :], len(self._entries)
        why = [flag for data in new if isinstance(data, TrialData) for flag in data.flags if "trigger_failed" in flag]
        if why:
            self._page(
                f"For the experimenter\n\nTriggers failed in {len(why)} trials of this block, at last:\n{why[-1]}\n\n"
                "Check the port; it is opened again after each trial. Any key continues."
            )

    def _words(self, page: Page) -> str:
        values = dict(page.values)
        if page.block is not None:
            values |= {"percent": round(100 * self.state.accuracy(page.block)), "block": page.block + 1}
        return fill(self.plan.texts[page.text_id], **values)

    def _gate(self, gate: Gate) -> tuple[str, ...]:
        if self.state.passed(gate):
            return gate.skip
        if not gate.skip:  # it was the last round
            self._log(CRITERION_MISSED)
        return ()

    # Trials and questions.

    def _run(self, trial: Trial) -> None:
        notes = self.screen.notes()
        if notes:  # trouble between trials belongs to no trial
            self._store(Event(what="noted", detail="; ".join(notes), utc=self.utc()))
        choice = self.state.choose(trial)
        shown, value = trial.chosen(choice), None if choice is None else choice.value
        attempt = 1 + self.state.attempts.get(trial.trial, 0)
        running = RunningTrial(self, shown, attempt=attempt, chosen=value)
        try:
            data = running.run()
        except Interrupted:
            seen = running.onset_s is not None
            self._log("interrupted", trial=trial.trial, seen=seen, onset_s=running.onset_s)
            raise
        self._store(data)
        self._tell(shown, data)
        for name in questions_after(self.plan, shown, data):
            self._ask(name, trial=trial.trial)

    def _tell(self, trial: Trial, data: TrialData) -> None:
        """Show whether an answer in time was right, where the protocol wants it: in words, or the right option lit."""
        feedback, outcome = self.plan.protocol.feedback, outcome_of(self.plan, trial, data)
        wanted = feedback.practice if trial.phase == "practice" else feedback.main
        if outcome.correct is None or outcome.status not in ("ok", "early"):
            return
        if wanted == "all" or (wanted == "wrong" and not outcome.correct):
            frame = Frame("text", self.plan.texts["correct" if outcome.correct else "wrong"])
            if feedback.shows == "option":
                frame = Frame("options", trial.correct_response or "")
            self._hold(frame, feedback.show_ms)

    def _ask(self, name: str, *, trial: int | None = None, block: int | None = None) -> None:
        answer = questions.ask(self.plan.protocol.question(name), self.screen, self._hear, trial=trial, block=block)
        answer.utc = self.utc()
        self._store(answer)

    # Journal.

    def _pause(self, *, last: bool) -> bool:
        """Show the page ``paused``; return whether that ended the session because its last trial is done."""
        self._log("paused")
        try:
            self._page(self.plan.texts["paused"])
        except Interrupted:
            if last:
                return True
            self._log("aborted", code=interfaces.END_CODE)
            raise Aborted("stopped; resume it with `rapidvision session resume`") from None
        self._log("resumed")
        return False

    def _store(self, entry: Entry) -> None:
        self.journal.append(entry)
        self._entries.append(entry)
        self.state.add(entry)

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

    # Screen and inputs.

    def note(self, new: Sequence[Press]) -> None:
        """Keep track of what is held down; an escape that goes down interrupts."""
        for press in new:
            if press.down:
                self.held.add(press.input)
            else:
                self.held.discard(press.input)
        if any(press.down and press.input == ESCAPE for press in new):
            raise Interrupted

    def _hear(self) -> Sequence[Press]:
        new = self.inputs.poll()
        self.note(new)
        return new

    def _hold(self, frame: Frame, ms: int) -> None:
        """Show a frame for a time."""
        self._hear()
        shown = last = self.screen.flip(frame)
        end = last_before(shown, ms, self.screen.period_s)
        while last < end:
            self._hear()
            last = self.screen.flip(frame)

    def _page(self, words: str, *, leave: str = "key", min_ms: int | None = None) -> None:
        """Show words until a key, an input of every option, or the experimenter's key.

        Inputs count once the page was up for its time, by default the protocol's ``breaks.page_ms``. An option that has
        keys and buttons is tried by one of them; areas, which a page does not show, are not tried. Where another input
        arrives its name is added to the page: a keyboard that is labelled otherwise than it is read shows there.
        """
        tried = {name: option for name, option in self.plan.inputs.items() if not name.startswith("area:")}
        frame, wanted = Frame("text", words), set(tried.values())
        leave = "key" if leave == "inputs" and not wanted else leave
        least_s = (self.plan.protocol.breaks.page_ms if min_ms is None else min_ms) / 1000
        self._hear()
        shown = self.screen.flip(frame)
        while True:
            for press in self._hear():
                if not press.down or press.time_s < shown + least_s:
                    continue
                if leave == "key" or (leave == "experimenter" and press.input == EXPERIMENTER):
                    return
                wanted.discard(self.plan.inputs.get(press.input, ""))
                if leave == "inputs" and press.input not in self.plan.inputs:
                    needed = " ".join(name.upper() for name in tried)
                    frame = Frame("text", f"{words}\n\n{press.input.upper()} ?   ({needed})")
            if leave == "inputs" and not wanted:
                return
            self.screen.flip(frame)
