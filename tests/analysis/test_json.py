"""`--json`: what a verb found, as one object."""

import json

import pytest

from rapidvision.cli import main


@pytest.mark.parametrize(
    ("words", "key", "n"),
    [
        (["bins", "TABLE", "--n-resamples", "99", "--seed", "1"], "levels", 12),
        (["chance", "TABLE", "--n-resamples", "99", "--seed", "1"], "levels", 24),
        (["curve", "TABLE", "--n-resamples", "9", "--seed", "1"], "groups", 2),
        (["compare", "TABLE", "MODELS", "--seed", "1"], "models", None),
        (["fig2b", "TABLE", "--n-resamples", "99", "--seed", "1", "--out", "OUT"], "levels", 12),
        (["report", "TABLE", "--n-resamples", "99", "--seed", "1", "--out", "OUT"], "ceilings", None),
        (["power", "--n-per-group", "4", "--effects", "0.2", "--n-experiments", "3", "--n-resamples", "99", "--seed", "1"], "power", 3),
        (["calibrate", "--n-per-group", "4", "--n-experiments", "3", "--n-resamples", "9", "--seed", "1"], "rates", None),
    ],
)  # fmt: skip
def test_a_result_is_one_object_and_nothing_else_on_standard_output(
    words, key, n, table_file, network_file, tmp_path, capsys
):
    places = {"TABLE": str(table_file), "MODELS": str(network_file), "OUT": str(tmp_path)}
    assert main(["analyse", *(places.get(word, word) for word in words), "--json", "--quiet"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert n is None or len(found[key]) == n
    assert key in found
    assert found.get("seed", 1) == 1


def test_the_object_holds_what_the_table_does(table_file, tmp_path, capsys):
    words = [
        "analyse",
        "bins",
        str(table_file),
        "--n-resamples",
        "99",
        "--seed",
        "1",
        "--out",
        str(tmp_path / "bins.csv"),
    ]
    assert main([*words, "--json"]) == 0
    captured = capsys.readouterr()
    rows = json.loads(captured.out)["levels"]
    assert [row["level"] for row in rows] == [
        line.split(",")[0] for line in (tmp_path / "bins.csv").read_text().splitlines()[1:]
    ]
    assert "p" in rows[0] and "relabellings" in captured.err
