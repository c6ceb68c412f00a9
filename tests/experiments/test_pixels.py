"""A PsychoPy window on an X server: what it shows, pixel by pixel, and what it hears, tap by tap."""

import json

import pytest

from rapidvision.experiments.design.planning import make_study
from rapidvision.plan import write_plan
from tests.experiments.sets import protocol_of

pytestmark = pytest.mark.display

PIXELS = """
import json, sys
from pathlib import Path
import numpy as np
from PIL import Image
from Xlib import X, display
from rapidvision.experiments.interfaces import BLANK, Frame
from rapidvision.experiments.lab.psychopy_display import PsychoPyScreen
path = Path(sys.argv[1])
want = np.asarray(Image.open(path))
side = want.shape[0]
server = display.Display()
found = {}
for size in ((640, 480), (641, 481), (640, 481), (799, 599)):
    with PsychoPyScreen(window_px=size, paced_hz=60, photodiode_px=20) as screen:
        screen.drawings.load_images({"a": path}, side_px=side)
        x0, y0 = screen.win.winHandle.get_location()
        def grab(frame):
            for _ in range(3):
                screen.flip(frame)
            raw = server.screen().root.get_image(x0, y0, *size, X.ZPixmap, 0xFFFFFFFF)
            return np.frombuffer(raw.data, np.uint8).reshape(size[1], size[0], 4)[:, :, 2::-1]
        shown, blank, cross = grab(Frame("stimulus", "a")), grab(BLANK), grab(Frame("fixation"))
        mask, dotted = grab(Frame("mask", "a")), grab(Frame("blank", overlay="fixation"))
        best = 0.0
        for top in (size[1] - side) // 2 + np.arange(-1, 2):
            for left in (size[0] - side) // 2 + np.arange(-1, 2):
                best = max(best, float((shown[top : top + side, left : left + side] == want).mean()))
        found["%dx%d" % size] = {
            "equal": best,
            "patch": [int(shown[-10, 10, 0]), int(blank[-10, 10, 0])],
            "blank_is_white": bool((blank == 255).all()),
            "cross": int((cross[size[1] // 2 - 15 : size[1] // 2 + 15, size[0] // 2 - 15 : size[0] // 2 + 15] == 0).sum()),
            "mask_is_shown_as_an_image": bool((mask == shown).all()),
            "overlay_is_the_cross": bool((dotted == cross).all()),
            "around": bool((shown[: size[1] // 2 - side // 2 - 2] == 255).all()),
        }
print(json.dumps(found))
"""


def test_what_is_on_the_screen_is_the_file_pixel_by_pixel(python_with_display, quick_study):
    stimulus = quick_study.stimulus_set().folder / quick_study.plans()[0].trials()[0].image.path
    found = json.loads(python_with_display(PIXELS, stimulus).splitlines()[-1])
    for size, what in found.items():
        assert what["equal"] == 1.0, size
        assert what["patch"] == [0, 255], size
        assert what["blank_is_white"], size
        assert what["cross"] > 100, size
        assert what["around"], size
        assert what["mask_is_shown_as_an_image"], size
        assert what["overlay_is_the_cross"], size


TAPS = """
import json, threading, time
from Xlib import X, XK, display
from Xlib.ext import xtest
from rapidvision.experiments.interfaces import BLANK
from rapidvision.experiments.lab.psychopy_display import PsychoPyScreen, open_keys
server = display.Display()
codes = {c: server.keysym_to_keycode(XK.string_to_keysym(c)) for c in "sl"}
sent = []
def tap(held_ms):
    for n in range(20):
        key = "sl"[n % 2]
        time.sleep(0.02)
        xtest.fake_input(server, X.KeyPress, codes[key]); server.sync()
        time.sleep(held_ms / 1000)
        xtest.fake_input(server, X.KeyRelease, codes[key]); server.sync()
        sent.append(key)
found = {}
with PsychoPyScreen(window_px=(320, 240), paced_hz=60) as screen, open_keys(screen.conversion) as keys:
    for held_ms in (1, 3, 8, 15, 60):
        sent.clear()
        keys.poll()
        thread = threading.Thread(target=tap, args=(held_ms,))
        thread.start()
        got = []
        while thread.is_alive():
            screen.flip(BLANK)
            got += keys.poll()
        end = time.monotonic() + 1
        while time.monotonic() < end and len(got) < 40:
            screen.flip(BLANK)
            got += keys.poll()
        found[held_ms] = [sent == [p.input for p in got if p.down], sent == [p.input for p in got if not p.down],
                          all(a.time_s <= b.time_s for a, b in zip(got, got[1:]))]
print(json.dumps(found))
"""


def test_no_tap_is_lost_at_any_hold_time_from_one_millisecond(python_with_display):
    found = json.loads(python_with_display(TAPS).splitlines()[-1])
    assert found == {str(held): [True, True, True] for held in (1, 3, 8, 15, 60)}


