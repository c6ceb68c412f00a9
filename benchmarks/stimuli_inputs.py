"""What the figures of the stimuli are measured on.

Photographs are looked for beside the clone (``../shared/data/osie``); without them the bundled images take their place
where only time and size count.
"""

import dataclasses
from functools import cache
from pathlib import Path

from benchmarks.harness import NotMeasured
from rapidvision.stimuli.builder.build import read_recipe
from rapidvision.stimuli.builder.task import keep_freed_memory
from rapidvision.stimuli.image.load import load
from rapidvision.stimuli.pipeline.image_list import image_entries
from rapidvision.stimuli.pipeline.image_pipeline import ImagePipeline

SIDE, N_PX = 256, 9830
PHOTOGRAPHS = Path(__file__).parents[1].parent / "shared" / "data" / "osie" / "stimuli"


@cache
def photographs() -> list[Path]:
    """The OSIE photographs, where they lie beside the clone."""
    found = sorted(PHOTOGRAPHS.glob("*.jpg"))
    if len(found) < 10:
        raise NotMeasured(f"{PHOTOGRAPHS} holds fewer than 10 .jpg files")
    return found


@cache
def maker() -> ImagePipeline:
    keep_freed_memory()  # as every worker does; it is to the advantage of both contenders
    recipe, root = read_recipe("bundled")
    return ImagePipeline(recipe, root)


@cache
def inputs(n=8):
    """Bundled maps, on photographs where there are some and else on their own images."""
    one = maker()
    found = [one.read(job) for job in image_entries(one.recipe, one.root)[:n]]
    if not PHOTOGRAPHS.is_dir():
        return found
    files = photographs()[:: max(1, len(photographs()) // n)]
    return [
        dataclasses.replace(input_, pixels=load(path, SIDE, upscale=True).pixels)
        for input_, path in zip(found, files, strict=False)
    ]


def maps():
    return [one.maps["salicon"].map.values for one in inputs()]
