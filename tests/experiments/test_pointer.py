"""Mouse and touch: each press has its own time and its own place; options stand where clicks are understood."""

import itertools
import types

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapidvision.errors import MissingExtra
from rapidvision.experiments.clock import Clock, Conversion
from rapidvision.experiments.inputs.pointer import CLICK, PointerPort, PointerStamps
from rapidvision.experiments.interfaces import Press
from rapidvision.experiments.lab.areas import grid, option_at, strip

NAMES = st.lists(st.text("abcdefgh", min_size=1, max_size=5), min_size=1, max_size=30, unique=True)


@settings(max_examples=100, deadline=None)
@given(names=NAMES, width=st.integers(320, 3000), height=st.integers(240, 2000), lay=st.sampled_from([grid, strip]))
def test_options_stand_within_the_window_apart_from_each_other_and_each_is_hit_in_its_middle(names, width, height, lay):
    areas = lay(names, (width, height))
    assert [area.option for area in areas] == names
    for area in areas:
        assert option_at(areas, area.x, area.y) == area.option
        assert abs(area.x) + area.width / 2 <= width / 2
    for one, other in itertools.combinations(areas, 2):
        apart_x = abs(one.x - other.x) >= (one.width + other.width) / 2
        assert apart_x or abs(one.y - other.y) >= (one.height + other.height) / 2
    if lay is grid:
        assert all(abs(area.y) + area.height / 2 <= height / 2 for area in areas)


def test_between_options_there_is_none():
    areas = grid(["left", "right"], (800, 600))
    assert option_at(areas, 0, 0) is None


class Computer:
    """A window that hands over once per refresh, and psychtoolbox's stamps of the same presses."""

    def __init__(self, *, stamps=True):
        self.now_s, self.step_s, self.waiting, self.queue = 100.0, 1.7e9, [], []
        clock = Clock("true", lambda: self.now_s, 1e-9)
        conversion = Conversion(lambda: self.now_s + self.step_s, clock, other_resolution_s=1e-9)
        reader = PointerStamps(conversion, call=self.call) if stamps else None
        self.port = PointerPort(
            lambda x, _: "area:left" if x < 0 else CLICK, dispatch=self.dispatch, now=lambda: self.now_s, stamps=reader
        )

    def call(self, what, *arguments):
        if what == "Devices":
            return [{"index": 0.0}]
        if what == "KbQueueFlush":
            return len(self.queue)
        return (self.queue.pop(0), len(self.queue)) if what == "KbQueueGetEvent" else None

    def press(self, x, at_s, *, down=True, inside=True, stamped=True):
        self.now_s = at_s
        if stamped:
            self.queue.append({"Keycode": 1.0, "Time": at_s + self.step_s, "Pressed": float(down)})
        if inside:
            self.waiting.append((x, down))

    def dispatch(self):
        for x, down in self.waiting:
            self.port.tell(x, 0, down=down)
        self.waiting.clear()

    def poll(self, at_s):
        self.now_s = at_s
        return list(self.port.poll())


def test_a_click_has_the_time_of_the_event_and_the_option_that_was_under_it():
    at = Computer()
    at.press(-10, 100.003)
    at.press(-10, 100.011, down=False)
    found = at.poll(100.016)
    assert [(press.input, press.down) for press in found] == [("area:left", True), ("area:left", False)]
    assert [press.time_s for press in found] == pytest.approx([100.003, 100.011], abs=1e-6)
    assert at.port.notes() == []
    assert at.port.stamped == "event"


def test_clicks_beside_the_window_cost_no_other_click_its_time():
    at = Computer()
    at.press(0, 100.02, inside=False)
    at.press(0, 100.03, inside=False, down=False)
    assert at.poll(100.05) == []
    at.poll(100.18)
    at.press(-10, 100.19)
    (found,) = at.poll(100.20)
    assert found.time_s == pytest.approx(100.19, abs=1e-6)


def test_a_click_whose_stamp_comes_later_waits_for_it():
    at = Computer()
    at.press(5, 100.004, stamped=False)
    assert at.poll(100.010) == []
    at.queue.append({"Keycode": 1.0, "Time": 100.004 + at.step_s, "Pressed": 1.0})
    (found,) = at.poll(100.020)
    assert found == Press(CLICK, pytest.approx(100.004, abs=1e-6))


def test_a_click_without_a_stamp_is_uncertain_by_the_time_between_two_looks():
    at = Computer()
    at.poll(100.0)
    at.press(5, 100.004, stamped=False)
    assert at.poll(100.016) == []
    (found,) = at.poll(100.080)
    assert found.time_s == pytest.approx(100.016)
    assert at.port.notes() == ["press_time_uncertain 16.0 ms"]
    assert at.port.notes() == []


def test_without_psychtoolbox_a_click_is_stamped_at_the_hand_over():
    at = Computer(stamps=False)
    at.press(-10, 100.004)
    (found,) = at.poll(100.016)
    assert found == Press("area:left", 100.016)
    assert at.port.stamped == "refresh"


def test_a_release_belongs_to_what_was_pressed():
    at = Computer()
    at.press(-10, 100.004)
    at.press(50, 100.006, down=False)
    assert [press.input for press in at.poll(100.016)] == ["area:left", "area:left"]


def test_other_buttons_of_the_mouse_have_no_stamp_of_the_first():
    at = Computer()
    at.queue.append({"Keycode": 3.0, "Time": 100.001 + at.step_s, "Pressed": 1.0})
    at.press(-10, 100.004)
    (found,) = at.poll(100.016)
    assert found.time_s == pytest.approx(100.004, abs=1e-6)


def test_a_system_without_a_pointer_is_told_of():
    def call(*_):
        raise RuntimeError("no such device")

    with pytest.raises(MissingExtra, match="does not see a pointer"):
        PointerStamps(types.SimpleNamespace(), call=call)
