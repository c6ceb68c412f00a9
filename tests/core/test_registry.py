"""Parts by name: built in, registered by decorators, and offered by installed distributions."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from rapidvision import __version__
from rapidvision.errors import InputError
from rapidvision.plugins import registry as registries
from rapidvision.plugins.modules import import_plugins
from rapidvision.plugins.registry import Registry
from tests.plugin_packages import install


def sums():
    return Registry("sum", "rapidvision.test_sums", {"exact": "math:fsum"})


def plain(values):
    return sum(values)


def other(values):
    return sum(reversed(values))


@pytest.fixture
def path(tmp_path, monkeypatch):
    """A folder on the Python path whose distributions are found; forgotten afterwards."""
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    registries._entry_points.cache_clear()
    yield tmp_path
    registries._entry_points.cache_clear()


def test_a_built_in_part_is_imported_when_it_is_used():
    lazy = Registry("nothing", "rapidvision.test_nothing", {"absent": "rapidvision.no_such_module:function"})
    assert lazy.names() == ("absent",)
    assert "absent" in lazy
    with pytest.raises(ModuleNotFoundError):
        lazy.get("absent")


def test_a_registered_part_is_found_with_its_source():
    parts = sums()
    assert parts.register("plain")(plain) is plain
    assert parts.get("plain") is plain
    assert list(parts) == ["exact", "plain"]
    source = parts.source_of("plain")
    assert source.sha256 == hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
    assert (source.kind, source.name, source.module) == ("sum", "plain", __name__)
    assert parts.plugins("exact", "plain", "plain") == (source,)


def test_the_source_of_a_built_in_part_is_the_suite():
    parts = Registry("reader", "rapidvision.test_reader", {"read": "rapidvision.recipes:read"})
    source = parts.source_of("read")
    assert (source.distribution, source.version) == ("rapidvision", __version__)
    file = Path(sys.modules["rapidvision.recipes"].__file__)
    assert source.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert parts.plugins("read") == ()


def test_an_unknown_name_is_refused_with_a_hint():
    with pytest.raises(InputError, match=r'^sum: got "exakt"\. Did you mean "exact"\?$'):
        sums().get("exakt")


def test_a_built_in_part_cannot_be_replaced():
    parts = sums()
    with pytest.raises(InputError, match=r'"exact" is given twice, by math:fsum of rapidvision and by .*:plain'):
        parts.register("exact")(plain)
    import math

    assert parts.get("exact") is math.fsum


def test_two_parts_of_one_name_are_refused_and_both_named():
    parts = sums()
    parts.register("mine")(plain)
    parts.register("mine")(plain)  # a notebook's cell that is run again
    with pytest.raises(InputError, match=r'"mine" is given twice, by .*:plain and by .*:other; rename or remove one'):
        parts.register("mine")(other)


@pytest.mark.parametrize("name", ["", "two words", "tab\t"])
def test_names_have_no_blanks(name):
    with pytest.raises(InputError, match="a name without blanks is needed"):
        sums().register(name)


def test_an_entry_point_is_found_with_its_distribution(path):
    install(path, "lab-sums", "2.1", "lab_sums", "def half(values):\n    return sum(values) / 2\n", sums="half")
    parts = sums()
    assert parts.names() == ("exact", "half")
    assert "lab_sums" not in sys.modules  # a list of names imports nothing
    assert parts.get("half")([1, 2]) == 1.5
    source = parts.source_of("half")
    assert (source.distribution, source.version, source.module) == ("lab-sums", "2.1", "lab_sums")
    assert source.sha256 == hashlib.sha256((path / "lab_sums.py").read_bytes()).hexdigest()
    assert str(source) == "sum half of lab-sums 2.1"


def test_two_distributions_that_offer_one_name_are_refused(path):
    for number in (1, 2):
        code = "def third(values):\n    return sum(values) / 3\n"
        install(path, f"twin{number}", "1.0", f"twin_sums_{number}", code, sums="third")
    with pytest.raises(InputError, match=r'"third" is given twice, .*twin1 1\.0.*twin2 1\.0|.*twin2 1\.0.*twin1 1\.0'):
        sums().get("third")


def test_an_entry_point_cannot_replace_a_built_in_part(path):
    install(path, "rival", "3.0", "rival_sums", "def exact(values):\n    return 0\n", sums="exact")
    with pytest.raises(InputError, match=r'"exact" is given twice, by math:fsum of rapidvision and by .*rival 3\.0'):
        sums().get("exact")


def test_an_entry_point_that_cannot_be_imported_is_named(path):
    install(path, "broken", "1.0", "broken_sums", "import no_such_thing\n", sums="broken")
    with pytest.raises(InputError, match=r"sum broken of broken 1\.0: cannot be imported \(ModuleNotFoundError"):
        sums().get("broken")


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        ("absent_plugin", None, 'plug-in module "absent_plugin": not found on the Python path'),
        ("needy_plugin", "import no_such_thing\n", "needs no_such_thing, which is not installed"),
        ("failing_plugin", "1 / 0\n", 'plug-in module "failing_plugin": ZeroDivisionError'),
    ],
)
def test_a_module_that_cannot_be_imported_is_named(path, name, code, message):
    if code is not None:
        (path / f"{name}.py").write_text(code, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        import_plugins([name], folder=path)


def test_a_part_without_a_source_is_refused_where_it_would_be_recorded():
    code = (
        "from rapidvision.plugins.registry import Registry\n"
        "parts = Registry('sum', 'rapidvision.test_sums', {})\n"
        "parts.register('mine')(eval('lambda values: 0'))\n"
        "try:\n    parts.source_of('mine')\nexcept Exception as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "its source is not found, so that outputs could not record it; put it into a module" in done.stdout
