"""Archives of a study: what is in them, whom they do not name, and that every change is found."""

import shutil
import zipfile

import msgspec
import pytest

from rapidvision import cli
from rapidvision.archive.record import RECORD
from rapidvision.archive.verify import verify_archive
from rapidvision.archive.write import write_archive
from rapidvision.errors import CheckFailed, InputError
from rapidvision.formats import trials_table
from rapidvision.study import Study
from tests.experiments.sets import make_set

IDS = ("anna-k", "bo-77")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A study whose two participants count as people, under codes that name them."""
    folder = tmp_path_factory.mktemp("made")
    make_set(folder / "set", per_category=2, practice=1, n_levels=3)
    plan = ["session", "plan", str(folder / "set"), "--n-per-group", "1", "--fit", "--out", str(folder / "study")]
    assert cli.main(plan) == 0
    assert cli.main(["session", "simulate", str(folder / "study"), "--seed", "3"]) == 0
    study = Study(folder / "study")
    rows = trials_table.read_table(study.simulated_path)
    names = dict(zip(sorted({row.participant_id for row in rows}), IDS, strict=True))
    people = [
        msgspec.structs.replace(
            row,
            participant_id=names[row.participant_id],
            session_id=f"{names[row.participant_id]}-1",
            observer="human",
            observer_kind="human",
            utc="2026-11-30T10:00:00Z",
        )
        for row in rows
    ]
    trials_table.write_table(study.trials_path, people)
    return folder


@pytest.fixture
def folder(made, tmp_path):
    return shutil.copytree(made, tmp_path / "made")


def test_an_archive_has_every_trial_and_no_persons_code_or_time(folder):
    record = write_archive(folder / "study", folder / "a")
    told = trials_table.read_table(folder / "a/data/trials.csv")
    kept = trials_table.read_table(folder / "study/trials.csv")
    assert {row.participant_id for row in told} == {"p001", "p002"}
    assert {row.utc for row in told} == {None}
    hidden = ("participant_id", "session_id", "utc")

    def open_columns(rows):
        return sorted(
            str({name: value for name, value in msgspec.structs.asdict(row).items() if name not in hidden})
            for row in rows
        )

    assert open_columns(told) == open_columns(kept)
    for path in (folder / "a").rglob("*"):
        assert not path.is_file() or not any(name.encode() in path.read_bytes() for name in IDS), path
    assert record.n_trials["data/trials.csv"] == len(kept)
    assert record.n_participants["data/trials.csv"] == 2
    assert any("codes" in sentence for sentence in record.left_out)
    simulated = trials_table.read_table(folder / "a/data/simulated.csv")
    assert simulated == sorted(
        trials_table.read_table(folder / "study/simulated.csv"), key=lambda row: (row.participant_id, row.trial)
    )


def test_new_codes_do_not_follow_the_order_of_participation(folder):
    rows = trials_table.read_table(folder / "study/trials.csv")
    before = write_archive(folder / "study", folder / "before.zip")
    trials_table.write_table(folder / "study/trials.csv", rows[::-1])
    after = write_archive(folder / "study", folder / "after.zip")
    assert before == after
    assert (folder / "before.zip").read_bytes() == (folder / "after.zip").read_bytes()


def test_images_are_included_where_asked_for(folder):
    without = write_archive(folder / "study", folder / "a.zip")
    included = write_archive(folder / "study", folder / "b.zip", with_images=True)
    n_stimuli = len(list((folder / "set").rglob("*.png")))
    assert n_stimuli > 0
    assert len(included.files) == len(without.files) + n_stimuli
    assert not any(file.path.endswith(".png") for file in without.files)


def changed(path):
    path.write_bytes(path.read_bytes() + b" ")


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (lambda a: changed(a / "data/trials.csv"), "data/trials.csv (changed)"),
        (lambda a: (a / "study/protocol.toml").unlink(), "study/protocol.toml (missing)"),
        (lambda a: (a / "data/more.csv").write_text("x"), "data/more.csv (added)"),
        (lambda a: (a / RECORD).write_text((a / RECORD).read_text().replace("trials", "trial")), ""),
    ],
)
def test_every_change_of_an_archive_is_found(folder, harm, told):
    write_archive(folder / "study", folder / "a")
    verify_archive(folder / "a")
    harm(folder / "a")
    with pytest.raises((CheckFailed, InputError)) as error:
        verify_archive(folder / "a")
    assert told in str(error.value)


def test_a_damaged_zip_file_is_told_from_none(folder):
    write_archive(folder / "study", folder / "a.zip")
    data = bytearray((folder / "a.zip").read_bytes())
    (folder / "cut.zip").write_bytes(data[: len(data) // 2])
    with pytest.raises(InputError, match="not a zip file, or cut off"):
        verify_archive(folder / "cut.zip")
    with zipfile.ZipFile(folder / "a.zip") as archive:
        info = archive.getinfo("data/trials.csv")
    data[info.header_offset + 200] ^= 0xFF
    (folder / "bit.zip").write_bytes(data)
    with pytest.raises(CheckFailed, match="data/trials.csv"):
        verify_archive(folder / "bit.zip")
    with pytest.raises(InputError, match="no such file or folder"):
        verify_archive(folder / "none.zip")
    with pytest.raises(InputError, match="no archive of a study"):
        verify_archive(folder / "study")


def test_results_that_name_a_participant_are_refused(folder):
    results = folder / "report"
    results.mkdir()
    (results / "report.html").write_text("<p>Excluded: bo-77.</p>")
    with pytest.raises(InputError, match=r"report\.html first \(bo-77\)"):
        write_archive(folder / "study", folder / "a", results=[results])
    assert not (folder / "a").exists()
    (results / "report.html").write_text("<p>about both</p>")
    record = write_archive(folder / "study", folder / "a", results=[results])
    assert "results/report/report.html" in {file.path for file in record.files}


def test_what_cannot_be_archived_is_refused_before_anything_is_written(folder):
    rows = trials_table.read_table(folder / "study/trials.csv")
    other = folder / "other.csv"
    trials_table.write_table(other, [msgspec.structs.replace(row, study_id="another") for row in rows])
    with pytest.raises(InputError, match=r"other\.csv: holds rows of the study another"):
        write_archive(folder / "study", folder / "a", tables=[other])
    with pytest.raises(InputError, match=r"two trials tables are called trials\.csv"):
        write_archive(folder / "study", folder / "a", tables=[folder / "study/trials.csv", folder / "b/trials.csv"])
    (folder / "study/trials.csv").unlink()
    (folder / "study/sessions").mkdir()
    (folder / "study/sessions/anna.jsonl").write_text("")
    with pytest.raises(InputError, match="session export"):
        write_archive(folder / "study", folder / "a")
    (folder / "taken").mkdir()
    with pytest.raises(InputError, match="exists"):
        write_archive(folder / "study", folder / "taken")
    assert sorted(path.name for path in folder.iterdir()) == ["other.csv", "set", "study", "taken"]


def test_a_failed_write_leaves_nothing(folder, monkeypatch):
    def full(*_words, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "writestr", full)
    with pytest.raises(OSError, match="No space"):
        write_archive(folder / "study", folder / "a.zip")
    assert sorted(path.name for path in folder.iterdir()) == ["set", "study"]


def test_the_verbs_write_verify_and_say_what_comes_next(folder, capsys, monkeypatch):
    monkeypatch.chdir(folder)
    assert cli.main(["study", "status", "study"]) == 0
    assert "next: rapidvision analyse report study/trials.csv" in capsys.readouterr().out
    assert cli.main(["study", "archive", "study", "--out", "a.zip"]) == 0
    assert "not included: the participants' codes" in capsys.readouterr().out
    assert cli.main(["study", "verify", "a.zip"]) == 0
    assert "are unchanged" in capsys.readouterr().out
    assert cli.main(["study", "archive", "study", "--out", "a"]) == 0
    changed(folder / "a/README.txt")
    assert cli.main(["study", "verify", "a"]) == 1
    assert "README.txt (changed)" in capsys.readouterr().err


def test_a_new_study_is_what_the_printed_commands_make(folder, capsys, monkeypatch):
    monkeypatch.chdir(folder)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    asked = []
    monkeypatch.setattr("builtins.input", lambda question: asked.append(question) or "")
    assert cli.main(["study", "new", "mine", "--folders", "set", "--n-per-group", "2"]) == 0
    assert len(asked) == 1
    assert "Task" in asked[0]
    (command,) = [
        line for line in capsys.readouterr().out.splitlines() if line.startswith("$ rapidvision session plan")
    ]
    assert cli.main(command.replace("mine/study", "again").split()[2:]) == 0
    plans = sorted(folder.joinpath("mine/study/plans").iterdir())
    assert len(plans) == 4
    for path in plans:
        assert path.read_bytes() == (folder / "again/plans" / path.name).read_bytes()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--folders", "nowhere", "--yes"], "nowhere is no folder"),
        (["--n-per-group", "0", "--yes"], "at least 1"),
        ([], "--folders is missing and there is no terminal"),
    ],
)
def test_answers_that_make_no_study_are_refused(tmp_path, capsys, monkeypatch, words, told):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    assert cli.main(["study", "new", "mine", *words]) == 2
    assert told in capsys.readouterr().err
    assert not (tmp_path / "mine").exists()
