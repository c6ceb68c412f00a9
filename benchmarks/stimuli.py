"""Stimuli: fill, scramble, series, storage, matching and memory, each against the thing that labs use today.

Photographs come from the folder named by RAPIDVISION_PHOTOGRAPHS; without it the bundled pictures take their place
where only time and size count.
"""

import ctypes
import dataclasses
import heapq
import io
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from functools import cache
from pathlib import Path

import msgspec
import numpy as np
from PIL import Image

from benchmarks import harness, pictures
from benchmarks.harness import NotMeasured, Room, at_least, at_most
from rapidvision.reveal import level_counts, level_fractions
from rapidvision.stimuli.build import build, read_recipe
from rapidvision.stimuli.canvas import make_canvas
from rapidvision.stimuli.clocks import EXP_TABLE, LN2, slowness_of, speed_of, tie_break, waits
from rapidvision.stimuli.flood import fill, start_pixel
from rapidvision.stimuli.jobs import jobs_of
from rapidvision.stimuli.lots import origin_of
from rapidvision.stimuli.make import Maker
from rapidvision.stimuli.match import matched
from rapidvision.stimuli.match_target import find_target, luma_of, remembering
from rapidvision.stimuli.memory import keep_freed_memory
from rapidvision.stimuli.pictures import load
from rapidvision.stimuli.png import SeriesWriter
from rapidvision.stimuli.recipe import Canvas, Match
from rapidvision.stimuli.scramble import scramble
from rapidvision.stimuli.storage import png_files, recipe_container, series_container

room = Room()
SIDE, N_PX = 256, 9830
CLICKME = 196_499


@cache
def photographs() -> list[Path]:
    """Real photographs, when the environment names a folder of them."""
    folder = os.environ.get("RAPIDVISION_PHOTOGRAPHS")
    if not folder:
        raise NotMeasured("set RAPIDVISION_PHOTOGRAPHS to a folder of photographs")
    found = sorted(path for path in Path(folder).rglob("*.jpg"))
    if len(found) < 10:
        raise NotMeasured(f"{folder} holds fewer than 10 .jpg files")
    return found


@cache
def maker() -> Maker:
    keep_freed_memory()  # as every worker does; it is to the advantage of both contenders
    recipe, root = read_recipe("bundled")
    return Maker(recipe, root)


