"""Matched sources: exact counts, nesting, the law of the growth, the same bytes from both engines, and smaller differences."""

import numpy as np
import pytest
from scipy.ndimage import label
from scipy.stats import chi2_contingency

from rapidvision.errors import InputError
from rapidvision.formats.manifest import read_set
from rapidvision.numerics.compiled import can_compile
from rapidvision.stimuli.builder.build import build, read_recipe
from rapidvision.stimuli.builder.expand import expand
from rapidvision.stimuli.input_tables import MapSource
from rapidvision.stimuli.ladder.costs import SCALES, differences, figures_of, pair_costs
from rapidvision.stimuli.ladder.grower import Grower, Sums
from rapidvision.stimuli.ladder.ladder import matched_orders
from rapidvision.stimuli.ladder.moves import eccentricities, moved_shifts
from rapidvision.stimuli.ladder.options import Option, options_of, slowness_table
from rapidvision.stimuli.ledger.figures import region_figures
from rapidvision.stimuli.reveal.flood import fill
from rapidvision.stimuli.source_matching import MatchSources
from rapidvision.text import csv_text
from tests.stimuli.conftest import RECIPE, blobs, tree, write_folder

COUNTS = np.array([8, 30, 90, 240])
NONE = np.empty(0, np.int32)
MATCHED = RECIPE.replace("n_levels = 5", "n_levels = 4") + "\n[match_sources]\n"
ENGINES = ["portable", *(["numba"] if can_compile() else [])]


def pair(number, side=48, peaked=1, smooth=5):
    return {
        "a": np.asarray(blobs(number, side, peaked) ** 2, np.float32),
        "b": np.asarray(blobs(500 + number, side, smooth), np.float32),
    }


def grown(values, stages, key, engine="auto", seed=False, objects=None):
    """The order after stages of the default option, each with a key of its own."""
    grower = Grower(values, stages[-1], objects=objects, epsilon=1e-3, n_stages=len(stages), engine=engine)
    for level, n_to in enumerate(stages):
        far = grower.far_peak() if seed and level else NONE
        grower.keep(n_to, Option(seed=seed), key=key + level, far=far)
    return grower


def test_one_stage_is_the_flood_fill():
    for number in range(5):
        values = np.asarray(blobs(number, 40, 3), np.float32)
        order = grown(values, [300], key=1000 + number).order
        assert np.array_equal(order, fill(values, 300, key=1000 + number))


def test_growth_over_a_stage_border_has_the_law_of_one_growth():
    """Fifth pixel of a growth on a small map: the same distribution in one stage and in two."""
    values = np.asarray(np.arange(1, 17).reshape(4, 4) / 16, np.float32)
    tables = np.zeros((2, 16))
    for draw in range(6000):
        one = fill(values, 5, key=7 + draw)[-1]
        grower = Grower(values, 5, epsilon=1e-3, n_stages=2, engine="auto")
        grower.keep(2, Option(), key=10**6 + 2 * draw, far=NONE)
        grower.keep(5, Option(), key=10**6 + 2 * draw + 1, far=NONE)
        tables[0, one] += 1
        tables[1, grower.order[-1]] += 1
    seen = tables.sum(axis=0) >= 10
    assert seen.sum() > 5
    assert chi2_contingency(tables[:, seen]).pvalue > 1e-3


@pytest.mark.parametrize("settings", [MatchSources(), MatchSources(rows=("attainable", "components"), seeds=True)])
def test_orders_are_exact_nested_connected_and_repeatable(settings):
    for number in range(3):
        made = matched_orders(pair(number), COUNTS, settings, seed=1, image_id=f"p{number}")
        again = matched_orders(pair(number), COUNTS, settings, seed=1, image_id=f"p{number}")
        other = matched_orders(pair(number), COUNTS, settings, seed=2, image_id=f"p{number}")
        for name, order in made.orders.items():
            assert order.size == COUNTS[-1] == np.unique(order).size
            assert np.array_equal(order, again.orders[name])
            assert not np.array_equal(order, other.orders[name])
            for level, count in enumerate(COUNTS):
                mask = np.zeros(48 * 48, bool)
                mask[order[:count]] = True
                n_seeds = 1 + sum(one.seed for one in made.options[name][1 : level + 1])
                assert label(mask.reshape(48, 48))[1] <= n_seeds


@pytest.mark.skipif(not can_compile(), reason="numba is not installed")
@pytest.mark.parametrize("seeds", [False, True])
def test_both_engines_grow_the_same_orders(seeds):
    rows = ("attainable", "compactness", "components", "object") if seeds else ("attainable", "compactness", "spread")
    settings = MatchSources(rows=rows, seeds=seeds)
    objects = blobs(3, 32, 1) > 0.3
    made = [
        matched_orders(pair(4, 32), np.array([6, 40, 90]), settings, seed=3, image_id="a", objects=objects, engine=one)
        for one in ("numba", "portable")
    ]
    assert made[0].options == made[1].options
    assert made[0].apart == made[1].apart
    for name in ("a", "b"):
        assert np.array_equal(made[0].orders[name], made[1].orders[name])


