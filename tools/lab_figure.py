"""Draw docs/images/lab-session.png: four pages of a lab session, as they stand on the screen.

usage: xvfb-run -s "-screen 0 800x600x24" python tools/lab_figure.py SET      (a set built from `bundled`)
"""

import sys
import tempfile
from pathlib import Path

import msgspec
import numpy as np
from PIL import Image
from Xlib import X, display

from rapidvision.experiments.design.planning import make_study
from rapidvision.experiments.interfaces import Frame
from rapidvision.experiments.lab.psychopy_display import PsychoPyScreen
from rapidvision.formats.manifest import read_set
from rapidvision.formats.protocol_file import preset
from rapidvision.plan import Run

ROOT = Path(__file__).parents[1]
SIZE = (800, 600)


def main(folder: Path) -> None:
    """Show each page in the window of a session, and keep what the X server shows."""
    stimuli = read_set(folder)
    with tempfile.TemporaryDirectory() as study:
        plan = make_study(stimuli, preset("paper"), study, n_slots=1)[0]
    # The first animal of the session at 40 % of the features: enough to be seen, little enough to show the task.
    trial = next(trial for trial in plan.trials("main") if trial.image.target and trial.image.level_index == 8)
    pages = (
        Frame("text", plan.texts["inputs"]),
        Frame("fixation"),
        Frame("stimulus", trial.image.path),
        Frame("text", plan.texts["too_slow"]),
    )
    plan = msgspec.structs.replace(plan, steps=(Run(part="main", trial=trial),))
    with PsychoPyScreen(window_px=SIZE, paced_hz=60) as screen:
        paths = {trial.image.path: folder / trial.image.path}
        screen.load(plan, paths, side_px=plan.protocol.display.image_px, icons={})
        shown = [grab(screen, page) for page in pages]
    framed = [np.pad(page, ((3, 3), (3, 3), (0, 0)), constant_values=160) for page in shown]
    montage = np.concatenate([np.concatenate(framed[:2], 1), np.concatenate(framed[2:], 1)], 0)
    out = ROOT / "docs" / "images" / "lab-session.png"
    small = Image.fromarray(montage).resize((montage.shape[1] // 2, montage.shape[0] // 2), Image.Resampling.LANCZOS)
    small.quantize(128).save(out, optimize=True)
    print(out)


def grab(screen: PsychoPyScreen, page: Frame) -> np.ndarray:
    """Return what the X server's screen holds while `page` is up, (height, width, 3)."""
    for _ in range(3):
        screen.flip(page)
    raw = display.Display().screen().root.get_image(0, 0, *SIZE, X.ZPixmap, 0xFFFFFFFF)
    return np.frombuffer(raw.data, np.uint8).reshape(SIZE[1], SIZE[0], 4)[:, :, 2::-1].copy()


main(Path(sys.argv[1]))
