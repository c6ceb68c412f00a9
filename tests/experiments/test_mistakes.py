"""What people do on a Monday: every mistake is answered in one sentence, no data are lost and no two people are mixed.

Each mistake starts from one study with a finished participant p01 (24 trials), an unfinished p02 (10 trials), and p07,
unfinished with 5. It returns what was said. Afterwards every trial of before is still there and belongs to the same
person.
"""

import errno
import os
import shutil
from datetime import UTC, datetime, timedelta

import pytest

from rapidvision.cli import main
from rapidvision.experiments import clock
from rapidvision.experiments.exports.sessions import recorded_sessions
from rapidvision.experiments.interfaces import ESCAPE, TrialData
from rapidvision.experiments.lab import display_checks
from rapidvision.experiments.lab.file_checks import journal_path
from rapidvision.experiments.lab.ledger import Ledger
from rapidvision.experiments.recording import append_file
from rapidvision.experiments.recording.journal import JournalFile
from rapidvision.experiments.triggers import ports
from rapidvision.study import Study
from tests.experiments.imitated_window import Person, imitate_window
from tests.experiments.other_systems import without_locks
from tests.experiments.sets import make_set
from tests.once import made_once

SCREEN = "width_px = 1920\nheight_px = 1080\nwidth_cm = 53.0\ndistance_cm = 57.0\nrefresh_hz = 60.0\n"


def plan(folder, *more):
    words = ["session", "plan", str(folder / "set"), "--out", str(folder / "study"), "--n-per-group", "3", "--fit"]
    assert main([*words, "--quiet", *more]) == 0


def make(folder):
    """The study before the mistake, and its copy on a second computer."""
    folder.mkdir(parents=True)
    make_set(folder / "set", per_category=2, practice=1, n_levels=4)
    (folder / "lab.toml").write_text(SCREEN, encoding="utf-8")
    plan(folder)
    with pytest.MonkeyPatch.context() as patch:
        for participant, n in (("p01", None), ("p02", 11), ("p07", 6)):
            does = {} if n is None else {("stimulus", n): [ESCAPE], ("text", "Paused"): [ESCAPE]}
            imitate_window(patch, Person(does))
            code = main(
                [
                    "session",
                    "run",
                    str(folder / "study"),
                    "--participant",
                    participant,
                    "--screen",
                    str(folder / "lab.toml"),
                ]
            )
            assert code == (0 if n is None else 3)


@pytest.fixture
def lab(tmp_path, tmp_path_factory, monkeypatch, capsys):
    """A laboratory with that study; ``lab("run", ...)`` runs a verb and returns code and words."""
    shutil.copytree(
        made_once(tmp_path_factory, "mistakes", lambda folder: make(folder / "lab")) / "lab", tmp_path / "lab"
    )
    return Lab(tmp_path / "lab", monkeypatch, capsys)


class Lab:
    def __init__(self, folder, monkeypatch, capsys):
        self.folder, self.patch, self.capsys = folder, monkeypatch, capsys
        self.study, self.person = Study(folder / "study"), Person()
        imitate_window(monkeypatch, self.person)

    def sit(self, does):
        """Let somebody sit down who does what the script says."""
        self.person = Person(does)
        imitate_window(self.patch, self.person)

    def __call__(self, verb, *words, screen=True):
        screen = ["--screen", str(self.folder / "lab.toml")] if screen and verb in ("run", "resume") else []
        self.capsys.readouterr()
        code = main(["session", verb, str(self.study.folder), *map(str, words), *screen])
        out, err = self.capsys.readouterr()
        return code, out + err

    def run(self, participant, *words):
        return self("run", "--participant", participant, *words)

    def journal(self, participant):
        (entry,) = [e for e in Ledger(self.study).slots().last.values() if e.participant_id == participant]
        return journal_path(self.study, entry.session_id)

    def trials(self):
        """(participant, trial) of everything recorded, from the journals."""
        found = recorded_sessions(self.study)
        return [
            (session.header.participant_id, data.trial)
            for session in found.recorded
            for data in session.entries
            if isinstance(data, TrialData)
        ]


