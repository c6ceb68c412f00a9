"""An image folder: complete, the same for any number of workers, refused where it cannot be."""

import csv
import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from rapidvision.cli import main
from rapidvision.errors import CheckFailed, InputError
from rapidvision.stimuli.render.bundle import folder
from rapidvision.stimuli.render.bundle.select import Candidate, choose, replaced


def contents(root):
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def pixels(path):
    with Image.open(path) as image:
        return np.array(image)


def test_one_and_two_workers_write_the_same_bytes(tmp_path):
    items = folder.plan([1] * 8)
    for workers in (1, 2):
        folder.render(tmp_path / str(workers), items, seed=9, size=32, workers=workers)
    one, two = contents(tmp_path / "1"), contents(tmp_path / "2")
    assert one == two
    assert len(one) == 8 * 5 + 2


def test_the_command_writes_a_folder_that_reads_back(tmp_path):
    out = tmp_path / "set"
    words = [
        "demo",
        "render",
        "--out",
        str(out),
        "--n-images",
        "9",
        "--size",
        "32",
        "--seed",
        "4",
        "--map-sources",
        "clickme",
        "--quiet",
    ]
    assert main(words) == 0
    rows = list(csv.DictReader((out / "images.csv").read_text().splitlines()))
    assert len(rows) == 9
    assert {row["category"] for row in rows} == set(folder.CATEGORIES)
    assert not (out / "maps" / "salicon").exists()
    parts = json.loads((out / "parts.json").read_text())
    for row in rows:
        assert pixels(out / row["path"]).shape == (32, 32, 3)
        assert (row["target"] == "true") == (row["category"] in folder.TARGETS)
        assert row["licence"] == "CC0-1.0"
        shown = np.unique(pixels(out / "parts" / f"{row['image_id']}.png"))
        assert {str(index) for index in shown} <= set(parts)
        clicks = pixels(out / "maps" / "clickme" / f"{row['image_id']}.png")
        assert clicks.max() > 0
    assert main(words) == 2  # it is there already


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--n-images", "0"], "--n-images must be 1 or more"),
        (["--n-images-per-category", "-1"], "0 or more"),
        (["--map-sources", "clikme"], "allowed are clickme, salicon"),
        (["--workers", "0"], "both must be 1 or more"),
        (["--n-images", "8", "--n-candidates", "9"], "--n-candidates goes with --n-images-per-category"),
        (["--size", "8"], "16 to 2048"),
    ],
)
def test_wrong_arguments_are_refused_in_one_line(tmp_path, capsys, words, said):
    assert main(["demo", "render", "--out", str(tmp_path / "x"), "--seed", "1", "--quiet", *words]) == 2
    assert said in capsys.readouterr().err


def test_images_are_shared_among_categories_in_turn():
    for n in range(1, 40):
        shares = folder.balanced(n)
        assert sum(shares) == n
        assert max(shares) - min(shares) <= 1
        assert abs(sum(shares[:4]) - sum(shares[4:])) <= 1


def test_the_chosen_are_varied_half_indoors_and_have_passed():
    rng = np.random.default_rng(0)
    pool = [Candidate(n, n % 3 == 0, rng.normal(size=4), n % 5 > 0) for n in range(60)]
    taken = choose(pool, 10)
    assert len(set(taken)) == 10
    assert sum(pool[n].indoor for n in taken) == 5
    assert all(pool[n].passed for n in taken)

    def closest(numbers):
        points = np.stack([pool[n].features for n in numbers])
        apart = np.sqrt(((points[:, None] - points[None]) ** 2).sum(-1))
        return apart[~np.eye(len(points), dtype=bool)].min()

    passed = [n for n in range(60) if pool[n].passed]
    assert closest(taken) > np.quantile([closest(rng.choice(passed, 10, replace=False)) for _ in range(200)], 0.95)
    with pytest.raises(CheckFailed, match="draw a larger pool"):
        choose(pool[:12], 10)


def test_an_unclear_image_is_replaced_by_the_farthest_one_of_its_surroundings_and_no_other_moves():
    rng = np.random.default_rng(1)
    pool = [Candidate(n, n % 2 == 0, rng.normal(size=4), n % 5 > 0) for n in range(40)]
    taken = choose(pool, 8)
    unclear = {taken[2], taken[5], 39}
    made = replaced(pool, taken, unclear)
    assert [one for one in made if one in taken] == [one for one in taken if one not in unclear]
    assert len(set(made)) == 8
    assert not unclear & set(made)
    assert [pool[n].indoor for n in made] == [pool[n].indoor for n in taken]
    assert all(pool[n].passed for n in made)
    stay = [pool[n].features for n in taken if n not in unclear]

    def away(n):
        return min(np.linalg.norm(pool[n].features - one) for one in stay)

    free = [n for n in range(40) if pool[n].passed and pool[n].indoor == pool[taken[2]].indoor]
    assert made[2] == max((n for n in free if n not in taken and n not in unclear), key=away)
    with pytest.raises(CheckFailed, match="no candidate .* is left to replace"):
        replaced(pool, taken, set(range(40)) - set(taken[:2]) | {taken[3]})


def test_without_numba_the_command_says_what_to_install(tmp_path):
    code = (
        "import sys; sys.modules['numba'] = None\n"
        "from rapidvision.cli import main\n"
        f"sys.exit(main(['demo', 'render', '--out', {str(tmp_path / 'x')!r}, '--n-images', '1', '--seed', '1']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert 'drawing images needs Numba: pip install "rapidvision[fast]"' in done.stderr
    assert not (tmp_path / "x").exists()


def test_no_images_are_refused(tmp_path):
    with pytest.raises(InputError, match="0 images"):
        folder.render(tmp_path, [], seed=1)
