"""Figures of attached attention: identity, time, and held-out maps; what was stored is printed as stored."""

import copy
import time
from functools import lru_cache

import numpy as np
import torch

from benchmarks import train_attached
from benchmarks.harness import STATED, NotMeasured, Suite, at_least, at_most
from benchmarks.human_maps import SOURCES
from rapidvision.gala_models.attached.hooks import attach
from rapidvision.gala_models.evaluation.agreement import interval_of

suite = Suite()


def lite0():
    try:
        return copy.deepcopy(train_attached.efficientnet("lite0"))
    except ImportError as error:
        raise NotMeasured(f"{error.name} is not installed") from error


@torch.no_grad()
def gap_at_start(network, layers, x, dtype=torch.float32, form="gain"):
    network, x = network.to(dtype), x.to(dtype)
    before = network(x)
    attach(network, layers, x, form=form)
    return float((network(x) - before).abs().max() / (before.abs().max() if form == "small" else 1))


def noise(side, n=2):
    return torch.rand(n, 3, side, side, generator=torch.Generator().manual_seed(0))


LAYERS = ["_blocks.4", "_blocks.10", "_blocks.14"]


@suite.figure(
    "attached gain at the start, EfficientNet-Lite0, three layers, float32", unit="difference", bar=at_most(0)
)
def exact_single():
    return gap_at_start(lite0(), LAYERS, noise(224))


@suite.figure("the same in bfloat16", unit="difference", bar=at_most(0))
def exact_half():
    return gap_at_start(lite0(), LAYERS, noise(224), torch.bfloat16)


@suite.figure("the same, form small, of the largest output", unit="difference", bar=at_most(1e-6))
def small_start():
    return gap_at_start(lite0(), LAYERS, noise(224), form="small")


@suite.figure("attached gain at the start, ten timm architectures", unit="difference", bar=at_most(0))
def exact_timm():
    from tests.gala_models.test_attached import TIMM
    from tests.gala_models.timm_networks import create

    return max(gap_at_start(create(name, **o), [layer], noise(side)) for name, (o, side, layer, *_) in TIMM.items())


@lru_cache
def ratios():
    """CPU time over that of the plain network, interleaved on one thread: ratio of minima, by (batch, layers)."""
    n_threads, out = torch.get_num_threads(), {}
    torch.set_num_threads(1)
    try:
        plain = lite0().to(memory_format=torch.channels_last)
        for batch, repeats in ((1, 40), (8, 12)):
            x = noise(224, batch).contiguous(memory_format=torch.channels_last)
            networks = {0: plain}
            for n in (1, 3):
                networks[n] = copy.deepcopy(plain)
                attach(networks[n], LAYERS[-n:], x)
            spent = {n: [] for n in networks}
            with torch.no_grad():
                for _ in range(repeats):
                    for n, network in networks.items():
                        start = time.process_time()
                        network(x)
                        spent[n].append(time.process_time() - start)
            out |= {(batch, n): min(spent[n]) / min(spent[0]) for n in (1, 3)}
    finally:
        torch.set_num_threads(n_threads)
    return out


for _batch in (1, 8):
    for _n, _bar in ((1, at_most(1.05)), (3, at_most(1.12))):
        suite.figure(f"attached, {_n} of Lite0's layers, batch {_batch}: inference", unit="of the plain", bar=_bar)(
            lambda batch=_batch, n=_n: ratios()[batch, n]
        )


@lru_cache
def one_seed(source, maps="own"):
    return train_attached.measured(train_attached.Condition("lite0", source, maps), 1)


for _source in ("fixations", "clicks"):
    suite.figure(f"Lite0, block 14, held-out maps, one seed: {_source}", unit="rho", bar=at_least(0.68))(
        lambda source=_source: float(np.nanmean(one_seed(source)["rho"]))
    )
    suite.figure(f"minus that of shuffled maps, low end of the interval: {_source}", unit="rho", bar=at_least(0.05))(
        lambda source=_source: low_end(one_seed(source), one_seed(source, "shuffled"))
    )


def low_end(one, other):
    """Low end of the 95 % interval over photographs of a difference in rho."""
    return interval_of(np.array(one["rho"], float) - np.array(other["rho"], float)).low


def stored(network, source, maps="own"):
    found = train_attached.stored().get("conditions", {}).get(train_attached.Condition(network, source, maps).name)
    if found is None:
        raise NotMeasured("no stored run; python -m benchmarks.train_attached makes one")
    return found


def figures_of_stored(network, source):
    where = f"stored run of {train_attached.stored().get('date', 'no date')}, {network}, {source}"

    @suite.figure(f"{where}: rho", unit="rho", bar=STATED)
    def _():
        return float(np.nanmean(stored(network, source)["rho"]))

    @suite.figure(f"{where}: low end of own - shuffled", unit="rho", bar=STATED)
    def _():
        return low_end(stored(network, source), stored(network, source, "shuffled"))

    @suite.figure(f"{where}: first answers kept", unit="of 1", bar=STATED)
    def _():
        return float(np.mean(stored(network, source)["agree"]))

    if SOURCES[source] != "osie":  # the others are not labelled
        return

    @suite.figure(f"{where}: animal accuracy minus the untouched network's", unit="of 1", bar=STATED)
    def _():
        before = train_attached.stored()["untouched"][f"{network}/{SOURCES[source]}"]["correct"]
        return float(np.mean(stored(network, source)["correct"]) - np.mean(before))


for _network in train_attached.NETWORKS:
    for _source in SOURCES:
        figures_of_stored(_network, _source)
