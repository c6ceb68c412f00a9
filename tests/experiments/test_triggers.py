"""Triggers: right codes, and a port that fails disturbs nothing."""

import json
import os
import pty
import sys
import threading
import time
import tty
import types
from itertools import pairwise

import pytest

from rapidvision.cli import main
from rapidvision.errors import InputError, MissingExtra
from rapidvision.experiments.design.planning import make_study
from rapidvision.experiments.engine.participants import Observers, Participant
from rapidvision.experiments.engine.session import Session
from rapidvision.experiments.engine.virtual import MemoryJournal, VirtualScreen
from rapidvision.experiments.exports.events import codes_of
from rapidvision.experiments.interfaces import END_CODE, RESPONSE_CODE, TrialData
from rapidvision.experiments.triggers import ports
from rapidvision.experiments.triggers.marks import Guarded
from rapidvision.experiments.triggers.ports import NullPort, SerialPort, SerialPulsePort, open_port
from rapidvision.experiments.triggers.pulses import GAP_S, Pulses
from rapidvision.experiments.triggers.staircase import STAIRCASE, run_staircase
from rapidvision.system import platforms
from tests.experiments.sets import PROTOCOLS, protocol_of


class Broken:
    def send(self, code):
        raise OSError("cable\tgone\n(22)")

    def close(self):
        pass


class Hiccup:
    """Fails once."""

    def __init__(self):
        self.sent, self.tried = [], 0

    def send(self, code):
        self.tried += 1
        if self.tried == 5:
            raise OSError("one hiccup")
        self.sent.append(code)

    def close(self):
        pass


class WithTriggers(VirtualScreen):
    """A virtual screen whose marks go to a port."""

    def __init__(self, port):
        super().__init__(60)
        self.port = Guarded(port)

    def flip(self, frame):
        before = len(self.marks)
        now = super().flip(frame)
        for code, _ in self.marks[before:]:
            self.port.send(code)
        return now

    def notes(self):
        return self.port.notes()


def take_part(plan, port):
    screen, journal = WithTriggers(port), MemoryJournal()
    person = Participant(plan, Observers(), seed=1, clock=lambda: screen.now_s)
    screen.see = person.see
    Session(plan, screen, person, journal).run()
    return [e for e in journal.entries if isinstance(e, TrialData)]


def test_a_port_that_raises_neither_ends_the_session_nor_moves_a_flip(plans):
    good, bad = take_part(plans[0], NullPort()), take_part(plans[0], Broken())
    begin = [[round(flip - d.flips_s[0], 9) for flip in d.flips_s] for d in good]
    assert [[round(flip - d.flips_s[0], 9) for flip in d.flips_s] for d in bad] == begin
    assert all(any(f.startswith("trigger_failed") for f in d.flags) for d in bad)
    assert all("\t" not in flag and "\n" not in flag for d in bad for flag in d.flags)
    assert "OSError: cable gone (22)" in " ".join(bad[0].flags)


def test_one_failure_costs_one_code_and_is_noted_in_its_trial_alone(plans):
    port = Hiccup()
    trials = take_part(plans[0], port)
    assert len(port.sent) == port.tried - 1 > 300
    noted = [d.trial for d in trials if any("trigger_failed" in flag for flag in d.flags)]
    assert len(noted) == 1
    assert "trigger_failed 1 of" in " ".join(trials[noted[0]].flags)


def test_a_failed_trigger_is_on_the_experimenter_s_page_at_the_end(plans):
    screen, shown = WithTriggers(Hiccup()), []
    person = Participant(plans[0], Observers(), seed=1, clock=lambda: screen.now_s)
    screen.see = lambda frame, time_s: (shown.append(frame.content), person.see(frame, time_s))
    Session(plans[0], screen, person, MemoryJournal()).run()
    assert shown[-1].startswith("For the experimenter")
    assert "trigger_failed 1" in shown[-1]