@cache
def inputs(n=8):
    """Bundled maps, on photographs where there are some and else on their own pictures."""
    one = maker()
    found = [one.read(job) for job in jobs_of(one.recipe, one.root)[:n]]
    if not os.environ.get("RAPIDVISION_PHOTOGRAPHS"):
        return found
    files = photographs()[:: max(1, len(photographs()) // n)]
    return [
        dataclasses.replace(input_, pixels=load(path, SIDE, upscale=True).pixels)
        for input_, path in zip(found, files, strict=False)
    ]


def maps():
    return [one.maps["salicon"].map.values for one in inputs()]


def over(work):
    return lambda: [work(one) for one in maps()]


def heapq_fill(values):
    """The same growth in plain Python: Dijkstra with heapq, stopped at the last pixel."""
    costs = waits(slowness_of(values, speed_of(values, gamma=2, epsilon=1e-3)), 1).tolist()
    start = int(np.argmax(values))
    heap, seen, order = [(0, start)], {start}, []
    while len(order) < N_PX:
        reached, pixel = heapq.heappop(heap)
        order.append(pixel)
        row, column = divmod(pixel, SIDE)
        for y, x in ((row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)):
            near = y * SIDE + x
            if 0 <= y < SIDE and 0 <= x < SIDE and near not in seen:
                seen.add(near)
                heapq.heappush(heap, (reached + costs[near], near))
    return order


def mcp_fill(values):
    from skimage.graph import MCP

    costs = waits(slowness_of(values, speed_of(values, gamma=2, epsilon=1e-3)), 1).reshape(SIDE, SIDE).astype(float)
    reached, _ = MCP(costs, fully_connected=False).find_costs([np.unravel_index(int(np.argmax(values)), costs.shape)])
    return np.argpartition(reached.ravel(), N_PX)[:N_PX]


def literal_fill(values, n=N_PX):
    """What the words say, step by step: a frontier, and a weighted draw from it."""
    rates = ((values / values.max()) ** 2 + 1e-3).ravel()
    rng = np.random.default_rng(0)
    inside, frontier, order = np.zeros(SIDE * SIDE, bool), np.zeros(SIDE * SIDE, bool), []
    pixel = int(np.argmax(values))
    while len(order) < n:
        order.append(pixel)
        inside[pixel], frontier[pixel] = True, False
        row, column = divmod(pixel, SIDE)
        for y, x in ((row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)):
            if 0 <= y < SIDE and 0 <= x < SIDE and not inside[y * SIDE + x]:
                frontier[y * SIDE + x] = True
        choices = np.flatnonzero(frontier)
        pixel = int(rng.choice(choices, p=rates[choices] / rates[choices].sum()))
    return np.array(order)


def ours_fill(values):
    return fill(values, N_PX, key=1)


@room.figure("fill 256x256, 15 %: against Python's heapq", unit="x", bar=at_least(20))
def fill_against_heapq():
    return harness.times(over(ours_fill), over(heapq_fill), repeats=5)


@room.figure("fill 256x256, 15 %: against skimage's MCP", unit="x", bar=at_least(25))
def fill_against_mcp():
    return harness.times(over(ours_fill), over(mcp_fill), repeats=5)


@room.figure("fill 256x256, 15 %: against the literal growth", unit="x", bar=at_least(300))
def fill_against_literal():
    values = maps()[0]
    return harness.times(lambda: ours_fill(values), lambda: literal_fill(values), repeats=5)


@cache
def compiled_fill():
    """The kernel in C with the machine's own compiler at its best, and the same order pixel for pixel."""
    compiler = shutil.which("cc")
    if compiler is None:
        raise NotMeasured("no C compiler (cc) on this machine")
    out = Path(tempfile.mkdtemp()) / "fill.so"
    source = Path(__file__).with_name("fill.c")
    flags = ["-O3", "-march=native", "-fno-math-errno", "-shared", "-fPIC"]
    subprocess.run([compiler, *flags, "-o", str(out), str(source), "-lm"], check=True)
    kernel = ctypes.CDLL(str(out)).grow
    whole, word, pointer = ctypes.c_int64, ctypes.c_uint64, ctypes.c_void_p
    kernel.argtypes = [pointer, ctypes.c_double, pointer, word, pointer, word, *3 * [whole], word, word, pointer, whole]
    kernel.restype = whole

    def grow(values, speed, start, n_px, key):
        order = np.empty(n_px, np.int32)
        bits, mask = tie_break(values.size, key)
        arrays = values.ctypes.data, speed.table.ctypes.data, EXP_TABLE.ctypes.data
        kernel(
            *(arrays[0], speed.scale, arrays[1], origin_of(key), arrays[2], LN2),
            *(*values.shape, start, bits, mask, order.ctypes.data, n_px),
        )
        return order

    return grow


@room.figure("fill 256x256, 15 %: kernel against the same in C", unit="x", bar=at_least(1))
def fill_against_c():
    try:
        from rapidvision.stimuli.flood_numba import grow
    except ImportError:
        raise NotMeasured("numba is not installed (pip install 'rapidvision[fast]')") from None
    compiled = compiled_fill()
    fills = [(values, speed_of(values, gamma=2, epsilon=1e-3), start_pixel(values, key=1)) for values in maps()]
    assert all(np.array_equal(grow(*one, N_PX, 1, eight=False), compiled(*one, N_PX, 1)) for one in fills)
    return harness.times(
        lambda: [grow(*one, N_PX, 1, eight=False) for one in fills * 5],
        lambda: [compiled(*one, N_PX, 1) for one in fills * 5],
        repeats=15,
    )


def lab_scramble(picture):
    """The usual recipe: one random phase added to every layer, through numpy's complex FFT."""
    shift = np.angle(np.fft.fft2(np.random.default_rng(0).random(picture.shape[:2])))
    out = np.empty(picture.shape)
    for layer in range(3):
        spectrum = np.fft.fft2(picture[..., layer])
        out[..., layer] = np.real(np.fft.ifft2(np.abs(spectrum) * np.exp(1j * (np.angle(spectrum) + shift))))
    return out


@room.figure("plain scramble: against the usual lab recipe", unit="x", bar=at_least(5))
def scramble_against_lab():
    pictures = [one.pixels.astype(float) for one in inputs()]
    return harness.times(
        lambda: [scramble(one, key=1, edges="raw", gamut_iterations=0) for one in pictures],
        lambda: [lab_scramble(one) for one in pictures],
    )


@room.figure("plain scramble: auto- and cross-spectra, relative error", unit="", bar=at_most(1e-12))
def scramble_spectra():
    worst = 0.0
    for one in inputs():
        before = np.fft.fft2(one.pixels.astype(float), axes=(0, 1))
        after = np.fft.fft2(scramble(one.pixels.astype(float), key=1, edges="raw").values, axes=(0, 1))
        a, b = (np.einsum("yxa,yxb->abyx", spectrum, spectrum.conj()) for spectrum in (before, after))
        worst = max(worst, float((np.abs(a - b) / np.abs(a).max(axis=(2, 3), keepdims=True)).max()))
    return worst


@cache
def canvas_quality():
    return [
        make_canvas(load(path, SIDE, upscale=True).pixels, Canvas(), key=number, where=str(path)).quality
        for number, path in enumerate(photographs())
    ]


@room.figure("gamut-aware, 5 iterations, photographs: median mean error", unit="grey level", bar=at_most(0.4))
def gamut_mean():
    return statistics.median(abs(one.mean_error) for one in canvas_quality())


@room.figure("gamut-aware, 5 iterations, photographs: median contrast", unit="ratio", bar=at_least(0.98))
def gamut_contrast():
    return statistics.median(min(one.contrast_ratio, 1 / one.contrast_ratio) for one in canvas_quality())


@room.figure("gamut-aware, 5 iterations, photographs: median spectrum error", unit="", bar=at_most(0.04))
def gamut_spectrum():
    return statistics.median(one.spectrum_error for one in canvas_quality())


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
    picture = load(path, SIDE)
    made = Maker.__new__(Maker)
    made.recipe, made.engine, made.fractions, made.target = recipe, "auto", whole.fractions, None
    done = made.make(dataclasses.replace(one, pixels=picture.pixels, maps={"salicon": one.maps["salicon"]}))
    for rows, data in png_files(one.job, picture.pixels, done.canvas.pixels, done.series, recipe, whole.fractions):
        (folder / Path(rows[0].path).name).write_bytes(data)


def series_ratio(iterations):
    with tempfile.TemporaryDirectory() as name:
        folder, files = Path(name), source_files()[:3]
        return harness.times(
            lambda: [our_series(path, one, folder, iterations) for path, one in zip(files, inputs(), strict=False)],
            lambda: [lab_series(path, values, folder) for path, values in zip(files, maps(), strict=False)],
            repeats=3,
        )


@room.figure("12-PNG series, one core: against the lab recipe, plain scramble", unit="x", bar=at_least(12))
def series_plain():
    return series_ratio(0)


@room.figure("12-PNG series, one core: against the lab recipe, gamut-aware", unit="x", bar=harness.STATED)
def series_gamut():
    return series_ratio(5)


@cache
def made_pictures():
    one = maker()
    return [one.make(found) for found in inputs()]


def composed():
    for made in made_pictures()[:4]:
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


@room.figure("series PNG writer: against Pillow's default", unit="x", bar=at_least(10))
def writer_speed():
    sets = list(composed())
    return harness.times(lambda: write_series(sets), lambda: write_pillow(sets), repeats=3)


@room.figure("series PNG writer: size against Pillow's default", unit="ratio", bar=at_most(1.12))
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
    for made in map(one_source, made_pictures()):
        parts = (made.inputs.job, made.inputs.pixels, made.canvas.pixels, made.series, one.recipe, one.fractions)
        pngs += sum(len(data) for _, data in png_files(*parts))
        packed += len(container(made, one.recipe))
    return pngs / packed


@room.figure("storage: series against the PNG folder, one map source", unit="x smaller", bar=at_least(5))
def storage_series():
    return storage_ratio(series_container)


@room.figure("storage: recipe against the PNG folder, one map source", unit="x smaller", bar=at_least(90))
def storage_recipe():
    return storage_ratio(recipe_container)


def shinier_seconds(mode):
    """Seconds per picture of SHINIER's own pipeline, reading and writing included."""
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
        start = time.perf_counter()
        ImageProcessor(dataset=ImageDataset(options=options), options=options, verbose=-1)
        return (time.perf_counter() - start) / len(inputs())


def our_match_seconds(match):
    """Seconds per picture from file to file, both passes over the set included."""
    with tempfile.TemporaryDirectory() as name:
        paths = []
        for number, one in enumerate(inputs()):
            paths.append(Path(name) / f"{number}.png")
            Image.fromarray(one.pixels).save(paths[-1])
        start = time.perf_counter()
        read = remembering(lambda path: load(path, SIDE).pixels)  # as a build does it
        target = find_target(match, lambda: ((path.stem, read(path)) for path in paths))
        for number, path in enumerate(paths):
            pixels, _ = matched(load(path, SIDE).pixels, target, key=number)
            (Path(name) / f"out{number}.png").write_bytes(SeriesWriter(SIDE, SIDE).encode(pixels))
        return (time.perf_counter() - start) / len(paths)


def match_ratio(mode, match):
    our_match_seconds(match)
    return statistics.median(shinier_seconds(mode) / our_match_seconds(match) for _ in range(3))


@room.figure("luminance matching per picture: against SHINIER", unit="x", bar=at_least(10))
def match_luminance():
    return match_ratio(1, Match(kind="luminance", shrink=True))


@room.figure("histogram matching per picture: against SHINIER", unit="x", bar=at_least(10))
def match_histogram():
    return match_ratio(2, Match(kind="histogram"))


@room.figure("spectrum matching per picture: against SHINIER", unit="x", bar=at_least(10))
def match_spectrum():
    return match_ratio(4, Match(kind="spectrum", spectrum="full", shrink=True))


@room.figure("matching: largest residual of mean or contrast", unit="grey level", bar=at_most(0.05))
def match_residual():
    pictures = [(one.job.image_id, one.pixels) for one in inputs()]
    worst = 0.0
    for match in (Match(kind="luminance", shrink=True), Match(kind="histogram")):
        target = find_target(match, lambda: pictures)
        for number, (_, pixels) in enumerate(pictures):
            luma = luma_of(matched(pixels, target, key=number)[0], match)
            worst = max(worst, abs(luma.mean() - target.mean), abs(luma.std() - target.contrast))
    return worst


def enlarged_folder(folder, n):
    """The bundled pictures under n names, each with other bytes, so that a large set can be measured."""
    recipe, root = read_recipe("bundled")
    jobs = jobs_of(recipe, root)
    lines = ["image_id,path,category,target"]
    for kind in ("images", "maps/clickme", "maps/salicon"):
        (folder / kind).mkdir(parents=True)
    for number in range(n):
        job, name = jobs[number % len(jobs)], f"n{number:05d}"
        data = Path(job.path).read_bytes()
        (folder / "images" / f"{name}.png").write_bytes(data + number.to_bytes(4, "little"))
        for source in ("clickme", "salicon"):
            shutil.copy(root / "maps" / source / f"{job.image_id}.png", folder / "maps" / source / f"{name}.png")
        lines.append(f"{name},images/{name}.png,{job.category},{str(job.target).lower()}")
    (folder / "images.csv").write_text("\n".join(lines) + "\n")
    (folder / "recipe.toml").write_text((root / "recipe.toml").read_text())


_MEMORY = """
import re, sys
from pathlib import Path
from rapidvision.stimuli.build import read_recipe
from rapidvision.stimuli.lots import origin_of
from rapidvision.stimuli.jobs import jobs_of
from rapidvision.stimuli.work import Worker
recipe, root = read_recipe(sys.argv[1])
worker = Worker(recipe, root, Path(sys.argv[2]), "png")
for job in jobs_of(recipe, root)[: int(sys.argv[3])]:
    worker.do(job, None)
print(int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024)
"""


def worker_mb(n):
    if not Path("/proc/self/status").is_file():  # getrusage would count what the process was before it became this one
        raise NotMeasured("this system has no /proc/self/status")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        enlarged_folder(folder / "in", n)
        command = [sys.executable, "-c", _MEMORY, str(folder / "in/recipe.toml"), str(folder / "out"), str(n)]
        return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@room.figure("worker memory, 60 pictures", unit="MB", bar=at_most(250))
def worker_memory():
    return worker_mb(60)


@room.figure("worker memory, 180 pictures against 20", unit="ratio", bar=at_most(1.05))
def worker_memory_growth():
    return worker_mb(180) / worker_mb(20)


def timed_build(folder, form, n):
    """Core seconds and bytes of a build of n pictures with one map source, two workers."""
    enlarged_folder(folder / "in", n)
    recipe, root = read_recipe(str(folder / "in/recipe.toml"))
    recipe = msgspec.structs.replace(recipe, maps=recipe.maps[1:])
    start = os.times()
    build(recipe, folder / "out", root=root, form=form, workers=2)
    spent = sum(os.times()[:4]) - sum(start[:4])
    return spent, sum(path.stat().st_size for path in (folder / "out").rglob("*") if path.is_file())


@cache
def large_run(form):
    """Core seconds and bytes per picture, from the difference between builds of 1,000 and of 40 pictures.

    Core seconds, not the clock's: they depend less on what else the machine does. A difference, because workers
    need seconds to start, however many pictures follow.
    """
    n, few = int(os.environ.get("RAPIDVISION_LARGE_RUN", "1000")), 40
    with tempfile.TemporaryDirectory() as name:
        (seconds, size), (start, first) = (timed_build(Path(name) / str(count), form, count) for count in (n, few))
        return (seconds - start) / (n - few), (size - first) / (n - few)


for _form in ("png", "tar", "series", "recipe"):
    room.figure(f"ClickMe-sized run as {_form}: core hours, from 1,000 pictures", unit="h", bar=harness.STATED)(
        lambda form=_form: large_run(form)[0] * CLICKME / 3600
    )
    room.figure(f"ClickMe-sized run as {_form}: gigabytes, from 1,000 pictures", unit="GB", bar=harness.STATED)(
        lambda form=_form: large_run(form)[1] * CLICKME / 1e9
    )


room.extend(pictures.room)
