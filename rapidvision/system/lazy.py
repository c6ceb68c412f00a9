"""Public names that load when they are first used: a package's ``__init__.pyi`` is the only list of them."""

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any


def attach(package: str, init_file: str) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Serve the names of a package's stub on demand.

    Parameters
    ----------
    package : str
        The package's ``__name__``.
    init_file : str
        The package's ``__file__``. The stub ``__init__.pyi`` lies beside it. Its statements
        ``from .module import name as name`` list the public names for type checkers, for users and for this function.

    Returns
    -------
    getattr, dir : callable
        What the package binds to ``__getattr__`` and ``__dir__``. The stub is read when a name is first asked for, so importing
        the package costs nothing.

    Examples
    --------
    >>> import rapidvision.stimuli
    >>> "flood_fill" in dir(rapidvision.stimuli)
    True
    """
    homes: dict[str, tuple[str, str]] = {}

    def names() -> dict[str, tuple[str, str]]:
        if not homes:
            homes.update(read_stub(Path(init_file).with_suffix(".pyi")))
        return homes

    def lazy_getattr(name: str) -> Any:
        if name == "__all__":
            return sorted(names())
        if name.startswith("_"):
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        if name not in names():
            from rapidvision.errors import did_you_mean

            raise AttributeError(f"module {package!r} has no attribute {name!r}. {did_you_mean(name, names())}")
        module, original = names()[name]
        if not module.strip("."):
            return importlib.import_module(f"{package}.{original}")
        found = importlib.import_module(module, package)
        return getattr(found, original)

    return lazy_getattr, lambda: sorted(names())


def read_stub(path: Path) -> dict[str, tuple[str, str]]:
    """Return the public names of a stub: name → (module, name there).

    Parameters
    ----------
    path : Path
        A ``.pyi`` file; only its ``from … import … as …`` statements count.

    Returns
    -------
    dict
        In the order of the file.

    Examples
    --------
    >>> import rapidvision
    >>> read_stub(Path(rapidvision.__file__).with_suffix(".pyi"))["Protocol"]
    ('.protocol', 'Protocol')
    """
    import ast

    found: dict[str, tuple[str, str]] = {}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if alias.asname is not None:  # `x as y` re-exports, as type checkers read it
                    found[alias.asname] = ("." * node.level + (node.module or ""), alias.name)
    return found