@pytest.mark.parametrize("name", PROTOCOLS)
def test_no_flip_carries_two_codes_and_every_phase_s_code_goes_with_its_first_refresh(set_of, tmp_path, name):
    plan = make_study(set_of(name), protocol_of(name), tmp_path / "study", n_slots=1)[0]
    screen, journal = VirtualScreen(60), MemoryJournal()
    person = Participant(plan, Observers(), seed=1, clock=lambda: screen.now_s)
    screen.see = person.see
    session = Session(plan, screen, person, journal)
    person.choose = session.state.choose
    session.run()
    times = [time_s for _, time_s in screen.marks]
    assert len(set(times)) == len(times)
    sent = {round(time_s, 6): code for code, time_s in screen.marks}
    done = [entry for entry in journal.entries if isinstance(entry, TrialData)]
    assert len(done) >= 40
    n_answered = 0
    for data in done:
        planned = {phase.name: phase for phase in session.state.shown(data.trial).phases}
        for phase in data.phases:
            if planned[phase.name].trigger:
                assert sent[round(data.zero_s + phase.onset_ms / 1000, 6)] == planned[phase.name].trigger
        n_answered += data.input is not None
    assert sum(code == RESPONSE_CODE for code, _ in screen.marks) == n_answered
    assert [code for code, _ in screen.marks][-1] == END_CODE


def test_every_code_on_a_parallel_port_returns_to_zero(monkeypatch):
    values, zero = [], threading.Event()

    def set_data(value):
        values.append(value)
        if value == 0:
            zero.set()

    fake = types.SimpleNamespace(Parallel=lambda address: types.SimpleNamespace(setData=set_data))
    monkeypatch.setitem(sys.modules, "parallel", fake)
    port = open_port("parallel:/dev/parport0")
    for code in (1, 21, 2, 3):
        zero.clear()
        port.send(code)
        assert zero.wait(20)
    port.send(5)
    port.close()
    assert values == [0, 1, 0, 21, 0, 2, 0, 3, 0, 5, 0]


def test_a_pulse_that_cannot_be_taken_off_is_a_failed_trigger(monkeypatch):
    fell = threading.Event()

    def put(value):
        if value == 0 and fell.calls:
            fell.set()
            raise OSError("stuck")
        fell.calls += 1

    fell.calls = 0
    port = Guarded(Pulses(put, width_s=0.001))
    port.send(1)
    assert fell.wait(20)
    port._port._wake.acquire()
    port._port._wake.release()
    port.send(2)
    assert port.notes() == ["trigger_failed 1 of 2, OSError: stuck"]
    port.close()


def test_bytes_arrive_on_a_real_serial_line():
    ours, theirs = pty.openpty()
    port = SerialPort(os.ttyname(theirs))
    for code in (1, 16, 255):
        port.send(code)
    arrived = b""
    while len(arrived) < 3:  # the line hands over what it has, byte by byte on a busy machine
        arrived += os.read(ours, 10)
    assert arrived == bytes([1, 16, 255])
    os.close(ours)
    os.close(theirs)
    port.close()


def test_a_parallel_port_and_a_marker_stream_get_the_code(monkeypatch):
    sent = []
    fake = types.SimpleNamespace(
        Parallel=lambda address: types.SimpleNamespace(setData=lambda code: sent.append((address, code))),
        StreamInfo=lambda *a: a,
        StreamOutlet=lambda info: types.SimpleNamespace(push_sample=lambda sample: sent.append((info[0], sample))),
    )
    monkeypatch.setitem(sys.modules, "parallel", fake)
    monkeypatch.setitem(sys.modules, "pylsl", fake)
    open_port("parallel:/dev/parport0").send(7)
    open_port("lsl:markers").send(9)
    assert [each for each in sent if each[1] != 0] == [("/dev/parport0", 7), ("markers", [9])]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("serail:/dev/x", 'Did you mean "serial"'),
        ("serial", "serial:DEVICE"),
        ("serial:/dev/no-such-port", "cannot be opened"),
        ("parallel:0x378", "a device such as parallel:/dev/parport0"),
    ],
)
def test_a_port_that_cannot_be_opened_is_refused_before_the_session(text, words):
    with pytest.raises(InputError, match=words):
        open_port(text)


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pylsl", None)
    with pytest.raises(MissingExtra, match=r"rapidvision\[triggers\]"):
        open_port("lsl:x")
    assert isinstance(open_port("none"), NullPort)
    assert ports.NullPort().send(1) is None


