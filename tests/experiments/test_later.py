"""Modules that are imported at first use, or not at all."""

import importlib
import sys

import pytest

from rapidvision.experiments.lab.lazy_imports import imported_later


@pytest.fixture
def packages(tmp_path, monkeypatch):
    """A package with a part, and one module, that say when they are really imported."""
    (tmp_path / "heavy_thing").mkdir()
    (tmp_path / "heavy_thing" / "__init__.py").write_text("print('heavy')\nvalue = 1\n")
    (tmp_path / "heavy_thing" / "part.py").write_text("print('part')\nvalue = 2\n")
    (tmp_path / "light_thing.py").write_text("value = 3\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for name in ("heavy_thing", "heavy_thing.part", "light_thing"):
        sys.modules.pop(name, None)


def test_nothing_is_imported_until_something_is_used_and_then_it_is_the_real_thing(packages, capsys):
    with imported_later({"heavy_thing"}):
        import heavy_thing
        import heavy_thing as again
    assert capsys.readouterr().out == ""
    assert again is heavy_thing
    assert heavy_thing.value == 1
    assert heavy_thing.value == 1
    assert capsys.readouterr().out == "heavy\n"
    assert sys.modules["heavy_thing"].value == 1
    assert sys.modules["heavy_thing"].__file__.endswith("__init__.py")


def test_a_part_of_a_package_can_be_used_from_within_and_from_outside(packages, capsys):
    with imported_later({"heavy_thing", "heavy_thing.part"}):
        import heavy_thing
    from heavy_thing import part

    assert part.value == 2
    assert heavy_thing.value == 1
    assert capsys.readouterr().out == "heavy\npart\n"


def test_a_part_can_be_imported_by_its_whole_name_later(packages):
    with imported_later({"heavy_thing"}):
        import heavy_thing
    import heavy_thing.part

    assert (heavy_thing.part.value, heavy_thing.value) == (2, 1)


def test_a_name_that_the_module_has_not_is_said_as_always(packages):
    with imported_later({"heavy_thing"}):
        import heavy_thing
    with pytest.raises(AttributeError, match="heavy_thing.*no attribute 'values'"):
        heavy_thing.values  # noqa: B018


def test_what_is_left_out_is_absent_within_and_there_afterwards(packages):
    import light_thing

    with imported_later((), never={"light_thing"}), pytest.raises(ModuleNotFoundError):
        importlib.import_module("light_thing")
    assert importlib.import_module("light_thing") is light_thing


def test_what_is_imported_already_stays_what_it_is(packages, capsys):
    import heavy_thing

    capsys.readouterr()
    with imported_later({"heavy_thing"}):
        assert importlib.import_module("heavy_thing") is heavy_thing