@pytest.mark.parametrize("engine", ENGINES)
def test_the_sums_of_a_region_are_those_of_its_pixels(engine):
    values = np.asarray(blobs(2, 40, 4), np.float32)
    objects = blobs(9, 40, 1) > 0.2
    grower = grown(values, [20, 150, 400], key=5, engine=engine, seed=True, objects=objects)
    sums = Sums(*(int(one) for one in grower._sums))
    rows, columns = np.divmod(grower.order.astype(int), 40)
    mask = np.zeros((42, 42), int)
    mask[rows + 1, columns + 1] = 1
    perimeter = np.abs(np.diff(mask, axis=0)).sum() + np.abs(np.diff(mask, axis=1)).sum()
    assert sums == (
        400,
        grower.grades[grower.order].sum(),
        perimeter,
        rows.sum(),
        columns.sum(),
        (rows**2 + columns**2).sum(),
        label(mask)[1],
        objects.ravel()[grower.order].sum(),
    )
    found = figures_of(sums, total=grower.total, best=int(grower.best[-1]))
    ledger = region_figures(grower.order, np.array([400]), (0, 0), values, np.ones((40, 40)), {"object": objects})
    for row, name in (("captured",) * 2, ("attainable",) * 2, ("spread",) * 2, ("object", "on object")):
        assert found[row] == pytest.approx(ledger[name][0], rel=2e-4)
    assert found["compactness"] == ledger["perimeter"][0]


def test_trying_options_leaves_no_trace():
    values = np.asarray(blobs(1, 40, 3), np.float32)
    quiet, busy = (Grower(values, 200, epsilon=1e-3, n_stages=2) for _ in range(2))
    for grower in (quiet, busy):
        for level, n_to in enumerate((50, 200)):
            if grower is busy:
                for number, option in enumerate(options_of(first=level == 0, seeds=True)[:20]):
                    busy.tried(n_to, option, key=99 + number, far=busy.far_peak() if level else NONE)
            grower.keep(n_to, Option(), key=level, far=NONE)
    assert np.array_equal(quiet.order, busy.order)


def test_options_do_what_they_are_for():
    values = np.asarray(blobs(6, 48, 3), np.float32)

    def figures(option):
        sums = [
            Grower(values, 300, epsilon=1e-3, n_stages=1).tried(300, option, key=key, far=NONE) for key in range(12)
        ]
        best = int(Grower(values, 300, epsilon=1e-3, n_stages=1).best[-1])
        found = [figures_of(one, total=1, best=best) for one in sums]
        return {row: np.mean([one[row] for one in found]) for row in found[0]}

    towards, away, smooth = figures(Option(8.0)), figures(Option(-2.0)), figures(Option(0.0, 0.3))
    blind = figures(Option(0.0))
    assert towards["attainable"] > blind["attainable"] > away["attainable"]
    assert smooth["compactness"] < 0.8 * blind["compactness"]
    lower = Grower(values, 5, epsilon=1e-3, n_stages=1)
    lower.keep(5, Option(start=0.3), key=1, far=NONE)
    assert lower.grades[lower.order[0]] / lower.grades.max() == pytest.approx(0.3, abs=0.02)
    table = slowness_table(-2.0, 1e-3)
    assert (np.diff(table.astype(np.int64)) >= 0).all()


def test_sources_are_nearer_than_two_floods_and_the_rest_is_said():
    apart, plain = [], []
    for number in range(8):
        maps = pair(number)
        made = matched_orders(maps, COUNTS, MatchSources(), seed=1, image_id=f"p{number}")
        apart.append(made.apart["attainable"])
        shares = []
        for name, values in maps.items():
            grower = Grower(values, 240, epsilon=1e-3, n_stages=1)
            floods = fill(values, 240, key=number)
            shares.append(np.cumsum(grower.grades[floods])[COUNTS - 1] / grower.best[COUNTS - 1])
            own = np.cumsum(grower.grades[made.orders[name]])[COUNTS - 1] / grower.best[COUNTS - 1]
            assert (own > 0).all()
        plain.append(np.abs(shares[0] - shares[1]) / SCALES["attainable"])
    assert np.mean(apart) < 0.5 * np.mean(plain)


