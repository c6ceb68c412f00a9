"""The public API is documented: a reference page, an example that can be copied, types, shapes and units."""

import ast
import builtins
import doctest
import importlib.util
import inspect
import re
from pathlib import Path

import pytest

from tests.core.test_public_api import front, public

ROOT = Path(__file__).parents[2]


def test_the_reference_lists_every_public_name():
    spec = importlib.util.spec_from_file_location("public_names", ROOT / "docs" / "public_names.py")
    pages = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(pages)
    listed = {name for package in pages.PACKAGES for name in pages.public_names(package)}
    known = {f"{front(package).__name__}.{name}": getattr(front(package), name) for package, name in public()}
    known = {name: found for name, found in known.items() if not inspect.ismodule(found)}
    assert listed == {name for name, found in known.items() if callable(found)}
    assert set(pages.DATA) == set(known) - listed


#: Public objects whose modules are rewritten at the moment; their examples come with that.
WITHOUT_EXAMPLE = {
    "rapidvision.plan.Plan",
    "rapidvision.trials.Trial",
    "rapidvision.experiments.engine.participants.Sight",
}
#: One line of a numpydoc section: names, type.
ENTRY = re.compile(r"^(\w[\w, ]*) : (.+)$", re.MULTILINE)
#: Quantities whose names say the unit at the end: ``stimulus_ms``, ``blur_px``.
QUANTITY = {"time", "duration", "delay", "onset", "side", "width", "height", "radius", "distance", "sigma", "limit"}
UNIT = re.compile(r"_(?:ms|s|h|px|deg|hz|cm|mm|mb)$")


def documented():
    """Public functions and classes, each once: its name and the object."""
    found = {}
    for package, name in public():
        one = getattr(front(package), name)
        if inspect.isfunction(one) or inspect.isclass(one):
            found[f"{one.__module__}.{one.__qualname__}"] = one
    return found


@pytest.mark.parametrize(("name", "found"), documented().items(), ids=documented())
def test_a_public_object_has_an_example_and_says_what_it_takes_and_returns(name, found):
    text = inspect.getdoc(found)
    if inspect.isfunction(found) and inspect.signature(found).parameters:
        assert "Parameters\n---" in text
    elif inspect.isclass(found) and not issubclass(found, Exception):
        assert "Parameters\n---" in text or "Attributes\n---" in text
    if name not in WITHOUT_EXAMPLE:
        assert "Examples\n---" in text
        assert doctest.DocTestParser().get_examples(text)


#: Public objects whose modules are rewritten at the moment; their examples still use the names of their module.
NOT_YET_ALONE = {
    "rapidvision.protocol.Protocol",
    "rapidvision.protocol.preset",
    "rapidvision.experiments.design.plan_study.plan",
    "rapidvision.experiments.engine.participants.Observers",
    "rapidvision.experiments.engine.simulate.simulate",
}


def lacking(text):
    """Names that a docstring's examples use and do not define: a reader who copies them gets a NameError."""
    tree = ast.parse("".join(one.source for one in doctest.DocTestParser().get_examples(text)))
    known = set(dir(builtins))
    for node in ast.walk(tree):
        match node:
            case ast.Import(names) | ast.ImportFrom(names=names):
                known |= {(alias.asname or alias.name).partition(".")[0] for alias in names}
            case (
                ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.arg(arg=name) | ast.ExceptHandler(name=name)
            ):
                known.add(name)
            case ast.Name(id=name, ctx=ast.Store()):
                known.add(name)
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} - known


def test_names_that_an_example_lacks_are_found():
    assert lacking(">>> import os\n>>> x = os.fspath(y)\n>>> def f(a): return a\n>>> f(np.pi)\n") == {"y", "np"}


@pytest.mark.parametrize(("name", "found"), documented().items(), ids=documented())
def test_a_reader_can_copy_the_example(name, found):
    assert name in NOT_YET_ALONE or not lacking(inspect.getdoc(found))


def entries(text):
    """Names and types of a docstring's parameters, attributes and results."""
    found = [(name, kind) for names, kind in ENTRY.findall(text) for name in names.split(", ")]
    return found + [("", kind) for kind in re.findall(r"^(?:Returns|Yields)\n-+\n(.+)", text, re.MULTILINE)]


def without_shape(text):
    return [name for name, kind in entries(text) if re.search("array|Tensor", kind) and "shape" not in kind]


def without_unit(text):
    return [name for name, _ in entries(text) if QUANTITY & set(name.split("_")) and not UNIT.search(name)]


def without_type(text):
    """Names in a docstring's parameters and attributes that have no type; ``**options`` needs none."""
    sections = re.findall(
        r"^(?:Parameters|Attributes)\n-+\n(.*?)(?=^\w[\w ]+\n-{3}|\Z)", text, re.MULTILINE | re.DOTALL
    )
    return [line for section in sections for line in section.split("\n") if re.match(r"^\w[\w, ]*$", line)]


def test_a_missing_shape_and_a_missing_unit_are_found():
    text = (
        "Attributes\n---\np, width : ndarray\nside_px : int\nq : ndarray, shape (n,)\n\nReturns\n---\nTensor\n    Its."
    )
    assert without_shape(text) == ["p", "width", ""]
    assert without_unit(text) == ["width"]
    assert without_type("Parameters\n---\nm, seed\n    Two.\nn : int\n\nReturns\n---\nint\n    One.") == ["m, seed"]


@pytest.mark.parametrize("found", documented().values(), ids=documented())
def test_a_public_docstring_gives_types_shapes_and_units(found):
    text = inspect.getdoc(found)
    assert not without_type(text)
    assert not without_shape(text)
    assert not without_unit(text)
