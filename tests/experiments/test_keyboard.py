"""The queue reader: everything that is in the queues, in order, with remedies where there is nothing."""

import sys
import types

import msgspec
import pytest

from rapidvision.errors import InputError, MissingExtra
from rapidvision.experiments.clock import Clock, Conversion
from rapidvision.experiments.interfaces import Press
from rapidvision.experiments.keyboard import QueueReader, check_keys, labelled, load_hid
from rapidvision.formats.protocol_file import PRESETS, preset
from rapidvision.task.questions import Question
from rapidvision.task.session import Breaks


class FakeDevice:
    def __init__(self, index):
        self.index, self.queue, self.running, self.released = index, [], False, False

    def queue_start(self):
        self.running = True

    def queue_stop(self):
        self.running = False

    def _release_queue(self):
        self.released = True

    def flush(self, flush_type):
        return len(self.queue)

    def queue_get_event(self):
        return self.queue.pop(0), len(self.queue)


def fake_hid(n=2):
    devices = {}
    return types.SimpleNamespace(
        devices=devices,
        get_keyboard_indices=lambda: (list(range(n)), [f"keyboard {i}" for i in range(n)], None),
        Keyboard=lambda index: devices.setdefault(index, FakeDevice(index)),
    )


def test_presses_of_all_keyboards_come_in_order_of_time_and_none_twice():
    hid = fake_hid()
    reader = QueueReader({39: "s", 46: "L"}, hid=hid)
    hid.devices[1].queue += [
        {"Keycode": 46.0, "Time": 1.5, "Pressed": 1},
        {"Keycode": 46.0, "Time": 1.501, "Pressed": 0},
    ]
    hid.devices[0].queue += [{"Keycode": 39.0, "Time": 1.2, "Pressed": 1}, {"Keycode": 99.0, "Time": 1.6, "Pressed": 1}]
    assert reader.poll() == [Press("s", 1.2), Press("l", 1.5), Press("l", 1.501, False), Press("99", 1.6)]
    assert reader.poll() == []


def test_presses_keep_their_true_time_when_the_wall_clock_is_set_back_an_hour():
    at = types.SimpleNamespace(now=50.0, step=0.0)
    clock = Clock("true", lambda: at.now, 1e-7)
    conversion = Conversion(lambda: 1.7e9 + at.now + at.step, clock, other_resolution_s=1e-6)
    hid = fake_hid(1)
    reader = QueueReader({39: "s"}, hid=hid, conversion=conversion)
    pressed = []
    for n in range(100):
        at.now += 1 / 60
        if n == 50:
            at.step = -3600.0
        if n % 10 == 0:
            pressed.append(at.now)
            hid.devices[0].queue.append({"Keycode": 39.0, "Time": 1.7e9 + at.now + at.step, "Pressed": 1})
        at.now += 0.002
        for press in reader.poll():
            assert press.time_s == pytest.approx(pressed.pop(0), abs=1e-5)
    assert not pressed
    assert conversion.notes() == ["clock_step -3600000.0 ms"]


#: PsychoPy's names by position, as far as they are needed here: q row, a row, m, digits.
BY_POSITION = {
    **{25 + n: name for n, name in enumerate("qwertyuiop")},
    **{39 + n: name for n, name in enumerate("asdfghjkl")},
    **{53 + n: name for n, name in enumerate("zxcvbnm")},
    **{11 + n: name for n, name in enumerate("1234567890")},
    48: "semicolon",
    66: "space",
}


def layout(rows):
    """Symbols of a layout: X11 code of a row's first key → unshifted and shifted characters of the row."""
    table = {}
    for first, (plain, shifted) in rows.items():
        for n, pair in enumerate(zip(plain, shifted, strict=True)):
            table[first + n] = [ord(each) for each in pair]
    return lambda code, level: table.get(code, (0, 0))[level]


AMERICAN = layout({24: ("qwertyuiop", "QWERTYUIOP"), 38: ("asdfghjkl;", "ASDFGHJKL:"), 52: ("zxcvbnm", "ZXCVBNM"),
                   10: ("1234567890", "!@#$%^&*()")})  # fmt: skip
