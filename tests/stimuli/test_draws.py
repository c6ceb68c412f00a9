"""Several canvases per image: other phases and nothing else, listed, verified, and taken in turn by slots."""

import msgspec
import numpy as np
import pytest

from rapidvision.errors import CheckFailed, InputError
from rapidvision.experiments.design.assignment.images import SetImages
from rapidvision.experiments.design.planning import make_study
from rapidvision.formats.canvases.draws import CANVASES, read_draws, rows_by_path
from rapidvision.formats.protocol_file import preset
from rapidvision.images.load import load_rgb
from rapidvision.stimuli.builder.build import build, read_recipe
from rapidvision.stimuli.recipe_tables import Canvas
from rapidvision.stimuli.report.compare import compare
from tests.experiments.sets import make_set
from tests.stimuli.conftest import RECIPE, tree, write_folder

DRAWS = RECIPE + '\n[canvas]\nkind = "set-spectrum"\ngamut_iterations = 20\ndraws = {}\n'


def built(folder, n_draws=3, **options):
    path = write_folder(folder / "images", n_images=9, recipe=DRAWS.format(n_draws))
    recipe, root = read_recipe(str(path))
    return build(recipe, folder / "set", root=root, **options).result


def test_draws_differ_in_the_canvas_alone(tmp_path):
    found = built(tmp_path)
    one = built(tmp_path / "one", 1)
    assert found.digest == one.digest  # the first canvas is that of a set with one
    assert not (one.folder / CANVASES).exists()
    difference = compare(found, one)
    assert len(difference.only_first) == 2 * sum(row.reveal_fraction is not None for row in found.stimuli)
    assert difference.changed == ()
    draws = read_draws(found.folder)
    revealed = [row for row in found.stimuli if row.reveal_fraction is not None]
    assert set(draws) == {row.stimulus_id for row in revealed}
    for row in revealed:
        first, *others = (
            load_rgb(found.folder / path) for path in (row.path, *(one.path for one in draws[row.stimulus_id]))
        )
        full = load_rgb(found.folder / f"images/{row.image_id}/full.png")
        moved = np.roll(full, (row.shift_y_px, row.shift_x_px), axis=(0, 1))
        for other in others:
            same = (first == other).all(axis=2)
            assert row.revealed_px <= same.sum() < row.revealed_px + 200
            assert ((moved == other).all(axis=2) & same).sum() >= row.revealed_px
    assert len({one.path for some in draws.values() for one in some}) == 2 * len(revealed)
    found.verify()
    shown = [test.shown for test in found.description.certificate.tests]
    assert shown[:1] == ["canvas"]
    assert shown[-2:] == ["canvas 2", "canvas 3"]


def test_files_on_further_canvases_are_verified_and_repaired(tmp_path):
    found = built(tmp_path)
    before = tree(found.folder, hidden=False)
    path = found.folder / next(iter(read_draws(found.folder).values()))[0].path
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(CheckFailed, match=path.name):
        found.verify()
    recipe, root = read_recipe(str(tmp_path / "images" / "recipe.toml"))
    again = build(recipe, found.folder, root=root, workers=2)
    assert (again.n_made, again.n_kept) == (1, 8)
    assert tree(found.folder, hidden=False) == before


def test_a_missing_draw_is_refused(tmp_path):
    found = built(tmp_path)
    lines = (found.folder / CANVASES).read_text().splitlines(keepends=True)
    (found.folder / CANVASES).write_text("".join(lines[:-1]))
    with pytest.raises(InputError, match="1 to 2 are needed"):
        read_draws(found.folder)


def with_draws(folder):
    """A drawn set of 96 images whose stimuli have two further canvases, which are copies."""
    from rapidvision.formats.canvases.draws import CanvasDraw, write_draws

    found = make_set(folder)
    draws = [
        CanvasDraw(stimulus_id=row.stimulus_id, draw=draw, path=f"{row.path[:-4]}_canvas{draw}.png", sha256=row.sha256)
        for row in found.stimuli
        if row.reveal_fraction is not None
        for draw in (1, 2)
    ]
    for one in draws:
        row_path = one.path.rpartition("_canvas")[0] + ".png"
        (folder / one.path).write_bytes((folder / row_path).read_bytes())
    write_draws(folder, draws)
    return found


def test_slots_take_the_canvases_in_turn_and_groups_agree(tmp_path):
    found = with_draws(tmp_path / "set")
    images = SetImages(found)
    assert images.n_canvases == 3
    study = make_study(found, preset("paper"), tmp_path / "study", n_slots=6)
    plain = {row.path for row in found.stimuli}
    rows = rows_by_path(found)
    shown = {}
    for plan in study:
        for trial in plan.trials():
            for image in trial.images.values():
                row = rows[image.path]
                assert (row.image_id, row.level_index) == (image.image_id, image.level_index)
                canvas = 0 if image.path in plain else int(image.path[-5])
                assert image.level_label == "full" or canvas == plan.slot % 3
                shown.setdefault(image.image_id, set()).add(canvas)
    assert all({0, 1, 2} >= canvases for canvases in shown.values())
    assert sum(canvases == {0, 1, 2} for canvases in shown.values()) > 0.8 * len(shown)


@pytest.mark.parametrize("form", ["tar", "series", "recipe"])
def test_other_forms_refuse_several_canvases(tmp_path, form):
    with pytest.raises(InputError, match="needs a set of PNG files"):
        built(tmp_path, form=form)


def test_canvases_without_random_phases_have_one_draw():
    with pytest.raises(ValueError, match="random phases"):
        Canvas(kind="grey", draws=2)
    with pytest.raises(ValueError, match="1 to 16"):
        Canvas(draws=0)
    assert msgspec.structs.replace(Canvas(), draws=4).draws == 4
