import numpy as np
import pytest
from PIL import Image

from rapidvision import cli, recipes
from rapidvision.errors import InputError
from rapidvision.formats import tfrecord
from rapidvision.gala_models.data.dataset import open_store
from rapidvision.gala_models.data.packing import source_at
from rapidvision.gala_models.evaluation import paper_tables
from rapidvision.gala_models.layers.architecture import Architecture
from rapidvision.gala_models.preprocessing import Preprocessing
from rapidvision.gala_models.training import bundled_networks
from rapidvision.gala_models.training.recipe import Schedule, Training
from rapidvision.gala_models.weights.card import read_card
from rapidvision.gala_models.weights.load import load_model


@pytest.fixture
def folder(tmp_path, squares):
    """An image folder of bright squares, as the renderer would write it."""
    return write_images(tmp_path / "images", squares, 48)


def write_images(folder, squares, n):
    (folder / "images").mkdir(parents=True)
    (folder / "maps" / "clickme").mkdir(parents=True)
    lines = ["image_id,path,category,target,phase,credit,licence"]
    for one in squares(n):
        Image.fromarray(one.image).save(folder / "images" / f"{one.image_id}.png")
        grey = np.round(one.importance / one.importance.max() * 255).astype(np.uint8)
        Image.fromarray(grey).save(folder / "maps" / "clickme" / f"{one.image_id}.png")
        name = "abcd"[one.label]
        lines.append(f"{one.image_id},images/{one.image_id}.png,{name},{str(name in 'ab').lower()},main,,")
    (folder / "images.csv").write_text("\n".join(lines) + "\n")
    return folder


def run(capsys, *words):
    code = cli.main(["models", *map(str, words)])
    return code, capsys.readouterr()


def test_pack_train_evaluate_and_table(folder, tmp_path, capsys):
    for name in ("train", "validation"):
        code, said = run(capsys, "pack-dataset", folder, "--out", tmp_path / name, "--size", 36)
        assert code == 0
        assert "48 images, 48 with a map; maps left out: none" in said.out
    recipe = Training(
        name="tiny",
        model=Architecture(family="compact", attention="gala", n_classes=4),
        preprocessing=Preprocessing(size_px=32, resize_px=36),
        schedule=Schedule(learning_rate=0.01, epochs=2, milestones=()),
        batch_size=16,
    )
    recipes.write(tmp_path / "tiny.toml", recipe)
    code, said = run(capsys, "train", tmp_path / "tiny.toml", "--out", tmp_path / "run", "--quiet")
    assert (code, said.out.count("best validation top-1 error")) == (0, 1)
    assert (tmp_path / "run" / "curves.png").is_file()
    weights = tmp_path / "run" / "tiny.safetensors"
    code, said = run(capsys, "evaluate", weights, "--store", tmp_path / "validation", "--out", tmp_path / "e.csv")
    assert code == 0
    assert "tiny: top-1 error" in said.out
    code, said = run(capsys, "table", weights)
    assert "| tiny |" in said.out
    assert "Not reproduced" in said.out
    code, said = run(
        capsys, "sweep", tmp_path / "tiny.toml", "--lam", 0, 6, "--n-seeds", 1, "--out", tmp_path / "sweep", "--quiet"
    )
    assert code == 0
    assert (tmp_path / "sweep" / "fig7.svg").is_file()


def test_an_example_recipe_can_be_read_again(tmp_path, capsys):
    for name in ("paper", "tpu"):
        code, said = run(capsys, "train", "--example", name)
        assert code == 0
        assert recipes.parse(said.out, Training).map_loss.lam in (6.0, 1e-5)
    code, said = run(capsys, "train")
    assert code == 2
    assert "needs a recipe and --out" in said.err


def test_misspelt_keys_of_a_recipe_are_refused(tmp_path, capsys):
    (tmp_path / "r.toml").write_text("[map_loss]\nlambda = 6\n")
    code, said = run(capsys, "train", tmp_path / "r.toml", "--out", tmp_path / "x")
    assert code == 2
    assert 'unknown key "lambda" in [map_loss]' in said.err


def test_pack_knows_what_lies_there(folder, tmp_path, capsys):
    assert type(source_at([folder])).__name__ == "ImageFiles"
    image = np.zeros((8, 8, 3), "<f4").tobytes()
    tfrecord.write(tmp_path / "a.tfrecords", [tfrecord.encode({"image": [image], "label": [1]})])
    assert type(source_at([tmp_path / "a.tfrecords"])).__name__ == "TFRecords"
    (tmp_path / "npz").mkdir()
    np.savez(tmp_path / "npz" / "a.npz", image=np.zeros((8, 8, 3), np.uint8), label=0)
    assert type(source_at([tmp_path / "npz"])).__name__ == "NpzFiles"
    for words, error in (
        ([tmp_path / "none"], "no such file or folder"),
        ([folder, folder], "give one folder"),
    ):
        code, said = run(capsys, "pack-dataset", *words, "--out", tmp_path / "s")
        assert code == 2
        assert error in said.err


