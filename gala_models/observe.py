"""Networks as observers: the same plans and the same hashed pixels as people, and the same trials table.

Each stimulus file is decoded and shown to a network once, however many plans it appears in. All files are hashed
before the first forward pass.
"""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from rapidvision import files, observers
from rapidvision.errors import CheckFailed, InputError
from rapidvision.observers import Answer
from rapidvision.plan import Plan
from rapidvision.progress import Advance, silent
from rapidvision.trials import Trial, TrialRecord

from .participants import Participants
from .pixels import Preprocessing
from .readout import Readout

_DECODERS = 2
_DECIMALS = 4  # what different processors agree on


@dataclass(frozen=True)
class Network:
    """A network that can take the test.

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
        Of the file of weights; empty for a module made by a function.
    """

    name: str
    model: nn.Module
    readout: Readout
    preprocessing: Preprocessing
    sha256: str = ""


@dataclass(frozen=True)
class Seen:
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
    """

    row: dict[str, int]
    evidence: NDArray[np.float64]
    features: Tensor | None = None
    response_ms: NDArray[np.float64] | None = None


class NetworkObserver:
    """A network as :class:`rapidvision.observers.Observer`: it answers a trial from what it saw.

    Parameters
    ----------
    network : Network
        Who answers.
    seen : Seen
        From :func:`look`.
    """

    def __init__(self, network: Network, seen: Seen) -> None:
        self.observer = network.name
        self._seen = seen

    def evidence(self, trial: Trial) -> float:
        """Log odds of target for the trial's stimulus."""
        return float(self._seen.evidence[self._seen.row[trial.stimulus_sha256]])

    def answer(self, trial: Trial, *, noise: float = 0.0) -> Answer:
        """Say target when the evidence (and `noise`, where a policy asks for it) is above 0."""
        evidence, times_ms = self.evidence(trial), self._seen.response_ms
        response_ms = None if times_ms is None else float(times_ms[self._seen.row[trial.stimulus_sha256]])
        return Answer(target=evidence + noise > 0, response_ms=response_ms, decision_value=round(evidence, _DECIMALS))


def stimuli_of(plans: Iterable[Plan]) -> dict[str, str]:
    """Path → hash of every stimulus that the plans show, each once, sorted by path."""
    return dict(sorted({(trial.path, trial.stimulus_sha256) for plan in plans for trial in plan.trials()}))


def verify(folder: Path, stimuli: dict[str, str]) -> None:
    """Hash the files that will be shown.

    Raises
    ------
    CheckFailed
        Names the first ten that are missing or not what was planned.
    """

    def fault(item: tuple[str, str]) -> str | None:
        path, sha256 = item
        try:
            return None if files.sha256_file(folder / path) == sha256 else f"{path} (changed)"
        except InputError:
            return f"{path} (missing)"

    with ThreadPoolExecutor(_DECODERS) as pool:
        wrong = [found for found in pool.map(fault, stimuli.items()) if found]
    if wrong:
        more = f" and {len(wrong) - 10} more" if len(wrong) > 10 else ""
        raise CheckFailed(
            f"{folder}: {', '.join(wrong[:10])}{more}; no network has seen anything: build the stimulus set again"
        )


def decoded(folder: Path, stimuli: dict[str, str], *, batch_size: int) -> Iterator[NDArray[np.uint8]]:
    """Yield batches of pictures, uint8 (n, height, width, 3), decoded ahead of their use; memory stays bounded."""

    def one(item: tuple[str, str]) -> NDArray[np.uint8]:
        from PIL import Image

        data = files.read_bytes(folder / item[0])
        if files.sha256(data) != item[1]:
            raise CheckFailed(f"{folder / item[0]}: changed while networks were looking; start again")
        return np.asarray(Image.open(BytesIO(data)).convert("RGB"))

    items = iter(stimuli.items())
    with ThreadPoolExecutor(_DECODERS) as pool:
        ahead = [pool.submit(one, item) for item in islice(items, 2 * batch_size)]
        while ahead:
            now, ahead = ahead[:batch_size], ahead[batch_size:]
            ahead += [pool.submit(one, item) for item in islice(items, batch_size)]
            yield np.stack([future.result() for future in now])


