"""Response boxes: what their bytes mean, when it happened, and a box at the other end of a real serial line."""

import os
import pty
import threading
import time
import tty
import types

import pytest
import serial
from hypothesis import given, settings
from hypothesis import strategies as st

from rapidvision.errors import InputError, MissingExtra
from rapidvision.experiments.clock import Clock, steady
from rapidvision.experiments.inputs import boxes
from rapidvision.experiments.inputs.boxes import CedrusBox, DigitBox, StateBox, open_box
from rapidvision.experiments.inputs.devices import Devices, check_boxes
from rapidvision.experiments.inputs.xid import MODE, ButtonEvent, XidReader, packet
from rapidvision.experiments.interfaces import Press
from rapidvision.formats.protocol_file import preset
from rapidvision.protocol import Protocol
from rapidvision.task.phases import Phase
from rapidvision.task.response import Option, Response

EVENTS = st.builds(ButtonEvent, st.integers(1, 8), st.booleans(), st.integers(0, 2**32 - 1))


@settings(max_examples=100, deadline=None)
@given(events=st.lists(st.one_of(EVENTS, st.just(MODE)), max_size=20), cuts=st.lists(st.integers(0, 120), max_size=10))
def test_packets_are_read_whole_however_they_are_cut(events, cuts):
    raw = b"".join(each if isinstance(each, bytes) else packet(each) for each in events)
    reader, found, last = XidReader(), [], 0
    for cut in [*sorted(cut for cut in cuts if cut < len(raw)), len(raw)]:
        found += reader.feed(raw[last:cut])
        last = cut
    assert found == events
    assert reader.n_strange == 0


def test_bytes_that_belong_to_nothing_cost_no_press():
    reader = XidReader()
    event = ButtonEvent(3, True, 77)
    assert reader.feed(b"\x00\xff" + packet(event) + b"?" + packet(event)) == [event, event]
    assert reader.n_strange == 3


def test_events_of_other_ports_are_no_buttons():
    assert XidReader().feed(packet(ButtonEvent(3, True, 77), port=1)) == []


class Pad:
    """A Cedrus pad at the other end of a pseudo terminal: it answers, and its buttons can be pressed."""

    ANSWERS = types.MappingProxyType({b"_c1": b"_xid0", b"c10": b"", b"e5": b"", b"_d2": b"2", b"_d3": b"1"})

    def __init__(self, mode=b"_xid0", *, drift=1.0, early_s=0.0):
        self.ours, theirs = pty.openpty()
        tty.setraw(self.ours)
        tty.setraw(theirs)
        self._theirs, self.device = theirs, os.ttyname(theirs)
        self.mode, self.drift, self.early_s = mode, drift, early_s
        self.zero_s, self.heard, self.mute = time.perf_counter(), b"", False
        self._thread = threading.Thread(target=self._answer, daemon=True)
        self._thread.start()

    def _answer(self):
        waiting = b""
        while True:
            try:
                new = os.read(self.ours, 100)
            except OSError:
                return
            waiting += new
            self.heard += new
            while found := next((each for each in self.ANSWERS if waiting.startswith(each)), None):
                waiting = waiting.removeprefix(found)
                if found == b"e5":
                    self.zero_s = time.perf_counter()
                if found == b"c10":
                    self.mode = MODE
                if not self.mute:
                    os.write(self.ours, self.mode if found == b"_c1" else self.ANSWERS[found])

    def press(self, button, down=True):
        """Press a button; returns the true time."""
        now = time.perf_counter()
        timer_ms = round(1000 * ((now - self.zero_s) * self.drift + self.early_s))
        os.write(self.ours, packet(ButtonEvent(button, down, timer_ms)))
        return now

    def close(self):
        os.close(self._theirs)
        os.close(self.ours)


TRUE_CLOCK = Clock("perf_counter", time.perf_counter, 1e-7)


@pytest.fixture
def pad(monkeypatch):
    """A function that makes pads and closes them; on a busy computer their answers may take a while."""
    made = []
    monkeypatch.setattr(boxes, "_ANSWER_S", 30.0)

    def make(*arguments, **options):
        made.append(Pad(*arguments, **options))
        return made[-1]

    yield make
    for each in made:
        each.close()