MISTAKES = {}


def mistake(said, code=2):
    """Register a mistake: what must be said, and the exit code."""

    def register(function):
        MISTAKES[function.__name__] = (function, said, code)
        return function

    return register


# Wrong ids.


@mistake("p01: has already taken part")
def the_id_of_somebody_who_is_finished(lab):
    return lab.run("p01")


@mistake("has an unfinished session; continue it with `rapidvision session resume`")
def run_instead_of_resume(lab):
    return lab.run("p02")


@mistake('"p01" has taken part')
def the_id_in_capitals(lab):
    return lab.run("P01")


@mistake('"p01" has taken part')
def the_id_with_a_hyphen(lab):
    return lab.run("p-01")


@mistake('"p01" has taken part')
def the_id_without_its_zero(lab):
    return lab.run("p1")


@mistake('Use "Jose"?')
def a_name_with_an_accent(lab):
    return lab.run("José")


@mistake('Use "p11"?')
def a_formula(lab):
    return lab.run("=1+1")


@mistake("Windows keeps the name CON for a device")
def the_name_of_a_device(lab):
    return lab.run("con")


@mistake("spreadsheets change this into a number or a date")
def a_date(lab):
    return lab.run("1-2")


@mistake('Use "p03"?')
def a_blank_behind_the_id(lab):
    return lab.run("p03 ")


@mistake("give an id with --participant")
def no_id(lab):
    return lab("run")


@mistake("no session of p03")
def resume_of_somebody_who_never_began(lab):
    return lab("resume", "p03")


@mistake("is finished")
def resume_of_somebody_who_is_finished(lab):
    return lab("resume", "p01")


@mistake("nothing was stored, and no slot was taken", 3)
def a_new_id_one_slip_from_an_unfinished_one(lab):
    lab.sit({("text", "Not p07?"): [ESCAPE]})
    return lab.run("p70")


@mistake("no trial was run", 3)
def resume_of_the_wrong_person_noticed_on_the_page(lab):
    lab.sit({("text", "Participant p07"): [ESCAPE]})
    return lab("resume", "p07")


@mistake('not in {study}/participants.csv. Did you mean "p03"?')
def an_id_that_is_not_on_the_roster(lab):
    (lab.study.folder / "participants.csv").write_text("participant_id,group,slot\np03,clickme,2\n", encoding="utf-8")
    return lab.run("p003")


@mistake('row 3, column participant_id: got "P03", and row 2 has "p03"')
def a_roster_with_one_person_twice(lab):
    (lab.study.folder / "participants.csv").write_text("participant_id\np03\nP03\n", encoding="utf-8")
    return lab.run("p03")


@mistake('row 2, column slot: got "9"; a slot from 0 to 2 is needed')
def a_roster_with_a_slot_that_does_not_exist(lab):
    (lab.study.folder / "participants.csv").write_text("participant_id;group;slot\np03;clickme;9\n", encoding="cp1252")
    return lab.run("p03")


@mistake('group: this study has no "click"')
def a_group_that_does_not_exist(lab):
    return lab.run("p03", "--group", "click")


# Starting and stopping.


@mistake("open in another session; close that one first")
def the_same_session_twice_at_once(lab):
    header = recorded_sessions(lab.study).recorded[1].header
    with JournalFile(lab.journal("p02"), header):
        return lab("resume", "p02")


@mistake("nothing was stored, and no slot was taken", 3)
def escape_before_the_first_page(lab):
    lab.sit({("text", "A new session"): [ESCAPE]})
    return lab.run("p03")


@mistake("stopped; resume it", 3)
def escape_in_practice(lab):
    lab.sit({("stimulus", 2): [ESCAPE], ("text", "Paused"): [ESCAPE]})
    return lab.run("p03")


