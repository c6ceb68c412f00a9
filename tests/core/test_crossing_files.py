"""One rule: a file that one package writes and another reads has one struct, one writer and one reader, in the core."""

import ast
import importlib
import re
from functools import lru_cache
from pathlib import Path

import msgspec
import numpy as np
import pytest

from rapidvision.cli import main
from rapidvision.errors import InputError
from rapidvision.formats import image_folder, map_stacks, movies, report_results, trials_table
from rapidvision.formats.game import clicks, export_record, players, release_record, rounds
from rapidvision.formats.networks import model_record, onnx_card

ROOT = Path(__file__).parents[2]
PACKAGES = ("stimuli", "experiments", "analysis", "gala_models")
ROW = re.compile(r"^\| (.+) \| (.+) \| (.+) \| `([\w.]+)` \| (.+) \| (.+) \|$", flags=re.MULTILINE)
FILES = ROW.findall((ROOT / "docs/reference/files.md").read_text(encoding="utf-8"))
#: Modules of formats that are parts of a file's definition, or codecs of forms that others have set.
PARTS = {"folder_kind", "manifest_rows", "tfrecord"}


@lru_cache(maxsize=1)
def trees():
    """Every module of the packages, parsed once: package → path → syntax tree."""
    return {
        package: {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted((ROOT / package).rglob("*.py"))}
        for package in PACKAGES
    }


def importers(module):
    """Packages with a module that imports `module`, or names from it."""
    folder, _, name = module.rpartition(".")
    found = set()
    for package in PACKAGES:
        for tree in trees()[package].values():
            for node in ast.walk(tree):
                if isinstance(node, ast.ImportFrom) and (
                    node.module == module or (node.module == folder and name in {one.name for one in node.names})
                ):
                    found.add(package)
    return found


@pytest.mark.parametrize(("file", "written", "read", "module", "struct", "version"), FILES)
def test_each_listed_file_is_defined_where_the_page_says(file, written, read, module, struct, version):
    found = importlib.import_module(module)
    if struct.startswith("`"):
        assert hasattr(found, struct.strip("`")), (file, struct)
    number = re.search(r"(\d+)$", version)
    if number is None:
        assert version == "none"
        return
    stated = {value for name, value in vars(found).items() if name.endswith("_VERSION")}
    stated |= {table.version for table in vars(found).values() if hasattr(table, "columns") and hasattr(table, "row")}
    assert int(number[1]) in stated, (file, stated)
    using = importers(module)
    for package in {*written.split(", "), *read.split(", ")} - {"you"}:
        assert package in using or module in ("rapidvision.study", "rapidvision.plan"), (file, package)


def test_every_module_of_formats_is_listed():
    modules = {path.stem for path in (ROOT / "rapidvision/formats").rglob("*.py")} - {"__init__"} - PARTS
    assert modules == {row[3].rpartition(".")[2] for row in FILES} - {"study", "plan"}


def columns():
    """Names of the fields of every file's struct, by struct."""
    trials = {column.name for column in trials_table.COLUMNS}
    tables = (rounds.Round, players.Player, movies.Movie, model_record.NetworkRecord, model_record.Mosaic)
    return {"TrialRecord": trials} | {one.__name__: set(one.__struct_fields__) for one in tables}


