"""Sessions of networks: each plan is walked through as a person's is, and answered from what was seen before."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch

from rapidvision import observers
from rapidvision.errors import InputError
from rapidvision.observers import Answer
from rapidvision.plan import Gate, Plan, Run
from rapidvision.task.tracks import Track, track_of
from rapidvision.task.trial import Choice, Trial
from rapidvision.trials import TrialRecord

from ..answers.choices import chosen, confidence_answer, drawn
from ..answers.participants import Participants
from ..answers.task import NetworkTask, task_of
from .features import last_linear, scores_of
from .observe import TIE_LOG_ODDS, Network, StimulusEvidence, read_scores

_DECIMALS = 4  # what different processors agree on


class NetworkObserver:
    """A network as :class:`rapidvision.observers.Observer`: it answers a trial from what it saw.

    Parameters
    ----------
    network : Network
        Who answers.
    seen : StimulusEvidence
        From :func:`observe_stimuli`.
    task : NetworkTask
        The options, and what they stand for.
    """

    def __init__(self, network: Network, seen: StimulusEvidence, task: NetworkTask) -> None:
        self.observer = network.name
        self._seen, self._task = seen, task

    def evidence(self, trial: Trial) -> float:
        """Log odds of target for the trial's stimulus, or of the first of two categories."""
        return float(self._seen.evidence[self._row(trial)])

    def _row(self, trial: Trial) -> int:
        return self._seen.row[trial.image.stimulus_sha256]

    def answer(self, trial: Trial, *, noise: float = 0.0) -> Answer:
        """Answer from the evidence (and `noise`, where a policy asks for it).

        Between target and distractor a tie counts against the network: without noise, evidence of 0 becomes the wrong
        answer. Of equally probable categories the last in alphabetical order is taken.
        """
        task, row, times_ms = self._task, self._row(trial), self._seen.response_ms
        response_ms = None if times_ms is None else float(times_ms[row])
        if self._seen.probabilities is None:
            option, agrees = self._two(trial, noise)
        else:
            option, agrees = self._of_categories(row, noise)
        questions: dict[str, tuple[str | float | None, float | None]] = {}
        if task.confidence is not None and task.confidence.name in trial.ask:
            share = float(self._seen.confidence[row]) if agrees else 0.0
            questions[task.confidence.name] = (confidence_answer(task.confidence, share), None)
        if task.asks:
            questions[task.asks] = (option, response_ms)
        return Answer(
            response=None if task.asks else option,
            response_ms=response_ms,
            decision_value=self._decision_value(row),
            questions=questions,
        )

    def _two(self, trial: Trial, noise: float) -> tuple[str, bool]:
        evidence = self.evidence(trial)
        tie = noise == 0 and abs(evidence) <= TIE_LOG_ODDS
        target = not trial.image.target if tie else evidence + noise > 0
        return self._task.target if target else self._task.distractor, target == (evidence > 0)

    def _of_categories(self, row: int, noise: float) -> tuple[str, bool]:
        assert self._seen.probabilities is not None
        mine, names = self._seen.probabilities[row], self._task.options
        best = int(chosen(mine[None], names)[0])
        index = drawn(mine, noise) if noise else best
        return names[index], index == best

    def _decision_value(self, row: int) -> float | None:
        """Signed evidence for the first option of two; None where there are more."""
        if len(self._task.options) != 2:
            return None
        sign = -1 if self._seen.probabilities is None and self._task.options[0] == self._task.distractor else 1
        return round(sign * float(self._seen.evidence[row]), _DECIMALS)