def test_on_windows_a_parallel_port_is_a_number_and_whatever_its_driver_raises_is_a_sentence(monkeypatch):
    asked = []

    def parallel(address):
        asked.append(address)
        raise ValueError("No such port")

    monkeypatch.setitem(sys.modules, "psychopy.parallel", types.SimpleNamespace(ParallelPort=parallel))
    monkeypatch.setattr(platforms, "system", lambda: "win32")
    with pytest.raises(InputError, match=r"cannot be opened \(No such port\)"):
        open_port("parallel:0x378")
    assert asked == [0x378]
    with pytest.raises(InputError, match="number such as parallel:0x378"):
        open_port("parallel:/dev/parport0")


class Line:
    """Lines that remember when they changed."""

    def __init__(self, refuses=0):
        self.changes, self.refuses = [], refuses

    def __call__(self, value):
        if value == 0 and self.changes and self.refuses:
            self.refuses -= 1
            raise OSError("busy")
        self.changes.append((value, time.perf_counter()))


def test_codes_that_come_too_early_wait_until_the_line_has_fallen_and_say_so():
    line = Line()
    port = Guarded(Pulses(line, width_s=0.01))
    for code in (16, 3, 2):
        port.send(code)
    port.close()
    assert [value for value, _ in line.changes] == [0, 16, 0, 3, 0, 2, 0]
    times = [when for _, when in line.changes[1:]]
    spans = [later - earlier for earlier, later in pairwise(times)]
    widths, gaps = spans[::2], spans[1::2]
    assert min(widths) >= 0.01
    assert min(gaps) >= GAP_S
    notes = port.notes()
    assert [note.split(", ")[1] for note in notes] == ["code 3", "code 2"]
    assert all(note.startswith("trigger_delayed ") for note in notes)
    assert port.notes() == []


def test_a_stated_width_is_kept_on_fast_displays_and_the_usual_one_is_not():
    stated, usual = Pulses(Line(), width_s=0.008), Pulses(Line())
    for port in (stated, usual):
        port.use_period(1 / 240)
        port.close()
    assert (stated.width_s, usual.width_s) == (0.008, 1 / 480)


def test_a_port_that_refuses_zero_twice_falls_at_the_third_try():
    line = Line(refuses=2)
    port = Guarded(Pulses(line, width_s=0.001))
    port.send(7)
    port.close()
    assert [value for value, _ in line.changes] == [0, 7, 0]


def test_an_adapter_that_was_unplugged_works_from_the_next_trial_on():
    class Unplugged(SerialPort):
        def __init__(self):
            self.there, self.sent, self.n_opened = True, [], 0

        def send(self, code):
            if not self.there:
                raise OSError("device disconnected")
            self.sent.append(code)

        def reopen(self):
            self.n_opened += 1
            self.there = self.n_opened > 1  # still unplugged at the first try

    port = Unplugged()
    guarded = Guarded(port)
    guarded.send(1)
    port.there = False
    guarded.send(2)
    assert guarded.notes() == ["trigger_failed 1 of 2, OSError: device disconnected"]
    guarded.send(3)
    assert len(guarded.notes()) == 1
    guarded.send(4)
    assert (guarded.notes(), port.sent) == ([], [1, 4])


def test_the_experimenter_is_told_at_the_end_of_the_block_in_which_triggers_failed(plans):
    screen, shown = WithTriggers(Broken()), []
    person = Participant(plans[0], Observers(), seed=1, clock=lambda: screen.now_s)
    screen.see = lambda frame, time_s: (shown.append(frame.content), person.see(frame, time_s))
    Session(plans[0], screen, person, MemoryJournal()).run()
    told = [place for place, words in enumerate(shown) if "of this block" in words]
    assert len(told) >= plans[0].protocol.design.blocks - 1
    assert "OSError: cable gone (22)" in shown[told[0]]


