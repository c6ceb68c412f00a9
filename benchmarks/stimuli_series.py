"""A whole reveal series from file to files against the usual recipe; the PNG writer and the storage forms."""

import copy
import dataclasses
import io
import tempfile
from functools import cache
from pathlib import Path

import msgspec
import numpy as np
from PIL import Image

from benchmarks import harness
from benchmarks.harness import Suite, at_least, at_most
from benchmarks.stimuli_canvas import lab_scramble
from benchmarks.stimuli_fill import literal_fill
from benchmarks.stimuli_inputs import N_PX, SIDE, inputs, maker, maps
from benchmarks.stimuli_peers import processor_times
from rapidvision.reveal import level_counts, level_fractions
from rapidvision.stimuli.image.load import load
from rapidvision.stimuli.png.series import SeriesWriter
from rapidvision.stimuli.storage.forms import png_files, recipe_container, series_container

suite = Suite()


@cache
def source_files():
    """JPEG files that both contenders start from, 400 pixels wide."""
    folder = Path(tempfile.mkdtemp())
    for number, one in enumerate(inputs()):
        Image.fromarray(one.pixels).resize((400, 400), Image.Resampling.BICUBIC).save(
            folder / f"{number}.jpg", quality=92
        )
    return sorted(folder.iterdir())


def lab_series(path, values, folder):
    image = np.asarray(Image.open(path).convert("RGB").resize((SIDE, SIDE), Image.Resampling.BICUBIC))
    order = literal_fill(values)
    canvas = np.clip(lab_scramble(image.astype(float)), 0, 255).astype(np.uint8)
    for level, count in enumerate(level_counts(N_PX, level_fractions(11, 0.01))):
        mask = np.zeros(SIDE * SIDE, bool)
        mask[order[:count]] = True
        Image.fromarray(np.where(mask.reshape(SIDE, SIDE, 1), image, canvas)).save(folder / f"{level}.png")
    Image.fromarray(image).save(folder / "full.png")


def our_series(path, one, folder, iterations):
    whole = maker()
    canvas = msgspec.structs.replace(whole.recipe.canvas, gamut_iterations=iterations)
    recipe = msgspec.structs.replace(whole.recipe, canvas=canvas, maps=whole.recipe.maps[1:])
    image = load(path, SIDE)
    made = copy.copy(whole)
    made.recipe = recipe
    done = made.make(dataclasses.replace(one, pixels=image.pixels, maps={"salicon": one.maps["salicon"]}))
    for rows, data in png_files(one.job, image.pixels, done.canvas.pixels, done.series, recipe, whole.fractions):
        (folder / Path(rows[0].path).name).write_bytes(data)


def series_ratio(iterations):
    """Both write into a new folder each time, as a build does: a file system waits for the disk where files are replaced."""
    files = source_files()[:3]
    with tempfile.TemporaryDirectory() as name:

        def fresh():
            return Path(tempfile.mkdtemp(dir=name))

        return processor_times(
            lambda: [our_series(path, one, fresh(), iterations) for path, one in zip(files, inputs(), strict=False)],
            lambda: [lab_series(path, values, fresh()) for path, values in zip(files, maps(), strict=False)],
            repeats=7,
        )


@suite.figure("12-PNG series, one core: against the lab recipe, plain scramble", unit="x", bar=at_least(20))
def series_plain():
    return series_ratio(0)


@suite.figure("12-PNG series, one core: against the lab recipe, gamut-aware", unit="x", bar=harness.STATED)
def series_gamut():
    return series_ratio(5)


@cache
def made_images():
    one = maker()
    return [one.make(found) for found in inputs()]


def composed():
    for made in made_images()[:4]:
        series = made.series["salicon"]
        yield made, [series.compose(made.inputs.pixels, made.canvas.pixels, level) for level in range(series.n_levels)]


def write_series(sets):
    out = []
    for made, levels in sets:
        series, writer, drawn = made.series["salicon"], SeriesWriter(SIDE, SIDE), 0
        targets = series.target_indices()
        for count, level in zip(series.counts, levels, strict=True):
            changed = np.zeros(SIDE, bool)
            changed[targets[drawn:count] // SIDE] = True
            out.append(writer.encode(level, changed_rows=changed if drawn else None))
            drawn = count
    return out


def write_pillow(sets):
    out = []
    for _, levels in sets:
        for level in levels:
            data = io.BytesIO()
            Image.fromarray(level).save(data, "PNG")
            out.append(data.getvalue())
    return out


@suite.figure("series PNG writer: against Pillow's default", unit="x", bar=at_least(10))
def writer_speed():
    sets = list(composed())
    return harness.times(lambda: write_series(sets), lambda: write_pillow(sets), repeats=3)


@suite.figure("series PNG writer: size against Pillow's default", unit="ratio", bar=at_most(1.12))
def writer_size():
    sets = list(composed())
    ours, theirs = write_series(sets), write_pillow(sets)
    for one, other in zip(ours, theirs, strict=True):
        assert np.array_equal(np.asarray(Image.open(io.BytesIO(one))), np.asarray(Image.open(io.BytesIO(other))))
    return sum(map(len, ours)) / sum(map(len, theirs))


def one_source(made):
    return dataclasses.replace(made, series={"salicon": made.series["salicon"]})


def storage_ratio(container):
    one = maker()
    pngs = packed = 0
    for made in map(one_source, made_images()):
        parts = (made.inputs.job, made.inputs.pixels, made.canvas.pixels, made.series, one.recipe, one.fractions)
        pngs += sum(len(data) for _, data in png_files(*parts))
        packed += len(container(made, one.recipe))
    return pngs / packed


@suite.figure("storage: series against the PNG folder, one map source", unit="x smaller", bar=at_least(5))
def storage_series():
    return storage_ratio(series_container)


@suite.figure("storage: recipe against the PNG folder, one map source", unit="x smaller", bar=at_least(90))
def storage_recipe():
    return storage_ratio(recipe_container)
