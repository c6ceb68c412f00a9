"""The trials table: what is written reads back, and what is not a trials table is refused by place."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapidvision.errors import InputError
from rapidvision.formats import trials_table
from rapidvision.trials import COLUMNS, TrialRecord, judge

ROW = {
    "study_id": "s", "session_id": "a", "participant_id": "p1", "observer": "simulated", "observer_kind": "simulated", "group": "clickme", "slot": 0,
    "phase": "main", "block": 0, "trial": 8, "image_id": "cat-03", "stimulus_sha256": "0" * 64, "category": "cat",
    "target": True, "map_source": "clickme", "level_index": 3, "level_label": "4", "reveal_fraction": 0.0398,
    "revealed_px": 391, "key_target": "s", "key_pressed": "s", "response": "target", "correct": True, "response_ms": 431.25,
    "status": "ok", "fixation_ms": 1234.5, "stimulus_ms_shown": 400.0, "late_refreshes": 0, "refresh_hz": 60.0,
}  # fmt: skip


def record(**changes):
    return TrialRecord(**{**ROW, **changes})


def test_the_schema_is_the_records_fields_in_order():
    assert [column.name for column in COLUMNS] == [field.name for field in msgspec.structs.fields(TrialRecord)]


def test_every_row_reads_back_as_it_was(tmp_path):
    rows = [record(), record(trial=9, reveal_fraction=None, level_label="full", key_pressed=None, response="none", correct=None,
                             response_ms=None, status="none", utc="2026-01-01T00:00:00Z", decision_value=-1.5)]  # fmt: skip
    trials_table.write_table(tmp_path / "t.csv", rows)
    assert trials_table.read_table(tmp_path / "t.csv") == rows


def test_a_file_saved_by_a_spreadsheet_still_reads(tmp_path):
    text = trials_table.to_csv([record()]).replace("\n", "\r\n")
    (tmp_path / "t.csv").write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert trials_table.read_table(tmp_path / "t.csv") == [record()]


@pytest.mark.parametrize(
    ("column", "cell", "says"),
    [
        ("phase", "mian", 'row 2: phase is "mian". Did you mean "main"?'),
        ("target", "yes", 'row 2: target is "yes"; a bool is needed'),
        ("trial", "1.5", "a int is needed"),
        ("response_ms", "nan", "a float is needed"),
        ("participant_id", "", "participant_id is empty"),
        ("schema_version", "1", "row 2: schema_version 1, this RapidVision reads 2"),
    ],
)
def test_a_bad_cell_is_named_by_file_row_and_column(tmp_path, column, cell, says):
    lines = trials_table.to_csv([record()]).splitlines()
    cells = lines[1].split(",")
    cells[lines[0].split(",").index(column)] = cell
    (tmp_path / "t.csv").write_text(lines[0] + "\n" + ",".join(cells) + "\n", encoding="utf-8")
    with pytest.raises(InputError, match="t.csv") as error:
        trials_table.read_table(tmp_path / "t.csv")
    assert says in str(error.value)


def test_other_tables_are_refused(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(InputError, match="not a trials table"):
        trials_table.read_table(path)
    header = ",".join([column.name for column in COLUMNS] + ["moood"])
    path.write_text(header + "\n", encoding="utf-8")
    with pytest.raises(InputError, match='unknown column "moood"'):
        trials_table.read_table(path)
    path.write_text(trials_table.to_csv([record()]).rstrip("\n").rsplit(",", 3)[0], encoding="utf-8")
    with pytest.raises(InputError, match="is the file cut off"):
        trials_table.read_table(path)
    path.write_bytes("é".encode("latin-1"))
    with pytest.raises(InputError, match="not UTF-8"):
        trials_table.read_table(path)


@given(st.booleans(), st.booleans(), st.floats(0, 2000))
def test_the_limit_is_the_press_time_itself(target, pressed, ms):
    outcome = judge(target=target, pressed_target=pressed, response_ms=ms, limit_ms=550, anticipation_ms=100)
    assert outcome.correct == (target == pressed)
    assert outcome.status == ("late" if ms > 550 else "early" if ms < 100 else "ok")


def test_no_press_is_neither_right_nor_wrong_and_no_clock_is_in_time():
    silent = judge(target=True, pressed_target=None, response_ms=None, limit_ms=550, anticipation_ms=100)
    assert (silent.response, silent.correct, silent.status) == ("none", None, "none")
    assert judge(target=True, pressed_target=True, response_ms=None, limit_ms=550, anticipation_ms=100).status == "ok"


def test_two_columns_of_one_name_are_refused(tmp_path):
    text = trials_table.to_csv([record()]).splitlines()
    (tmp_path / "t.csv").write_text(f"{text[0]},correct\n{text[1]},false\n", encoding="utf-8")
    with pytest.raises(InputError, match=r't\.csv: columns \d+ and 36 are both named "correct"'):
        trials_table.read_table(tmp_path / "t.csv")