def heard_by(box, n, seconds=20):
    """What a box tells until it has told `n` presses and releases."""
    found, end = [], time.monotonic() + seconds
    while len(found) < n and time.monotonic() < end:
        found += box.poll()
        time.sleep(0.005)
    return found


def test_a_pad_on_a_serial_line_answers_with_its_own_time(pad):
    made = pad()
    box = open_box(f"cedrus:{made.device}", TRUE_CLOCK)
    try:
        true = [made.press(2), made.press(2, down=False), made.press(8)]
        found = heard_by(box, 3)
        assert [(press.input, press.down) for press in found] == [
            ("button:2", True),
            ("button:2", False),
            ("button:8", True),
        ]
        for press, at_s in zip(found, true, strict=True):
            # half of the round trip, and the millisecond in which the pad's timer ticks
            assert abs(press.time_s - at_s) <= box.record.unsure_ms / 1000 + 0.002
        assert box.record.stamped == "box"
        assert box.record.model == "XID product 2, model 1"
        assert box.record.round_trip_ms > 0
        assert box.notes() == []
    finally:
        box.close()


def test_a_pad_in_another_mode_is_set_to_the_one_that_tells_times(pad):
    made = pad(mode=b"_xid1")
    box = open_box(f"cedrus:{made.device}", TRUE_CLOCK)
    box.close()
    assert b"c10" in made.heard


def test_a_pad_whose_clock_runs_ahead_is_noted_and_looked_at_again_in_a_break(pad):
    made = pad(early_s=0.5)
    box = open_box(f"cedrus:{made.device}", TRUE_CLOCK)
    try:
        made.press(1)
        (press,) = heard_by(box, 1)
        assert press.time_s <= time.perf_counter()
        (note,) = box.notes()
        assert note.startswith("press_time_uncertain")
        made.early_s, before = 0.0, box.record.offset_s
        box.look()
        assert box.record.offset_s > before
        at_s = made.press(1)
        (press,) = heard_by(box, 1)
        assert abs(press.time_s - at_s) <= box.record.unsure_ms / 1000 + 0.002
        assert box.notes() == []
    finally:
        box.close()


def test_a_pad_that_falls_silent_is_stamped_at_arrival_and_noted(pad, monkeypatch):
    made = pad()
    line = serial.Serial(made.device, 115_200)
    box = CedrusBox("cedrus:x", line, TRUE_CLOCK)
    made.mute = True
    monkeypatch.setattr(boxes, "_ANSWER_S", 0.05)
    box.start()
    try:
        assert box.notes() == ["box_silent"]
        assert (box.record.stamped, box.record.offset_s) == ("arrival", None)
        at_s = made.press(1)
        (press,) = heard_by(box, 1)
        assert press.time_s >= at_s
    finally:
        box.close()


def test_a_line_that_nothing_answers_on_is_refused_before_the_session():
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    try:
        with pytest.raises(InputError, match="no Cedrus pad answers there"):
            open_box(f"cedrus:{os.ttyname(theirs)}", TRUE_CLOCK)
    finally:
        os.close(ours)
        os.close(theirs)


@pytest.mark.parametrize(
    ("kind", "sent", "wanted"),
    [
        ("serial", b"1x9", [("button:1", True), ("button:1", False), ("button:9", True), ("button:9", False)]),
        (
            "serial-state",
            bytes([1, 3, 2, 0]),
            [("button:1", True), ("button:2", True), ("button:1", False), ("button:2", False)],
        ),
    ],
)
def test_a_box_without_a_clock_is_stamped_when_its_bytes_arrive(kind, sent, wanted):
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    box = open_box(f"{kind}:{os.ttyname(theirs)}@19200", TRUE_CLOCK)
    try:
        before = time.perf_counter()
        os.write(ours, sent)
        found = heard_by(box, len(wanted))
        assert [(press.input, press.down) for press in found] == wanted
        assert all(before <= press.time_s <= time.perf_counter() for press in found)
        assert box.record.stamped == "arrival"
        assert box.record.unsure_ms == pytest.approx(1000 * 10 / 19200)
    finally:
        box.close()
        os.close(ours)
        os.close(theirs)


