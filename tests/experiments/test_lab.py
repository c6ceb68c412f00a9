"""What is refused before a window opens, and what a person is told."""

import datetime
import sys

import msgspec
import pytest
from PIL import Image

from rapidvision.cli import main
from rapidvision.errors import InputError
from rapidvision.experiments.design.planning import make_study
from rapidvision.experiments.lab import display_checks, file_checks, run
from rapidvision.experiments.lab.file_checks import Options
from rapidvision.experiments.lab.ledger import Ledger
from rapidvision.experiments.lab.overview import sessions_table, status
from rapidvision.formats.protocol_file import preset
from rapidvision.study import Study
from rapidvision.system import files
from rapidvision.task.session import Practice


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
    study.protocol_path.write_text(text.replace("duration_ms = 400", "duration_ms = 300"))
    refuse(study, "changed after the plans were made")


def test_an_unknown_preset_is_refused(noise_set, tmp_path, capsys):
    assert main(["session", "plan", str(noise_set.folder), "--out", str(tmp_path / "s"), "--protocol", "papr"]) == 2
    assert 'Did you mean "paper"' in capsys.readouterr().err


def test_a_key_that_a_session_would_not_hear_is_refused_before_plans_are_made(noise_set, tmp_path):
    paper = preset("paper")
    first, *others = paper.response.options
    options = (msgspec.structs.replace(first, keys=("semicolon",)), *others)
    strange = msgspec.structs.replace(paper, response=msgspec.structs.replace(paper.response, options=options))
    with pytest.raises(InputError, match="not on every keyboard"):
        make_study(noise_set, strange, tmp_path / "s", n_slots=1)
    assert not (tmp_path / "s").exists()


def test_degrees_need_a_monitor_profile(noise_set, tmp_path, no_window):
    paper = preset("paper")
    large = msgspec.structs.replace(paper, display=msgspec.structs.replace(paper.display, image_deg=7.0))
    make_study(noise_set, large, tmp_path / "s", n_slots=1)
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


@pytest.mark.parametrize("kind", ["image", "mask"])
@pytest.mark.parametrize("damage", ["missing", "changed", "size", "mode", "no image"])
def test_a_file_that_is_not_what_was_planned_is_named(set_maker, tmp_path, damage, kind):
    made = set_maker(tmp_path / "set", per_category=2, practice=0, n_levels=12, masks=True)
    task = msgspec.structs.replace(preset("masked"), practice=Practice(n_trials=0))
    task = msgspec.structs.replace(task, design=msgspec.structs.replace(task.design, blocks=1))
    make_study(made, task, tmp_path / "s", n_slots=1)
    plan = Study(tmp_path / "s").plans()[0]
    trial = plan.trials()[3]
    name = trial.image.path if kind == "image" else next(ph.content for ph in trial.phases if ph.kind == "mask")
    assert name in file_checks.check_images(made, plan)
    path = made.folder / name
    if damage == "missing":
        path.unlink()
    elif damage == "no image":
        path.write_bytes(b"GIF?")
    else:
        size, mode = ((16, 15), "RGB") if damage == "size" else ((16, 16), "RGBA" if damage == "mode" else "RGB")
        Image.new(mode, size).save(path)
    words = {
        "missing": "no such file",
        "changed": "hash differs",
        "size": "16 x 15",
        "mode": "RGBA",
        "no image": "no image",
    }
    if damage in ("size", "mode", "no image"):  # as if the set had been built that way
        plan = rehashed(plan, name, files.sha256_file(path))
    with pytest.raises(InputError, match=words[damage]) as caught:
        file_checks.check_images(made, plan)
    assert path.name in str(caught.value)


def rehashed(plan, name, sha256):
    """The plan with another hash of one file."""
    replace, steps = msgspec.structs.replace, []
    for step in plan.steps:
        if hasattr(step, "trial"):
            images = {
                role: replace(image, stimulus_sha256=sha256) if image.path == name else image
                for role, image in step.trial.images.items()
            }
            phases = tuple(replace(ph, sha256=sha256) if ph.content == name else ph for ph in step.trial.phases)
            step = replace(step, trial=replace(step.trial, images=images, phases=phases))
        steps.append(step)
    return replace(plan, steps=tuple(steps))


def test_icons_are_looked_at_before_a_window_opens(set_of, tmp_path):
    made, task = set_of("sixteen-way"), preset("sixteen-way")
    assert file_checks.check_icons(made, task) == {}
    first, *others = task.response.options

    def with_icon(name):
        options = (msgspec.structs.replace(first, icon=name), *others)
        return msgspec.structs.replace(task, response=msgspec.structs.replace(task.response, options=options))

    name = next(iter(made.stimuli)).path
    assert file_checks.check_icons(made, with_icon(name)) == {"knife": made.folder / name}
    with pytest.raises(InputError, match="knife: icon: .*no such file"):
        file_checks.check_icons(made, with_icon("icons/knife.png"))


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


def test_a_watched_screen_shows_each_new_frame_once():
    from rapidvision.experiments.engine.participants import Watched
    from rapidvision.experiments.engine.virtual import VirtualScreen
    from rapidvision.experiments.interfaces import BLANK, Frame

    seen = []
    screen = Watched(VirtualScreen(60), lambda frame, time_s: seen.append(frame))
    cross, gap = Frame("fixation"), Frame("blank", phase="gap")
    for frame in (cross, Frame("fixation"), BLANK, gap, cross):
        screen.flip(frame)
    assert seen == [cross, BLANK, gap, cross]


def test_a_changed_stimulus_is_refused_before_the_window_opens(set_maker, tmp_path, no_window):
    made = set_maker(tmp_path / "set", per_category=2, practice=1, n_levels=3)
    paper = preset("paper")
    small = msgspec.structs.replace(paper, design=msgspec.structs.replace(paper.design, blocks=1))
    make_study(made, small, tmp_path / "s", n_slots=1)
    study = Study(tmp_path / "s")
    for path in (made.folder / "images").iterdir():
        path.write_bytes(path.read_bytes() + b"\0")
    refuse(study, "hash differs")
    assert not Ledger(study).slots().last
