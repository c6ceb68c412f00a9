"""Networks as observers: the same plans and the same hashed pixels as people, and the same trials table.

Each stimulus file is decoded and shown to a network once, however many plans it appears in. All files are hashed
before the first forward pass.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from rapidvision.errors import CheckFailed
from rapidvision.plugins.source import PluginSource
from rapidvision.system.progress import Advance, silent

from ..answers.choices import option_probabilities, ranks
from ..answers.class_lists import list_for
from ..answers.task import NetworkTask
from ..computing.device import Device, Precision
from ..computing.forward import class_scores
from ..preprocessing import Preprocessing
from .features import check_readout, keep_input
from .readout import Readout
from .shown import decoded, once, verify

#: Log odds this close to 0 are a tie: less than the rounding of float32 scores.
TIE_LOG_ODDS = 1e-6
#: Shares below this have no logarithm that float64 can tell apart.
_LEAST_SHARE = 1e-300


@dataclass(frozen=True)
class Network:
    """A network as an observer of a study: model, readout and preprocessing.

    Attributes
    ----------
    name : str
        The table's `observer`.
    model : Module
        In evaluation mode; images in, class scores out.
    readout : Readout
        Scores → evidence.
    preprocessing : Preprocessing
        Pixels → input.
    sha256 : str
        Of the file of weights, or of parameters and buffers for a module made by a function; see
        :func:`rapidvision.gala_models.weights.state.state_sha256`.
    plugins : tuple of PluginSource
        Those that made it or read it out.
    class_names : tuple of str
        Its classes by name, in order, where its card says so; a task about categories finds its classes by them.
    class_list : str
        The class list for tasks about categories, :data:`rapidvision.gala_models.answers.class_lists.CLASS_LISTS`; empty:
        the first that has them all.
    precision : {"float32", "bf16", "fp16"}
        In which numbers it computes.

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
    class_names: tuple[str, ...] = ()
    class_list: str = ""
    precision: Precision = "float32"

    @property
    def device(self) -> Device:
        """Where it computes, and in which numbers."""
        return Device.of(self.model, precision=self.precision)

    def scores(self, x: Tensor, names: Sequence[str] = ()) -> Tensor:
        """Return class scores (n, classes), float32 on the CPU, of inputs (n, 3, size_px, size_px); `names` are for messages."""
        return class_scores(self.model, x, name=self.name, images=names, device=self.device)

    def options_of(self, task: NetworkTask, n_classes: int) -> tuple[str, tuple[tuple[int, ...], ...]]:
        """Return the class list of a task about categories, and the classes of each option."""
        categories = [category for option in task.categories for category in option]
        found = list_for(categories, n_classes, network=self.name, own=self.class_names, name=self.class_list)
        return found.name, tuple(
            tuple(index for category in option for index in found.categories[category]) for option in task.categories
        )


@dataclass(frozen=True)
class StimulusEvidence:
    """What a network made of every stimulus.

    Attributes
    ----------
    row : dict
        Hash of the stimulus → row of the arrays.
    evidence : ndarray of float64, shape (n_stimuli,)
        Log odds of target; of the first option in a task about two categories; 0 in one about more.
    features : Tensor or None, shape (n_stimuli, n_features)
        Input of the last linear layer, where asked for.
    response_ms : ndarray of float64, shape (n_stimuli,), or None
        Response times, where the network has a clock (an early exit).
    layouts : dict
        Probed layer → how its output was read.
    probabilities : ndarray of float64, shape (n_stimuli, n_options), or None
        Of each option, in a task about categories.
    read_by : str
        The class list, in a task about categories.
    """

    row: dict[str, int]
    evidence: NDArray[np.float64]
    features: Tensor | None = None
    response_ms: NDArray[np.float64] | None = None
    layouts: dict[str, str] = field(default_factory=dict)
    probabilities: NDArray[np.float64] | None = None
    read_by: str = ""

    @property
    def n_ties(self) -> int:
        """Stimuli whose evidence is a tie, or that have several most probable options."""
        if self.probabilities is None:
            return int(np.count_nonzero(np.abs(self.evidence) <= TIE_LOG_ODDS))
        best = self.probabilities.max(axis=1, keepdims=True)
        return int(np.count_nonzero((self.probabilities == best).sum(axis=1) > 1))

    @cached_property
    def strength(self) -> NDArray[np.float64]:
        """How clear each answer is: the distance of the log odds from 0, or the share of the most probable option."""
        if self.probabilities is None:
            return np.abs(self.evidence)
        return np.asarray(self.probabilities.max(axis=1) / self.probabilities.sum(axis=1))

    @cached_property
    def confidence(self) -> NDArray[np.float64]:
        """Share of the stimuli with less strength than each; shape (n_stimuli,)."""
        return ranks(self.strength)


