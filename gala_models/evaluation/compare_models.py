"""``models evaluate``: networks on the same images, per image and compared in pairs."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rapidvision.errors import InputError
from rapidvision.numerics.sign_flip import sign_flip_test
from rapidvision.system import files
from rapidvision.text import csv_text

from ..computing.device import Device
from ..data.dataset import open_store
from ..weights.load import load_model
from .evaluate import Evaluation, evaluate


@dataclass(frozen=True)
class Comparison:
    """What came out.

    Attributes
    ----------
    evaluations : dict
        Network → evaluation.
    pairs : list of dict
        The first network against each other one: mean difference of the correlations and of the right answers, with
        one-sided p that the first is better.
    """

    evaluations: dict[str, Evaluation]
    pairs: list[dict[str, Any]]

    def summary(self) -> dict[str, Any]:
        """The sums of each network, and the pairs."""
        return {"networks": {name: one.summary() for name, one in self.evaluations.items()}, "pairs": self.pairs}

    def text(self) -> str:
        """A line per network and per pair."""
        lines = []
        for name, evaluation in self.evaluations.items():
            found = evaluation.summary()
            lines.append(
                f"{name}: top-1 error {found['top1_error']:.2f} %, top-5 error {found['top5_error']:.2f} %, "
                f"rho {found['rho']} (other classes {found['rho_other_classes']}), maps {found['maps']} %, "
                f"n = {found['n']}, {found['n_maps_left_out']} maps left out"
            )
        lines += [
            f"{pair['first']} - {pair['second']}: rho {pair['rho_difference']:+.3f} (p = {pair['rho_p']:.4g}, n = {pair['rho_n']}), "
            f"right answers {100 * pair['accuracy_difference']:+.1f} points (p = {pair['accuracy_p']:.4g})"
            for pair in self.pairs
        ]
        return "\n".join(lines)


def compare(
    paths: Sequence[Path],
    store: Path,
    *,
    seed: int = 0,
    out: Path | None = None,
    device: Device | None = None,
) -> Comparison:
    """Evaluate networks on a store; the first is compared with each of the others by sign flips, image by image.

    Parameters
    ----------
    paths : sequence of Path
        Files of weights.
    store : Path
        Images that they were not trained on.
    seed : int, default 0
        Of the sign flips.
    out : Path, optional
        A CSV with a row per network and image, and a JSON of the same name with the sums.
    device : Device, optional
        Where the networks compute and in which numbers; the CPU in float32 by default.

    Returns
    -------
    Comparison
    """
    images, evaluations = open_store(store), {}
    device = device or Device()
    for path in paths:
        model, card = load_model(path)
        if card.categories and card.categories != images.description.categories:
            raise InputError(
                f"{path}: was trained on other categories than {store} has; labels would not mean the same"
            )
        if card.name in evaluations:
            raise InputError(f"{path}: a second network named {card.name}; names must differ")
        evaluations[card.name] = evaluate(
            device.place(model), images, card.preprocessing, name=card.name, precision=device.precision
        )
    names = list(evaluations)
    pairs = [_pair(names[0], other, evaluations, seed) for other in names[1:]]
    result = Comparison(evaluations, pairs)
    if out is not None:
        files.write_text(out, _rows(evaluations))
        made = files.provenance(
            "models evaluate", seed=seed, inputs={"store": images.description.digest}, packages=("torch",)
        )
        files.write_json(out.with_suffix(".json"), {**result.summary(), "provenance": made})
    return result


def _pair(first: str, second: str, evaluations: dict[str, Evaluation], seed: int) -> dict[str, Any]:
    a, b = evaluations[first], evaluations[second]
    right = [(one.rank_of_label == 0).astype(np.float64) for one in (a, b)]
    rho, accuracy = (
        sign_flip_test(difference, seed=seed, alternative="greater")
        for difference in (a.rho - b.rho, right[0] - right[1])
    )
    return {
        "first": first,
        "second": second,
        "rho_n": int(np.count_nonzero(np.isfinite(a.rho) & np.isfinite(b.rho))),
        "rho_difference": float(rho.mean[0]),
        "rho_p": float(rho.p_best[0]),
        "accuracy_difference": float(accuracy.mean[0]),
        "accuracy_p": float(accuracy.p_best[0]),
        "test": "sign flips over images, one-sided: every flip where they can be counted, "
        f"else {rho.n_resamples} random ones",
    }


def _rows(evaluations: dict[str, Evaluation]) -> str:
    rows = []
    for name, one in evaluations.items():
        for row in range(len(one.ids)):
            rho = "" if not np.isfinite(one.rho[row]) else repr(round(float(one.rho[row]), 6))
            cells = (one.labels[row], one.predicted[row], one.rank_of_label[row])
            rows.append([name, one.ids[row], *map(int, cells), rho])
    return csv_text.text_of(["network", "image_id", "label", "predicted", "rank_of_label", "rho"], rows)