def test_bad_maps_are_counted_and_said(folder, tmp_path, capsys):
    maps = sorted((folder / "maps" / "clickme").glob("*.png"))
    Image.fromarray(np.zeros((36, 36), np.uint8)).save(maps[0])
    Image.fromarray(np.zeros((9, 9), np.uint8)).save(maps[1])
    code, said = run(capsys, "pack-dataset", folder, "--out", tmp_path / "s", "--size", 36)
    assert code == 0
    assert "46 with a map; maps left out: 1 all zero, 1 size 9 x 9" in said.out
    code, said = run(capsys, "pack-dataset", folder, "--out", tmp_path / "t", "--size", 36, "--strict")
    assert code == 2
    assert "map of square-000: all zero" in said.err


def test_the_table_has_the_papers_numbers_and_says_which_rows_are_missing_and_why():
    text = paper_tables.paper()
    assert "None of the 18 rows" in text
    assert "| GALA-ResNet-50 w/ ClickMe | 49.29 | 27.73 | 88.56 | no change |" in text
    assert '| ResNet-50 | 23.88 | 6.86 |  | annotation = "none", attention = "none" |' in text
    for number in (1, 2, 3, 4):
        assert f"Table {number}: " in text
    assert text.count("Not reproduced: needs ") == 4


def test_the_bundled_recipe_is_sound():
    recipe = bundled_networks.bundled_recipe()
    assert [variant.name for variant in recipe.networks] == [
        "compact-resnet",
        "compact-se",
        "compact-gala",
        "compact-gala-maps",
    ]
    for variant in (*recipe.networks, *recipe.controls):
        training = recipe.of(variant, seed=3)
        assert (training.seed, training.supervised) == (3, variant.annotation != "none")


def test_the_recipe_for_few_images_compares_maps_with_none_and_with_other_images():
    recipe = bundled_networks.named_recipe("few-images")
    trainings = [recipe.of(variant) for variant in (*recipe.networks, *recipe.controls)]
    assert [one.annotation for one in trainings] == ["none", "maps", "shuffled"]
    assert {one.model.attention for one in trainings} == {"gala"}
    assert all(one.clutter == 4 and one.scatter and not one.surround for one in trainings)


def test_a_recipe_that_is_neither_ours_nor_a_file_is_named():
    with pytest.raises(InputError, match="few-image"):
        bundled_networks.named_recipe("few-image")


def test_train_demo_makes_networks_from_nothing(tmp_path, squares, monkeypatch, capsys):
    """With the drawing replaced: the real renderer belongs to another package."""
    drawn = []

    def draw(out, *, n, **options):
        drawn.append({"n": n, **options})
        write_images(out, squares, n)

    recipe = bundled_networks.DemoRecipe(
        images=bundled_networks.Images(size_px=36, n_train=32, n_validation=16, n_test=16),
        training=Training(
            model=Architecture(family="compact", n_classes=4),
            annotation="none",
            preprocessing=Preprocessing(size_px=32, resize_px=36),
            schedule=Schedule(learning_rate=0.01, epochs=1, milestones=()),
            batch_size=16,
        ),
        networks=(
            bundled_networks.Variant(name="plain", attention="none", annotation="none"),
            bundled_networks.Variant(name="maps", attention="gala", annotation="maps"),
        ),
    )
    recipes.write(tmp_path / "r.toml", recipe)
    monkeypatch.setattr(bundled_networks, "draw_images", draw)
    cards = bundled_networks.build_networks(
        recipes.read(tmp_path / "r.toml", bundled_networks.DemoRecipe), tmp_path / "d", n_workers=1, quiet=True
    )
    assert [one["n"] for one in drawn] == [32, 16, 16]
    assert [one["seed"] for one in drawn] == [7, 8, 9]
    assert all(one["side_px"] == 36 and one["map_sources"] == ["clickme"] for one in drawn)
    assert [card.name for card in cards] == ["plain", "maps"]
    assert cards[0].results["test"]["n"] == 16
    _model, card = load_model(tmp_path / "d" / "networks" / "maps.safetensors")
    assert card.recipe["annotation"] == "maps"
    before = (tmp_path / "d" / "networks" / "maps.safetensors").stat().st_mtime_ns
    bundled_networks.build_networks(recipe, tmp_path / "d", n_workers=1, quiet=True)
    assert (tmp_path / "d" / "networks" / "maps.safetensors").stat().st_mtime_ns == before
    assert open_store(tmp_path / "d" / "stores" / "train").description.n_maps == 32
    assert read_card(tmp_path / "d" / "networks" / "plain.safetensors").architecture.attention == "none"


def test_every_verb_explains_itself(capsys):
    for verb in ("observe", "attention-maps", "pack-dataset", "train", "sweep", "evaluate", "table", "train-demo"):
        code, said = run(capsys, verb, "--help")
        assert code == 0
        assert f"rapidvision models {verb}" in said.out
        assert "examples:" in said.out
