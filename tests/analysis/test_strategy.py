"""Strategy of the game's players: the test against enumeration, and the table that the game itself exports."""

import json

import pytest

from rapidvision import analysis
from rapidvision.analysis.inference.learning import read_wins
from rapidvision.cli import main
from rapidvision.errors import InputError
from rapidvision.formats.game.rounds import TABLE, Round, read_rounds, write_rounds
from tests.experiments.clickme.conftest import make_folder


def one(player, number, result, phase="main"):
    return Round(
        round_id=f"r{player}-{number}", image_id="cat-01", category="cat", phase=phase,
        started_utc=f"2026-01-01T00:{number:02d}:00Z", ended_utc=f"2026-01-01T00:{number:02d}:09Z", result=result,
        points=0.5, duration_ms=9000.0, n_bubbles=12, partner="", partner_state="", pointer="mouse", is_mobile=False,
        automated=False, n_refused=0, image_sha256="", rules="", user_id=f"u{player}", left_out="",
    )  # fmt: skip


def rounds_file(path, learned):
    rounds = []
    for player in range(30):
        for number in range(24):
            won = number >= 12 if learned else number % 2 == player % 2
            rounds.append(one(player, number, "solved" if won else "time"))
    rounds += [one(0, 30, "time", "practice"), one(0, 31, "time", "catch"), one(0, 32, "interrupted")]
    write_rounds(path, rounds[::-1])
    return path


def test_strategy_is_found_where_players_learned_and_not_where_they_did_not(tmp_path, capsys):
    learned, steady = rounds_file(tmp_path / "a.csv", True), rounds_file(tmp_path / "b.csv", False)
    rounds = read_wins(learned)
    assert rounds["u0"] == [False] * 12 + [True] * 12
    assert analysis.strategy_test(rounds, "halves", seed=1).p < 0.001
    assert analysis.strategy_test(read_wins(steady), "halves", seed=1).p == 1
    out = tmp_path / "strategy.json"
    assert main(["analyse", "strategy", str(learned), "--seed", "1", "--out", str(out)]) == 0
    assert "first half 0.0%, second half 100.0% of rounds won" in capsys.readouterr().out
    assert "tens" in out.read_text()


def test_the_table_that_the_game_exports_is_read(tmp_path, capsys):
    images = make_folder(tmp_path / "images", per_category=6)
    game, maps = tmp_path / "game", tmp_path / "maps"
    words = [
        "clickme",
        "simulate",
        str(images),
        "--out",
        str(game),
        "--map-source",
        "truth",
        "--seed",
        "3",
        "--quiet",
    ]
    eye = "tests.experiments.clickme.eye:make"
    assert main([*words, "--partner", eye, "--n-players", "3", "--n-random", "1", "--n-rounds", "22"]) == 0
    assert (
        main(
            [
                "clickme",
                "export",
                str(game),
                "--observers",
                "simulated",
                "--out",
                str(maps),
                "--quiet",
                "--keep-flagged",
            ]
        )
        == 0
    )
    rounds = read_rounds(maps / "rounds.csv")
    wins = read_wins(maps / "rounds.csv")
    assert {len(won) for won in wins.values()} == {22}
    assert sum(map(sum, wins.values())) == sum(r.result == "solved" and r.phase == "main" for r in rounds)
    capsys.readouterr()
    out = tmp_path / "strategy.json"
    assert main(["analyse", "strategy", str(maps / "rounds.csv"), "--seed", "1", "--out", str(out)]) == 0
    assert "4 players: first ten rounds" in capsys.readouterr().out
    assert json.loads(out.read_text())["halves"]["n_players"] == 4


def test_rounds_come_back_as_they_were_written(tmp_path):
    rounds = [one(1, 2, "skipped", "catch"), one(2, 3, "left")]
    write_rounds(tmp_path / "rounds.csv", rounds)
    assert read_rounds(tmp_path / "rounds.csv") == rounds


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("solved", "won", 'row 2: result is "won"'),
        ("main", "rehearsal", 'row 2: phase is "rehearsal"'),
        ("0.5", "half", 'row 2: points is "half"'),
        ("0.5", "nan", 'row 2: points is "nan"'),
        (",12,", ",-12,", "row 2: n_bubbles"),
        ("false,false", "perhaps,false", 'row 2: is_mobile is "perhaps"'),
        ("user_id", "player", "it lacks user_id"),
        ("left_out", "left_out,more", "unknown column"),
    ],
)
def test_a_table_that_does_not_fit_is_refused_with_row_and_column(tmp_path, old, new, says):
    path = tmp_path / "rounds.csv"
    write_rounds(path, [one(0, 1, "solved")])
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(InputError, match=says):
        read_wins(path)


def test_another_table_is_no_table_of_rounds(table_file):
    with pytest.raises(InputError, match="it lacks .*user_id"):
        read_wins(table_file)
    with pytest.raises(InputError, match="no player has 2 rounds"):
        analysis.strategy_test({"a": [True]})


def test_rounds_that_are_not_utf_8_are_refused(tmp_path):
    (tmp_path / "rounds.csv").write_bytes(",".join(TABLE.columns).encode() + b"\nJos\xe9\n")
    with pytest.raises(InputError, match="not UTF-8 text"):
        read_wins(tmp_path / "rounds.csv")