def look(
    networks: Sequence[Network],
    folder: Path,
    stimuli: dict[str, str],
    *,
    batch_size: int = 64,
    features: bool = False,
    advance: Advance = silent,
) -> list[Seen]:
    """Show every stimulus to every network once.

    Parameters
    ----------
    networks : sequence of Network
        Decoding is shared among them.
    folder : Path
        Of the stimulus set.
    stimuli : dict
        Path → hash, from :func:`stimuli_of`.
    batch_size : int, default 64
        Pictures per forward pass.
    features : bool, default False
        Keep the input of each network's last linear layer.
    advance : callable
        Called with the number of pictures just seen.

    Returns
    -------
    list of Seen
        In the order of `networks`.

    Raises
    ------
    CheckFailed
        When a file is not what was planned; before the first forward pass.
    InputError
        When a readout does not fit a network, or its scores are not finite.
    """
    verify(folder, stimuli)
    scores: list[list[Tensor]] = [[] for _ in networks]
    inputs: list[list[Tensor]] = [[] for _ in networks]
    rows = {sha256: row for row, sha256 in enumerate(stimuli.values())}
    hooks = [_keep_input(network, kept) for network, kept in zip(networks, inputs, strict=True)] if features else []
    with torch.inference_mode():
        for network in networks:
            _probe(network)
        for kept in inputs:
            kept.clear()
        for pictures in decoded(folder, stimuli, batch_size=batch_size):
            ready: dict[Preprocessing, Tensor] = {}
            for network, found in zip(networks, scores, strict=True):
                if network.preprocessing not in ready:
                    ready[network.preprocessing] = network.preprocessing(pictures)
                found.append(network.model(ready[network.preprocessing]).float())
            advance(len(pictures))
    for hook in hooks:
        hook.remove()
    return [
        Seen(rows, _evidence(network, torch.cat(found)), torch.cat(kept).float() if features else None)
        for network, found, kept in zip(networks, scores, inputs, strict=True)
    ]


def _probe(network: Network) -> None:
    """One grey picture, so that a network that does not fit its readout is refused before the work, not after."""
    side = network.preprocessing.size_px
    out = network.model(network.preprocessing(np.full((1, side, side, 3), 128, np.uint8)))
    if not isinstance(out, Tensor) or out.ndim != 2:
        raise InputError(
            f"{network.name}: must return scores of shape (batch, classes); wrap it in a function that does"
        )
    network.readout.check(out.shape[1], network=network.name)


def _evidence(network: Network, scores: Tensor) -> NDArray[np.float64]:
    evidence = network.readout.evidence(scores).double().numpy()
    n_bad = int(np.count_nonzero(~np.isfinite(evidence)))
    if n_bad:
        raise InputError(f"{network.name}: {n_bad} of {len(evidence)} stimuli give scores that are not finite")
    return evidence


def last_linear(model: nn.Module, *, name: str) -> nn.Linear:
    """The layer that the readout's features go into."""
    found = [module for module in model.modules() if isinstance(module, nn.Linear)]
    if not found:
        raise InputError(f"{name}: has no linear layer at its end, so there are no readout features to drop")
    return found[-1]


def _keep_input(network: Network, kept: list[Tensor]) -> torch.utils.hooks.RemovableHandle:
    linear = last_linear(network.model, name=network.name)
    return linear.register_forward_pre_hook(lambda _module, inputs: kept.append(inputs[0].detach().clone()))


def take(network: Network, seen: Seen, plans: Sequence[Plan], participants: Participants) -> Iterator[TrialRecord]:
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


def _lacking(network: Network, seen: Seen, plan: Plan, participants: Participants) -> Seen:
    """What a participant without some readout features makes of the stimuli."""
    if seen.features is None:
        raise InputError("dropout: the readout's features were not kept; call look(..., features=True)")
    kept = participants.kept(seen.features.shape[1], network.name, plan.group, plan.slot)
    linear = last_linear(network.model, name=network.name)
    with torch.inference_mode():
        scores = linear((seen.features * torch.from_numpy(kept)).to(linear.weight.dtype))
    return Seen(seen.row, _evidence(network, scores.float()))