FRENCH = layout({24: ("azertyuiop", "AZERTYUIOP"), 38: ("qsdfghjklm", "QSDFGHJKLM"), 52: ("wxcvbn,", "WXCVBN?"),
                 10: ("&\u0000\"'(-\u0000_\u0000\u0000", "1234567890")})  # fmt: skip
RUSSIAN = layout(
    {24: ("йцукенгшщз", "ЙЦУКЕНГШЩЗ"), 38: ("фывапролдж", "ФЫВАПРОЛДЖ"), 10: ("1234567890", '!"\u0000;%:?*()')}
)


def test_on_an_american_keyboard_names_by_position_are_those_on_the_keys():
    assert labelled(BY_POSITION, AMERICAN) == BY_POSITION


def test_on_a_french_keyboard_a_key_is_heard_as_what_is_printed_on_it():
    found = labelled(BY_POSITION, FRENCH)
    heard = [found[code] for code in (25, 26, 39, 48, 53, 11, 20, 66)]
    assert heard == ["a", "z", "q", "m", "w", "1", "0", "space"]
    assert found[59] == "59"  # where an American keyboard has its m
    letters = [name for name in found.values() if name.isalpha() and len(name) == 1]
    assert sorted(letters) == sorted("abcdefghijklmnopqrstuvwxyz")


def test_a_keyboard_without_latin_letters_keeps_names_by_position():
    assert labelled(BY_POSITION, RUSSIAN) == BY_POSITION


def test_queues_are_stopped_and_released_at_the_end():
    hid = fake_hid()
    with QueueReader({}, hid=hid):
        assert all(device.running for device in hid.devices.values())
    assert all(device.released and not device.running for device in hid.devices.values())


def test_no_keyboard_is_refused():
    with pytest.raises(InputError, match="no keyboard was found"):
        QueueReader({}, hid=fake_hid(0))


def test_missing_psychtoolbox_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "psychtoolbox", None)
    with pytest.raises(MissingExtra, match="psychtoolbox"):
        load_hid()


@pytest.mark.parametrize(
    ("library", "package"), [("libasound.so.2", "libasound2"), ("libjack.so.0", "libjack-jackd2-0")]
)
def test_a_missing_system_library_is_named_with_its_package(monkeypatch, library, package):
    class Loader:
        def find_spec(self, name, path=None, target=None):
            if name == "psychtoolbox":
                raise ImportError(f"{library}: cannot open shared object file: No such file or directory")

    for name in [n for n in sys.modules if n.partition(".")[0] == "psychtoolbox"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Loader(), *sys.meta_path])
    with pytest.raises(MissingExtra, match=f"apt-get install {package}"):
        load_hid()


def with_key(key, *, question=False, **changes):
    """The paper's protocol with another key, of an option or of a question."""
    paper = preset("paper")
    if question:
        changes["questions"] = (Question(name="sure", kind="rating", options=("1", "2"), keys=("1", key)),)
    else:
        first, *others = paper.response.options
        options = (msgspec.structs.replace(first, keys=(key,)), *others)
        changes["response"] = msgspec.structs.replace(paper.response, options=options)
    return msgspec.structs.replace(paper, **changes)


@pytest.mark.parametrize("name", PRESETS)
def test_the_keys_of_every_preset_are_heard(name):
    check_keys(preset(name))


@pytest.mark.parametrize("question", [False, True])
@pytest.mark.parametrize("key", ["ß", "S", "semicolon", "num_4", "é", ";"])
def test_a_key_that_is_not_on_every_keyboard_is_refused_with_its_field(key, question):
    with pytest.raises(InputError, match="sure: keys: got" if question else "target: keys: got") as caught:
        check_keys(with_key(key, question=question))
    assert ('Did you mean "s"' in str(caught.value)) is (key == "S")


def test_keys_that_the_session_needs_are_reserved():
    locked = Breaks(unlock="experimenter")
    with pytest.raises(InputError, match="reserved: it pauses"):
        check_keys(with_key("escape"))
    with pytest.raises(InputError, match="reserved: it is the experimenter's"):
        check_keys(with_key("f12", breaks=locked))
    with pytest.raises(InputError, match="not on every keyboard"):
        check_keys(with_key("f12"))
    check_keys(with_key("k", breaks=locked))
