"""Ranks and correlations against scipy, nulls against every pair, strategies against chance."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rapidvision.analysis.importance_maps.comparison import maps, read_maps
from rapidvision.analysis.inference.learning import strategy_test
from rapidvision.cli import main
from rapidvision.errors import InputError
from rapidvision.map_agreement.pairing import pairing_p
from rapidvision.map_agreement.reliability import reliability
from rapidvision.map_agreement.source_agreement import agreement
from rapidvision.numerics.ranks import doubled_ranks, spearman_pairs, unit_ranks

TIED = arrays(np.float32, (3, 12), elements=st.sampled_from([0.0, -0.0, 1.0, 2.0, -1.5, 3e-40, 7.25]))


@settings(max_examples=60, deadline=None)
@given(TIED)
@pytest.mark.parametrize("engine", ["numpy", "numba"])
def test_ranks_average_ties_as_scipy_does(engine, values):
    from scipy.stats import rankdata

    assert np.array_equal(doubled_ranks(values, engine=engine), np.rint(2 * rankdata(values, axis=1)).astype(int))


@pytest.mark.parametrize("shape", [(4, 196), (2, 4096)])
@pytest.mark.parametrize("engine", ["numpy", "numba"])
def test_correlations_equal_scipy(shape, engine, seed):
    from scipy.stats import spearmanr

    rng = np.random.default_rng(seed)
    a = np.maximum(rng.normal(size=shape), 0).astype(np.float32)
    b = np.round(a + rng.normal(size=shape), 1).astype(np.float32)
    expected = [spearmanr(x, y).statistic for x, y in zip(a, b, strict=True)]
    assert spearman_pairs(a, b, engine=engine) == pytest.approx(expected, abs=1e-12)


def test_a_constant_map_has_no_correlation():
    assert np.isnan(spearman_pairs([[1.0, 1.0, 1.0]], [[1.0, 2.0, 3.0]])[0])
    with pytest.raises(InputError, match="not finite"):
        doubled_ranks([[np.nan, 1.0]])
    with pytest.raises(InputError, match="one row per map"):
        doubled_ranks([1.0, 2.0])
    with pytest.raises(InputError, match="one size"):
        spearman_pairs(np.ones((1, 3)), np.ones((1, 4)))


@pytest.fixture(scope="module")
def raters(seed):
    """Eight images with a shared map each, and four participants who see it noisily."""
    rng = np.random.default_rng(seed)
    shared = rng.gamma(1.0, size=(8, 1, 6, 6))
    seen = shared + rng.gamma(1.0, size=(8, 4, 6, 6))
    return {f"image-{number}": seen[number] for number in range(8)}


def test_reliability_equals_every_pair_counted_one_by_one(raters):
    found = reliability(raters, n_resamples=500, seed=1)
    units = {image: unit_ranks(stack.reshape(4, -1)) for image, stack in raters.items()}
    within = [np.mean([(u @ u.T)[i, j] for i in range(4) for j in range(i)]) for u in units.values()]
    between = [np.mean(units[a] @ units[b].T) for a in units for b in units if a < b]
    assert found.per_image == pytest.approx(within)
    assert found.null == pytest.approx(np.mean(between))
    assert found.interval[0] < found.mean < found.interval[1]
    assert found.p < 0.01
    assert found.split_half < found.spearman_brown < 1


def test_maps_without_agreement_are_not_called_reliable(seed):
    rng = np.random.default_rng(seed)
    noise = {str(i): rng.random((4, 6, 6)) for i in range(12)}
    found = reliability(noise, n_resamples=500, seed=seed)
    assert abs(found.mean) < 0.1
    assert found.p > 0.01


def test_constant_maps_are_dropped_and_counted(raters):
    spoiled = dict(raters)
    spoiled["image-0"] = np.concatenate([raters["image-0"], np.zeros((1, 6, 6))])
    found = reliability(spoiled, n_resamples=50, seed=1)
    assert found.n_dropped == 1
    assert found.n_maps == 32
    with pytest.raises(InputError, match="two sizes|2 sizes"):
        reliability(raters | {"other": np.random.default_rng(0).random((3, 5, 5))}, n_resamples=10)
    with pytest.raises(InputError, match="fewer than two images"):
        reliability({"a": np.zeros((3, 4, 4))}, n_resamples=10)


def test_agreement_is_the_diagonal_and_its_fraction_of_the_human_ceiling(raters):
    first = {image: stack[:2].mean(axis=0) for image, stack in raters.items()}
    second = {image: stack[2:].mean(axis=0) for image, stack in raters.items()}
    found = agreement(first, second, human=dict.fromkeys(raters, 0.5), n_resamples=500, seed=1)
    expected = spearman_pairs(
        np.stack([first[i].ravel() for i in found.images]), np.stack([second[i].ravel() for i in found.images])
    )
    assert found.per_image == pytest.approx(expected)
    assert found.fraction_of_human == pytest.approx(found.mean / 0.5)
    assert found.fraction_interval[0] < found.fraction_of_human < found.fraction_interval[1]
    with pytest.raises(InputError, match="at least two"):
        agreement({"a": first["image-0"]}, second)


def test_the_pairing_test_is_exact_for_two_images():
    assert pairing_p(np.eye(2), n_resamples=4000, seed=1) == pytest.approx(0.5, abs=0.04)


def test_maps_read_folders_and_arrays(raters, tmp_path):
    from PIL import Image

    for source, half in (("a", slice(0, 2)), ("b", slice(2, 4))):
        (tmp_path / source).mkdir()
        for image, stack in raters.items():
            grey = np.round(stack[half].mean(axis=0) / 12 * 255).clip(0, 255).astype(np.uint8)
            Image.fromarray(grey).save(tmp_path / source / f"{image}.png")
    assert maps(tmp_path / "a", tmp_path / "b", n_resamples=200, seed=1).mean > 0.3
    np.savez(tmp_path / "people.npz", **raters)
    assert (
        maps(tmp_path / "people.npz", n_resamples=200, seed=1).mean == reliability(raters, n_resamples=200, seed=1).mean
    )
    for bad, says in (("nothing", "as an .npz"), ("empty", "no maps here")):
        if bad == "empty":
            (tmp_path / bad).mkdir()
        with pytest.raises(InputError, match=says):
            maps(tmp_path / bad)


@pytest.mark.parametrize("engine", ["numpy", "numba"])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_refused_by_both_engines(engine, bad):
    pair = np.arange(24, dtype=np.float32).reshape(2, 12)
    pair[1, 5] = bad
    with pytest.raises(InputError, match="not finite"):
        doubled_ranks(pair, engine=engine)
    with pytest.raises(InputError, match="not finite"):
        spearman_pairs(pair[::-1], pair, engine=engine)


def test_maps_that_are_not_there_are_told_as_such(tmp_path):
    with pytest.raises(InputError, match="no such file or folder"):
        maps(tmp_path / "nowhere", tmp_path)


def test_learning_is_found_where_it_is_and_only_there(seed):
    rng = np.random.default_rng(seed)
    steady = {f"p{i}": list(rng.random(40) < 0.5) for i in range(60)}
    learning = {f"p{i}": list(rng.random(40) < np.linspace(0.3, 0.8, 40)) for i in range(60)}
    assert strategy_test(steady, seed=1, n_resamples=2000).p > 0.01
    found = strategy_test(learning, seed=1, n_resamples=2000)
    assert found.p < 0.01
    assert found.late > found.early
    assert strategy_test(learning, "tens", seed=1, n_resamples=500, most_frequent=20).n_players == 20
    with pytest.raises(InputError, match="no player"):
        strategy_test({"a": [True] * 5}, "tens")


def test_a_constant_map_is_refused_because_it_has_no_ranks(seed):
    rng = np.random.default_rng(seed)
    one = {f"i{n}": rng.normal(size=(6, 6)) for n in range(4)}
    two = {**{name: rng.normal(size=(6, 6)) for name in one}, "i2": np.ones((6, 6))}
    with pytest.raises(InputError, match=r"1 images have a constant map \(i2\)"):
        agreement(one, two, n_resamples=99, seed=1)


def test_maps_are_read_by_the_rules_of_every_other_loader(raters, tmp_path, capsys):
    """Palette indices are no grey levels, 16 bits keep their values, colours are refused; what is left out is counted."""
    from PIL import Image

    from rapidvision.images.load import load_map

    names = sorted(raters)[:6]
    grey = {name: np.round(raters[name].mean(axis=0) / 12 * 255).clip(0, 255).astype(np.uint8) for name in names}
    for source in ("plain", "odd"):
        (tmp_path / source).mkdir()
        for name in names:
            Image.fromarray(grey[name]).save(tmp_path / source / f"{name}.png")
    reversed_palette = Image.fromarray(255 - grey[names[0]]).convert("P")
    reversed_palette.putdata((255 - grey[names[0]]).ravel().tolist())
    reversed_palette.putpalette([value for level in range(255, -1, -1) for value in (level,) * 3])
    reversed_palette.save(tmp_path / "odd" / f"{names[0]}.png")
    Image.fromarray(grey[names[1]].astype(np.uint16) * 257).save(tmp_path / "odd" / f"{names[1]}.png")
    with_alpha = Image.merge("LA", (Image.fromarray(grey[names[2]]), Image.new("L", grey[names[2]].shape[::-1], 255)))
    with_alpha.save(tmp_path / "odd" / f"{names[2]}.png")
    np.save(tmp_path / "odd" / f"{names[3]}.npy", grey[names[3]].astype(float))
    (tmp_path / "odd" / f"{names[3]}.png").unlink()
    (tmp_path / "odd" / f"{names[4]}.png").unlink()
    (tmp_path / "odd" / "notes.txt").write_text("x")
    found = maps(tmp_path / "plain", tmp_path / "odd", n_resamples=50, seed=1)
    assert found.images == tuple(name for name in names if name != names[4])
    assert found.per_image == pytest.approx(np.ones(5))
    assert any("1 of 6 maps whose image the other source lacks" in note for note in found.notes)
    assert any(".txt" in note for note in found.notes)
    assert (
        main(["analyse", "maps", str(tmp_path / "plain"), str(tmp_path / "odd"), "--n-resamples", "50", "--seed", "1"])
        == 0
    )
    assert "note: " in capsys.readouterr().out
    loaded, _ = read_maps(tmp_path / "odd")
    assert all((loaded[name] == load_map(next((tmp_path / "odd").glob(f"{name}.*")))).all() for name in loaded)
    Image.fromarray(np.stack([grey[names[0]], grey[names[1]], grey[names[2]]], axis=2)).save(
        tmp_path / "odd" / f"{names[0]}.png"
    )
    with pytest.raises(InputError, match=f"{names[0]}.png"):
        maps(tmp_path / "plain", tmp_path / "odd", n_resamples=50, seed=1)


@pytest.mark.parametrize(("value", "says"), [(np.nan, "not finite"), (-1.0, "negative")])
def test_arrays_that_are_no_importance_are_refused_by_name(tmp_path, value, says):
    stack = np.arange(48, dtype=float).reshape(3, 4, 4)
    bad = stack.copy()
    bad[1, 2, 2] = value
    np.savez(tmp_path / "m.npz", one=stack, two=bad)
    with pytest.raises(InputError, match=rf"m.npz: two: 1 of 48 values are {says}"):
        maps(tmp_path / "m.npz", n_resamples=50, seed=1)
    (tmp_path / "cut.npz").write_bytes((tmp_path / "m.npz").read_bytes()[:300])
    with pytest.raises(InputError, match="cut.npz: cannot be read"):
        maps(tmp_path / "cut.npz", n_resamples=50, seed=1)
