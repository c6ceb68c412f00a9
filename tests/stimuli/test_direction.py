"""The package's modules import each other in one direction: a reader who follows imports never comes back."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "stimuli"


def imported_by(path):
    """Modules of the package that a module imports, at its top or inside of a function."""
    package = path.relative_to(PACKAGE).parent.parts
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - node.level + 1] + tuple(
                (node.module or "").split(".") if node.module else ()
            )
            candidates = [base, *((*base, alias.name) for alias in node.names)]
            found |= {".".join(one) for one in candidates if (PACKAGE.joinpath(*one)).with_suffix(".py").is_file()}
    return found


def test_no_module_imports_itself_by_way_of_others():
    graph = {
        ".".join(path.relative_to(PACKAGE).with_suffix("").parts): imported_by(path) for path in PACKAGE.rglob("*.py")
    }
    order = list(TopologicalSorter(graph).static_order())  # a CycleError names the circle
    assert order.index("reveal.passage_times") < order.index("reveal.flood_numba") < order.index("reveal.flood")
    assert (
        "reveal.flood"
        not in graph["reveal.flood_numba"] | graph["reveal.flood_portable"] | graph["reveal.passage_times"]
    )
