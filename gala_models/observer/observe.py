"""Networks as observers: the same plans and the same hashed pixels as people, and the same trials table.

Each stimulus file is decoded and shown to a network once, however many plans it appears in. All files are hashed
before the first forward pass.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from rapidvision.errors import RapidVisionError
from rapidvision.plugins.source import PluginSource
from rapidvision.system.progress import Advance, silent

from ..answers.choices import option_probabilities, ranks
from ..answers.class_lists import list_for
from ..answers.task import NetworkTask
from ..computing.device import Device, Precision
from ..computing.forward import class_scores
from ..computing.score_cache import ScoreCache, network_key
from ..computing.viewing import Sight, look, missing
from ..preprocessing import Preprocessing
from .features import check_readout, keep_input
from .readout import Readout, finite_evidence
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

    @property
    def key(self) -> str | None:
        """What its scores depend on, as one hash; None where that cannot be told."""
        return network_key(self.model, self.preprocessing, self.device, file_sha256=self.sha256)

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
    folder, stimuli : Path, dict
        The set's folder, and path → hash, from :func:`rapidvision.gala_models.observer.shown.stimuli_of`.
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
    found = observe_each(
        networks, folder, stimuli, task=task, batch_size=batch_size, features=features, advance=advance
    )
    for one in found:
        if isinstance(one, RapidVisionError):
            raise one
    return [one for one in found if isinstance(one, StimulusEvidence)]


def observe_each(
    networks: Sequence[Network],
    folder: Path,
    stimuli: dict[str, str],
    *,
    task: NetworkTask | None = None,
    batch_size: int = 64,
    features: bool = False,
    cache: ScoreCache | None = None,
    advance: Advance = silent,
) -> list[StimulusEvidence | RapidVisionError]:
    """Show every stimulus to every network once; a network that fails does not cost the others' results.

    Parameters
    ----------
    networks, folder, stimuli, task, batch_size, features, advance
        As for :func:`observe_stimuli`.
    cache : ScoreCache, optional
        Where scores are kept, and taken from where they are known. Not used with `features`.

    Returns
    -------
    list of StimulusEvidence or RapidVisionError
        In the order of `networks`; an error of a network whose results are missing.

    Raises
    ------
    CheckFailed
        When a file is not what was planned, before the first forward pass.
    """
    verify(folder, stimuli)
    stimuli = once(stimuli)
    sights = [Sight(network) for network in networks]
    kept: list[list[Tensor]] = [[] for _ in networks]
    with torch.inference_mode(), ExitStack() as hooks:
        for network, sight, into in zip(networks, sights, kept, strict=True):
            sight.attempt(partial(_probe, network, task))
            if features:
                sight.attempt(partial(_keep, hooks, network, into))
            elif cache is not None and sight.error is None:
                sight.recall(cache, network.key, stimuli.values())
        wanted = missing(sights, stimuli)
        advance(len(stimuli) - len(wanted))
        look(sights, decoded(folder, wanted, batch_size=batch_size), wanted, advance)
    rows = {sha256: row for row, sha256 in enumerate(stimuli.values())}
    return [
        sight.error or _tried(network, rows, sight, inputs if features else None, task)
        for network, sight, inputs in zip(networks, sights, kept, strict=True)
    ]


def _keep(hooks: ExitStack, network: Network, into: list[Tensor]) -> None:
    hooks.callback(keep_input(network.model, into, name=network.name).remove)


def _tried(
    network: Network, rows: dict[str, int], sight: Sight, inputs: list[Tensor] | None, task: NetworkTask | None
) -> StimulusEvidence | RapidVisionError:
    scores = torch.stack([sight.scores[sha256] for sha256 in rows])
    try:
        return _seen(network, rows, scores, None if inputs is None else torch.cat(inputs), task)
    except RapidVisionError as error:
        return error


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
        return StimulusEvidence(rows, finite_evidence(network.readout, scores, network=network.name), features)
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
