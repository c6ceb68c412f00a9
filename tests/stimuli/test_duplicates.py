"""The same image twice is found by its bytes and by its look, and different images are not."""

import io

import numpy as np
import pytest
from PIL import Image

from rapidvision.errors import InputError
from rapidvision.stimuli.builder.build import build, read_recipe
from rapidvision.stimuli.pipeline.duplicates import (
    SAME_LEVELS,
    HashedImage,
    check_across_phases,
    check_duplicates,
    find_duplicates,
    hashed_where_sizes_agree,
    perceptual_hash,
)
from rapidvision.stimuli.pipeline.image_list import ImageEntry
from rapidvision.system import files
from tests.stimuli.conftest import natural, write_folder


def job(name, phase="main", path=""):
    return ImageEntry(image_id=name, path=path, category="cat", target=True, phase=phase)


def saved_anew(pixels, side=64, **options):
    """The image after another size and a lossy file."""
    data = io.BytesIO()
    Image.fromarray(pixels).resize((side, side), Image.Resampling.BICUBIC).save(data, "JPEG", **options)
    return np.asarray(Image.open(data))


def distance(one, other):
    first, second = (np.frombuffer(bytes.fromhex(look), np.uint8).astype(float) for look in (one, other))
    return float(np.sqrt(np.mean((first - second) ** 2)))


def test_a_look_is_the_mean_luma_of_its_fields():
    pixels = np.zeros((16, 16, 3), np.uint8)
    pixels[:2, :2, 1] = 200
    assert perceptual_hash(pixels) == f"{round(0.7152 * 200):02x}" + 63 * "00"
    uneven = np.full((19, 19, 3), 77, np.uint8)
    assert perceptual_hash(uneven) == 64 * "4d"


@pytest.mark.parametrize("options", [{"quality": 95}, {"quality": 50}, {"quality": 75, "side": 96}])
def test_saving_anew_hardly_changes_a_look(options):
    for seed in range(5):
        pixels = natural(seed)
        assert distance(perceptual_hash(pixels), perceptual_hash(saved_anew(pixels, **options))) <= SAME_LEVELS


def test_different_images_look_different():
    looks = [perceptual_hash(natural(seed)) for seed in range(30)]
    assert min(distance(a, b) for i, a in enumerate(looks) for b in looks[:i]) > 10 * SAME_LEVELS


def test_pairs_are_those_of_an_exhaustive_search():
    rng = np.random.default_rng(3)
    base = rng.integers(0, 256, (40, 64))
    noisy = np.clip(base[rng.integers(0, 40, 60)] + rng.integers(-2, 3, (60, 64)), 0, 255)
    looks = [row.astype(np.uint8).tobytes().hex() for row in np.vstack([base, noisy])]
    seen = [HashedImage(job(f"p{number:03d}"), "", look) for number, look in enumerate(looks)]
    found = {(a.image_id, b.image_id) for a, b, _ in find_duplicates(seen)}
    wanted = {
        (a.job.image_id, b.job.image_id)
        for i, b in enumerate(seen)
        for a in seen[:i]
        if distance(a.look, b.look) <= SAME_LEVELS
    }
    assert found == wanted
    assert find_duplicates([HashedImage(job("a"), "", "")]) == []


def test_equal_looks_are_refused_across_phases_only():
    look = perceptual_hash(natural(1))
    main = HashedImage(job("a"), "1", look)
    check_across_phases([main, HashedImage(job("b"), "2", look)])
    with pytest.raises(InputError, match=r"a \(main, cat\) and b \(practice, cat\) look the same .* so remove one"):
        check_across_phases([main, HashedImage(job("b", "practice"), "2", look)])


def test_files_are_hashed_only_where_their_sizes_agree(tmp_path, monkeypatch):
    for name, content in (("a", b"12"), ("b", b"345"), ("c", b"67"), ("d", b"12")):
        (tmp_path / name).write_bytes(content)
    jobs = [job(name, path=str(tmp_path / name)) for name in "abcd"]
    hashed = []
    real = files.sha256_file
    monkeypatch.setattr(files, "sha256_file", lambda path: hashed.append(path[-1]) or real(path))
    with pytest.raises(InputError, match=r"a \(main, cat\) and d \(main, cat\) are the same file"):
        check_duplicates(hashed_where_sizes_agree(jobs))
    assert hashed == ["a", "c", "d"]
    with pytest.raises(InputError, match="none: no such file"):
        list(hashed_where_sizes_agree([job("x", path=str(tmp_path / "none"))]))


def test_a_practice_image_saved_anew_is_refused_by_a_build_and_a_main_one_is_flagged(tmp_path):
    folder = write_folder(tmp_path / "images").parent
    recipe, root = read_recipe(str(folder / "recipe.toml"))
    Image.fromarray(saved_anew(natural(2), quality=80)).save(folder / "images/p03.png")
    done = build(recipe, tmp_path / "set", root=root)
    assert [(one.image_id, one.text[:14]) for one in done.flags if one.map_source == "image"] == [
        ("p02", "looks like p03")
    ]
    Image.fromarray(saved_anew(natural(0), quality=80)).save(folder / "images/p03.png")
    with pytest.raises(InputError, match=r"p00 \(practice, cat\) and p03 \(main, couch\) look the same"):
        build(recipe, tmp_path / "set", root=root)
    assert not (tmp_path / "set/stimulus_set.json").exists()
