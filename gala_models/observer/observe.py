"""Networks as observers: the same plans and the same hashed pixels as people, and the same trials table.

Each stimulus file is decoded and shown to a network once, however many plans it appears in. All files are hashed
before the first forward pass.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from rapidvision import observers
from rapidvision.errors import CheckFailed, InputError
from rapidvision.observers import Answer
from rapidvision.plan import Plan
from rapidvision.plugins.source import PluginSource
from rapidvision.system.progress import Advance, silent
from rapidvision.trials import Trial, TrialRecord

from ..devices import device_of
from ..preprocessing import Preprocessing
from ..scores import check_finite
from .features import check_readout, keep_input, last_linear, scores_of
from .participants import Participants
from .readout import Readout
from .shown import decoded, verify

_DECIMALS = 4  # what different processors agree on
#: Log odds this close to 0 are a tie: less than the rounding of float32 scores.
TIE_LOG_ODDS = 1e-6


@dataclass(frozen=True)
class Network:
    """A network as an observer of a study: model, readout and preprocessing.

    Attributes
    ----------
    name : str
        The table's `observer`.
    model : Module
        In evaluation mode; pictures in, class scores out.
    readout : Readout
        Scores → evidence.
    preprocessing : Preprocessing
        Pixels → input.
    sha256 : str
        Of the file of weights, or of parameters and buffers for a module made by a function; see
        :func:`rapidvision.gala_models.weights.state.state_sha256`.
    plugins : tuple of PluginSource
        Those that made it or read it out.

    Examples
    --------
    >>> import rapidvision as rv
    >>> network = rv.models.load("compact-gala")
    >>> network.name, network.preprocessing.size_px, network.model.training
    ('compact-gala', 88, False)
    """

    name: str
    model: nn.Module
    readout: Readout
    preprocessing: Preprocessing
    sha256: str = ""
    plugins: tuple[PluginSource, ...] = ()


@dataclass(frozen=True)
class StimulusEvidence:
    """What a network made of every stimulus.

    Attributes
    ----------
    row : dict
        Hash of the stimulus → row of the arrays.
    evidence : ndarray of float64, shape (n_stimuli,)
        Log odds of target.
    features : Tensor or None, shape (n_stimuli, n_features)
        Input of the last linear layer, where asked for.
    response_ms : ndarray of float64, shape (n_stimuli,), or None
        Response times, where the network has a clock (an early exit).
    layouts : dict
        Probed layer → how its output was read.
    """

    row: dict[str, int]
    evidence: NDArray[np.float64]
    features: Tensor | None = None
    response_ms: NDArray[np.float64] | None = None
    layouts: dict[str, str] = field(default_factory=dict)

    @property
    def n_ties(self) -> int:
        """Stimuli whose evidence is a tie."""
        return int(np.count_nonzero(np.abs(self.evidence) <= TIE_LOG_ODDS))


class NetworkObserver:
    """A network as :class:`rapidvision.observers.Observer`: it answers a trial from what it saw.

    Parameters
    ----------
    network : Network
        Who answers.
    seen : StimulusEvidence
        From :func:`observe_stimuli`.
    """

    def __init__(self, network: Network, seen: StimulusEvidence) -> None:
        self.observer = network.name
        self._seen = seen

    def evidence(self, trial: Trial) -> float:
        """Log odds of target for the trial's stimulus."""
        return float(self._seen.evidence[self._seen.row[trial.stimulus_sha256]])

    def answer(self, trial: Trial, *, noise: float = 0.0) -> Answer:
        """Say target when the evidence (and `noise`, where a policy asks for it) is above 0.

        A tie counts against the network: without noise, evidence of 0 becomes the wrong answer.
        """
        evidence, times_ms = self.evidence(trial), self._seen.response_ms
        response_ms = None if times_ms is None else float(times_ms[self._seen.row[trial.stimulus_sha256]])
        tie = noise == 0 and abs(evidence) <= TIE_LOG_ODDS
        target = not trial.target if tie else evidence + noise > 0
        return Answer(target=target, response_ms=response_ms, decision_value=round(evidence, _DECIMALS))


