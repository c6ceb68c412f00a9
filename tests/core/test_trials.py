"""The trials table: what is written reads back, and what is not a trials table is refused by place."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapidvision.errors import InputError
from rapidvision.formats import trials_columns, trials_table
from rapidvision.formats.protocol_file import preset
from rapidvision.trials import COLUMNS, TrialRecord, columns_of, judge

ROW = {
    "study_id": "s", "session_id": "a", "participant_id": "p1", "observer": "simulated", "observer_kind": "simulated", "group": "clickme", "slot": 0,
    "phase": "main", "block": 0, "trial": 8, "image_id": "cat-03", "stimulus_sha256": "0" * 64, "category": "cat",
    "target": True, "map_source": "clickme", "level_index": 3, "level_label": "4", "reveal_fraction": 0.0398,
    "revealed_px": 391, "correct_response": "target", "response": "target", "input": "s", "correct": True, "response_ms": 431.25,
    "status": "ok", "late_refreshes": 0, "refresh_hz": 60.0,
}  # fmt: skip


def record(**changes):
    return TrialRecord(**{**ROW, **changes})


def test_the_schema_is_the_records_fields_in_order():
    assert [*(column.name for column in COLUMNS), "more"] == [f.name for f in msgspec.structs.fields(TrialRecord)]


def test_every_row_reads_back_as_it_was(tmp_path):
    rows = [record(), record(trial=9, reveal_fraction=None, level_label="full", input=None, response="none", correct=None,
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
        ("schema_version", "1", "row 2: schema_version 1, this RapidVision reads 3"),
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
    header = ",".join([column.name for column in COLUMNS] + ["Trial"])
    path.write_text(header + "\n", encoding="utf-8")
    with pytest.raises(InputError, match='a column is named "Trial"; .* Did you mean "trial"'):
        trials_table.read_table(path)
    path.write_text(trials_table.to_csv([record()]).rstrip("\n").rsplit(",", 3)[0], encoding="utf-8")
    with pytest.raises(InputError, match="is the file cut off"):
        trials_table.read_table(path)
    path.write_bytes("é".encode("latin-1"))
    with pytest.raises(InputError, match="not UTF-8"):
        trials_table.read_table(path)


def test_columns_of_the_protocol_read_back_with_their_types(tmp_path):
    own = [
        {"mask_ms": 80.0, "mask_planned_ms": 80, "confidence": 3, "factor_cue": "animal", "factor_warned": True},
        {"mask_ms": 93.5, "mask_planned_ms": 80, "confidence": None, "factor_cue": "007", "factor_warned": False},
    ]
    rows = [record(trial=number, more=more) for number, more in enumerate(own)]
    trials_table.write_table(tmp_path / "t.csv", rows)
    assert trials_table.read_table(tmp_path / "t.csv") == rows
    frame = trials_table.to_frame(rows)
    assert list(frame.columns[-5:]) == list(own[0])
    assert frame["confidence"].dtype == "Int64" and frame["factor_warned"].dtype == "boolean"
    assert frame["mask_ms"].tolist() == [80.0, 93.5]


def test_rows_of_two_protocols_share_a_table(tmp_path):
    rows = [record(more={"confidence": 3}), record(trial=9, more={"mask_ms": 80.0})]
    trials_table.write_table(tmp_path / "t.csv", rows)
    more = [row.more for row in trials_table.read_table(tmp_path / "t.csv")]
    assert more == [{"confidence": 3, "mask_ms": None}, {"confidence": None, "mask_ms": 80.0}]


@given(st.lists(st.one_of(st.none(), st.integers()), min_size=1) | st.lists(st.booleans(), min_size=1)
       | st.lists(st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False, width=32))))  # fmt: skip
def test_any_column_of_numbers_reads_back(values):
    cells = [trials_table._cell(value) for value in values]
    assert trials_table.parse_more(cells) == [round(v, 6) if isinstance(v, float) else v for v in values]


def test_a_table_travels_with_the_description_of_its_columns(tmp_path):
    protocol = preset("masked")
    path = trials_columns.write_description(tmp_path / "trials.csv", protocol)
    assert path.name == "trials-columns.json"
    described = msgspec.json.decode(path.read_bytes())
    assert list(described) == [c.name for c in (*COLUMNS, *columns_of(protocol))]
    assert described["mask_planned_ms"]["type"] == "int" and described["response_ms"]["unit"] == "ms"


@given(st.booleans(), st.booleans(), st.floats(0, 2000))
def test_the_limit_is_the_time_of_the_input_itself(target, pressed, ms):
    names = {True: "target", False: "distractor"}
    outcome = judge(response=names[pressed], correct_response=names[target], response_ms=ms, limit_ms=550, early_ms=100)
    assert outcome.correct == (target == pressed)
    assert outcome.status == ("late" if ms > 550 else "early" if ms < 100 else "ok")
    assert outcome.right == (target == pressed and ms <= 550)


def test_no_response_is_neither_right_nor_wrong_and_no_clock_is_in_time():
    silent = judge(response=None, correct_response="yes", response_ms=None, limit_ms=550, early_ms=100)
    assert (silent.response, silent.correct, silent.status) == ("none", None, "none")
    timeless = judge(response="yes", correct_response="yes", response_ms=None, limit_ms=550, early_ms=100)
    assert (timeless.correct, timeless.status) == (True, "ok")
    unscored = judge(response="yes", correct_response=None, response_ms=200, limit_ms=None, early_ms=100)
    assert (unscored.response, unscored.correct, unscored.status) == ("yes", None, "ok")


@pytest.mark.parametrize(("response", "ms"), [(None, None), ("go", 1000.1)])
def test_not_responding_in_time_is_the_withheld_option(response, ms):
    for correct_response in ("go", "no-go"):
        outcome = judge(
            response=response, correct_response=correct_response, response_ms=ms, limit_ms=1000, early_ms=0,
            withheld="no-go",
        )  # fmt: skip
        assert (outcome.response, outcome.correct, outcome.status) == ("no-go", correct_response == "no-go", "ok")


def test_two_columns_of_one_name_are_refused(tmp_path):
    text = trials_table.to_csv([record()]).splitlines()
    (tmp_path / "t.csv").write_text(f"{text[0]},correct\n{text[1]},false\n", encoding="utf-8")
    with pytest.raises(InputError, match=r't\.csv: columns \d+ and 35 are both named "correct"'):
        trials_table.read_table(tmp_path / "t.csv")
