"""No text is read or written in the code page of the computer, and no order depends on its file system."""

import ast
from pathlib import PureWindowsPath

import pytest

from tests.core.test_architecture import FOLDERS, ROOT, tracked_files

#: Folders whose code runs on other people's computers.
SHIPPED = (
    "rapidvision",
    "stimuli",
    "experiments",
    "analysis",
    "gala_models",
    "tools",
    "examples",
    "benchmarks",
    "docs",
)
TEXT_METHODS = {"read_text": 0, "write_text": 1}  # how many arguments stand before the encoding
#: Modules whose functions of these names take no encoding: files.read_text is UTF-8, Image.open reads bytes.
OTHERS = {"files", "csvfiles", "Image", "os", "av", "tarfile", "webbrowser"}


def trees():
    for path in tracked_files():
        if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in SHIPPED:
            yield path.relative_to(ROOT), ast.parse(path.read_text(encoding="utf-8"))


def keywords(call):
    return {word.arg: word.value for word in call.keywords}


def lacks_encoding(call):
    """Whether a call reads or writes text in whatever encoding the computer has."""
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    owner = getattr(getattr(call.func, "value", None), "id", "")
    given = keywords(call)
    if "encoding" in given or "force_zip64" in given or owner in OTHERS:  # a member of a zip file holds bytes
        return False
    if name in TEXT_METHODS:
        return len(call.args) <= TEXT_METHODS[name]
    if name in ("open", "fdopen"):
        words = [one for one in (*call.args, given.get("mode")) if isinstance(one, ast.Constant)]
        modes = [one.value for one in words if isinstance(one.value, str) and set(one.value) <= set("rwxabt+")]
        is_file = isinstance(call.func, ast.Name) or bool(modes) or not call.args
        return is_file and not any("b" in mode for mode in modes)
    return getattr(given.get("text"), "value", False) is True or "universal_newlines" in given


@pytest.mark.parametrize(
    ("code", "lacks"),
    [
        ("p.read_text()", True),
        ("p.read_text('utf-8')", False),
        ("p.write_text(text)", True),
        ("p.open()", True),
        ("p.open('rb')", False),
        ("p.open('w', newline='')", True),
        ("open(p)", True),
        ("open(p, 'wb')", False),
        ("run(x, text=True)", True),
        ("run(x, text=True, encoding='utf-8')", False),
        ("files.read_text(p)", False),
        ("keys.open('session', token)", False),
        ("archive.open(info, 'w', force_zip64=True)", False),
    ],
)
def test_the_check_knows_what_lacks_an_encoding(code, lacks):
    assert lacks_encoding(ast.parse(code, mode="eval").body) is lacks


def test_every_text_is_opened_with_its_encoding():
    found = [
        f"{path}:{node.lineno}"
        for path, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and lacks_encoding(node)
    ]
    assert found == []


def lists_a_folder(node):
    return any(isinstance(one, ast.Attribute) and one.attr in ("iterdir", "glob", "rglob") for one in ast.walk(node))


def test_files_of_a_folder_are_sorted_by_name_as_text():
    """Paths of Windows compare without regard to capitals, so `sorted(folder.iterdir())` has another order there."""
    found = [
        f"{path}:{node.lineno}"
        for path, tree in trees()
        if path.parts[0] in FOLDERS
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", "") == "sorted"
        and "key" not in keywords(node)
        and lists_a_folder(node.args[0])
        and not is_text(node.args[0])
    ]
    assert found == []


def is_text(listing):
    """Whether a comprehension over a folder keeps names, not paths."""
    kept = getattr(listing, "elt", None)
    return isinstance(kept, ast.Attribute) and kept.attr in ("name", "stem")


def test_windows_would_sort_paths_otherwise_than_texts():
    paths = [PureWindowsPath(name) for name in ("b.png", "C.png", "a.png")]
    assert [path.name for path in sorted(paths)] == ["a.png", "b.png", "C.png"]
    assert [path.name for path in sorted(paths, key=PureWindowsPath.as_posix)] == ["C.png", "a.png", "b.png"]
