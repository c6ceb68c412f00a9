"""Triggers: right codes, and a port that fails disturbs nothing."""

import os
import pty
import sys
import types

import pytest

from rapidvision.errors import InputError, MissingExtra
from rapidvision.experiments.engine.interfaces import TrialData
from rapidvision.experiments.engine.participants import Observers, Participant
from rapidvision.experiments.engine.session import Session
from rapidvision.experiments.engine.virtual import MemoryJournal, VirtualScreen
from rapidvision.experiments.lab import triggers
from rapidvision.experiments.lab.triggers import Guarded, NullPort, SerialPort, open_port


class Broken:
    def send(self, code):
        raise OSError("cable gone")


class WithTriggers(VirtualScreen):
    """A virtual screen whose marks go to a port."""

    def __init__(self, port):
        super().__init__(60)
        self.port = Guarded(port)

    def flip(self, picture):
        before = len(self.marks)
        now = super().flip(picture)
        for code, _ in self.marks[before:]:
            self.port.send(code)
        return now

    def notes(self):
        notes, self.port.notes = self.port.notes, []
        return notes


def take_part(plan, port):
    screen, journal = WithTriggers(port), MemoryJournal()
    person = Participant(plan, Observers(), seed=1, clock=lambda: screen.now_s)
    screen.see = person.see
    Session(plan, screen, person, journal).run()
    return [e for e in journal.entries if isinstance(e, TrialData)]


def test_a_port_that_raises_neither_ends_the_session_nor_moves_a_flip(plans):
    good, bad = take_part(plans[0], NullPort()), take_part(plans[0], Broken())
    assert [d.flips_s for d in bad] == [d.flips_s for d in good]
    assert [f for d in bad for f in d.flags if "trigger" in f] == ["trigger_failed OSError: cable gone; off from here"]


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
    port._port.close()


def test_a_parallel_port_and_a_marker_stream_get_the_code(monkeypatch):
    sent = []
    fake = types.SimpleNamespace(
        Parallel=lambda address: types.SimpleNamespace(setData=lambda code: sent.append((address, code))),
        StreamInfo=lambda *a: a,
        StreamOutlet=lambda info: types.SimpleNamespace(push_sample=lambda sample: sent.append((info[0], sample))),
    )
    monkeypatch.setitem(sys.modules, "parallel", fake)
    monkeypatch.setitem(sys.modules, "pylsl", fake)
    open_port("parallel:0x378").send(7)
    open_port("lsl:markers").send(9)
    assert sent == [("0x378", 7), ("markers", [9])]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("serail:/dev/x", 'Did you mean "serial"'),
        ("serial", "serial:DEVICE"),
        ("serial:/dev/no-such-port", "cannot be opened"),
    ],
)
def test_a_port_that_cannot_be_opened_is_refused_before_the_session(text, words):
    with pytest.raises(InputError, match=words):
        open_port(text)


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pylsl", None)
    with pytest.raises(MissingExtra, match="pip install pylsl"):
        open_port("lsl:x")
    assert isinstance(open_port("none"), NullPort)
    assert triggers.NullPort().send(1) is None
