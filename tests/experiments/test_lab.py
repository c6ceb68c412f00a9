"""What is refused before a window opens, and what a person is told."""

import datetime
import sys

import msgspec
import pytest

from rapidvision.cli import main
from rapidvision.errors import InputError
from rapidvision.experiments.design.planning import make_study
from rapidvision.experiments.lab import display_checks, file_checks, run
from rapidvision.experiments.lab.file_checks import Options
from rapidvision.experiments.lab.ledger import Ledger
from rapidvision.experiments.lab.overview import sessions_table, status
from rapidvision.protocol import Protocol
from rapidvision.study import Study


def refuse(study, match, *, participant="p1", options=None, resume=False, error=InputError):
    with pytest.raises(error, match=match):
        if resume:
            run.resume_session(study, participant, options or Options(), say=lambda _: None)
        else:
            run.run_session(study, participant, options or Options(), say=lambda _: None)


@pytest.fixture
def no_window(monkeypatch):
    """Fail where a window would open."""

    def opened(*_, **__):
        raise AssertionError("a window was opened")

    monkeypatch.setattr(run, "_with_display", opened)


@pytest.mark.parametrize("name", ["", "a/b", "a b"])
def test_a_participant_id_that_cannot_be_a_file_is_refused(study, no_window, name):
    refuse(study, "participant: got", participant=name)


def test_a_finished_participant_is_refused(study, no_window, record_session):
    record_session(study)
    refuse(study, "has already taken part")
    refuse(study, "is finished", resume=True)


def test_an_unfinished_participant_is_sent_to_resume(study, no_window, record_session):
    record_session(study, finished=False, n=20)
    refuse(study, "session resume")


def test_a_changed_protocol_is_refused_after_planning(study, no_window):
    text = study.protocol_path.read_text()
    study.protocol_path.write_text(text.replace("stimulus_ms = 400", "stimulus_ms = 300"))
    refuse(study, "changed after the plans were made")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("stimulus_ms", "stimulu_ms", 'unknown key "stimulu_ms"'),
        ("fixation_ms = [\n    1100,\n    1600,\n]", "fixation_ms = [1600, 1100]", "shortest"),
        ('keys = [\n    "s",\n    "l",\n]', 'keys = ["s", "s"]', "two different keys"),
    ],
)
def test_a_protocol_with_nonsense_is_refused(noise_set, study, tmp_path, capsys, old, new, words):
    path = tmp_path / "protocol.toml"
    text = study.protocol_path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    assert main(["session", "plan", str(noise_set.folder), "--out", str(tmp_path / "s"), "--protocol", str(path)]) == 2
    assert words in capsys.readouterr().err


def test_an_unknown_preset_is_refused(noise_set, tmp_path, capsys):
    assert main(["session", "plan", str(noise_set.folder), "--out", str(tmp_path / "s"), "--protocol", "papr"]) == 2
    assert 'Did you mean "paper"' in capsys.readouterr().err


@pytest.mark.parametrize("key", ["ß", "S", "semicolon", "num_4", "é", ";"])
def test_a_key_that_a_session_would_not_hear_is_refused_before_plans_are_made(noise_set, tmp_path, key):
    with pytest.raises(InputError, match="not on every keyboard"):
        make_study(noise_set, Protocol(keys=("l", key)), tmp_path / "s", n_slots=1)
    assert not (tmp_path / "s").exists()


def test_degrees_need_a_monitor_profile(noise_set, tmp_path, no_window):
    make_study(noise_set, Protocol(image_deg=7.0), tmp_path / "s", n_slots=1)
    refuse(Study(tmp_path / "s"), "--screen FILE")


def test_too_little_disk_is_refused(study, no_window, monkeypatch):
    monkeypatch.setattr(display_checks.shutil, "disk_usage", lambda _: type("U", (), {"free": 49_000_000})())
    refuse(study, "50 MB are needed")


def test_a_folder_that_cannot_be_written_is_refused(study, no_window):
    study.sessions_folder.write_text("a file where the folder should be")
    refuse(study, "cannot be written")


def test_another_stimulus_set_is_refused(study, no_window, set_maker, tmp_path):
    other = set_maker(tmp_path / "other", per_category=1, practice=0, n_levels=3)
    refuse(study, "not the stimulus set", options=Options(set_folder=other.folder))


