"""Stations, merged copies, the roster, and participants who withdraw."""

import json
import shutil

import pytest

from rapidvision.cli import main
from rapidvision.errors import InputError
from rapidvision.experiments.care.merging import merge_study
from rapidvision.experiments.care.removal import remove_participant
from rapidvision.experiments.design.allocation import near
from rapidvision.experiments.design.planning import make_study
from rapidvision.experiments.design.roster import Place, place_of
from rapidvision.experiments.exports.sessions import recorded_sessions
from rapidvision.experiments.lab.file_checks import journal_path
from rapidvision.experiments.lab.ledger import Ledger
from rapidvision.experiments.recording.journal import JournalFile
from rapidvision.formats.protocol_file import preset
from rapidvision.study import Study
from tests.experiments.imitated_window import Person, imitate_window
from tests.experiments.other_systems import without_locks


@pytest.fixture
def two(noise_set, tmp_path):
    """A study for two stations, and its copy on the second computer."""
    make_study(noise_set, preset("paper"), tmp_path / "one", n_slots=4, n_stations=2)
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    return Study(tmp_path / "one", station=1), Study(tmp_path / "two", station=2)


def test_two_stations_that_never_met_give_no_slot_twice_and_merge_to_a_full_study(two, record_session):
    one, other = two
    for n in range(4):
        record_session(one, f"a{n}", n=3, finished=n < 3)
        record_session(other, f"b{n}", n=3, finished=n < 3)
    with pytest.raises(InputError, match="all 2 slots are taken"):
        Ledger(one).take("a9", group="clickme")
    whole = Study(one.folder)
    found = merge_study(whole, Study(other.folder))
    assert (found.n_sessions, found.n_same, found.left_out, found.doubled) == (4, 0, [], [])
    assert set(Ledger(whole).slots().filled().values()) == {1}
    assert len(Ledger(whole).slots().filled()) == 8
    assert len(recorded_sessions(whole).recorded) == 8
    (one.folder / "ledger-1 - Copy.jsonl").write_bytes(b"damaged\n")
    before = {path: path.read_bytes() for path in one.folder.rglob("*.jsonl")}
    again = merge_study(whole, Study(other.folder))
    assert (again.n_sessions, again.n_same) == (0, 4)
    assert {path: path.read_bytes() for path in one.folder.rglob("*.jsonl")} == before


def test_a_session_that_continued_on_the_other_computer_replaces_its_beginning_and_never_the_reverse(
    two, record_session
):
    one, other = two
    entry = record_session(other, "b0", n=9)
    path = journal_path(one, entry.session_id)
    whole = journal_path(other, entry.session_id).read_bytes()
    path.parent.mkdir()
    path.write_bytes(b"".join(whole.splitlines(keepends=True)[:5]))
    assert merge_study(Study(one.folder), Study(other.folder)).n_sessions == 1
    assert path.read_bytes() == whole
    merge_study(Study(other.folder), Study(one.folder))
    assert journal_path(other, entry.session_id).read_bytes() == whole


def test_copies_of_another_study_are_refused(two, study):
    with pytest.raises(InputError, match="only copies of one study"):
        merge_study(study, two[1])


@pytest.mark.parametrize("station", [None, 0, 3])
def test_a_station_must_be_named_and_be_one_of_the_study_s(two, station):
    with pytest.raises(InputError, match="allowed is 1 to 2; name it with --station"):
        Ledger(Study(two[0].folder, station=station)).take("p1")


def test_on_a_drive_without_locks_a_station_runs_all_the_same(tmp_path, noise_set, monkeypatch):
    short = preset("paper")
    make_study(noise_set, short, tmp_path / "study", n_slots=2, n_stations=2)
    (tmp_path / "lab.toml").write_text(
        "width_px = 1920\nheight_px = 1080\nwidth_cm = 53.0\ndistance_cm = 57.0\nrefresh_hz = 60\n"
    )
    without_locks(monkeypatch, tmp_path)
    imitate_window(monkeypatch, Person())
    words = ["session", "run", str(tmp_path / "study"), "--participant", "p1", "--screen", str(tmp_path / "lab.toml")]
    assert main(words) == 2
    assert main([*words, "--station", "2"]) == 0
    (found,) = recorded_sessions(Study(tmp_path / "study")).recorded
    assert (found.state, found.header.slot) == ("finished", 1)


