"""Lines and fields of a TOML file, in messages."""

import tomllib

import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from rapidvision.messages.toml_lines import line_of, steps_of

NAMES = st.sampled_from(["a", "b", "phases", "design", "x_ms"])
LEAVES = st.one_of(st.integers(), st.text(alphabet='ab["]{}#=', max_size=6), st.booleans())
TABLES = st.recursive(
    st.dictionaries(NAMES, LEAVES, max_size=3),
    lambda inner: st.dictionaries(NAMES, st.one_of(LEAVES, inner, st.lists(inner, min_size=1, max_size=3)), max_size=4),
    max_leaves=8,
)


def leaves(value, path=""):
    """Every (path, value) of a nested table."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from leaves(inner, f"{path}[{index}]")
    else:
        yield path, value


@given(TABLES)
def test_the_line_of_every_value_holds_its_key(table):
    text = tomli_w.dumps(table)
    assert tomllib.loads(text) == table
    for path, _ in leaves(table):
        number = line_of(text, path)
        assert number is not None
        line = text.splitlines()[number - 1]
        names = [step for step in steps_of(path) if isinstance(step, str)]
        assert any(name in line for name in names), (path, line)


def test_values_of_equal_tables_are_told_apart():
    text = '[[phases]]\nkind = "blank"\n[phases.on]\nx = 1\n[[phases]]\nkind = "blank"\n[phases.on]\nx = 2\n'
    assert [line_of(text, f"phases[{n}].{end}") for n in (0, 1) for end in ("kind", "on.x")] == [2, 4, 6, 8]