@pytest.mark.parametrize("damage", ["missing", "changed", "size", "mode", "no picture"])
def test_a_stimulus_that_is_not_what_was_planned_is_named(set_maker, tmp_path, damage):
    from PIL import Image

    from rapidvision.protocol import Practice
    from rapidvision.system import files

    made = set_maker(tmp_path / "set", per_category=2, practice=0, n_levels=3)
    make_study(made, Protocol(n_blocks=1, block_size=16, practice=Practice(n_trials=0)), tmp_path / "s", n_slots=1)
    study = Study(tmp_path / "s")
    plan = study.plans()[0]
    trial = plan.trials()[3]
    path = made.folder / trial.path
    if damage == "missing":
        path.unlink()
    elif damage == "no picture":
        path.write_bytes(b"GIF?")
    else:
        size, mode = ((16, 15), "RGB") if damage == "size" else ((16, 16), "RGBA" if damage == "mode" else "RGB")
        Image.new(mode, size).save(path)
    words = {
        "missing": "no such file",
        "changed": "hash differs",
        "size": "16 x 15",
        "mode": "RGBA",
        "no picture": "no picture",
    }
    if damage in ("size", "mode", "no picture"):  # as if the set had been built that way
        runs = [
            msgspec.structs.replace(s, trial=msgspec.structs.replace(s.trial, stimulus_sha256=files.sha256_file(path)))
            if getattr(s, "trial", None) == trial
            else s
            for s in plan.steps
        ]
        plan = msgspec.structs.replace(plan, steps=tuple(runs))
    with pytest.raises(InputError, match=words[damage]) as caught:
        file_checks.check_stimuli(made, plan)
    assert path.name in str(caught.value)


def test_missing_psychopy_is_named(study, monkeypatch):
    monkeypatch.setitem(sys.modules, "psychopy", None)
    refuse(study, r'pip install "rapidvision\[lab\]"')
    assert not Ledger(study).slots().last


def test_missing_psychtoolbox_is_named_before_a_slot_is_taken(study, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setitem(sys.modules, "psychtoolbox", None)
    refuse(study, "psychtoolbox, which does not load")
    assert not Ledger(study).slots().last


def test_an_old_session_is_not_resumed_unless_that_is_accepted(study, no_window, record_session):
    entry = record_session(study, finished=False, n=10)
    old = (datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=30)).isoformat(timespec="milliseconds")
    text = study.ledger_path.read_text()
    study.ledger_path.write_text(text.replace(entry.utc, old))
    refuse(study, r"began 30\.0 h ago, at most 24 h", resume=True)
    with pytest.raises(AssertionError, match="window was opened"):
        run.resume_session(study, "p1", Options(accept_age=True))


@pytest.mark.parametrize("step_h", [-48, 23])
def test_a_wall_clock_that_was_set_since_the_session_began_does_not_lock_it(study, no_window, record_session, step_h):
    entry = record_session(study, finished=False, n=10)
    began = (datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=step_h)).isoformat(timespec="milliseconds")
    text = study.ledger_path.read_text()
    study.ledger_path.write_text(text.replace(entry.utc, began))
    with pytest.raises(AssertionError, match="window was opened"):
        run.resume_session(study, "p1", Options())


def test_a_session_of_another_plan_is_not_resumed(study, no_window, record_session):
    entry = record_session(study, finished=False, n=10)
    path = file_checks.journal_path(study, entry.session_id)
    from rapidvision.experiments.recording.journal import encode, read_journal

    header, entries = read_journal(path)
    other = msgspec.structs.replace(header, plan_digest="0" * 64)
    path.write_bytes(b"".join(map(encode, [other, *entries])))
    refuse(study, "belongs to another plan", resume=True)