def test_a_removal_leaves_nothing_of_the_participant_and_everything_of_the_others(study, record_session, capsys):
    record_session(study, "p1")
    record_session(study, "p2")
    record_session(study, "p1x", n=5, finished=False)
    record_session(study, "p1", kind="pilot", n=2)
    (study.folder / "participants.csv").write_text("participant_id\np1\np2\np1x\n", encoding="utf-8")
    path = journal_path(study, Ledger(study).slots().last[f"p1-{_group(study, 'p1')}-0000"].session_id)
    shutil.copy(path, path.with_name(f"{path.stem} - Copy.jsonl"))
    path.with_suffix(".preflight.svg").write_text("<svg/>", encoding="utf-8")
    assert main(["session", "export", str(study.folder)]) == 0
    assert main(["session", "export", str(study.folder), "--format", "bids"]) == 0
    others = {each.header.session_id: each.entries for each in recorded_sessions(study).recorded[1:]}
    capsys.readouterr()
    assert main(["session", "remove", str(study.folder), "--participant", "p1", "--json"]) == 0
    receipt = json.loads(capsys.readouterr().out)
    assert (receipt["n_sessions"], receipt["replaced_by"]) == (2, "removed1")
    left = [path for path in study.folder.rglob("*") if path.is_file() and path.parent.name not in ("removed", "plans")]
    for path in left:
        words = path.read_bytes().replace(b"p1x", b"").replace(b"op1", b"")
        assert b"p1" not in words.replace(b"p10", b""), path
    assert {each.header.session_id: each.entries for each in recorded_sessions(study).recorded} == others
    assert not (study.folder / "bids").exists()
    entry = next(e for e in Ledger(study).slots().last.values() if e.participant_id == "removed1")
    assert entry.event == "returned"
    assert json.loads((study.folder / "removed" / "removed1.json").read_text())["participant_id"] == "p1"
    with pytest.raises(InputError, match="no session of participant p1;"):
        remove_participant(study, "p1")
    assert Ledger(study).take("p9").slot in (0, 1)


def test_a_dataset_without_the_participant_stays_though_another_id_begins_alike(study, record_session):
    record_session(study, "p1x")
    assert main(["session", "export", str(study.folder), "--format", "bids"]) == 0
    before = {path: path.read_bytes() for path in (study.folder / "bids").rglob("*") if path.is_file()}
    record_session(study, "p1", n=2, finished=False)
    assert "bids" not in remove_participant(study, "p1").removed
    assert {path: path.read_bytes() for path in (study.folder / "bids").rglob("*") if path.is_file()} == before


def _group(study, participant):
    return next(e.group for e in Ledger(study).slots().last.values() if e.participant_id == participant)


def test_a_running_session_is_not_removed(study, record_session):
    entry = record_session(study, "p1", n=3, finished=False)
    header = recorded_sessions(study).recorded[0].header
    before = {path: path.read_bytes() for path in study.folder.rglob("*") if path.is_file()}
    with JournalFile(journal_path(study, entry.session_id), header), pytest.raises(InputError, match="another session"):
        remove_participant(study, "p1")
    assert {path: path.read_bytes() for path in study.folder.rglob("*") if path.is_file()} == before


def test_a_roster_gives_group_and_slot(study):
    (study.folder / "participants.csv").write_text("participant_id;group;slot\np1;salicon;3\np2;clickme;\np3;;\n")
    assert [place_of(study, name) for name in ("p1", "p2", "p3")] == [Place("salicon", 3), Place("clickme"), Place()]
    entry = Ledger(study).take("p1", group="salicon", slot=3)
    assert (entry.group, entry.slot) == ("salicon", 3)
    with pytest.raises(InputError, match=r"slot 3 of group salicon is taken; give another one in participants\.csv"):
        Ledger(study).take("p4", group="salicon", slot=3)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("code\np1\n", "participant_id is needed"),
        ("participant_id,slot\np1,2\n", 'row 2, column slot: got "2" without a group'),
        ("participant_id,group,slot\np1,clickme,1\np2,clickme,1\n", "row 3, column slot: got 1, which row 2 has too"),
        ("participant_id,group\np1,clikme\n", 'row 2, column group: got "clikme". Did you mean "clickme"?'),
        ("participant_id\np 1\n", 'row 2, column participant_id: participant: got "p 1"'),
    ],
)
def test_a_roster_that_cannot_be_used_is_refused_by_row_and_column(study, text, words):
    (study.folder / "participants.csv").write_text(text)
    with pytest.raises(InputError) as caught:
        place_of(study, "p1")
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("one", "two", "is_near"),
    [("p01", "p02", True), ("p12", "p21", True), ("p1", "p11", True), ("p01", "p01", False), ("p01", "q02", False)],
)
def test_one_slip_of_the_finger_is_near(one, two, is_near):
    assert (near(one, [two]) == [two]) is is_near
    assert (near(two, [one]) == [one]) is is_near
