"""The certificate of a set: AUC, interval and permutation p of what its images tell of the category."""

from collections.abc import Mapping, Sequence

import numpy as np

from rapidvision.certificate.canvas_test import FEWEST, canvas_test
from rapidvision.certificate.record import CanvasCertificate


def certify(
    numbers: Mapping[str, Mapping[str, Sequence[float]]],
    targets: Mapping[str, bool],
    *,
    seed: int,
    note: str = "",
) -> CanvasCertificate:
    """Return the certificate of a set.

    Parameters
    ----------
    numbers : mapping
        Image id → what was shown → the numbers of that image.
    targets : mapping
        Image id → whether it is a target.
    seed : int
        Of the set.
    note : str
        Added to the certificate.

    Returns
    -------
    CanvasCertificate
        Without tests where there are too few images.
    """
    names = sorted(name for name in numbers if numbers[name])
    n_targets = sum(targets[name] for name in names)
    if not names:
        return CanvasCertificate(note=note or "no canvases were drawn")
    if min(n_targets, len(names) - n_targets) < FEWEST:
        return CanvasCertificate(
            note=f"{n_targets} targets and {len(names) - n_targets} distractors; {FEWEST} of each are needed"
        )
    kinds = [targets[name] for name in names]
    tests = [
        canvas_test(np.array([numbers[name][shown] for name in names]), kinds, seed=seed, shown=shown, image_ids=names)
        for shown in numbers[names[0]]
    ]
    return CanvasCertificate(tests=tuple(tests), note=note)
