"""``rapidvision check``: what is installed, and the refusal of a display that does not keep time."""

import json
import os
import subprocess
import sys

import pytest

from rapidvision.cli import main
from rapidvision.commands import check
from rapidvision.commands.check import Part, found


def test_what_is_installed_is_listed_with_versions(capsys):
    assert main(["check", "install"]) == 0
    out = capsys.readouterr().out
    assert all(part.name in out for part in check.PARTS)
    import numpy

    assert numpy.__version__ in out


def test_the_list_is_the_result_and_is_printed_when_quiet_too(capsys):
    assert main(["check", "install", "--quiet"]) == 0
    assert "numpy" in capsys.readouterr().out


def test_what_is_absent_comes_with_its_remedy(capsys, monkeypatch):
    monkeypatch.setattr(check, "PARTS", (Part("no_such_package", "lab", "a test"),))
    assert main(["check", "install"]) == 0
    assert capsys.readouterr().out.split()[:3] == ["no", "no_such_package", "absent"]
    monkeypatch.setattr(check, "_REQUIRED", {"no_such_package"})
    assert main(["check", "install"]) == 1
    assert 'pip install "rapidvision[lab]"' in capsys.readouterr().out


def test_a_broken_package_is_found_when_it_is_loaded(tmp_path, monkeypatch):
    (tmp_path / "broken_part.py").write_text("raise OSError('libfoo.so: cannot open')")
    monkeypatch.syspath_prepend(tmp_path)
    assert found(Part("broken_part", "lab", ""))[0]
    here, words = found(Part("broken_part", "lab", ""), load=True)
    assert not here
    assert "libfoo.so" in words


@pytest.mark.display
@pytest.mark.parametrize(("words", "code"), [(["--no-press"], 1), (["--no-press", "--paced", "60"], 1)])
def test_timing_is_red_without_refreshes_and_in_test_mode(x_display, tmp_path, words, code):
    out, figures = tmp_path / "o.json", tmp_path / "figures"
    done = subprocess.run(
        [sys.executable, "-m", "rapidvision", "check", "timing", *words, "--out", out, "--figures", figures],
        env={**os.environ, "DISPLAY": x_display, "HOME": str(tmp_path)}, capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    colours = {c["name"]: c["colour"] for c in json.loads(out.read_text())["checks"]}
    assert colours["display" if "--paced" in words else "synchronised"] == "red"
    assert colours["scale"] == "green"
    assert "<svg" in (figures / "intervals.svg").read_text(encoding="utf-8")
