"""Presets: a file in each data set's real layout lands where it should on the finished image."""

import pickle

import msgspec
import numpy as np
import pytest

from rapidvision.errors import InputError, RecipeError
from rapidvision.numerics.blur import parse as parse_blur
from rapidvision.recipes import parse
from rapidvision.stimuli.image.load import Geometry
from rapidvision.stimuli.input_tables import MapSource
from rapidvision.stimuli.maps.prepare import prepare
from rapidvision.stimuli.maps.readers import open_source
from rapidvision.stimuli.presets.read import preset_names, read_preset
from tests.stimuli.layouts import PLACE, WRITERS, cells, scanpaths, spot, table

SIDE = 256


def source_of(preset, path, **more):
    return msgspec.convert({"source": "s", "preset": preset, "path": path, **more}, MapSource)


def laid(reader, source, image_id, image_px):
    geometry = Geometry.of(image_px, SIDE, fit="crop", upscale=False, where="image")
    found = prepare(
        reader.read(image_id), geometry, parse_blur("gauss:2"), image_id=image_id, source="s", frame=source.frame
    )
    return found, geometry


def expected(geometry, place):
    scale = np.array(geometry.scaled_px) / geometry.source_px
    return (np.array(place) + 0.5) * scale - 0.5 - geometry.offset_px


def middle(values):
    rows, columns = np.mgrid[: values.shape[0], : values.shape[1]]
    return np.array([(columns * values).sum(), (rows * values).sum()]) / values.sum()


def test_every_preset_is_tested_on_its_layout_and_says_where_its_facts_are_from():
    assert set(WRITERS) == set(preset_names())
    assert len(WRITERS) >= 16
    for name in preset_names():
        assert all(len(fact) > 20 for fact in read_preset(name).facts)


@pytest.mark.parametrize("name", WRITERS)
def test_importance_lies_where_the_layout_says(tmp_path, name):
    path, more, image_px, image_id, place = WRITERS[name](tmp_path)
    source = source_of(name, path, **more)
    reader = open_source(source, tmp_path)
    assert image_id in set(reader.image_ids())
    found, geometry = laid(reader, source, image_id, image_px)
    values = np.array(found.map.values, float)
    values[values < 0.05 * values.max()] = 0
    off = np.abs(middle(values) - expected(geometry, place))
    assert off.max() < 1.0, f"{off} pixels of {SIDE}"


@pytest.mark.parametrize("name", WRITERS)
def test_an_opened_source_reads_the_same_in_another_process(tmp_path, name):
    path, more, image_px, image_id, _ = WRITERS[name](tmp_path)
    source = source_of(name, path, **more)
    reader = open_source(source, tmp_path)
    again = pickle.loads(pickle.dumps(reader))
    first, _ = laid(reader, source, image_id, image_px)
    second, _ = laid(again, source, image_id, image_px)
    assert first.map.sha256 == second.map.sha256


def test_what_a_recipe_says_of_a_frame_replaces_the_presets():
    assert source_of("coco-search18", "f.json", frame={"size_px": (512, 320)}).frame.place == "letterbox"
    assert source_of("grad-cam", "m", frame={"place": "stretched"}).frame.share is None
    resolved = source_of("grad-cam", "m")
    assert msgspec.convert(msgspec.to_builtins(resolved), MapSource) == resolved


def test_an_unknown_preset_and_a_source_without_reader_are_refused():
    text = 'name = "x"\n[[maps]]\nsource = "s"\npath = "p"\n'
    from rapidvision.stimuli.recipe import StimulusRecipe

    with pytest.raises(RecipeError, match='preset: got "osie-eyes". Did you mean "osie-eye"'):
        parse(text + 'preset = "osie-eyes"\n', StimulusRecipe)
    with pytest.raises(RecipeError, match="reader is missing"):
        parse(text, StimulusRecipe)


