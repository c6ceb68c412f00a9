"""Networks that answer through linear probes, with or without an early exit and its response times."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np
import torch

from rapidvision.errors import CheckFailed, InputError
from rapidvision.formats.canvases.draws import rows_by_path
from rapidvision.formats.manifest import StimulusSet
from rapidvision.formats.manifest_rows import Stimulus
from rapidvision.recipes import Recipe
from rapidvision.system.progress import Advance, silent

from .features import layer_features
from .observe import Network, StimulusEvidence
from .pooling import check_layout
from .probes import EarlyExit, cross_validated, multiply_accumulates
from .shown import decoded, verify


class Probing(Recipe, frozen=True):
    """Which layers of a network answer, each through a linear probe.

    Attributes
    ----------
    layers : tuple of str
        In the order of the network. Without `early_exit` the last one answers.
    layouts : dict
        Layer → which axis of its output holds the channels, where that is not certain; see
        :data:`rapidvision.gala_models.observer.pooling.MEANING`.
    early_exit : EarlyExit or None
        Give response times; answers past the protocol's response limit are late, as for people.
    penalty : float
        Of the probes.
    seed : int
        Of the cross-validation's folds.

    Examples
    --------
    >>> import rapidvision as rv
    >>> rv.models.Probing(layers=("layer3", "layer4"), penalty=0.1).layers
    ('layer3', 'layer4')
    """

    layers: tuple[str, ...]
    layouts: dict[str, str] = msgspec.field(default_factory=dict)
    early_exit: EarlyExit | None = None
    penalty: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.layers:
            raise ValueError("layers: name at least one")
        for layer, layout in self.layouts.items():
            if layer not in self.layers:
                raise ValueError(f"layouts: {layer} = {layout}; the layers are {list(self.layers)}")
            check_layout(layout, name=f"layouts: {layer}")

    @classmethod
    def of_words(cls, words: Sequence[str], *, early_exit: EarlyExit | None = None, seed: int = 0) -> "Probing":
        """Read layers as they are written on the command line, ``LAYER`` or ``LAYER=LAYOUT``.

        Raises
        ------
        InputError
            When a layout is none.

        Examples
        --------
        >>> Probing.of_words(["layer1", "blocks.5=patch-tokens"]).layouts
        {'blocks.5': 'patch-tokens'}
        """
        pairs = [word.partition("=") for word in words]
        for layer, sign, layout in pairs:
            if sign:
                check_layout(layout, name=f"--probe {layer}")
        layouts = {layer: layout for layer, sign, layout in pairs if sign}
        return cls(layers=tuple(layer for layer, _, _ in pairs), layouts=layouts, early_exit=early_exit, seed=seed)


def look_through_probes(
    networks: Sequence[Network],
    found: StimulusSet,
    stimuli: dict[str, str],
    probing: Probing,
    *,
    batch_size: int = 64,
    advance: Advance = silent,
) -> list[StimulusEvidence]:
    """Show stimuli to networks and read the answers from cross-validated probes instead of the networks' own scores.

    Probes are fitted on the set's intact images, which are shown too, and never judge an image that they saw.

    Parameters
    ----------
    networks : sequence of Network
        Their readouts are not used.
    found : StimulusSet
        Says what each stimulus is.
    stimuli : dict
        Path → hash of what the plans show.
    probing : Probing
        Layers, and when to answer.
    batch_size : int, default 64
        Images per forward pass.
    advance : callable
        Called with the number of images just seen.

    Returns
    -------
    list of StimulusEvidence
        With response times under an early exit.
    """
    rows = rows_by_path(found)
    unknown = [path for path in stimuli if path not in rows]
    if unknown:
        raise InputError(f"{found.folder}: the plans show {unknown[0]}, which is not in the set")
    images = {rows[path].image_id for path in stimuli}
    intact = {row.path: row.sha256 for row in found.stimuli if row.reveal_fraction is None and row.image_id in images}
    every = dict(sorted({**stimuli, **intact}.items()))
    verify(found.folder, every)
    shown = [rows[path] for path in every]
    return [_seen(network, probing, found.folder, every, shown, batch_size, advance) for network in networks]


def _seen(
    network: Network,
    probing: Probing,
    folder: Path,
    every: dict[str, str],
    shown: Sequence[Stimulus],
    batch_size: int,
    advance: Advance,
) -> StimulusEvidence:
    def inputs() -> Iterator[torch.Tensor]:
        for images in decoded(folder, every, batch_size=batch_size):
            yield network.preprocessing(images)
            advance(len(images))

    found = layer_features(
        network.model, probing.layers, inputs(), layouts=probing.layouts, name=network.name, device=network.device
    )
    _check_finite(network, {layer: one.features for layer, one in found.items()}, list(every))
    layouts = {layer: one.layout for layer, one in found.items()}
    target = torch.tensor([row.target for row in shown])
    intact = torch.tensor([row.reveal_fraction is None for row in shown])
    image = [row.image_id for row in shown]
    evidence = [
        cross_validated(
            found[layer].features,
            target=target,
            image=image,
            intact=intact,
            seed=probing.seed,
            penalty=probing.penalty,
        )
        for layer in probing.layers
    ]
    row_of = {sha256: row for row, sha256 in enumerate(every.values())}
    if probing.early_exit is None:
        return StimulusEvidence(row_of, evidence[-1], layouts=layouts)
    side = network.preprocessing.size_px
    work = multiply_accumulates(network.model, probing.layers, torch.zeros(1, 3, side, side))
    answer, times_ms = probing.early_exit.decide(np.stack(evidence), [work[layer] for layer in probing.layers])
    return StimulusEvidence(row_of, answer, response_ms=times_ms, layouts=layouts)


def _check_finite(network: Network, features: dict[str, torch.Tensor], paths: Sequence[str]) -> None:
    for layer, found in features.items():
        bad = (~torch.isfinite(found).all(1)).nonzero()[:, 0].tolist()
        if bad:
            raise CheckFailed(
                f"{network.name}: layer {layer} gives values that are not finite for {len(bad)} of {len(paths)} stimuli "
                f"({paths[bad[0]]}, …); such a layer has no answers: repair or replace the network's weights"
            )
