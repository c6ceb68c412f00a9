"""One rule, one test: small folders, an acyclic folder graph, and public names that live once."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("rapidvision", "stimuli", "experiments", "analysis", "gala_models")
#: Most modules that a folder may have; ``__init__`` and ``__main__`` do not count.
MOST_MODULES = 12


def modules(package):
    """Every module of a package: dotted name below the package → path."""
    found = {}
    for path in sorted((ROOT / package).rglob("*.py")):
        parts = path.relative_to(ROOT / package).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(package, name, path, known):
    """Modules of the same package that a module imports, at its top or inside functions."""
    parts = name.split(".") if name else []
    here = parts if path.name == "__init__.py" else parts[:-1]
    absolute = "rapidvision" if package == "rapidvision" else f"rapidvision.{package}"
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.ImportFrom):
            continue
        if node.level:
            base = here[: len(here) - node.level + 1] + (node.module.split(".") if node.module else [])
        elif (node.module or "").startswith(absolute):
            base = node.module.removeprefix(absolute).strip(".").split(".") if node.module != absolute else []
        else:
            continue
        for alias in node.names:
            if alias.name == "__version__":  # a word of the front, set before it imports anything
                continue
            inner = ".".join([*base, alias.name])
            outer = ".".join(base)
            yield inner if inner in known else outer


def node_of(name, path):
    """What a module is in the folder graph: its folder, or itself where it lies at the package's root."""
    parts = name.split(".")
    if path.name == "__init__.py":
        return name or "__init__"
    return ".".join(parts[:-1]) or name


@pytest.mark.parametrize("package", PACKAGES)
def test_no_folder_has_more_than_twelve_modules(package):
    counts = {}
    for path in (ROOT / package).rglob("*.py"):
        if path.name not in ("__init__.py", "__main__.py"):
            counts[path.parent] = counts.get(path.parent, 0) + 1
    crowded = {str(folder.relative_to(ROOT)): n for folder, n in counts.items() if n > MOST_MODULES}
    assert not crowded


@pytest.mark.parametrize("package", PACKAGES)
def test_no_two_folders_import_each_other(package):
    known = modules(package)
    graph = {}
    for name, path in known.items():
        node = node_of(name, path)
        for other in imported(package, name, path, known):
            if other in known and (target := node_of(other, known[other])) != node:
                graph.setdefault(node, set()).add(target)
    order = list(TopologicalSorter(graph).static_order())  # a CycleError names the cycle
    assert len(order) == len(set(order))


def public_names(package):
    """The names of a package's stub: name → (module, name there)."""
    from rapidvision.system.lazy import read_stub

    stub = ROOT / package / "__init__.pyi"
    return read_stub(stub) if stub.is_file() else {}


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_exists_and_says_what_it_is(package):
    import importlib

    front = importlib.import_module("rapidvision" if package == "rapidvision" else f"rapidvision.{package}")
    names = public_names(package)
    assert names, f"{package} has no stub"
    assert dir(front) == sorted(names)
    for name in names:
        assert getattr(front, name).__doc__, name


@pytest.mark.parametrize("package", PACKAGES)
def test_no_public_name_is_also_a_module(package):
    """Importing the module would put it where the function was, from the second call on."""
    children = {name.partition(".")[0] for name in modules(package)}
    shadowed = {name for name, (module, _) in public_names(package).items() if module.strip(".") and name in children}
    assert not shadowed


def test_a_public_name_means_one_thing():
    """The front of the suite shows again what a package offers; it never gives a name to something else."""
    import importlib

    meant = {}
    for package in PACKAGES:
        front = importlib.import_module("rapidvision" if package == "rapidvision" else f"rapidvision.{package}")
        for name in public_names(package):
            meant.setdefault(name, {})[package] = getattr(front, name)
    for name, things in meant.items():
        assert len({id(thing) for thing in things.values()}) == 1, (name, things)