def observe_stimuli(
    networks: Sequence[Network],
    folder: Path,
    stimuli: dict[str, str],
    *,
    batch_size: int = 64,
    features: bool = False,
    advance: Advance = silent,
) -> list[StimulusEvidence]:
    """Show every stimulus to every network once.

    Parameters
    ----------
    networks : sequence of Network
        Decoding is shared among them.
    folder : Path
        Of the stimulus set.
    stimuli : dict
        Path → hash, from :func:`rapidvision.gala_models.observer.shown.stimuli_of`.
    batch_size : int, default 64
        Pictures per forward pass.
    features : bool, default False
        Keep the input of each network's last linear layer.
    advance : callable
        Called with the number of pictures just seen.

    Returns
    -------
    list of StimulusEvidence
        In the order of `networks`.

    Raises
    ------
    CheckFailed
        When a file is not what was planned, before the first forward pass; or when scores are not finite.
    InputError
        When a readout does not fit a network, or, with `features`, no linear layer makes its scores.
    """
    verify(folder, stimuli)
    paths = list(stimuli)
    scores: list[list[Tensor]] = [[] for _ in networks]
    kept: list[list[Tensor]] = [[] for _ in networks]
    rows = {sha256: row for row, sha256 in enumerate(stimuli.values())}
    with torch.inference_mode():
        for network in networks:
            _probe(network)
        hooks = (
            [keep_input(network.model, into, name=network.name) for network, into in zip(networks, kept, strict=True)]
            if features
            else []
        )
        try:
            for pictures in decoded(folder, stimuli, batch_size=batch_size):
                names, paths = paths[: len(pictures)], paths[len(pictures) :]
                ready: dict[Preprocessing, Tensor] = {}
                for network, found in zip(networks, scores, strict=True):
                    if network.preprocessing not in ready:
                        ready[network.preprocessing] = network.preprocessing(pictures)
                    found.append(_scores(network, ready[network.preprocessing], names))
                advance(len(pictures))
        finally:
            for hook in hooks:
                hook.remove()
    return [
        _seen(network, rows, torch.cat(found), torch.cat(inputs) if features else None)
        for network, found, inputs in zip(networks, scores, kept, strict=True)
    ]


def _scores(network: Network, x: Tensor, names: Sequence[str]) -> Tensor:
    x = x.to(device_of(network.model))
    scores: Tensor = network.model(x)
    check_finite(scores, names, network=network.name, model=network.model, x=x)
    return scores.float().cpu()


def _seen(network: Network, rows: dict[str, int], scores: Tensor, features: Tensor | None) -> StimulusEvidence:
    if features is not None:
        check_readout(network.model, scores, features, name=network.name)
    return StimulusEvidence(rows, _evidence(network, scores), features)


def _probe(network: Network) -> None:
    """One grey picture, so that a network that does not fit its readout is refused before the work, not after."""
    side = network.preprocessing.size_px
    x = network.preprocessing(np.full((1, side, side, 3), 128, np.uint8))
    out = network.model(x.to(device_of(network.model)))
    if not isinstance(out, Tensor) or out.ndim != 2:
        raise InputError(
            f"{network.name}: must return scores of shape (batch, classes); wrap it in a function that does"
        )
    network.readout.check(out.shape[1], network=network.name)


def _evidence(network: Network, scores: Tensor) -> NDArray[np.float64]:
    evidence = network.readout.evidence(scores).double().numpy()
    n_bad = int(np.count_nonzero(~np.isfinite(evidence)))
    if n_bad:
        raise CheckFailed(f"{network.name}: {n_bad} of {len(evidence)} stimuli give evidence that is not finite")
    return evidence


def answer_plans(
    network: Network, seen: StimulusEvidence, plans: Sequence[Plan], participants: Participants
) -> Iterator[TrialRecord]:
    """Answer every trial of `plans`; one participant per plan, by the policy of `participants`.

    Yields
    ------
    TrialRecord
        In the order of the plans and their trials. The participant's id names network, policy, group and slot.
    """
    for plan in plans:
        one = _lacking(network, seen, plan, participants) if participants.policy == "dropout" else seen
        observer = NetworkObserver(network, one)
        trials = plan.trials()
        noise = np.zeros(len(trials))
        if participants.policy == "stochastic":
            noise = participants.draws(len(trials), network.name, plan.group, plan.slot)
        code = f"{network.name}.{participants.policy}.{plan.group}.{plan.slot:04d}"
        for trial, extra in zip(trials, noise, strict=True):
            answer = observer.answer(trial, noise=float(extra))
            yield observers.record(
                plan,
                trial,
                answer,
                observer=network.name,
                observer_kind="model",
                session_id=code,
                participant_id=code,
            )


def _lacking(network: Network, seen: StimulusEvidence, plan: Plan, participants: Participants) -> StimulusEvidence:
    """What a participant without some readout features makes of the stimuli."""
    if seen.features is None:
        raise InputError("dropout: the readout's features were not kept; call observe_stimuli(..., features=True)")
    kept = participants.kept(seen.features.shape[1], network.name, plan.group, plan.slot)
    linear = last_linear(network.model, name=network.name)
    scores = scores_of(linear, seen.features * torch.from_numpy(kept))
    return StimulusEvidence(seen.row, _evidence(network, scores))
