"""The command line: simulate, export, report on the same game, and refusals in one line."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from rapidvision import cli

EYE = "tests.experiments.clickme.eye:make"


@pytest.fixture(scope="module")
def game(images, tmp_path_factory):
    out = tmp_path_factory.mktemp("commands") / "game"
    words = ["clickme", "simulate", str(images), "--out", str(out), "--map-source", "truth", "--partner", EYE]
    assert cli.main([*words, "--n-players", "4", "--n-random", "1", "--n-rounds", "6", "--seed", "3", "--quiet"]) == 0
    return out


def test_simulate_export_and_report_run_one_after_the_other(game, tmp_path, capsys):
    assert (
        cli.main(
            [
                "clickme",
                "export",
                str(game),
                "--observers",
                "simulated",
                "--out",
                str(tmp_path / "maps"),
                "--per-player",
            ]
        )
        == 0
    )
    assert "kept" in capsys.readouterr().out
    counts = json.loads((tmp_path / "maps" / "export.json").read_text())["counts"]
    assert counts["n_maps"] + sum(counts["left_out"].values()) == counts["n_rounds"] == 5 * 7
    with np.load(tmp_path / "maps" / "players.npz") as stacks:
        assert sum(len(stacks[name]) for name in stacks.files) == counts["n_maps"]
        assert stacks[stacks.files[0]].shape[1:] == (256, 256)
    assert (
        cli.main(
            [
                "clickme",
                "report",
                str(game),
                "--observers",
                "simulated",
                "--out",
                str(tmp_path / "report"),
                "--seed",
                "1",
            ]
        )
        == 0
    )
    assert "5 players" in capsys.readouterr().out
    assert (tmp_path / "report" / "report.html").is_file()


def test_the_same_seed_plays_the_same_game(game, images, tmp_path):
    words = ["clickme", "simulate", str(images), "--out", str(tmp_path / "again"), "--map-source", "truth"]
    words += ["--partner", EYE, "--n-players", "4", "--n-random", "1", "--n-rounds", "6", "--seed", "3", "--quiet"]
    assert cli.main(words) == 0
    for place in ("game", "again"):
        source = game if place == "game" else tmp_path / "again"
        assert (
            cli.main(
                [
                    "clickme",
                    "export",
                    str(source),
                    "--observers",
                    "simulated",
                    "--out",
                    str(tmp_path / f"maps-{place}"),
                    "--quiet",
                ]
            )
            == 0
        )
    for name in ("clicks.csv", "clicks.npz", "rounds.csv", "players.csv", "maps/clickme.npz"):
        assert (tmp_path / "maps-game" / name).read_bytes() == (tmp_path / "maps-again" / name).read_bytes()


def test_filters_of_the_command_line_are_the_filters_of_the_export(game, tmp_path):
    words = [
        "clickme",
        "export",
        str(game),
        "--observers",
        "simulated",
        "--out",
        str(tmp_path / "maps"),
        "--quiet",
        "--keep-flagged",
    ]
    assert cli.main([*words, "--blur", "gauss:7", "--pool", "bubbles", "--min-bubbles", "1", "--tfrecords", "raw"]) == 0
    record = json.loads((tmp_path / "maps" / "export.json").read_text())
    assert record["filters"]["drop_flags"] == []
    assert record["form"]["blur"] == "gauss:7"
    assert set(record["counts"]["left_out"]) == {"practice"}
    assert (tmp_path / "maps" / "clickme.tfrecords").is_file()


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["export", "nowhere", "--out", "x"], "no game.sqlite"),
        (["report", "nowhere", "--out", "x"], "no game.sqlite"),
        (
            ["simulate", "IMAGES", "--out", "x", "--map-source", "salicon"],
            'no maps from "salicon"; the folder has truth',
        ),
        (["simulate", "nowhere", "--out", "x", "--map-source", "truth"], "no such file"),
        (
            ["simulate", "bundled", "--out", "x", "--map-source", "truth"],
            'no maps from "truth"; the folder has clickme, salicon',
        ),
        (["players", "nowhere"], "no game.sqlite"),
        (["serve", "IMAGES", "--out", "x", "--partner", "eye"], "allowed are module:function"),
        (["serve", "IMAGES", "--out", "x", "--partner", "none", "--host", "0.0.0.0"], "without encryption"),
        (["serve", "IMAGES", "--out", "x", "--partner", "none", "--settings", "BAD"], 'Did you mean "daily_limit"'),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_line(images, tmp_path, monkeypatch, capsys, words, text):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.toml").write_text("daily_limt = 3\n")
    places = {"IMAGES": str(images), "BAD": str(tmp_path / "bad.toml")}
    assert cli.main(["clickme", *[places.get(word, word) for word in words]]) == 2
    error = capsys.readouterr().err
    assert text in error
    assert error.count("\n") == 1


def test_a_game_in_a_folder_with_an_accent_is_read_whatever_the_system_s_code_page(images, tmp_path, monkeypatch):
    """As on Windows, where a text file without a named encoding is cp1252."""
    plain = Path.read_text
    monkeypatch.setattr(
        Path, "read_text", lambda self, encoding=None, errors=None: plain(self, encoding or "cp1252", errors)
    )
    home = tmp_path / "José"
    shutil.copytree(images, home / "bilder")
    words = [
        "clickme",
        "simulate",
        str(home / "bilder"),
        "--out",
        str(home / "spiel"),
        "--map-source",
        "truth",
        "--quiet",
    ]
    assert cli.main([*words, "--n-players", "2", "--n-rounds", "2", "--seed", "1"]) == 0
    for verb in ("export", "report"):
        out = ["--out", str(home / verb), "--observers", "simulated", "--quiet"]
        assert cli.main(["clickme", verb, str(home / "spiel"), *out]) == 0


def test_a_blur_that_does_not_exist_is_refused(game, tmp_path, capsys):
    assert (
        cli.main(
            [
                "clickme",
                "export",
                str(game),
                "--observers",
                "simulated",
                "--out",
                str(tmp_path / "maps"),
                "--blur",
                "soft",
                "--quiet",
            ]
        )
        == 2
    )
    assert "allowed: none, paper" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["serve", "simulate", "export", "report", "players"])
def test_every_verb_helps_with_examples(verb, capsys):
    assert cli.main(["clickme", verb, "--help"]) == 0
    assert "examples:" in capsys.readouterr().out
