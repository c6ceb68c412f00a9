"""One trial: fixation, picture for 400 ms, 150 ms more to answer, each boundary at the refresh nearest its target.

Every boundary is a target time from an anchor (the fixation's first refresh, then the picture's onset), so refreshes
that come late inside a still picture cost nothing: the next boundary is where it would have been. "In total,
participants were given 550 ms": that limit is compared with the time of the press itself, never rounded to refreshes.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from rapidvision.plan import Plan
from rapidvision.screen import refreshes
from rapidvision.trials import Trial

from .. import interfaces
from ..interfaces import BLANK, FIXATION, Keys, Picture, Press, Screen, TrialData

#: Two response keys this close together cannot be told apart by intention; the first one counts and is flagged.
BOTH_KEYS_MS = 5.0


class Running(Protocol):
    """What a trial needs of the session that it belongs to."""

    plan: Plan
    screen: Screen
    keys: Keys
    response_keys: tuple[str, str]
    held: set[str]

    def note(self, new: Sequence[Press]) -> None:
        """Keep track of what is held down; interrupt on escape."""
        ...

    def utc(self) -> str:
        """Return the time for the record."""
        ...


class Answered(NamedTuple):
    """The answer in a list of presses: key, time from the onset, and what was unusual."""

    key: str | None
    response_ms: float | None
    flags: list[str]


class RunningTrial:
    """One trial while it runs.

    Parameters
    ----------
    session : Running
        Gives plan, screen and keys.
    trial : Trial
        What to show.
    attempt : int
        How often its picture comes up with this run.

    Attributes
    ----------
    onset_s : float or None
        When the picture came up; None before.
    """

    def __init__(self, session: Running, trial: Trial, *, attempt: int = 1) -> None:
        self.session, self.trial, self.attempt = session, trial, attempt
        self.onset_s: float | None = None
        self._presses: list[Press] = []
        self._flips: list[float] = []
        self._answered = False

    def run(self) -> TrialData:
        """Show fixation, picture and blank, listen throughout, and return what happened."""
        session, trial, timing = self.session, self.trial, self.session.plan.protocol.timing
        screen = session.screen
        hz = 1 / screen.period_s
        self._hear(session.keys.poll())  # what was pressed since the last trial is an early press of this one
        fixation = self._flip(FIXATION, interfaces.FIXATION_CODE)
        self._hold(FIXATION, fixation, refreshes(trial.fixation_ms, hz))
        picture = Picture("stimulus", trial.path)
        held = not session.held.isdisjoint(session.response_keys)
        n_before = len(self._flips)
        onset = self._onset(picture)
        self._hold(picture, onset, refreshes(timing.stimulus_ms, hz), until_answer=timing.response_ends_trial)
        n_picture = len(self._flips)
        offset = self._flip(BLANK, interfaces.OFFSET_CODE)
        ended = timing.response_ends_trial and self._answered
        if not ended:
            n_limit = refreshes(timing.response_limit_ms, hz)
            self._hold(BLANK, onset, n_limit, until_answer=timing.response_ends_trial)
        end = offset if ended else self._close()
        flips, period = self._flips, screen.period_s
        presses = sorted(self._presses, key=lambda press: press.time_s)
        answer = answer_in(presses, onset, session.response_keys)
        return TrialData(
            trial=trial.trial,
            attempt=self.attempt,
            fixation_ms=(onset - fixation) * 1000,
            stimulus_ms=(offset - onset) * 1000,
            window_ms=(end - onset) * 1000,
            onset_s=onset,
            late_refreshes=(
                late(onset - fixation, n_before, period),
                late(offset - onset, n_picture - n_before, period),
                late(end - offset, flips.index(end) - n_picture, period),
            ),
            flips_s=flips,
            refresh_hz=hz,
            utc=session.utc(),
            presses=[(p.key, round((p.time_s - onset) * 1000, 3), p.down) for p in presses],
            response_key=answer.key,
            response_ms=answer.response_ms,
            flags=answer.flags + (["held_at_onset"] if held else []) + screen.notes(),
        )

    def _onset(self, picture: Picture) -> float:
        self.session.screen.mark(interfaces.stimulus_code(self.trial))
        self.onset_s = onset = self.session.screen.flip(picture)
        self._flips.append(onset)
        self._hear(self.session.keys.poll())
        return onset

    def _flip(self, picture: Picture, code: int) -> float:
        self.session.screen.mark(code)
        time_s = self.session.screen.flip(picture)
        self._flips.append(time_s)
        self._hear(self.session.keys.poll())
        return time_s

    def _hold(self, picture: Picture, anchor: float, n: int, *, until_answer: bool = False) -> None:
        """Keep `picture` up until the next refresh is the `n`-th after `anchor`."""
        screen, flips = self.session.screen, self._flips
        flip, poll, last = screen.flip, self.session.keys.poll, flips[-1]
        end = anchor + (n - 1.5) * screen.period_s
        while last < end and not (until_answer and self._answered):
            last = flip(picture)
            flips.append(last)
            new = poll()
            if new:
                self._hear(new)

    def _hear(self, new: Sequence[Press]) -> None:
        self._presses += new
        self.session.note(new)
        onset, keys = self.onset_s, self.session.response_keys
        if onset is not None and not self._answered:
            self._answered = any(p.down and p.key in keys and p.time_s >= onset for p in new)
            if self._answered:
                self.session.screen.mark(interfaces.RESPONSE_CODE)

    def _close(self) -> float:
        """End the response window: blank, or "too slow" for a while, still listening."""
        timing = self.session.plan.protocol.timing
        if self._answered or not timing.too_slow_ms:
            return self._flip(BLANK, 0)
        picture = Picture("text", self.session.plan.texts["too_slow"])
        end = self._flip(picture, 0)
        self._hold(picture, end, refreshes(timing.too_slow_ms, 1 / self.session.screen.period_s))
        return end


def answer_in(presses: Sequence[Press], onset_s: float, keys: tuple[str, str]) -> Answered:
    """Find the answer: the first response key that went down at or after the onset.

    Parameters
    ----------
    presses : sequence of Press
        In order of time.
    onset_s : float
        When the picture came up.
    keys : (str, str)
        The response keys.

    Returns
    -------
    Answered
        With the flags ``early_press`` (a response key before the onset) and ``both_keys`` (the other one within 5 ms).

    Examples
    --------
    >>> answer_in([Press("s", 0.9), Press("l", 1.25), Press("s", 1.26)], 1.0, ("s", "l"))
    Answered(key='l', response_ms=250.0, flags=['early_press'])
    """
    down = [p for p in presses if p.down and p.key in keys]
    after = [p for p in down if p.time_s >= onset_s]
    flags = ["early_press"] if len(down) > len(after) else []
    if not after:
        return Answered(None, None, flags)
    first = after[0]
    if any(p.key != first.key and (p.time_s - first.time_s) * 1000 <= BOTH_KEYS_MS for p in after):
        flags.append("both_keys")
    return Answered(first.key, (first.time_s - onset_s) * 1000, flags)


def late(span_s: float, n: int, period_s: float) -> int:
    """Return how many refreshes were missed when `n` flips took `span_s` seconds."""
    return max(0, round(span_s / period_s) - n)
