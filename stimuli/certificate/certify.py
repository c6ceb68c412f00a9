"""The certificate of a set: AUC, interval and permutation p of what its images tell of the category."""

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from rapidvision.errors import InputError
from rapidvision.formats.certificate import CanvasCertificate, CanvasTest
from rapidvision.seeds import key64, stream

from .pairs import MOST_PAIRED, N_FOLDS, fold_auc, hat_matrix, pair_auc

#: Effective degrees of freedom of the classifier, and images per degree where there are few.
FREEDOM, IMAGES_PER_FREEDOM = 8.0, 5.0
N_PERMUTATIONS = 999
#: Fewer images of a kind are not tested: no result could be flagged.
FEWEST = 4


def canvas_test(
    features: NDArray[np.float64],
    targets: Sequence[bool],
    *,
    seed: int,
    shown: str = "canvas",
    name: str = "numbers",
    image_ids: Sequence[str] = (),
    n_permutations: int = N_PERMUTATIONS,
) -> CanvasTest:
    """Test what features of images tell of their category.

    Parameters
    ----------
    features : ndarray of float64, shape (n, n_features)
        One row per image.
    targets : sequence of bool
        Which images are targets.
    seed : int
        Of the permutations.
    shown, name : str
        What the images show, and what the features are.
    image_ids : sequence of str
        Decide the folds of sets above 200 images; row numbers stand for them unless given.
    n_permutations : int
        Shuffles of the labels.

    Returns
    -------
    CanvasTest
        One-sided p, and the interval on the logit scale whose standard error is that under shuffled labels, scaled by
        2 sqrt(AUC (1 - AUC)).

    Raises
    ------
    InputError
        When there are fewer than four images of a kind, or features and targets differ in number.

    Examples
    --------
    >>> rng = np.random.default_rng(2)
    >>> targets = np.arange(40) % 2 == 0
    >>> leaky = rng.normal(size=(40, 5)) + 2 * targets[:, None]
    >>> canvas_test(leaky, targets, seed=1, n_permutations=199).flagged
    True
    """
    x, target = np.asarray(features, np.float64), np.asarray(targets, bool)
    n, n_targets = target.size, int(target.sum())
    if x.ndim != 2 or len(x) != n:
        raise InputError(f"canvas test: features of shape {x.shape} for {n} images; one row per image is needed")
    if min(n_targets, n - n_targets) < FEWEST:
        raise InputError(
            f"canvas test: got {n_targets} targets and {n - n_targets} distractors; {FEWEST} of each are needed"
        )
    untold = CanvasTest(
        shown=shown,
        features=name,
        n_targets=n_targets,
        n_distractors=n - n_targets,
        auc=0.5,
        low=0.5,
        high=0.5,
        p=1.0,
        p_below=1.0,
        null_sd=0.0,
        n_permutations=0,
    )
    hat = hat_matrix(x, min(FREEDOM, n / IMAGES_PER_FREEDOM))
    if hat is None:
        return untold
    rng = stream(seed, "certificate", shown, name)
    labels = np.where(target, 1.0, -1.0)
    columns = np.stack([labels, *(rng.permutation(labels) for _ in range(n_permutations))], axis=1)
    if n <= MOST_PAIRED:
        found = pair_auc(hat, columns)
    else:
        names = image_ids or [str(number) for number in range(n)]
        folds = np.empty(n, np.int64)
        by_lot = sorted(range(n), key=lambda number: key64(seed, "fold", names[number]))
        folds[by_lot] = np.arange(n) % max(N_FOLDS, n // 100)
        found = fold_auc(hat, columns, folds)
    auc, null = float(found[0]), found[1:]
    inside = min(max(auc, 1e-3), 1 - 1e-3)
    step = 1.96 * 2 * float(null.std()) / np.sqrt(inside * (1 - inside))
    odds = np.log(inside / (1 - inside))
    low, high = (float(1 / (1 + np.exp(-(odds + one)))) for one in (-step, step))
    return msgspec.structs.replace(
        untold,
        auc=round(auc, 6),
        low=round(low, 6),
        high=round(high, 6),
        p=round(float((np.sum(null >= auc - 1e-9) + 1) / (n_permutations + 1)), 6),
        p_below=round(float((np.sum(null <= auc + 1e-9) + 1) / (n_permutations + 1)), 6),
        null_sd=round(float(null.std()), 6),
        n_permutations=n_permutations,
    )


def certify(
    numbers: Mapping[str, Mapping[str, Sequence[float]]],
    targets: Mapping[str, bool],
    *,
    seed: int,
    networks: Mapping[str, Mapping[str, NDArray[np.float64]]] | None = None,
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
    networks : mapping, optional
        Name of a network → image id → its features of the image's canvas.
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
    for network, features in (networks or {}).items():
        table = np.array([features[name] for name in names], np.float64)
        tests.append(canvas_test(table, kinds, seed=seed, name=network, image_ids=names))
    return CanvasCertificate(tests=tuple(tests), note=note)