class Line:
    """A line of which every read fails."""

    baudrate, timeout = 9600, 0

    def reset_input_buffer(self):
        pass

    def read(self, n):
        raise OSError("cable\tgone")

    def close(self):
        pass


def test_a_cable_that_is_pulled_out_ends_no_session():
    box = DigitBox("serial:x", Line(), TRUE_CLOCK)
    box.start()
    box._thread.join(20)
    assert box.notes() == ["box_failed OSError: cable gone"]
    assert box.poll() == []
    box.close()


def test_a_state_that_does_not_change_tells_nothing():
    box = StateBox("serial-state:x", Line(), TRUE_CLOCK)
    assert box.hear(bytes([4, 4]), 1.5) == [Press("button:3", 1.5)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("cedurs:/dev/x", 'Did you mean "cedrus"'),
        ("serial", "allowed are serial:DEVICE"),
        ("serial:/dev/x@fast", "with @SPEED"),
        ("serial:/dev/no-such-port", "cannot be opened"),
    ],
)
def test_a_box_that_cannot_be_opened_is_refused(text, words):
    with pytest.raises(InputError, match=words):
        open_box(text, steady())


def test_missing_pyserial_is_named(monkeypatch):
    def absent(name):
        raise ImportError(name)

    monkeypatch.setattr(boxes, "importlib", types.SimpleNamespace(import_module=absent))
    with pytest.raises(MissingExtra, match="pip install pyserial"):
        open_box("serial:/dev/x", steady())


def task(press="down", **option):
    return Protocol(
        phases=(Phase(kind="stimulus", duration_ms=100),),
        response=Response(
            options=(Option(name="yes", matches=(True,), **option), Option(name="no")), limit_ms=100, press=press
        ),
    )


def test_a_task_for_a_box_needs_one_that_tells_what_it_needs():
    check_boxes(preset("paper"), ())
    check_boxes(task(buttons=(1,), keys=("s",)), ())
    check_boxes(task(buttons=(1,), press="up"), ("cedrus:/dev/x",))
    with pytest.raises(InputError, match="yes: has buttons of a response box only"):
        check_boxes(task(buttons=(1,)), ())
    with pytest.raises(InputError, match="tells no releases"):
        check_boxes(task(buttons=(1,), press="up"), ("serial:/dev/x",))


class Keys:
    products = ("a keyboard",)

    def __init__(self):
        self.presses = []

    def poll(self):
        presses, self.presses = self.presses, []
        return presses

    def close(self):
        pass


def test_devices_are_merged_in_order_of_time_and_their_record_goes_into_the_journal(pad):
    made, keys = pad(), Keys()
    window = types.SimpleNamespace(clock=TRUE_CLOCK, more_notes=[])
    with Devices(window, keys, clicks=False, boxes=[f"cedrus:{made.device}"]) as devices:
        record = devices.record()
        assert record["keyboards"] == ["a keyboard"]
        assert record["boxes"][0]["stamped"] == "box"
        assert "pointer" not in record
        made.press(1)
        time.sleep(0.05)
        keys.presses = [Press("s", time.perf_counter())]
        found = []
        while len(found) < 2:
            found += devices.merged.poll()
            time.sleep(0.01)
        assert sorted(press.input for press in found) == ["button:1", "s"]
        assert [press.time_s for press in found] == sorted(press.time_s for press in found)
        assert window.more_notes[0]() == []
        devices.between()
    assert isinstance(devices.boxes[0], CedrusBox)


def test_a_box_that_fails_to_open_closes_those_that_were(pad):
    made = pad()
    window = types.SimpleNamespace(clock=TRUE_CLOCK, more_notes=[])
    with pytest.raises(InputError, match="cannot be opened"):
        Devices(window, Keys(), clicks=False, boxes=[f"cedrus:{made.device}", "serial:/dev/no-such-port"])
    again = open_box(f"cedrus:{made.device}", TRUE_CLOCK)
    again.close()
