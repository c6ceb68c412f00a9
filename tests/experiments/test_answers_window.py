"""A real window, a real mouse and a response box at the end of a serial line: what they do is the answer."""

import json

import msgspec
import pytest

from rapidvision.experiments.design.planning import make_study
from rapidvision.plan import Run, write_plan
from tests.experiments.sets import protocol_of

pytestmark = pytest.mark.display

#: Runs the trials of a plan; the robot is told of each new phase, once it stands on the screen.
SESSION = """
import json, os, pty, sys, threading, time, tty
import msgspec
from Xlib import X, display
from Xlib.ext import xtest
from rapidvision.experiments.engine.participants import Watched
from rapidvision.experiments.engine.refresh import estimate
from rapidvision.experiments.engine.session import Session
from rapidvision.experiments.engine.virtual import MemoryJournal
from rapidvision.experiments.inputs.devices import Devices
from rapidvision.experiments.lab.display_checks import measure_flips
from rapidvision.experiments.lab.file_checks import check_images
from rapidvision.experiments.lab.psychopy_display import PsychoPyScreen, open_keys
from rapidvision.formats.manifest import read_set
from rapidvision.plan import read_plan
plan, made, box = read_plan(sys.argv[1]), read_set(sys.argv[2]), sys.argv[3] == "box"
paths, journal, server = check_images(made, plan), MemoryJournal(), display.Display()
trials, true_s, threads = {trial.trial: trial for trial in plan.trials()}, {}, []
ours, theirs = pty.openpty()
tty.setraw(theirs)
boxes = ["serial-state:" + os.ttyname(theirs)] if box else []

class Trials(Session):
    def _page(self, words, **_):
        "The page for the experimenter after a session on a busy computer."

with (
    PsychoPyScreen(background=plan.protocol.display.background, window_px=(640, 480), paced_hz=60) as screen,
    open_keys(screen.conversion) as keys,
    Devices(screen, keys, clicks=not box, boxes=boxes) as devices,
):
    x0, y0 = screen.win.winHandle.get_location()

    def click(option):
        area = next(area for area in screen.drawings.areas(screen._last) if area.option == option)
        xtest.fake_input(server, X.MotionNotify, x=round(x0 + 320 + area.x), y=round(y0 + 240 - area.y))
        server.sync()
        time.sleep(0.05)
        at_s = screen.now()
        xtest.fake_input(server, X.ButtonPress, 1)
        server.sync()
        xtest.fake_input(server, X.ButtonRelease, 1)
        server.sync()
        return at_s

    def push(option):
        number = next(int(name[7:]) for name, meant in plan.inputs.items() if meant == option and name.startswith("button:"))
        at_s = screen.now()
        os.write(ours, bytes([1 << number - 1]))
        os.write(ours, bytes([0]))
        return at_s

    def answer(trial):
        time.sleep(0.1)
        true_s[trial.trial] = (push if box else click)(trial.correct_response)

    def see(frame, time_s):
        if frame.phase == plan.protocol.response.opens:
            threads.append(threading.Thread(target=answer, args=(trials[frame.trial],)))
            threads[-1].start()

    screen.drawings.load(plan, paths, side_px=64, icons={})
    screen.use_refresh(estimate(measure_flips(screen.flip, seconds=0.5)))
    Trials(plan, Watched(screen, see), devices.merged, journal).run()
    for thread in threads:
        thread.join()
    record = devices.record()
print(json.dumps({"entries": msgspec.to_builtins(journal.entries), "true_s": true_s, "record": record}))
"""


def trials_only(made, name, folder):
    """Write a plan of three trials and nothing else; return its file and the plan."""
    plan = make_study(made, protocol_of(name), folder / "study", n_slots=1)[0]
    runs = [step for step in plan.steps if isinstance(step, Run) and step.trial.phase == "main"][:3]
    feedback = msgspec.structs.replace(plan.protocol.feedback, too_slow_ms=0)
    protocol = msgspec.structs.replace(plan.protocol, feedback=feedback)
    plan = msgspec.structs.replace(plan, protocol=protocol, steps=tuple(runs))
    return write_plan(folder / "plans", plan), plan


@pytest.mark.parametrize(("name", "how"), [("sixteen-way", "mouse"), ("two-masks", "box")])
def test_clicks_on_areas_and_buttons_of_a_box_answer_with_their_own_time(
    python_with_display, set_of, tmp_path, name, how
):
    path, plan = trials_only(set_of(name), name, tmp_path)
    found = json.loads(python_with_display(SESSION, path, set_of(name).folder, how).splitlines()[-1])
    done = [entry for entry in found["entries"] if entry["kind"] == "trial"]
    assert len(done) == 3
    for data, trial in zip(done, plan.trials(), strict=True):
        assert plan.inputs[data["input"]] == trial.correct_response
        assert data["input"].startswith("button:" if how == "box" else "area:")
        true_ms = 1000 * (found["true_s"][str(data["trial"])] - data["zero_s"])
        assert data["response_ms"] >= true_ms - 1  # never before it happened
        presses = [(press[0], press[2]) for press in data["presses"]]
        assert presses == [(data["input"], True), (data["input"], False)]
    # The median, because a busy computer may let the robot or the system wait now and then.
    late_ms = sorted(d["response_ms"] - 1000 * (found["true_s"][str(d["trial"])] - d["zero_s"]) for d in done)
    assert late_ms[1] < 1000 / 60
    assert found["record"]["keyboards"]
    if how == "box":
        assert found["record"]["boxes"][0]["stamped"] == "arrival"
    else:
        assert found["record"]["pointer"] == "event"


CURSOR = """
import json, sys, time
from Xlib import display
from rapidvision.experiments.inputs.devices import Devices
from rapidvision.experiments.interfaces import BLANK, Frame
from rapidvision.experiments.lab.psychopy_display import PsychoPyScreen, open_keys
from rapidvision.plan import read_plan
plan, server = read_plan(sys.argv[1]), display.Display()
with PsychoPyScreen(window_px=(640, 480), paced_hz=60) as screen, open_keys(screen.conversion) as keys, \\
        Devices(screen, keys, clicks=True) as devices:
    screen.drawings.load(plan, {}, side_px=64, icons={})
    x0, y0 = screen.win.winHandle.get_location()
    found, visible = [], []
    for frame in (BLANK, Frame("options", phase="options"), BLANK, Frame("text", "page")):
        screen.flip(BLANK)
        server.screen().root.warp_pointer(x0 + 20, y0 + 30)
        server.sync()
        for _ in range(3):
            screen.flip(frame)
        at = server.screen().root.query_pointer()
        found.append([at.root_x - x0, at.root_y - y0])
        visible.append(screen.win.mouseVisible)
print(json.dumps([found, visible]))
"""


def test_the_cursor_begins_in_the_middle_where_options_open_and_shows_only_where_it_is_needed(
    python_with_display, set_of, tmp_path
):
    path, _ = trials_only(set_of("sixteen-way"), "sixteen-way", tmp_path)
    found, visible = json.loads(python_with_display(CURSOR, path).splitlines()[-1])
    assert found[0] == found[2] == found[3] == [20, 30]
    assert max(abs(found[1][0] - 320), abs(found[1][1] - 240)) <= 1
    assert visible == [False, True, False, True]
