"""The sweep over λ and seeds, and Fig. 7: accuracy and map agreement against the weight of the maps."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from rapidvision.errors import InputError
from rapidvision.system import files, json_text
from rapidvision.system.progress import progress

from ..data.dataset import open_store
from ..evaluation.evaluate import Ceiling, evaluate
from ..weights.load import load_model
from .processes import World
from .recipe import Training
from .train import Trainer


class Point(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One trained network of a sweep.

    Attributes
    ----------
    lam : float
        Weight of the map loss.
    seed : int
        Of the network.
    accuracy : float
        Per cent of the validation images.
    maps : float or None
        Per cent of human variability explained; None where no map could be compared.
    """

    lam: float
    seed: int
    accuracy: float
    maps: float | None


def sweep(
    recipe: Training,
    out: Path,
    *,
    base: Path,
    lams: Sequence[float],
    seeds: Sequence[int],
    world: World | None = None,
    quiet: bool = False,
) -> list[Point]:
    """Train one network per λ and seed, and collect them in ``sweep.json``; finished ones are not trained again.

    Parameters
    ----------
    recipe : Training
        What they share.
    out : Path
        A folder per network, whose name says λ and seed too, and ``sweep.json``.
    base : Path
        Where the recipe's stores are relative to.
    lams, seeds : sequence
        0 means no supervision. The paper trained five networks per λ.
    world : World, optional
        Where it trains; one process on the CPU by default.
    quiet : bool, default False
        No progress.

    Returns
    -------
    list of Point
        In the order of `lams` and `seeds`.
    """
    if not lams or not seeds or min(lams) < 0:
        raise InputError(f"sweep: λ {list(lams)} and seeds {list(seeds)}; at least one of each, none below 0")
    world = world or World()
    if world.size > 1:
        raise InputError("sweep: runs in one process; start it without torchrun, or train each network with torchrun")
    stores = {name: open_store(base / getattr(recipe, name)) for name in ("train", "validation")}
    points = []
    with progress("networks", len(lams) * len(seeds), quiet=quiet) as advance:
        for lam in lams:
            for seed in seeds:
                loss = msgspec.structs.replace(recipe.map_loss, lam=lam)
                label = f"lam{lam:g}-seed{seed}"
                one = msgspec.structs.replace(recipe, name=f"{recipe.name}-{label}", map_loss=loss, seed=seed)
                folder = out / label
                done = folder / f"{one.name}.safetensors"
                if not done.is_file():
                    Trainer(one, folder, **stores, world=world).run()
                model, card = load_model(done)
                found = evaluate(
                    world.device.place(model), stores["validation"], card.preprocessing, name=one.name
                ).summary()
                points.append(Point(lam=lam, seed=seed, accuracy=100 - found["top1_error"], maps=found["maps"]))
                advance(1)
    files.write_json(out / "sweep.json", points)
    return points


def read_points(path: Path) -> list[Point]:
    """Read ``sweep.json``."""
    try:
        return json_text.decode(files.read_bytes(path), list[Point], name=str(path))
    except msgspec.DecodeError as error:
        raise InputError(f"{path}: not the result of a sweep ({error})") from error


def means(points: Sequence[Point]) -> list[dict[str, Any]]:
    """Mean and standard error over seeds, per λ, in rising order; the paper's error bars are not stated.

    Examples
    --------
    >>> two = [Point(lam=6.0, seed=s, accuracy=a, maps=50.0) for s, a in ((0, 40.0), (1, 44.0))]
    >>> means(two)[0]["accuracy"]
    (42.0, 2.0)
    """
    out = []
    for lam in sorted({point.lam for point in points}):
        mine = [point for point in points if point.lam == lam]
        values = {
            "accuracy": [one.accuracy for one in mine],
            "maps": [one.maps for one in mine if one.maps is not None],
        }
        out.append({"lam": lam, "n": len(mine), **{name: _mean(found) for name, found in values.items()}})
    return out


def _mean(values: Sequence[float]) -> tuple[float, float]:
    if not values:
        return math.nan, math.nan
    mean = sum(values) / len(values)
    if len(values) == 1:
        return mean, math.nan
    variance = sum((value - mean) ** 2 for value in values) / (len(values) - 1)
    return mean, math.sqrt(variance / len(values))


def null_line(ceiling: Ceiling) -> float:
    """The null between people, in per cent of human variability: the lower line of Fig. 7."""
    return 100 * ceiling.null / ceiling.rho