@mistake("finished:", 0)
def escape_and_then_a_key_that_continues(lab):
    lab.sit({("stimulus", 12): [ESCAPE], ("text", "Paused"): ["space"]})
    return lab.run("p03")


@mistake("finished:", 0)
def escape_on_the_page_of_thanks(lab):
    lab.sit({("text", "Thank you"): [ESCAPE, ESCAPE]})
    return lab.run("p03")


@mistake("finished:", 0)
def a_hand_on_all_keys(lab):
    lab.sit({("stimulus", 4): ["s", "l", "space", "q", "s"]})
    return lab.run("p03")


@mistake("all 3 slots are taken")
def more_people_than_slots(lab):
    for participant in ("p03", "p04", "p05"):
        lab.run(participant, "--group", "clickme")
    return lab.run("p06", "--group", "clickme")


@mistake("give one", 2)
def a_pilot_and_a_simulation_at_once(lab):
    return lab("run", "--pilot", "--simulate")


@mistake("finished:", 0)
def a_rehearsal_in_the_real_study(lab):
    return lab("run", "--simulate")


@mistake("observer: got simulated, allowed is human")
def a_person_s_session_resumed_by_a_simulation(lab):
    return lab("resume", "p02", "--simulate")


# The equipment.


@mistake("trigger serial:/dev/ttyNONE: cannot be opened")
def a_trigger_box_that_is_not_plugged_in(lab):
    return lab.run("p03", "--trigger", "serial:/dev/ttyNONE")


@mistake("trigger_failed", 0)
def a_trigger_box_that_is_unplugged_in_the_session(lab):
    class Gone(ports.NullPort):
        def send(self, code):
            raise OSError("device disconnected")

    lab.patch.setattr("rapidvision.experiments.lab.run.open_port", lambda *_, **__: Gone())
    return lab.run("p03")


@mistake("profile: got ")
def the_chair_moved_between_two_openings(lab):
    (lab.folder / "lab.toml").write_text(SCREEN.replace("57.0", "80.0"), encoding="utf-8")
    return lab("resume", "p02")


@mistake("began 30.0 h ago, at most 24 h are allowed")
def the_clock_set_forth_by_a_day(lab):
    now = datetime.now(UTC) + timedelta(hours=30)
    lab.patch.setattr(clock, "utc_now", lambda: now)
    return lab("resume", "p02")


@mistake("finished:", 0)
def the_clock_set_back_by_a_day(lab):
    now = datetime.now(UTC) - timedelta(hours=30)
    lab.patch.setattr(clock, "utc_now", lambda: now)
    return lab("resume", "p02")


@mistake("everything before is stored. Free space on the disk", 3)
def a_disk_that_becomes_full(lab):
    real, n = append_file.platforms.sync, []

    def sync(descriptor):
        n.append(1)
        if len(n) > 15:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(descriptor)

    lab.patch.setattr(append_file.platforms, "sync", sync)
    return lab.run("p03")


@mistake("50 MB are needed")
def a_disk_that_is_full_before(lab):
    usage = type("Usage", (), {"free": 1_000_000})()
    lab.patch.setattr(display_checks.shutil, "disk_usage", lambda _: usage)
    return lab.run("p03")


@mistake("this drive cannot lock files")
def a_network_drive_without_locks(lab):
    without_locks(lab.patch, lab.folder)
    return lab.run("p03")


# Files and second computers.


@mistake("a copy, not counted again", 0)
def a_journal_copied_by_the_file_manager(lab):
    path = lab.journal("p01")
    shutil.copy(path, path.with_name(f"{path.stem} - Copy.jsonl"))
    return lab("export")


@mistake("left out 1 of the journals", 1)
def an_empty_journal_after_a_power_cut(lab):
    (lab.study.sessions_folder / "p09-clickme-0002.jsonl").write_bytes(b"")
    return lab("export")


