"""The chain from images to report in other people's locales and code pages: the same files, byte for byte.

The locales are compiled for the test from the system's sources: German with the code page of Windows, and Turkish, whose
lower-case I is no i.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.stimuli.conftest import write_folder

ROOT = Path(__file__).parents[2]
SOURCES = Path("/usr/share/i18n")
FOLDER = "José"
PROTOCOL = """\
protocol = 2
name = "klein"
phases = [
  { kind = "fixation", duration_ms = [1100, 1600] },
  { kind = "stimulus", duration_ms = 400 },
  { kind = "blank", duration_ms = 150 },
]
[response]
limit_ms = 550
options = [{ name = "target", matches = [true], keys = ["s"] }, { name = "distractor", matches = [false], keys = ["l"] }]
[design]
blocks = 1
factors = [{ name = "map_source", vary = "between" }, { name = "level" }]
[practice]
n_trials = 0
"""

#: PsychoPy and Matplotlib put the user's locale in force; so does this.
WORK = """
import locale, sys, warnings
locale.setlocale(locale.LC_ALL, "")
warnings.filterwarnings("error", category=EncodingWarning, module="rapidvision")
from rapidvision import cli
if __name__ == "__main__":
    for line in sys.stdin.read().splitlines():
        code = cli.main(line.split())
        if code:
            sys.exit(f"{line}: exit code {code}")
"""
LINES = """\
stimuli build bilder/recipe.toml --out satz --workers 1
stimuli show satz --out satz-blatt
session plan satz --out studie --protocol protokoll.toml --n-per-group 4
session simulate studie --seed 1
analyse bins studie/simulated.csv --n-resamples 200 --seed 1 --out bins.csv
analyse report studie/simulated.csv --set satz --n-resamples 200 --seed 1 --out bericht
clickme simulate bilder --out spiel --map-source clickme --n-players 2 --n-rounds 4 --seed 1
clickme export spiel --out karten --keep-flagged --observers simulated
clickme report spiel --out spielbericht --observers simulated --seed 1
"""


def written(base, **settings):
    """Every file that the chain writes under some environment variables: path → SHA-256."""
    encoding = "cp1252" if "cp1252" in settings["LC_ALL"] else "utf-8"
    folder = os.fsdecode(os.fsencode(base) + b"/" + FOLDER.encode(encoding))
    os.mkdir(folder)
    write_folder(Path(folder) / "bilder", n_images=8, n_practice=0)
    (Path(folder) / "protokoll.toml").write_text(PROTOCOL, encoding="utf-8")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG"))}
    done = subprocess.run(
        [sys.executable, "-X", "warn_default_encoding", "-c", WORK],
        cwd=folder,
        env={**clean, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", **settings},
        input=LINES.encode(),
        capture_output=True,
        check=False,
        timeout=400,
    )
    assert done.returncode == 0, done.stderr.decode(encoding, "replace")
    # The pages of a database lie as its writes were grouped, which depends on time; what it holds is exported.
    files = sorted(path for path in Path(folder).rglob("*") if path.is_file() and path.suffix != ".sqlite")
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def locales(tmp_path_factory):
    """A folder of compiled locales, for LOCPATH."""
    if shutil.which("localedef") is None or not (SOURCES / "charmaps" / "CP1252.gz").exists():
        reason = "needs localedef and the sources of locales (Debian: apt install locales)"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    folder = tmp_path_factory.mktemp("locales")
    for source, charmap, name in (("de_DE", "CP1252", "de_DE.cp1252"), ("tr_TR", "UTF-8", "tr_TR.UTF-8")):
        done = subprocess.run(
            ["localedef", "-f", charmap, "-i", source, folder / name],
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )
        assert (folder / name).is_dir(), done.stderr
    return folder


@pytest.fixture(scope="module")
def as_always(tmp_path_factory):
    """Files of the chain in the plainest locale that two runs write alike; the others hold times and folders."""
    first, second = (written(tmp_path_factory.mktemp("plain"), LC_ALL="C.UTF-8") for _ in range(2))
    alike = {name: digest for name, digest in first.items() if second.get(name) == digest}
    assert first.keys() == second.keys()
    must = {"satz/manifest.csv", "studie/simulated.csv", "bins.csv", "bericht/figures/fig2b.svg", "karten/clicks.csv"}
    assert must <= alike.keys(), f"differ: {sorted(first.keys() - alike.keys())}"
    return alike, first.keys()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["de_DE.cp1252", "tr_TR.UTF-8"])
def test_the_locale_and_the_code_page_change_no_file(as_always, locales, name, tmp_path):
    alike, names = as_always
    found = written(tmp_path, LC_ALL=name, LOCPATH=str(locales))
    assert found.keys() == names
    assert json.dumps({each: found[each] for each in alike}, indent=0) == json.dumps(alike, indent=0)