def literals(tree):
    """Every tuple, list or set of text in a module: the line, and the text."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Tuple | ast.List | ast.Set):
            yield node.lineno, {one.value for one in node.elts if isinstance(one, ast.Constant)}


@pytest.mark.parametrize("package", PACKAGES)
def test_no_package_lists_the_columns_of_a_file_again(package):
    again = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path, tree in trees()[package].items()
        for line, words in literals(tree)
        for name, fields in columns().items()
        if len(words & fields) > 0.6 * len(fields)
    ]
    assert not again


@pytest.mark.parametrize("package", PACKAGES)
def test_no_package_spells_the_name_of_such_a_file(package):
    names = {
        *(movies.NAME, rounds.NAME, players.NAME, export_record.NAME, report_results.NAME, model_record.LEGEND_NAME),
        *("clicks.csv", "clicks.npz", "manifest.csv", "stimulus_set.json"),
    }
    spelt = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {node.value}"
        for path, tree in trees()[package].items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and node.value in names
    ]
    assert not spelt


@pytest.fixture(scope="module")
def export(tmp_path_factory):
    """A simulated game of the bundled images, exported by the command."""
    folder = tmp_path_factory.mktemp("game")
    words = [
        "clickme",
        "simulate",
        "bundled",
        "--out",
        str(folder / "game"),
        "--map-source",
        "clickme",
        "--partner",
        "none",
    ]
    assert main([*words, "--n-players", "5", "--n-rounds", "20", "--seed", "3", "--quiet"]) == 0
    words = ["clickme", "export", str(folder / "game"), "--out", str(folder / "out"), "--observers", "simulated"]
    assert main([*words, "--keep-flagged", "--per-player", "--tfrecords", "raw", "--quiet"]) == 0
    return folder / "out"


def test_the_tables_of_an_export_come_back_as_the_command_wrote_them(export, tmp_path):
    for table, name in ((rounds.TABLE, rounds.NAME), (players.TABLE, players.NAME)):
        found = table.read(export / name)
        assert found
        table.write(tmp_path / name, found)
        assert (tmp_path / name).read_bytes() == (export / name).read_bytes()


def test_the_record_of_an_export_counts_what_its_files_hold(export):
    record = export_record.RECORD.read(export / export_record.NAME)
    stacks = map_stacks.read_stacks(export / "players.npz")
    strokes = clicks.read_clicks(export / "clicks.csv")
    counts = record.counts
    assert counts.n_rounds == len(rounds.read_rounds(export / rounds.NAME))
    assert counts.n_maps == len(strokes)
    assert counts.n_bubbles == sum(len(one.clicks) for one in strokes)
    assert counts.n_images == len(stacks) == len(map_stacks.read_stacks(export / "maps" / "clickme.npz"))
    assert counts.n_players == len({one.user_id for one in strokes})


def test_the_release_s_records_of_an_export_hold_its_maps(export):
    from rapidvision.formats import tfrecord

    maps = map_stacks.read_stacks(export / "maps" / "clickme.npz")
    found = [release_record.decode(one.payload, where="") for one in tfrecord.records(export / "clickme.tfrecords")]
    assert len(found) == len(maps)
    for record, values in zip(found, maps.values(), strict=True):
        assert np.array_equal(tfrecord.image(record.heatmap, n_channels=1), values)
    assert sum(one.click_count for one in found) == export_record.RECORD.read(export / "export.json").counts.n_bubbles


def test_an_export_can_be_analysed_and_built(export, tmp_path, capsys):
    assert main(["analyse", "strategy", str(export / rounds.NAME), "--seed", "1"]) == 0
    stacks = (str(export / "players.npz"), str(export / "maps" / "clickme.npz"))
    assert main(["analyse", "maps", *stacks, "--seed", "1", "--n-resamples", "99"]) == 0
    assert "sources correlate" in capsys.readouterr().out
    listed = image_folder.read_table(export / image_folder.TABLE)
    assert {row.image_id for row in listed} == set(map_stacks.read_stacks(export / "players.npz"))
    from rapidvision import recipes
    from rapidvision.stimuli.recipe import StimulusRecipe

    recipe = recipes.read(export / "recipe.toml", StimulusRecipe)
    assert (recipe.name, [one.source for one in recipe.maps]) == ("clickme", ["clickme"])


def test_an_image_folder_s_table_and_recipe_come_back(tmp_path):
    from rapidvision import recipes
    from rapidvision.stimuli.recipe import StimulusRecipe

    rows = [
        {"image_id": "cat-01", "path": "images/cat-01.png", "category": "cat", "target": True, "phase": "practice"},
        {"image_id": "sofa-01", "path": "images/sofa-01.png", "category": "sofa", "target": False, "phase": "main"},
    ]
    image_folder.write_table(tmp_path / image_folder.TABLE, rows)
    found = image_folder.read_table(tmp_path / image_folder.TABLE)
    assert [(one.image_id, one.category, one.target, one.phase) for one in found] == [
        ("cat-01", "cat", True, "practice"),
        ("sofa-01", "sofa", False, "main"),
    ]
    image_folder.write_recipe(tmp_path, name='of "mine"', image_px=128, source="eyes", seed=4, blur="paper")
    recipe = recipes.read(tmp_path / "recipe.toml", StimulusRecipe)
    assert (recipe.name, recipe.image_px, recipe.seed) == ('of "mine"', 128, 4)
    assert (recipe.maps[0].source, recipe.maps[0].path, recipe.maps[0].blur) == ("eyes", "maps/eyes", "paper")
    with pytest.raises(InputError, match="row 3 lacks target"):
        image_folder.write_table(tmp_path / "x.csv", [rows[0], {key: rows[1][key] for key in image_folder.NEEDED}])


TABLES = {"rounds.csv": rounds.TABLE, "players.csv": players.TABLE}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_of_another_version_is_refused_with_row_and_remedy(export, tmp_path, name):
    version = TABLES[name].version
    text = (export / name).read_text(encoding="utf-8").replace(f"\n{version},", "\n7,", 1)
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(
        InputError, match=rf'{name}: row 2: schema_version is "7", this RapidVision reads {version}; write it'
    ):
        TABLES[name].read(tmp_path / name)


@pytest.mark.parametrize("column", players.TABLE.columns)
def test_a_table_without_one_of_its_columns_is_refused_by_name(export, tmp_path, column):
    header, _, rest = (export / players.NAME).read_text(encoding="utf-8").partition("\n")
    names = [name if name != column else "other" for name in header.split(",")]
    (tmp_path / players.NAME).write_text(",".join(names) + "\n" + rest, encoding="utf-8")
    with pytest.raises(
        InputError, match=rf"players\.csv: not the players\.csv of a ClickMe export; it lacks {column};"
    ):
        players.TABLE.read(tmp_path / players.NAME)


def test_maps_of_another_version_are_refused_and_those_of_numpy_are_read(tmp_path):
    from rapidvision.stimuli.maps.readers.npz import NpzReader
    from rapidvision.system.npz import write_npz

    maps = {"cat-01": np.eye(4, dtype=np.float32)}
    np.savez(tmp_path / "mine.npz", **maps)
    assert np.array_equal(map_stacks.read_stacks(tmp_path / "mine.npz")["cat-01"], maps["cat-01"])
    write_npz(tmp_path / "later.npz", maps.items(), comment=b"rapidvision maps 2")
    for read in (map_stacks.read_stacks, NpzReader):
        with pytest.raises(InputError, match=r"later\.npz: maps of version 2, this RapidVision reads 1"):
            read(tmp_path / "later.npz")


def test_the_card_of_a_network_names_what_is_wrong_with_it():
    card = onnx_card.OnnxCard(name="gala", categories=("cat", "sofa"), image_px=256)
    metadata = onnx_card.metadata_of(card)
    assert onnx_card.read_card(metadata, name="a.onnx") == card
    with pytest.raises(InputError, match="a.onnx: does not name its classes; make the file again"):
        onnx_card.read_card({}, name="a.onnx")
    raw = msgspec.to_builtins(card)
    for key in raw:
        text = msgspec.json.encode({name: value for name, value in raw.items() if name != key}).decode()
        with pytest.raises(InputError, match=rf"a\.onnx: card: .*`{key}`"):
            onnx_card.read_card({onnx_card.KEY: text}, name="a.onnx")


def test_an_incomplete_record_of_networks_is_refused_in_one_line(tmp_path):
    (tmp_path / "models.json").write_text('{"version": 1, "attention": {"file": "models-attention.png"}}')
    with pytest.raises(InputError) as refused:
        model_record.read_record(tmp_path / "models.csv")
    assert re.fullmatch(r".*models\.json: .*`\w+`.*; run `rapidvision models observe` again.*", str(refused.value))
