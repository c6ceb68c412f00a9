"""The star, the one place of each heavy package, the wheel, and what a lab's own folder must not break."""

import ast
import functools
import os
import re
import shutil
import subprocess
import sys
import tarfile
import textwrap
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("stimuli", "experiments", "analysis", "gala_models")
FOLDERS = ("rapidvision", *PACKAGES)

#: Package → where it may be imported, as path prefixes.
HEAVY = {
    "psychopy": ("experiments/lab/psychopy_display.py",),
    "psychtoolbox": ("experiments/lab/psychopy_display.py", "experiments/keyboard.py", "experiments/inputs/pointer.py"),
    "torch": ("gala_models/",),
    "numba": (
        "stimuli/reveal/flood_numba.py",
        "stimuli/ladder/stage_numba.py",
        "stimuli/render/",
        "analysis/compiled/",
        "rapidvision/numerics/compiled_",
    ),
    "matplotlib": (
        "rapidvision/system/figures.py",
        "analysis/figures",
        "stimuli/report/figures.py",
        "stimuli/report/plots.py",
        "gala_models/figures.py",
        "experiments/clickme/report/figures.py",
        "experiments/design/figures",
    ),
    "statsmodels": ("analysis/fits/marginal.py",),
    "starlette": ("experiments/web/", "experiments/online/", "experiments/clickme/", "experiments/desk/"),
    "uvicorn": ("experiments/web/", "experiments/online/", "experiments/clickme/"),
    "sqlalchemy": ("experiments/web/", "experiments/online/", "experiments/clickme/"),
    "av": ("stimuli/",),
    "dask": ("stimuli/",),
    "distributed": ("stimuli/",),
    "safetensors": ("gala_models/",),
    "captum": ("gala_models/attribution/",),
    "pyddm": ("analysis/measures/diffusion.py",),
}


def sources(folder):
    return sorted(path for path in (ROOT / folder).rglob("*.py"))


@functools.cache
def imports(path):
    """Every module that a file imports, at the top or inside functions, relative ones resolved to a leading dot."""
    return tuple(imported(path))


def imported(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")
            if not node.level and node.module == "rapidvision":
                yield from (f"rapidvision.{alias.name}" for alias in node.names)


def tracked_files():
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True, encoding="utf-8"
    ).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


@pytest.mark.parametrize("package", PACKAGES)
def test_no_package_imports_another_package(package):
    others = tuple(f"rapidvision.{other}" for other in PACKAGES if other != package)
    bare = tuple(PACKAGES)
    for path in sources(package):
        for name in imports(path):
            assert not name.startswith(others), f"{path}: {name}"
            assert name.partition(".")[0] not in bare, f"{path}: {name}"
            depth = len(path.relative_to(ROOT / package).parts)
            assert len(name) - len(name.lstrip(".")) <= depth, f"{path}: {name} leaves the package"


def test_the_core_imports_no_package():
    for path in sources("rapidvision"):
        for name in imports(path):
            assert not name.startswith(tuple(f"rapidvision.{package}" for package in PACKAGES)), f"{path}: {name}"


@pytest.mark.parametrize("package", HEAVY)
def test_a_heavy_package_is_imported_only_where_it_may_be(package):
    for folder in FOLDERS:
        for path in sources(folder):
            if any(name.partition(".")[0] == package for name in imports(path)):
                place = path.relative_to(ROOT).as_posix()
                assert place.startswith(HEAVY[package]), f"{place} imports {package}"


BLOCKED = """
import importlib, sys
blocked = set({blocked!r})
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in blocked:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Block())
for name in {names!r}:
    importlib.import_module(name)
print("all imported")
"""


def module_name(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    parts = parts if parts[0] == "rapidvision" else ("rapidvision", *parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_everything_else_imports_without_the_optional_packages():
    optional = (
        "psychopy",
        "psychtoolbox",
        "torch",
        "numba",
        "starlette",
        "uvicorn",
        "sqlalchemy",
        "psycopg",
        "av",
        "dask",
        "safetensors",
    )
    at_home = {place for package in optional if package in HEAVY for place in HEAVY[package]}
    names = []
    for folder in FOLDERS:
        for path in sources(folder):
            place = path.relative_to(ROOT).as_posix()
            light = path.name in ("__init__.py", "commands.py")
            if path.name != "__main__.py" and (light or not place.startswith(tuple(at_home - {"stimuli/"}))):
                names.append(module_name(path))
    assert len(names) > 20
    code = BLOCKED.format(blocked=optional, names=names)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False, encoding="utf-8"
    )
    assert done.stdout.strip() == "all imported", done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """A wheel built from the sdist, so that both are shown to be complete."""
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, encoding="utf-8")
    assert done.returncode == 0, done.stdout + done.stderr
    return next(out.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """The wheel unpacked: what a user's site-packages holds."""
    site = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    return site


def test_the_wheel_holds_exactly_the_tree(wheel):
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    expected = set()
    for path in tracked_files():
        place = path.relative_to(ROOT)
        if place.parts[0] in FOLDERS:
            expected.add(place.as_posix() if place.parts[0] == "rapidvision" else f"rapidvision/{place.as_posix()}")
    assert packed == expected


def test_the_sdist_holds_code_tests_and_docs(wheel):
    with tarfile.open(next(wheel.parent.glob("*.tar.gz"))) as archive:
        tops = {name.split("/")[1] for name in archive.getnames() if "/" in name}
    assert {*FOLDERS, "tests", "docs", "benchmarks", "README.md", "LICENSE", "pyproject.toml"} <= tops


def run_from_wheel(installed, folder, *arguments):
    environment = {**os.environ, "PYTHONPATH": str(installed), "PYTHONNOUSERSITE": "1"}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        encoding="utf-8",
    )


