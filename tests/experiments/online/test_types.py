"""The browser's modules keep the types that their comments promise."""

import subprocess
from pathlib import Path


def test_the_modules_are_typed(node_modules):
    folder = Path(__file__).parent / "types"
    compiler = node_modules / "typescript" / "bin" / "tsc"
    done = subprocess.run(["node", compiler, "-p", folder], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    listed = subprocess.run(
        ["node", compiler, "-p", folder, "--listFilesOnly"], capture_output=True, text=True, check=False
    ).stdout
    static = Path(__file__).parents[3] / "experiments" / "online" / "static"
    missing = [path for path in static.rglob("*.js") if str(path) not in listed]
    assert not missing, "modules without a type check"
