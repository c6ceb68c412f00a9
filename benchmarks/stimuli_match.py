"""Matching against SHINIER, from file to file, and how near the matched images come to their target."""

import tempfile
from pathlib import Path

from PIL import Image

from benchmarks.harness import NotMeasured, Suite, at_least, at_most
from benchmarks.stimuli_inputs import SIDE, inputs
from benchmarks.stimuli_peers import least_ratio, processor_seconds
from rapidvision.stimuli.image.load import load, remembering
from rapidvision.stimuli.image.luma import luma_of
from rapidvision.stimuli.image.match import matched
from rapidvision.stimuli.image.match_target import find_target
from rapidvision.stimuli.png.series import SeriesWriter
from rapidvision.stimuli.recipe_tables import Match

suite = Suite()


def shinier_seconds(mode):
    """Processor seconds per image of SHINIER's own pipeline, reading and writing included."""
    try:
        from shinier import ImageDataset, ImageProcessor, Options
    except ImportError:
        raise NotMeasured("shinier is not installed (pip install 'rapidvision[bench]')") from None
    with tempfile.TemporaryDirectory() as name:
        source, out = Path(name) / "in", Path(name) / "out"
        source.mkdir()
        out.mkdir()
        for number, one in enumerate(inputs()):
            Image.fromarray(one.pixels).save(source / f"{number}.png")
        options = Options(input_folder=source, output_folder=out, mode=mode, as_gray=False, seed=1, verbose=-1)
        return processor_seconds(
            lambda: ImageProcessor(dataset=ImageDataset(options=options), options=options, verbose=-1)
        ) / len(inputs())


def our_match_seconds(match):
    """Processor seconds per image from file to file, all passes over the set included."""
    with tempfile.TemporaryDirectory() as name:
        paths = []
        for number, one in enumerate(inputs()):
            paths.append(Path(name) / f"{number}.png")
            Image.fromarray(one.pixels).save(paths[-1])

        def match_all():
            read = remembering(lambda path: load(path, SIDE))  # as a build in one process does it
            target = find_target(match, lambda: ((path.stem, read(path).pixels) for path in paths))
            for number, path in enumerate(paths):
                pixels, _ = matched(read(path).pixels, target, key=number)
                (Path(name) / f"out{number}.png").write_bytes(SeriesWriter(SIDE, SIDE).encode(pixels))

        return processor_seconds(match_all) / len(paths)


def match_ratio(mode, match):
    return least_ratio(lambda: our_match_seconds(match), lambda: shinier_seconds(mode), repeats=3)


@suite.figure("luminance matching per image: against SHINIER", unit="x", bar=at_least(10))
def match_luminance():
    return match_ratio(1, Match(kind="luminance", shrink=True))


@suite.figure("histogram matching per image: against SHINIER", unit="x", bar=at_least(10))
def match_histogram():
    return match_ratio(2, Match(kind="histogram"))


@suite.figure("spectrum matching per image: against SHINIER", unit="x", bar=at_least(10))
def match_spectrum():
    return match_ratio(4, Match(kind="spectrum", spectrum="full", shrink=True))


@suite.figure("matching: largest residual of mean or contrast", unit="grey level", bar=at_most(0.05))
def match_residual():
    images = [(one.job.image_id, one.pixels) for one in inputs()]
    worst = 0.0
    for match in (Match(kind="luminance", shrink=True), Match(kind="histogram")):
        target = find_target(match, lambda: images)
        for number, (_, pixels) in enumerate(images):
            luma = luma_of(matched(pixels, target, key=number)[0], match)
            worst = max(worst, abs(luma.mean() - target.mean), abs(luma.std() - target.contrast))
    return worst