@pytest.fixture
def echo():
    """A serial line whose ends are wired: what is sent comes back."""
    ours, theirs = pty.openpty()
    tty.setraw(theirs)

    def back():
        for data in iter(lambda: reads(ours), b""):
            os.write(ours, data)

    wire = threading.Thread(target=back)
    wire.start()
    yield os.ttyname(theirs)
    os.close(theirs)
    wire.join()
    os.close(ours)


@pytest.mark.parametrize("kind", ["serial", "serial-pulse"])
@pytest.mark.parametrize("lossy", [False, True])
def test_check_trigger_measures_what_comes_back(kind, lossy, tmp_path, capsys, monkeypatch, echo):
    if lossy:
        real = SerialPort.send
        monkeypatch.setattr(SerialPort, "send", lambda self, code: None if code == 8 else real(self, code))
    words = ["check", "trigger", "--trigger", f"{kind}:{echo}@9600", "--loop-back", "wired", "--trigger-ms", "2"]
    words = words if kind == "serial-pulse" else words[:-2]
    assert main([*words, "--out", str(tmp_path / "found.json")]) == (1 if lossy else 0)
    found = json.loads((tmp_path / "found.json").read_text())
    assert (found["n_sent"], found["n_returned"]) == (len(STAIRCASE), len(STAIRCASE) - lossy)
    assert found["n_zeros"] == (None if kind == "serial" else len(STAIRCASE) - lossy)
    assert found["width_ms"] is None if kind == "serial" else found["width_ms"] >= 1.5
    assert f"{len(STAIRCASE) - lossy} of 9 codes came back in order" in capsys.readouterr().out


def test_a_check_without_a_loop_back_says_that_nothing_was_read():
    line = Line()
    port = Pulses(line, width_s=0.001)
    found = run_staircase(port, (1, 2), every_s=0.005)
    port.close()
    assert found.passed and "nothing was read back" in found.sentence()
    assert [value for value, _ in line.changes] == [0, 1, 0, 2, 0]


@pytest.mark.parametrize(
    ("text", "width", "words"),
    [
        ("serial:COM3@fast", None, "a speed such as @115200"),
        ("serial:/dev/x", 5, "for parallel and serial-pulse ports"),
        ("serial-pulse:/dev/x", 0, "0.5 to 100 are allowed"),
        ("none", 5, "whose codes return to zero"),
    ],
)
def test_an_address_or_a_width_that_cannot_be_used_is_refused(text, width, words):
    with pytest.raises(InputError, match=words):
        open_port(text, width_ms=width)


def test_88_trials_on_a_serial_line_arrive_in_order_and_each_code_falls(plans):
    """The line is a pseudo-terminal; a session on the virtual clock sends its codes as fast as they can be spaced."""
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    port = SerialPulsePort(os.ttyname(theirs), width_s=0.0005)
    screen = WithTriggers(port)
    person = Participant(plans[0], Observers(), seed=1, clock=lambda: screen.now_s)
    screen.see = person.see
    arrived = bytearray()
    reading = threading.Thread(target=lambda: [arrived.extend(each) for each in iter(lambda: reads(ours), b"")])
    reading.start()
    Session(plans[0], screen, person, MemoryJournal()).run()
    port.close()
    os.close(theirs)
    reading.join()
    os.close(ours)
    assert [byte for byte in arrived if byte] == [code for code, _ in screen.marks]
    assert bytes(arrived[1::2]) == bytes(code for code, _ in screen.marks)
    assert not any(arrived[::2])


def reads(descriptor):
    """What has arrived on a line; nothing when its other end was closed."""
    try:
        return os.read(descriptor, 4096)
    except OSError:
        return b""


def test_the_levels_of_bids_name_every_code_that_a_session_sends(plans):
    screen = VirtualScreen(60)
    person = Participant(plans[0], Observers(), seed=1, clock=lambda: screen.now_s)
    screen.see = person.see
    Session(plans[0], screen, person, MemoryJournal()).run()
    levels = codes_of(plans[0])
    assert {str(code) for code, _ in screen.marks} <= set(levels)
    assert levels["3"] == "response" and levels["1"] == "fixation (fixation)"
    assert all(" level " in levels[str(code)] for code, _ in screen.marks if code >= 16)
