"""What a network finds in the lowest level of a stimulus set: the certificate by its features and by its evidence."""

from collections.abc import Sequence
from pathlib import Path

from rapidvision.certificate.canvas_test import FEWEST, canvas_test, evidence_test
from rapidvision.certificate.record import CanvasCertificate, CanvasTest
from rapidvision.formats.manifest import StimulusSet, read_set
from rapidvision.system.progress import Advance, silent

from ..observer.observe import Network, observe_stimuli


def certify(
    networks: Sequence[Network],
    stimulus_set: StimulusSet | Path | str,
    *,
    seed: int | None = None,
    batch_size: int = 64,
    advance: Advance = silent,
) -> CanvasCertificate:
    """Test what networks find of the category in the images of the lowest level, which are nearly canvases.

    Parameters
    ----------
    networks : sequence of Network
        Each is tested by the input of its last linear layer, with the ridge of the set's own certificate, and by its
        evidence for target as it stands; never by its accuracy, which a bias can hide.
    stimulus_set : StimulusSet or path-like
        A set of PNG files.
    seed : int, optional
        Of the permutations; the set's own by default.
    batch_size : int, default 64
        Images per forward pass.
    advance : callable
        Called with the number of images just seen.

    Returns
    -------
    CanvasCertificate
        Two tests per network and map source; without tests where there are too few images.

    Raises
    ------
    InputError
        When the folder holds no set, or no linear layer makes a network's scores.
    CheckFailed
        When a file of the set was changed.

    Examples
    --------
    >>> import tempfile
    >>> import rapidvision as rv
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     stimulus_set = rv.stimuli.build("bundled", out=folder)
    ...     certificate = rv.models.certify([rv.models.load("compact-gala")], stimulus_set)
    >>> [test.features for test in certificate.tests]
    ['features of compact-gala', 'evidence of compact-gala', 'features of compact-gala', 'evidence of compact-gala']
    """
    found = stimulus_set if isinstance(stimulus_set, StimulusSet) else read_set(stimulus_set)
    seed = found.description.seed if seed is None else seed
    rows = [row for row in found.stimuli if row.phase == "main" and row.level_index == 0]
    targets = {row.image_id: row.target for row in rows}
    n_targets = sum(targets.values())
    if min(n_targets, len(targets) - n_targets) < FEWEST:
        return CanvasCertificate(
            note=f"{n_targets} targets and {len(targets) - n_targets} distractors; {FEWEST} of each are needed"
        )
    stimuli = {row.path: row.sha256 for row in rows}
    seen = observe_stimuli(networks, found.folder, stimuli, batch_size=batch_size, features=True, advance=advance)
    tests: list[CanvasTest] = []
    for network, one in zip(networks, seen, strict=True):
        assert one.features is not None
        features = one.features.double().numpy()
        for source in found.description.map_sources:
            mine = sorted((row for row in rows if row.map_source == source), key=lambda row: row.image_id)
            places = [one.row[row.sha256] for row in mine]
            kinds = [row.target for row in mine]
            shown = f"lowest level of {source}"
            names = [row.image_id for row in mine]
            tests.append(
                canvas_test(
                    features[places],
                    kinds,
                    seed=seed,
                    shown=shown,
                    name=f"features of {network.name}",
                    image_ids=names,
                )
            )
            tests.append(evidence_test(one.evidence[places].tolist(), kinds, seed=seed, shown=shown, name=network.name))
    return CanvasCertificate(tests=tuple(tests))
