"""PsychoPy in the laboratory: sessions of ours in a real window on the watched screen, answered by the robot."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile

from .virtual_screen import browser_truth, start_screen

SIZE = (400, 300)
PATCH_PX = 40
SENSOR = (20, 280)  # on the patch, lower left

#: The engine, the window and the keyboard of a lab session; trials only, because the robot cannot read.
SESSION = """
import json, sys
import msgspec
from rapidvision.experiments.interfaces import TrialData
from rapidvision.experiments.lab.display_checks import measure_flips
from rapidvision.experiments.lab.file_checks import check_images
from rapidvision.experiments.lab.psychopy_display import PsychoPyScreen, open_keys
from rapidvision.experiments.engine.refresh import estimate
from rapidvision.experiments.engine.session import Session
from rapidvision.experiments.engine.virtual import MemoryJournal
from rapidvision.plan import Run
from rapidvision.study import Study
study, hz, n = Study(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
plan = next(plan for plan in study.plans() if plan.inputs["s"] == "target")
runs = tuple(step for step in plan.steps if isinstance(step, Run))
paths = check_images(study.stimulus_set(), plan)
journal = MemoryJournal()
class Trials(Session):
    def _page(self, words, **_):
        "The page for the experimenter after a session on a busy computer."
with PsychoPyScreen(window_px=(400, 300), paced_hz=hz, photodiode_px=int(sys.argv[4])) as screen, open_keys(screen.conversion) as keys:
    screen.drawings.load(plan, paths, side_px=plan.protocol.display.image_px, icons={})
    granted = screen.rush()
    screen.use_refresh(estimate(measure_flips(screen.flip, seconds=0.5)))
    while n > 0:
        part = msgspec.structs.replace(plan, steps=runs[:n])
        Trials(part, screen, keys, journal).run()
        n -= len(runs)
print(json.dumps({"granted": granted, "trials": msgspec.to_builtins([e for e in journal.entries if isinstance(e, TrialData)])}))
"""


def hurry(process):
    """Give the X server and the diode the priority that the session has; a kernel's input path has it too."""
    with contextlib.suppress(OSError):
        os.sched_setscheduler(process.pid, os.SCHED_RR, os.sched_param(1))


def window_trials(study, n, *, hz):
    """Run `n` trials of a study in a PsychoPy window; return whether priority was granted, and joined trials."""
    with start_screen(width=SIZE[0], height=SIZE[1]) as screen, tempfile.TemporaryDirectory() as home:
        screen.watch(*SENSOR)
        hurry(screen.server)
        hurry(screen.diode)
        environment = {**os.environ, "DISPLAY": screen.display, "HOME": home, "LP_NUM_THREADS": "0"}
        done = subprocess.run(
            [sys.executable, "-c", SESSION, str(study.folder), str(hz), str(n), str(PATCH_PX)],
            env=environment, capture_output=True, text=True, check=False, timeout=400,
        )  # fmt: skip
        _, episodes = screen.read()
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    trials = [
        {
            **trial,
            "time_origin": 0.0,
            "start": 1000 * trial["flips_s"][0],
            "end": 1000 * trial["flips_s"][-1],
            "onset": 1000 * trial["zero_s"],
            "response": trial["response_ms"],
            **_stimulus(trial),
        }
        for trial in found["trials"]
    ]
    return found["granted"], browser_truth(trials, 0.0, episodes)  # both tell the monotonic clock's time


def _stimulus(trial):
    """How long the image was shown, and how many of its refreshes were late, as the session recorded it."""
    image = next(phase for phase in trial["phases"] if phase["name"] == "stimulus")
    return {"stimulus_ms": image["shown_ms"], "late": image["late_refreshes"]}