@mistake("changed after the plans were made")
def the_protocol_edited_after_the_first_participant(lab):
    """The command refuses; what was recorded is exported once the file is restored."""
    path = lab.study.protocol_path
    old = path.read_text(encoding="utf-8")
    path.write_text(old.replace("duration_ms = 400", "duration_ms = 300"), encoding="utf-8")
    found = lab.run("p03")
    path.write_text(old, encoding="utf-8")
    return found


@mistake("belong to another set|changed since the study was planned|no such file")
def an_image_replaced(lab):
    image = lab.study.stimulus_set().folder / lab.study.plans()[0].trials()[0].image.path
    for path in image.parent.glob("*.png"):
        path.write_bytes(b"")
    return lab.run("p03")


@mistake("is the study itself")
def a_merge_of_the_study_with_itself(lab):
    return lab("merge", lab.study.folder)


@mistake('participant "p03" is "p03" here, with another session', 1)
def one_id_for_two_people_on_two_computers(lab):
    shutil.copytree(lab.study.folder, lab.folder / "other")
    lab.run("p03", "--group", "clickme")
    main(["session", "run", str(lab.folder / "other"), "--participant", "p03", "--group", "salicon",
          "--screen", str(lab.folder / "lab.toml")])  # fmt: skip
    shutil.move(lab.folder / "other", lab.folder / "usb")
    return lab("merge", lab.folder / "usb")


@mistake("contradicts", 1)
def a_session_resumed_on_two_computers(lab):
    shutil.copytree(lab.study.folder, lab.folder / "other")
    lab("resume", "p02")
    lab.sit({})
    lab.person.seed = 2
    imitate_window(lab.patch, Person(seed=2))
    main(["session", "resume", str(lab.folder / "other"), "p02", "--screen", str(lab.folder / "lab.toml")])
    return lab("merge", lab.folder / "other")


@mistake("slot 1 of group clickme by", 1)
def two_computers_without_stations(lab):
    """Both gave the same slot; both sessions are kept, and it is said."""
    shutil.copytree(lab.study.folder, lab.folder / "other")
    free = min(slot for slot in range(3) if not Ledger(lab.study).slots().filled()["clickme", slot])
    assert free == 1
    lab.run("p03", "--group", "clickme")
    main(["session", "run", str(lab.folder / "other"), "--participant", "p04", "--group", "clickme",
          "--screen", str(lab.folder / "lab.toml")])  # fmt: skip
    return lab("merge", lab.folder / "other")


@mistake("no session of participant p08")
def the_removal_of_somebody_who_never_took_part(lab):
    return lab("remove", "--participant", "p08")


@mistake("station: got 2, allowed is none")
def a_station_in_a_study_without_any(lab):
    return lab.run("p03", "--station", "2")


@mistake("n-stations: got 2, allowed is 1: its sessions have begun")
def stations_after_the_first_participant(lab):
    lab.capsys.readouterr()
    words = ["session", "plan", str(lab.folder / "set"), "--out", str(lab.study.folder), "--n-per-group", "3", "--fit"]
    code = main([*words, "--quiet", "--n-stations", "2"])
    return code, "".join(lab.capsys.readouterr())


def test_there_are_forty_of_them():
    assert len(MISTAKES) >= 40


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_answered_in_a_sentence_and_costs_nothing(name, lab):
    make_it, said, code = MISTAKES[name]
    before = lab.trials()
    got, words = make_it(lab)
    assert got == code, words
    assert any(each in words for each in said.replace("{study}", str(lab.study.folder)).split("|")), words
    assert "Traceback" not in words
    after = lab.trials()
    assert set(before) <= set(after)
    assert len(set(after)) == len(after)
    ledger = {e.participant_id for e in Ledger(lab.study).slots().last.values()}
    assert {participant for participant, _ in after} <= ledger
    assert os.listdir(lab.folder)