@pytest.mark.parametrize("kind", ["module", "package", "plain folder"])
@pytest.mark.parametrize("how", ["-c", "-m", "script"])
def test_a_lab_folder_with_its_own_analysis_does_not_collide(installed, tmp_path, kind, how):
    if kind == "module":
        (tmp_path / "analysis.py").write_text("mine = True\n", encoding="utf-8")
    else:
        (tmp_path / "analysis").mkdir()
        (tmp_path / "analysis" / "notes.py").write_text("mine = True\n", encoding="utf-8")
        if kind == "package":
            (tmp_path / "analysis" / "__init__.py").write_text("mine = True\n", encoding="utf-8")
    code = "import rapidvision.analysis, rapidvision.analysis.commands; print(rapidvision.analysis.__file__)"
    if how == "-m":
        done = run_from_wheel(installed, tmp_path, "-m", "rapidvision", "analyse", "--help")
        assert done.returncode == 0, done.stderr
        return
    if how == "script":
        (tmp_path / "go.py").write_text(code, encoding="utf-8")
        done = run_from_wheel(installed, tmp_path, "go.py")
    else:
        done = run_from_wheel(installed, tmp_path, "-c", code)
    assert done.stdout.strip().startswith(str(installed)), done.stdout + done.stderr


def test_help_loads_a_handful_of_modules():
    # Without the site module, whose .pth files load modules of other packages into some environments. What the modules
    # cost is measured by `python -m benchmarks core`.
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); before = set(sys.modules);"
        "from rapidvision import cli; cli.main(['--help']);"
        "print(*set(sys.modules) - before, sep='\\n', file=sys.stderr)"
    )
    command = [sys.executable, "-I", "-S", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=True)
    loaded = set(done.stderr.split())
    assert {name for name in loaded if name.partition(".")[0] not in sys.stdlib_module_names} == {
        "rapidvision",
        "rapidvision.cli",
        "rapidvision.system",
        "rapidvision.system.command_line",
    }
    assert len(loaded) <= 60, done.stderr


def test_help_imports_no_package_and_nothing_heavy():
    code = (
        "import sys; from rapidvision import cli; cli.main(['--help']); print(*sys.modules, sep='\\n', file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, encoding="utf-8"
    )
    loaded = done.stderr.split()
    heavy = {"numpy", "msgspec", "pandas", "scipy", "matplotlib", "torch", "psychopy"}
    assert not heavy & {name.partition(".")[0] for name in loaded}
    assert not [name for name in loaded if name.startswith(tuple(f"rapidvision.{package}" for package in PACKAGES))]


def test_no_tracked_file_names_a_place_on_one_machine():
    homes = re.compile(rb"(?<![\w.])/(?:home|root|Users|work)/[\w.-]+")
    for path in tracked_files():
        if path.suffix in (".png", ".safetensors", ".webp") or path == Path(__file__):
            continue
        found = homes.search(path.read_bytes())
        assert not found, f"{path.relative_to(ROOT)}: {found[0]!r}"


def test_numbers_of_the_paper_stand_in_the_protocol_only():
    paper = {1100, 1600, 550}
    for folder in FOLDERS:
        for path in sources(folder):
            if path.relative_to(ROOT).as_posix() == "rapidvision/protocol.py":
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and type(node.value) in (int, float):
                    assert node.value not in paper, f"{path.relative_to(ROOT)}:{node.lineno}: {node.value}"


def test_every_package_file_is_found_from_an_installed_wheel(installed):
    code = textwrap.dedent("""
        import rapidvision, importlib
        for package in ("stimuli", "experiments", "analysis", "gala_models"):
            module = importlib.import_module(f"rapidvision.{package}")
            assert "site" in module.__file__, module.__file__
        print("found")
    """)
    elsewhere = installed.parent
    done = run_from_wheel(installed, elsewhere, "-c", code)
    assert done.stdout.strip() == "found", done.stderr


def test_requirements_are_pinned_with_hashes():
    for lock in (ROOT / "requirements").glob("*.lock"):
        text = lock.read_text(encoding="utf-8")
        pinned = re.findall(r"^[A-Za-z0-9_.\[\]-]+==\S+", text, flags=re.M)
        assert pinned
        assert text.count("--hash=sha256:") >= len(pinned)
        assert not re.search(r"^(torch|nvidia-\S+)==", text, flags=re.M)
        assert "://" not in text


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_the_makefile_has_the_promised_targets():
    for target in ("demo", "test", "check", "bench", "docs", "build"):
        done = subprocess.run(
            ["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=False, encoding="utf-8"
        )
        assert done.returncode == 0, done.stderr