def answer_plans(
    network: Network, seen: StimulusEvidence, plans: Sequence[Plan], participants: Participants
) -> Iterator[TrialRecord]:
    """Answer every trial of `plans`; one participant per plan, by the policy of `participants`.

    Yields
    ------
    TrialRecord
        In the order of the plans and their trials. The participant's id names network, policy, group and slot. Rounds of
        practice behind a criterion that was reached fall away; one that was missed ends no session.
    """
    tasks: dict[str, NetworkTask] = {}
    for plan in plans:
        digest = plan.protocol.digest
        task = tasks[digest] = tasks.get(digest) or task_of(plan.protocol)
        one = _lacking(network, seen, plan, participants, task) if participants.policy == "dropout" else seen
        observer = NetworkObserver(network, one, task)
        trials = plan.trials()
        noise = np.zeros(len(trials))
        if participants.policy == "stochastic":
            noise = participants.draws(len(trials), network.name, plan.group, plan.slot)
        extra = {trial.trial: float(value) for trial, value in zip(trials, noise, strict=True)}
        yield from _session(plan, observer, task, extra, participants)


def _session(
    plan: Plan, observer: NetworkObserver, task: NetworkTask, noise: dict[int, float], participants: Participants
) -> Iterator[TrialRecord]:
    """Walk through a plan as a session does: gates after practice, and adaptive values by the answers so far."""
    code = f"{observer.observer}.{participants.policy}.{plan.group}.{plan.slot:04d}"
    rule, skip = plan.protocol.adaptive, set[str]()
    tracks: dict[str, Track] = {}
    right: dict[int, list[bool]] = {}
    for step in plan.steps:
        if step.part in skip:
            continue
        if isinstance(step, Gate):
            block = right.get(step.block, [])
            if block and sum(block) / len(block) >= step.at_least:
                skip |= set(step.skip)
        if not isinstance(step, Run):
            continue
        trial, choice, index = step.trial, None, 0
        if trial.choices and rule is not None:
            tracks.setdefault(trial.track, track_of(trial, rule, len(task.options)))
            index = tracks[trial.track].choose()
            choice = trial.choices[index]
        record = _record(plan, trial, choice, observer, task, noise[trial.trial], code)
        right.setdefault(trial.block, []).append(record.correct is True and record.status in ("ok", "early"))
        if choice is not None:
            tracks[trial.track] = tracks[trial.track].after(index, right[trial.block][-1])
        yield record


def _record(
    plan: Plan,
    trial: Trial,
    choice: Choice | None,
    observer: NetworkObserver,
    task: NetworkTask,
    noise: float,
    code: str,
) -> TrialRecord:
    return observers.record(
        plan,
        trial,
        observer.answer(trial.chosen(choice), noise=noise),
        observer=observer.observer,
        observer_kind="model",
        session_id=code,
        participant_id=code,
        ignored=task.ignored,
        chosen=None if choice is None else choice.value,
    )


def _lacking(
    network: Network, seen: StimulusEvidence, plan: Plan, participants: Participants, task: NetworkTask
) -> StimulusEvidence:
    """What a participant without some readout features makes of the stimuli."""
    if seen.features is None:
        raise InputError("dropout: the readout's features were not kept; call observe_stimuli(..., features=True)")
    kept = participants.kept(seen.features.shape[1], network.name, plan.group, plan.slot)
    linear = last_linear(network.model, name=network.name)
    return read_scores(network, seen.row, scores_of(linear, seen.features * torch.from_numpy(kept)), task)


def in_turns(
    pairs: Sequence[tuple[Network, StimulusEvidence]], plans: Sequence[Plan], participants: Participants
) -> Iterator[TrialRecord]:
    """Answer plans by networks in turn, as one observer: the policy ``seeds``."""
    if len(pairs) < 2:
        raise InputError("seeds: needs at least two networks, trained from different seeds; give --model several times")
    shared = _shared_name([network.name for network, _ in pairs])
    for plan in plans:
        network, seen = pairs[plan.slot % len(pairs)]
        yield from answer_plans(replace(network, name=shared), seen, [plan], participants)


def _shared_name(names: Sequence[str]) -> str:
    shared = names[0]
    while not all(name.startswith(shared) for name in names):
        shared = shared[:-1]
    return shared.rstrip("-_. ") or "networks"
