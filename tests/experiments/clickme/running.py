"""A real server in a process of its own, on any free port."""

import os
import re
import subprocess
import sys
import threading
from pathlib import Path

ROOT = Path(__file__).parents[3]
EYE = "tests.experiments.clickme.eye"


class Running:
    def __init__(self, images, data, *, partner=f"{EYE}:make", port=0, environment=None, game=None, more=()):
        command = [sys.executable, "-m", "rapidvision", "clickme", "serve", str(images), "--out", str(data)]
        command += ["--partner", partner, "--port", str(port), *more]
        if game is not None:
            data.mkdir(parents=True, exist_ok=True)
            (data / "given.toml").write_text(game)
            command += ["--settings", str(data / "given.toml")]
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": "1", **(environment or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.errors = []
        self.reader = threading.Thread(target=lambda: self.errors.extend(self.process.stderr), daemon=True)
        self.reader.start()
        self.url = ""
        for line in self.process.stdout:
            if found := re.search(r"the game is at (\S+)", line):
                self.url = found[1]
                break
        if not self.url:
            self.process.wait()
            self.close()
            raise RuntimeError("".join(self.errors))
        self.port = int(re.search(r":(\d+)/", self.url)[1])

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.close()

    def close(self):
        self.reader.join()
        self.process.stdout.close()
        self.process.stderr.close()

    def stop(self):
        self.process.terminate()
        code = self.process.wait(timeout=60)
        self.close()
        return code

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.kill()
