"""Recipes: typed values in, exact refusals out."""

import pytest

from rapidvision import recipes
from rapidvision.errors import InputError, RecipeError
from rapidvision.formats.protocol_file import preset
from rapidvision.protocol import Protocol
from rapidvision.recipes import Recipe


class Inner(Recipe, frozen=True):
    n_levels: int = 11


class Item(Recipe, frozen=True):
    source: str


class Outer(Recipe, frozen=True):
    reveal: Inner = Inner()
    maps: tuple[Item, ...] = ()
    label: str | None = None


def test_a_resolved_recipe_reads_back_as_itself():
    protocol = preset("masked")
    assert recipes.parse(recipes.dump(protocol), Protocol) == protocol


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("n_leves = 3", 'r.toml:1: unknown key "n_leves"'),
        ("[reveal]\nn_leves = 3", 'r.toml:2: unknown key "n_leves" in [reveal]. Did you mean "n_levels"?'),
        (
            '[[maps]]\nsource = "a"\n[[maps]]\nsuorce = "b"',
            'unknown key "suorce" in [maps[1]]. Did you mean "source"?',
        ),
        ("[[maps]]\n", "r.toml:1: maps[0]: `source` is needed"),
        ('[reveal]\nn_levels = "x"', 'r.toml:2: reveal.n_levels: got "x", expected int'),
        ("a = = 1", "r.toml: not TOML"),
    ],
)
def test_what_does_not_fit_is_named_with_its_place(text, says):
    with pytest.raises(RecipeError) as error:
        recipes.parse(text, Outer, name="r.toml")
    assert says in str(error.value)


def test_a_missing_file_and_a_wrong_encoding_are_told_apart(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        recipes.read(tmp_path / "none.toml", Outer)
    (tmp_path / "latin.toml").write_bytes('label = "ä"'.encode("latin-1"))
    with pytest.raises(InputError, match="not UTF-8"):
        recipes.read(tmp_path / "latin.toml", Outer)


def test_json_is_read_like_toml(tmp_path):
    (tmp_path / "r.json").write_text('{"reveal": {"n_levels": 3}}', encoding="utf-8")
    assert recipes.read(tmp_path / "r.json", Outer).reveal.n_levels == 3
    (tmp_path / "r.json").write_text("{", encoding="utf-8")
    with pytest.raises(RecipeError, match="not JSON"):
        recipes.read(tmp_path / "r.json", Outer)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"label": "a", "label": "b"}', r'r\.json: the key "label" stands twice in one object'),
        ('{"reveal": {"n_levels": 3, "n_levels": 11}}', 'the key "n_levels" stands twice'),
        ('{"label": NaN}', "NaN is not JSON"),
    ],
)
def test_a_key_that_stands_twice_in_json_is_refused_as_in_toml(tmp_path, text, says):
    (tmp_path / "r.json").write_text(text, encoding="utf-8")
    with pytest.raises(RecipeError, match=says):
        recipes.read(tmp_path / "r.json", Outer)
    with pytest.raises(RecipeError, match="not TOML"):
        recipes.parse('label = "a"\nlabel = "b"', Outer)


def test_values_are_frozen():
    with pytest.raises(AttributeError):
        Outer().label = "x"
