"""One trial: any list of phases, one after another, each boundary at the refresh nearest its target.

The target of a boundary is the sum of durations since its anchor; a tie goes to the earlier refresh. Anchors are the
trial's first refresh, the onset of every stimulus, and the end of a phase that stood until the response. A refresh that
comes late inside a phase therefore costs nothing: the next boundary is where it would have been. A mask follows its
image with no refresh between. A phase that stands until the response comes up for one refresh where the response
was given before, in every runner; the last phase of a trial then does not come up at all. It lasts until the limit where
the last input counts or an option is given by not responding. The limit is compared with the time of the input itself,
never rounded to refreshes.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from rapidvision.plan import Plan
from rapidvision.screen import refreshes
from rapidvision.task.phases import phase_code
from rapidvision.task.response import Response, Scalar
from rapidvision.task.trial import Trial, TrialPhase

from ..interfaces import RESPONSE_CODE, Frame, Inputs, PhaseData, Press, Screen, TrialData

#: Two response inputs this close together cannot be told apart by intention; the first one counts and is flagged.
BOTH_KEYS_MS = 5.0


class Running(Protocol):
    """What a trial needs of the session that it belongs to."""

    plan: Plan
    screen: Screen
    inputs: Inputs
    held: set[str]

    def note(self, new: Sequence[Press]) -> None:
        """Keep track of what is held down; interrupt on escape."""
        ...

    def utc(self) -> str:
        """Return the time for the record."""
        ...


class Answered(NamedTuple):
    """The answer in a list of presses: input, time from time zero, and what was unusual."""

    input: str | None
    response_ms: float | None
    flags: list[str]


class _Shown(NamedTuple):
    """A phase that came up: when, and how many flips there had been with its own."""

    phase: TrialPhase
    onset_s: float
    n_flips: int


class RunningTrial:
    """One trial while it runs.

    Parameters
    ----------
    session : Running
        Gives plan, screen and inputs.
    trial : Trial
        What to show, with the value of an adaptive factor put in.
    attempt : int
        How often its image comes up with this run.
    chosen : bool, int, float or str, optional
        That value.

    Attributes
    ----------
    onset_s : float or None
        When an image first came up; None before.
    """

    def __init__(self, session: Running, trial: Trial, *, attempt: int = 1, chosen: Scalar | None = None) -> None:
        self.session, self.trial, self.attempt, self.chosen = session, trial, attempt, chosen
        self.response = session.plan.protocol.response
        self.onset_s: float | None = None
        self._zero: float | None = None
        self._presses: list[Press] = []
        self._flips: list[float] = []
        self._shown: list[_Shown] = []
        self._answered = False

    def run(self) -> TrialData:
        """Show the phases, listen throughout, and return what happened."""
        session, response = self.session, self.response
        self._hear(session.inputs.poll())  # what was pressed since the last trial is an early press of this one
        self._wait_for_a_held_input()
        held, anchor, since_ms = False, None, 0
        for phase in self.trial.phases:
            until_response = phase.duration_ms is None
            if self._ends(until_response=until_response and phase is self.trial.phases[-1]):
                break
            opens = response is not None and phase.name == response.opens
            if opens and response is not None and response.press == "down":
                held = not session.held.isdisjoint(session.plan.inputs)
            frame = self._frame(phase)
            onset = self._up(phase, frame, opens=opens)
            if anchor is None or phase.kind == "stimulus":
                anchor, since_ms = onset, 0
            if phase.duration_ms is None:
                zero = onset if self._zero is None else self._zero
                self._hold(frame, zero, self.trial.limit_ms, until_response=True)
                anchor = None
            else:
                since_ms += phase.duration_ms
                self._hold(frame, anchor, since_ms)
        return self._data(self._close(), held=held)

    def _wait_for_a_held_input(self) -> None:
        """Where a release responds, wait until an input is down; no phase has begun."""
        session = self.session
        if self.response is None or self.response.press == "down":
            return
        page = Frame("text", session.plan.texts["hold"])
        while session.held.isdisjoint(session.plan.inputs):
            session.screen.flip(page)
            session.note(session.inputs.poll())

    def _frame(self, phase: TrialPhase) -> Frame:
        content = self.trial.images[phase.content].path if phase.kind == "stimulus" else phase.content
        return Frame(phase.kind, content, phase.overlay, phase.name, self.trial.trial)

    def _up(self, phase: TrialPhase, frame: Frame, *, opens: bool) -> float:
        """Bring a phase up; time zero and the first image are known before inputs are heard."""
        self.session.screen.mark(phase.trigger)
        onset = self.session.screen.flip(frame)
        self._flips.append(onset)
        self._shown.append(_Shown(phase, onset, len(self._flips)))
        if opens:
            self._zero = onset
        if phase.kind == "stimulus" and self.onset_s is None:
            self.onset_s = onset
        self._hear(self.session.inputs.poll())
        return onset

    def _hold(
        self, frame: Frame, anchor: float, ms: int | None, *, until_response: bool = False, whole: bool = False
    ) -> None:
        """Keep a frame up until the next refresh is the one nearest `ms` after `anchor`, or for ever without `ms`.

        A response may end it before, unless it stands for its `whole` time.
        """
        screen, flips = self.session.screen, self._flips
        flip, poll, last = screen.flip, self.session.inputs.poll, flips[-1]
        end = last_before(anchor, ms, screen.period_s)
        while last < end and (whole or not self._ends(until_response=until_response)):
            last = flip(frame)
            flips.append(last)
            new = poll()
            if new:
                self._hear(new)

    def _ends(self, *, until_response: bool) -> bool:
        """Whether the response is there and ends the trial, or a phase that stands until it."""
        response = self.response
        if response is None or not self._answered:
            return False
        return response.ends_trial or (until_response and response.counts == "first" and response.withheld is None)

    def _hear(self, new: Sequence[Press]) -> None:
        self._presses += new
        self.session.note(new)
        response, zero = self.response, self._zero
        if response is not None and zero is not None and not self._answered:
            down, inputs = response.press == "down", self.session.plan.inputs
            self._answered = any(p.down is down and p.input in inputs and p.time_s >= zero for p in new)
            if self._answered:
                self.session.screen.mark(RESPONSE_CODE)

    def _close(self) -> tuple[float, int]:
        """End the trial: blank, or "too slow" for a while, still listening; return when and the number of flips."""
        session, ms = self.session, self.session.plan.protocol.feedback.too_slow_ms
        slow = bool(ms) and self._is_slow()
        frame = Frame("text", session.plan.texts["too_slow"]) if slow else Frame("blank")
        if self._shown[-1].phase.kind == "stimulus":
            session.screen.mark(phase_code("blank"))  # the image goes
        end = session.screen.flip(frame)
        self._flips.append(end)
        n_flips = len(self._flips)
        self._hear(session.inputs.poll())
        if slow:
            self._hold(frame, end, ms, whole=True)
        return end, n_flips

    def _is_slow(self) -> bool:
        """Whether the limit passed without a response in time, where not responding is no option."""
        response, limit_ms = self.response, self.trial.limit_ms
        if response is None or response.withheld is not None or limit_ms is None:
            return False
        return not self._answered or (self._answer().response_ms or 0.0) > limit_ms

    def _answer(self) -> Answered:
        presses = sorted(self._presses, key=lambda press: press.time_s)
        return answer_in(presses, self._time_zero(), self.session.plan, self.trial.limit_ms)

    def _time_zero(self) -> float:
        return self._shown[0].onset_s if self._zero is None else self._zero

    def _data(self, closed: tuple[float, int], *, held: bool) -> TrialData:
        screen, zero, answer = self.session.screen, self._time_zero(), self._answer()
        presses = sorted(self._presses, key=lambda press: press.time_s)
        ends = [*((shown.onset_s, shown.n_flips) for shown in self._shown[1:]), closed]
        phases = [
            PhaseData(
                name=shown.phase.name,
                onset_ms=(shown.onset_s - zero) * 1000,
                shown_ms=(end - shown.onset_s) * 1000,
                late_refreshes=late(end - shown.onset_s, n_flips - shown.n_flips, screen.period_s),
            )
            for shown, (end, n_flips) in zip(self._shown, ends, strict=True)
        ]
        return TrialData(
            trial=self.trial.trial,
            attempt=self.attempt,
            phases=phases,
            zero_s=zero,
            input=answer.input,
            response_ms=answer.response_ms,
            presses=[(p.input, round((p.time_s - zero) * 1000, 3), p.down) for p in presses],
            flips_s=self._flips,
            flags=answer.flags + (["held_at_onset"] if held else []) + screen.notes(),
            refresh_hz=1 / screen.period_s,
            chosen=self.chosen,
            utc=self.session.utc(),
        )


def answer_in(presses: Sequence[Press], zero_s: float, plan: Plan, limit_ms: int | None) -> Answered:
    """Find the answer: the first response input at or after time zero, or the last one within the limit.

    Parameters
    ----------
    presses : sequence of Press
        In order of time.
    zero_s : float
        Time zero, on the screen's clock.
    plan : Plan
        Says which inputs are responses, whether going down or up is one, and whether the first or the last counts.
    limit_ms : int or None
        The trial's limit. Where the last input counts it can be corrected until then; the first late one counts where
        there is none in time.

    Returns
    -------
    Answered
        With the flags ``early_press`` (a response input before time zero) and ``both_keys`` (another one within 5 ms
        of the answer).
    """
    response = plan.protocol.response
    if response is None:
        return Answered(None, None, [])
    down = response.press == "down"
    found = [p for p in presses if p.down is down and p.input in plan.inputs]
    after = [p for p in found if p.time_s >= zero_s]
    flags = ["early_press"] if len(found) > len(after) else []
    if not after:
        return Answered(None, None, flags)
    counting = _counting(after, response, zero_s, limit_ms)
    if any(p.input != counting.input and 0 <= (p.time_s - counting.time_s) * 1000 <= BOTH_KEYS_MS for p in after):
        flags.append("both_keys")
    return Answered(counting.input, (counting.time_s - zero_s) * 1000, flags)


def _counting(after: Sequence[Press], response: Response, zero_s: float, limit_ms: int | None) -> Press:
    if response.counts == "first":
        return after[0]
    in_time = [p for p in after if limit_ms is None or (p.time_s - zero_s) * 1000 <= limit_ms]
    return in_time[-1] if in_time else after[0]


def last_before(anchor_s: float, ms: int | None, period_s: float) -> float:
    """Return a time between the last two refreshes before the one nearest `ms` after `anchor_s`.

    The refresh after a flip that lies at or behind this time is the boundary's; without `ms` there is none.

    Examples
    --------
    >>> last_before(1.0, 100, 0.010), last_before(1.0, None, 0.010)
    (1.085, inf)
    """
    return float("inf") if ms is None else anchor_s + (refreshes(ms, 1 / period_s) - 1.5) * period_s


def late(span_s: float, n: int, period_s: float) -> int:
    """Return how many refreshes were missed when `n` flips took `span_s` seconds."""
    return max(0, round(span_s / period_s) - n)