def observe_stimuli(
    networks: Sequence[Network],
    folder: Path,
    stimuli: dict[str, str],
    *,
    task: NetworkTask | None = None,
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
    task : NetworkTask, optional
        What is asked; target or distractor without it.
    batch_size : int, default 64
        Images per forward pass.
    features : bool, default False
        Keep the input of each network's last linear layer.
    advance : callable
        Called with the number of images just seen.

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
    stimuli = once(stimuli)
    paths = list(stimuli)
    scores: list[list[Tensor]] = [[] for _ in networks]
    kept: list[list[Tensor]] = [[] for _ in networks]
    rows = {sha256: row for row, sha256 in enumerate(stimuli.values())}
    with torch.inference_mode():
        for network in networks:
            _probe(network, task)
        hooks = (
            [keep_input(network.model, into, name=network.name) for network, into in zip(networks, kept, strict=True)]
            if features
            else []
        )
        try:
            for images in decoded(folder, stimuli, batch_size=batch_size):
                names, paths = paths[: len(images)], paths[len(images) :]
                ready: dict[Preprocessing, Tensor] = {}
                for network, found in zip(networks, scores, strict=True):
                    if network.preprocessing not in ready:
                        ready[network.preprocessing] = network.preprocessing(images)
                    found.append(network.scores(ready[network.preprocessing], names))
                advance(len(images))
        finally:
            for hook in hooks:
                hook.remove()
    return [
        _seen(network, rows, torch.cat(found), torch.cat(inputs) if features else None, task)
        for network, found, inputs in zip(networks, scores, kept, strict=True)
    ]


def _seen(
    network: Network, rows: dict[str, int], scores: Tensor, features: Tensor | None, task: NetworkTask | None
) -> StimulusEvidence:
    if features is not None:
        check_readout(network.model, scores, features, name=network.name)
    return read_scores(network, rows, scores, task, features)


def read_scores(
    network: Network, rows: dict[str, int], scores: Tensor, task: NetworkTask | None, features: Tensor | None = None
) -> StimulusEvidence:
    """Turn class scores into evidence: by the readout, or by the classes of the task's categories."""
    if task is None or not task.by_category:
        return StimulusEvidence(rows, _evidence(network, scores), features)
    read_by, options = network.options_of(task, scores.shape[1])
    shares = option_probabilities(scores, options)
    logs = np.log(np.maximum(shares, _LEAST_SHARE))
    evidence = logs[:, 0] - logs[:, 1] if len(options) == 2 else np.zeros(len(shares))
    return StimulusEvidence(rows, evidence, features, probabilities=shares, read_by=read_by)


def _probe(network: Network, task: NetworkTask | None) -> None:
    """One grey image, so that a network that does not fit its readout is refused before the work, not after."""
    side = network.preprocessing.size_px
    out = network.scores(network.preprocessing(np.full((1, side, side, 3), 128, np.uint8)), ["a grey image"])
    if task is not None and task.by_category:
        network.options_of(task, out.shape[1])
    else:
        network.readout.check(out.shape[1], network=network.name)


def _evidence(network: Network, scores: Tensor) -> NDArray[np.float64]:
    evidence = network.readout.evidence(scores).double().numpy()
    n_bad = int(np.count_nonzero(~np.isfinite(evidence)))
    if n_bad:
        raise CheckFailed(f"{network.name}: {n_bad} of {len(evidence)} stimuli give evidence that is not finite")
    return evidence