def test_people_and_lost_samples_are_counted(tmp_path):
    path, more, *_ = WRITERS["eyelink-asc"](tmp_path)
    reader = open_source(source_of("eyelink-asc", path, **more), tmp_path)
    points = reader.read("img_7")
    assert (points.n_observers, points.n_missing, points.frame_px) == (1, 1, (1280, 1024))
    assert reader.left_out == "1 samples while no image was shown"
    path, more, *_ = WRITERS["clickme-2025-npz"](tmp_path)
    reader = open_source(source_of("clickme-2025-npz", path, **more), tmp_path)
    assert reader.read("ILSVRC2012_val_00000293").n_observers == 2
    assert reader.left_out == "1 trials of participants with catch trials below 0.95"
    path, more, *_ = WRITERS["bids-eyetracking"](tmp_path)
    reader = open_source(source_of("bids-eyetracking", path, **more), tmp_path)
    assert (reader.read("cat").x_px.size, reader.read("cat").n_missing) == (10, 1)
    assert reader.left_out == "9 samples while no image was shown"


def test_a_pickle_that_holds_more_than_lists_and_numbers_is_refused(tmp_path):
    class Bad:
        def __reduce__(self):
            return print, ("run",)

    np.savez(tmp_path / "c.npz", file_pointer=cells(["a/b.png"]), clickmap_x=cells([Bad()]), clickmap_y=cells([[1]]))
    with pytest.raises(InputError, match=r"clickmap_x: cannot be read \(it wants builtins\.print\)"):
        open_source(source_of("clickme-2025-npz", "c.npz"), tmp_path)


def test_an_image_that_was_searched_under_two_tasks_is_not_pooled(tmp_path):
    import json

    scanpaths(tmp_path, "present", task="fork")
    found = json.loads((tmp_path / "fixations.json").read_text())
    found[1]["task"] = "knife"
    (tmp_path / "fixations.json").write_text(json.dumps(found))
    with pytest.raises(
        InputError, match=r"element 2: 000000400966\.jpg was shown under present fork and present knife"
    ):
        open_source(source_of("coco-search18", "fixations.json"), tmp_path)
    apart = source_of("coco-search18", "fixations.json", files="present/{task}/{stem}", id="{task}-{stem}")
    assert set(open_source(apart, tmp_path).image_ids()) == {"fork-000000400966", "knife-000000400966"}


def test_points_in_degrees_land_by_the_screen_of_the_recording(tmp_path):
    screen = {"width_px": 1000, "height_px": 800, "width_cm": 50.0, "distance_cm": 60.0}
    to_deg = lambda px: np.degrees(np.arctan(px * 0.05 / 60))  # noqa: E731
    x, y = to_deg(PLACE[0] - 319.5), to_deg(-(PLACE[1] - 239.5))
    table(tmp_path / "p.csv", [["image_id", "x", "y"], ["cat", x, y]])
    source = msgspec.convert(
        {
            "source": "s",
            "reader": "points-csv",
            "path": "p.csv",
            "frame": {"unit": "deg", "up": True, "place": "centred", "size_px": (1000, 800), "screen": screen},
        },
        MapSource,
    )
    found, geometry = laid(open_source(source, tmp_path), source, "cat", (640, 480))
    assert np.abs(middle(found.map.values.astype(float)) - expected(geometry, PLACE)).max() < 1


@pytest.mark.parametrize(
    ("frame", "size", "place"),
    [
        (
            {"place": "letterbox", "size_px": (168, 105)},
            (168, 105),
            (14 + 420.5 * 140 / 640 - 0.5, 130.5 * 105 / 480 - 0.5),
        ),
        ({"place": "centred", "size_px": (1280, 960), "scale": 1.0}, (320, 240), ((320 + 420) / 4, (240 + 130) / 4)),
        ({"place": "at", "offset_px": (100.0, 50.0), "scale": 0.5, "size_px": (800, 600)}, (800, 600), (310, 115)),
        ({}, (213, 160), (140, 43.2)),
        ({}, (7, 5), None),
    ],
)
def test_a_dense_map_of_a_display_or_of_few_cells_is_laid_on_the_image(tmp_path, frame, size, place):
    (tmp_path / "m").mkdir()
    values = np.random.default_rng(0).random(size[::-1]) if place is None else spot(size, place, 1).astype(float)
    np.save(tmp_path / "m/cat.npy", values)
    source = msgspec.convert({"source": "s", "reader": "folder", "path": "m", "frame": frame}, MapSource)
    found, geometry = laid(open_source(source, tmp_path), source, "cat", (640, 480))
    if place is not None:
        assert np.abs(middle(found.map.values.astype(float)) - expected(geometry, PLACE)).max() < 1.5