def test_a_damaged_journal_is_named_by_line_on_resume_and_in_the_list(study, no_window, record_session):
    entry = record_session(study, finished=False, n=10)
    path = file_checks.journal_path(study, entry.session_id)
    raw = bytearray(path.read_bytes())
    raw[raw.find(b'"kind":"trial"') + 30] ^= 1
    path.write_bytes(bytes(raw))
    refuse(study, "line 3 is damaged", resume=True)
    assert "line 3 is damaged" in sessions_table(study)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--paced", "0"], "paced: got 0 Hz; 24 to 500 Hz"),
        (["--paced", "nan"], "paced: got nan Hz"),
        (["--window", "0x0"], "window: got 0x0; at least 64x64"),
        (["--screen-index", "-1"], "screen-index: got -1"),
        (["--photodiode-px", "-5"], "photodiode: got -5 pixels"),
    ],
)
def test_an_option_that_makes_no_sense_is_refused_before_a_window_opens(study, no_window, capsys, words, told):
    assert main(["session", "run", str(study.folder), "--participant", "p1", *words]) == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"distance_cm": None}, "lacks distance_cm"),
        ({"width_cm": None, "refresh_hz": None}, "lacks width_cm, refresh_hz"),
        ({"width_cm": 530.0}, "makes a pixel 2.76 mm wide"),
        ({"width_cm": 0.53}, "width of the lit area in centimetres"),
        ({"distance_cm": 0.57}, "distance_cm: got 0.57"),
        ({"refresh_hz": "inf"}, "finite"),
    ],
)
def test_a_monitor_profile_that_is_not_measured_or_in_other_units_is_refused(
    study, no_window, tmp_path, capsys, changed, told
):
    fields = {"width_px": 1920, "height_px": 1080, "width_cm": 53.0, "distance_cm": 57.0, "refresh_hz": 60.0, **changed}
    path = tmp_path / "lab.toml"
    path.write_text("".join(f"{name} = {value}\n" for name, value in fields.items() if value is not None))
    assert main(["session", "run", str(study.folder), "--participant", "p1", "--screen", str(path)]) == 2
    assert told in capsys.readouterr().err


def test_an_age_that_makes_no_sense_is_refused(study, no_window, capsys):
    assert main(["session", "resume", str(study.folder), "p1", "--max-age", "nan"]) == 2
    assert "max-age: got nan hours" in capsys.readouterr().err


def test_an_unknown_participant_is_not_resumed(study, no_window):
    refuse(study, "no session of p9", participant="p9", resume=True)


def test_a_session_that_was_given_up_frees_its_slot_and_stays_on_record(study, no_window, capsys, record_session):
    entry = record_session(study, finished=False, n=10)
    assert main(["session", "release", str(study.folder), "p1"]) == 0
    assert f"slot {entry.slot} is free again" in capsys.readouterr().out
    refuse(study, "was given up", resume=True)
    refuse(study, "given up")
    again = Ledger(study).take("p2", group=entry.group)
    assert again.slot == entry.slot
    text = sessions_table(study)
    assert "given up" in text
    assert "10/88" in text or "9/88" in text


def test_list_and_status_show_where_the_study_stands(study, capsys, record_session):
    assert main(["session", "list", str(study.folder)]) == 0
    assert "no sessions yet" in capsys.readouterr().out
    record_session(study, "p1")
    record_session(study, "p2", finished=False, n=30)
    assert main(["session", "list", str(study.folder)]) == 0
    out = capsys.readouterr().out
    assert "88/88" in out
    assert "30/88" in out
    text = status(study)
    assert "p2-" in text
    assert "session resume" in text
    assert "finished 1" in text


def test_a_watched_screen_shows_each_new_picture_once(plans):
    from rapidvision.experiments.engine.participants import Watched
    from rapidvision.experiments.engine.virtual import VirtualScreen
    from rapidvision.experiments.interfaces import BLANK, FIXATION

    seen = []
    screen = Watched(VirtualScreen(60), lambda picture, time_s: seen.append(picture))
    for picture in (FIXATION, FIXATION, BLANK, FIXATION):
        screen.flip(picture)
    assert seen == [FIXATION, BLANK, FIXATION]


def test_a_changed_stimulus_is_refused_before_the_window_opens(set_maker, tmp_path, no_window):
    made = set_maker(tmp_path / "set", per_category=2, practice=1, n_levels=3)
    make_study(made, Protocol(n_blocks=1, block_size=16), tmp_path / "s", n_slots=1)
    study = Study(tmp_path / "s")
    for path in (made.folder / "images").iterdir():
        path.write_bytes(path.read_bytes() + b"\0")
    refuse(study, "hash differs")
    assert not Ledger(study).slots().last