LABELS = """
import json
from Xlib import X, display
from Xlib.ext import xtest
from rapidvision.experiments.interfaces import BLANK
from rapidvision.experiments.lab.psychopy_display import PsychoPyScreen, open_keys
server = display.Display()
def bear(code, letter):  # another keyboard: its key bears another letter
    server.change_keyboard_mapping(code, [[ord(letter), ord(letter.upper())]])
    server.sync()
bear(24, "a"); bear(38, "q")
got = []
try:
    with PsychoPyScreen(window_px=(320, 240), paced_hz=60) as screen, open_keys(screen.conversion) as keys:
        for _ in range(30):  # as long as a page stands before its keys count
            screen.flip(BLANK)
            keys.poll()
        for code in (24, 38, 39):
            xtest.fake_input(server, X.KeyPress, code); server.sync()
            xtest.fake_input(server, X.KeyRelease, code); server.sync()
            for _ in range(20):
                screen.flip(BLANK)
                got += [press.input for press in keys.poll() if press.down]
finally:
    bear(24, "q"); bear(38, "a")
print(json.dumps(got))
"""


def test_keys_are_heard_as_what_is_printed_on_them(python_with_display):
    assert json.loads(python_with_display(LABELS).splitlines()[-1]) == ["a", "q", "s"]


DRAWN = """
import json, sys
import numpy as np
from Xlib import X, display
from rapidvision.experiments.interfaces import BLANK, Frame
from rapidvision.experiments.lab.psychopy_display import PsychoPyScreen
from rapidvision.plan import read_plan
from pathlib import Path
server, size, found = display.Display(), (640, 480), {}
icon = Path(sys.argv[4])
for name, path in zip(("sixteen-way", "confidence", "naming"), sys.argv[1:4]):
    plan = read_plan(path)
    with PsychoPyScreen(background=(255, 255, 255), window_px=size, paced_hz=60) as screen:
        screen.drawings.load(plan, {}, side_px=64, icons={"knife": icon} if name == "sixteen-way" else {})
        x0, y0 = screen.win.winHandle.get_location()
        def grab(frame):
            for _ in range(3):
                screen.flip(frame)
            raw = server.screen().root.get_image(x0, y0, *size, X.ZPixmap, 0xFFFFFFFF)
            return np.frombuffer(raw.data, np.uint8).reshape(size[1], size[0], 4)[:, :, :3].astype(int)
        blank = grab(BLANK)
        def ink(frame):
            return int((np.abs(grab(frame) - blank).sum(axis=2) > 100).sum())
        def lines(frame):
            shown, hit = grab(frame), []
            for area in screen.drawings.areas(frame):
                row, left = round(240 - area.y), round(320 + area.x - area.width / 2)
                hit.append(bool((shown[row, left - 2 : left + 3].min(axis=1) < 128).any()))
            return hit
        if name == "sixteen-way":
            found["options"] = lines(Frame("options", phase="options"))
            shown, areas = grab(Frame("options", "bear")), screen.drawings.areas(Frame("options", phase="options"))
            def lit(area):
                row, left = round(240 - area.y), round(320 + area.x - area.width / 2)
                blue, green, red = np.moveaxis(shown[row, left - 2 : left + 3], 1, 0)
                return bool(((green - red > 60) & (green - blue > 40)).any())
            found["lit"] = [area.option for area in areas if lit(area)]
            found["clicked while lit"] = len(screen.drawings.areas(Frame("options", "bear")))
            found["overlay"] = lines(Frame("blank", overlay="options"))
            found["image_below"] = ink(Frame("fixation", overlay="options")) > ink(Frame("blank", overlay="options"))
        elif name == "confidence":
            found["question"] = lines(Frame("question", "confidence\\t"))
        else:
            one, more = ink(Frame("question", "label\\t")), ink(Frame("question", "label\\tbird"))
            found["typed"] = [one > 50, more > one + 20]
            found["cue"] = ink(Frame("cue", "animal")) > 50
print(json.dumps(found))
"""


def test_options_questions_and_what_is_typed_are_drawn_where_clicks_are_understood(
    python_with_display, set_of, tmp_path
):
    paths = []
    for name in ("sixteen-way", "confidence", "naming"):
        plan = make_study(set_of(name), protocol_of(name), tmp_path / name, n_slots=1)[0]
        paths.append(write_plan(tmp_path / "plans" / name, plan))
    icon = set_of("sixteen-way").folder / next(iter(set_of("sixteen-way").stimuli)).path
    found = json.loads(python_with_display(DRAWN, *paths, icon).splitlines()[-1])
    assert found == {
        "options": [True] * 16, "lit": ["bear"], "clicked while lit": 0, "overlay": [True] * 16, "image_below": True, "question": [True] * 4, "typed": [True, True],
        "cue": True,
    }  # fmt: skip