def test_three_sources_are_matched_pair_by_pair():
    maps = pair(1) | {"c": np.asarray(blobs(77, 48, 2), np.float32)}
    made = matched_orders(maps, COUNTS, MatchSources(), seed=1, image_id="p")
    floods = {name: fill(values, 240, key=1) for name, values in maps.items()}

    def spread(orders):
        shares = []
        for name, values in maps.items():
            grower = Grower(values, 240, epsilon=1e-3, n_stages=1)
            shares.append(np.cumsum(grower.grades[orders[name]])[COUNTS - 1] / grower.best[COUNTS - 1])
        return np.ptp(shares, axis=0).mean()

    assert spread(made.orders) < spread(floods)
    with pytest.raises(InputError, match="two or more"):
        matched_orders({"a": maps["a"]}, COUNTS, MatchSources(), seed=1, image_id="p")


def test_regions_are_moved_until_their_eccentricities_agree():
    maps = pair(2)
    made = matched_orders(maps, COUNTS, MatchSources(), seed=1, image_id="p")
    shape = (48, 48)

    def apart(shifts):
        a, b = (eccentricities(made.orders[name], shape, shifts[name], COUNTS) for name in ("a", "b"))
        return np.square(
            [differences(np.array([x]), np.array([y]), "eccentricity")[0, 0] for x, y in zip(a, b, strict=True)]
        ).sum()

    centred, moved = (moved_shifts(made.orders, shape, COUNTS, most_px=one) for one in (0, 8))
    assert apart(moved) <= apart(centred)
    for name in ("a", "b"):
        assert all(abs(one - other) <= 8 for one, other in zip(moved[name], centred[name], strict=True))


def test_costs_are_whole_millionths_and_the_first_of_equals_wins():
    options = options_of(first=False, seeds=False)
    same = {row: np.full(len(options), 0.5) for row in SCALES}
    cost = pair_costs(same, same, ("attainable",), (options, options))
    assert np.array_equal(cost, np.round(cost, 6))
    i, j = divmod(int(np.argmin(cost)), len(options))
    assert options[i] == options[j] == Option(2.0, 1.0)


def test_a_matched_set_is_the_same_whatever_workers_and_forms_and_says_what_is_left(tmp_path):
    folder = write_folder(tmp_path / "images", n_images=6, recipe=MATCHED).parent
    loaded, root = read_recipe(str(folder / "recipe.toml"))
    build(loaded, tmp_path / "one", root=root)
    build(loaded, tmp_path / "two", root=root, workers=2)
    whole = tree(tmp_path / "one", hidden=False)
    assert tree(tmp_path / "two", hidden=False) == whole
    for form in ("recipe", "series"):
        build(loaded, tmp_path / form, root=root, form=form)
        expand(tmp_path / form, tmp_path / f"{form}-out", root=folder)
        assert tree(tmp_path / f"{form}-out") == whole
    rows = csv_text.read(tmp_path / "one" / "matched_sources.csv")
    assert len(rows) == 6 * 2 * 4
    assert {"gamma", "roughness", "start", "seed", "apart_attainable", "apart_eccentricity"} <= set(rows[0])
    ledger = csv_text.read(tmp_path / "one" / "ledger.csv")
    assert {row["figure"] for row in ledger if row["matched"] == "true"} == {
        "area", "attainable", "compactness", "spread", "eccentricity"
    }  # fmt: skip
    description = read_set(tmp_path / "one").description
    assert description.quality["ledger"]["n_images"] == 5
    listed = description.quality["match_sources"]
    beyond = {row["image_id"] for row in rows if max(float(v) for k, v in row.items() if k.startswith("apart_")) > 1.5}
    assert set(listed["not_matched"]) == beyond
    assert listed["n_not_matched"] == len(beyond)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"mode": "top"}, "chooses how regions grow"),
        ({"gamma": 4.0}, "chooses how regions grow"),
        ({"centring": "none"}, "centring must be"),
    ],
)
def test_settings_that_matching_cannot_keep_are_refused(change, says):
    from rapidvision.stimuli.recipe import StimulusRecipe
    from rapidvision.stimuli.recipe_tables import Reveal

    maps = tuple(MapSource(source=name, reader="folder", path=name) for name in "ab")
    with pytest.raises(ValueError, match=says):
        StimulusRecipe(name="a", maps=maps, reveal=Reveal(**change), match_sources=MatchSources())
    with pytest.raises(ValueError, match="two or more maps"):
        StimulusRecipe(name="a", maps=maps[:1], match_sources=MatchSources())
    with pytest.raises(ValueError, match="object_masks must name"):
        StimulusRecipe(name="a", maps=maps, match_sources=MatchSources(rows=("object",)))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"rows": ()}, "one or more"),
        ({"rows": ("spread", "spread")}, "different"),
        ({"rows": ("components",)}, "seeds = true"),
        ({"move_px": 0}, "move_px is 0"),
    ],
)
def test_rows_without_what_they_need_are_refused(options, says):
    with pytest.raises(ValueError, match=says):
        MatchSources(**options)
