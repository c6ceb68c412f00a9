"""Start a screen with a diode and a robot, and join what they saw with what a program says."""

import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass
class Episode:
    """One time the pixel was dark; milliseconds of the monotonic clock, `key_ms` when the robot pressed."""

    on_ms: float
    off_ms: float = float("nan")
    key_ms: float = float("nan")

    @property
    def duration_ms(self):
        return self.off_ms - self.on_ms

    @property
    def response_ms(self):
        return self.key_ms - self.on_ms


class VirtualScreen:
    """A screen of its own, and what the diode saw on it."""

    def __init__(self, display, framebuffer, server):
        self.display, self.framebuffer, self.server = display, framebuffer, server
        self.diode = None

    def watch(self, x, y, *, key="s", seed=7):
        """Put the diode on a pixel; with a key, the robot answers whatever turns dark."""
        script = Path(__file__).with_name("diode.py")
        arguments = [sys.executable, "-u", script, self.framebuffer, str(x), str(y), self.display, key or "", str(seed)]
        self.log = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 - closed by read
        self.diode = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=self.log, stderr=subprocess.PIPE)

    def read(self):
        """Stop the diode; return the wall clock's offset, and the episodes."""
        self.diode.stdin.close()
        code = self.diode.wait(10)
        assert code == 0, self.diode.stderr.read().decode()
        self.diode.stderr.close()
        self.log.seek(0)
        offset, episodes = 0.0, []
        for line in self.log:
            word, value, *_ = line.split()
            if word == "offset":
                offset = float(value)
            elif word == "dark":
                episodes.append(Episode(float(value)))
            elif episodes and word == "light":
                episodes[-1].off_ms = float(value)
            elif episodes and word == "key":
                episodes[-1].key_ms = float(value)
        self.log.close()
        self.diode = None
        return offset, episodes


@contextmanager
def start_screen(*, width=800, height=600):
    """A virtual screen for this test only; its number is chosen by the X server."""
    folder = tempfile.mkdtemp(prefix="rapidvision-screen-")
    read_end, write_end = os.pipe()
    command = ["Xvfb", "-displayfd", str(write_end), "-screen", "0", f"{width}x{height}x24", "-fbdir", folder]
    command += ["-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[write_end], stderr=subprocess.DEVNULL)
    os.close(write_end)
    try:
        with os.fdopen(read_end) as pipe:
            number = pipe.readline().strip()
        assert number, "Xvfb did not start"
        screen = VirtualScreen(f":{number}", str(Path(folder) / "Xvfb_screen0"), server)
        yield screen
        if screen.diode is not None:
            screen.diode.kill()
            screen.diode.wait()
    finally:
        server.terminate()
        server.wait(10)
        shutil.rmtree(folder, ignore_errors=True)


def browser_truth(trials, offset, episodes):
    """Join a program's trials with the diode's episodes by time.

    Parameters
    ----------
    trials : list of dict
        With ``start``, ``end`` and ``time_origin`` of the page.
    offset : float
        Wall clock minus monotonic clock.
    episodes : list of Episode
        What was seen.

    Returns
    -------
    list of (dict, Episode or None)
        None where a trial's image was not seen exactly once.
    """
    joined = []
    for trial in trials:
        start = trial["time_origin"] + trial["start"] - offset
        end = trial["time_origin"] + trial["end"] - offset
        seen = [episode for episode in episodes if start - 20 <= episode.on_ms <= end + 20]
        joined.append((trial, seen[0] if len(seen) == 1 else None))
    return joined


def summary(joined, period_ms, method=None, stimulus_ms=400):
    """Shares and errors of the trials of one method: exact counts, SD of duration, bias and SD of response time."""
    pairs = [(t, e) for t, e in joined if method is None or t["method"] == method]
    seen = [(t, e) for t, e in pairs if e is not None and np.isfinite(e.off_ms)]
    durations = np.array([e.duration_ms for _, e in seen])
    planned = round(stimulus_ms / period_ms)
    exact = np.abs(durations - planned * period_ms) < period_ms / 2
    errors = np.array([t["response"] - e.response_ms for t, e in seen if t.get("response") and np.isfinite(e.key_ms)])
    onsets = np.array([t.get("onset") or np.nan for t, e in seen])
    return {
        "n": len(pairs),
        "seen": len(seen),
        "exact": float(exact.sum() / len(pairs)) if pairs else 0.0,
        "duration_sd_ms": float(durations.std(ddof=1)) if len(seen) > 1 else float("nan"),
        "duration_mean_ms": float(durations.mean()) if len(seen) else float("nan"),
        "response_n": len(errors),
        "response_bias_ms": float(errors.mean()) if len(errors) else float("nan"),
        "response_sd_ms": float(errors.std(ddof=1)) if len(errors) > 1 else float("nan"),
        "onset_n": int(np.isfinite(onsets).sum()),
    }
