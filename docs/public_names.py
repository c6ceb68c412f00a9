"""Two pages of the reference, written by each build: public names from the ``.pyi`` stubs, and modules from the tree."""

import importlib
import inspect
import re
from pathlib import Path

from rapidvision.system.lazy import read_stub

#: Package → its heading and what the reader finds in it.
PACKAGES = {
    "rapidvision": ("Core", "Vocabulary and files that all packages share."),
    "rapidvision.stimuli": ("Stimuli", "Reveal stimuli from images and importance maps."),
    "rapidvision.experiments": ("Experiments", "Plans, sessions and simulated participants."),
    "rapidvision.analysis": ("Analysis", "Tests per level, figures, fits and reports."),
    "rapidvision.gala_models": ("Networks", "GALA and other networks on the trials of a study."),
}
#: Public data, which have no docstring: name → what it is.
DATA = {
    "rapidvision.COLUMNS": "columns of the trials table, with type, unit and meaning: :doc:`trials-table`.",
    "rapidvision.gala_models.NETWORKS": "architectures of the paper's networks by name, for ImageNet.",
}
#: How a page names an object of the code.
ROLE = re.compile(r"\{(?:func|class|meth|attr|data|mod|exc|obj)\}`(?:[^`<]*<)?~?(rapidvision\.[\w.]+)>?`")
HEAD = """\
.. meta::
   :description: Public functions and classes of RapidVision: reveal stimuli, plans, permutation tests per level, GALA networks.
   :keywords: API, reference, reveal stimuli, permutation test, GALA, rapid categorization

Public API
==========

Every public name, with its parameters, units, errors and an example.
"""


MODULES = """\
.. meta::
   :description: Modules of RapidVision: the core, and the modules of the packages that the documentation names.
   :keywords: modules, source, reference, formats, contributors

Modules
=======

For contributors, and for readers who want to see how a result is computed: the modules of the core, and those of the packages
that a page of this documentation names. Their names may change in any version; the :doc:`public names <api>` do not.
"""


def public_names(package: str) -> list[str]:
    """Return the dotted names of a package's public objects, packages left out."""
    stub = Path(str(importlib.import_module(package).__file__)).with_suffix(".pyi")
    if not stub.exists():
        return []
    module = importlib.import_module(package)
    names = [f"{package}.{name}" for name in sorted(read_stub(stub)) if not inspect.ismodule(getattr(module, name))]
    return [name for name in names if name not in DATA]


def module_of(name: str) -> str:
    """Return the module that a dotted name lies in."""
    while True:
        try:
            importlib.import_module(name)
        except ModuleNotFoundError:
            name = name.rpartition(".")[0]
        else:
            return name


def module_names(package: str, docs: Path) -> list[str]:
    """Return the modules of a package that have a page: all of the core, else those that the documents name."""
    if package == "rapidvision":
        root = Path(str(importlib.import_module(package).__file__)).parent
        paths = [path.relative_to(root).with_suffix("").parts for path in root.rglob("*.py")]
        return sorted(".".join(["rapidvision", *parts]) for parts in paths if not parts[-1].startswith("__"))
    pages = [page for page in docs.rglob("*.md") if "_build" not in page.relative_to(docs).parts]
    named = {name for page in pages for name in ROLE.findall(page.read_text(encoding="utf-8"))}
    return sorted({module_of(name) for name in named if name.startswith(f"{package}.")} - {package})


def section(package: str, names: list[str]) -> str:
    """Return a section that lists names, each with a page of its own."""
    title, purpose = PACKAGES[package]
    listed = "\n".join(f"   {name}" for name in names)
    head = f"{title}\n{'-' * len(title)}\n\n{purpose}\n\n"
    return f"{head}.. autosummary::\n   :toctree: generated\n   :nosignatures:\n\n{listed}\n"


def data_of(package: str) -> str:
    """Return the public data of a package as a list."""
    found = {name: meaning for name, meaning in DATA.items() if name.rpartition(".")[0] == package}
    return "".join(f"- ``{name}``: {meaning}\n" for name, meaning in found.items())


def write_pages(docs: Path) -> None:
    """Write both pages into ``reference/``."""
    public = [f"{section(package, public_names(package))}\n{data_of(package)}" for package in PACKAGES]
    write(docs / "reference" / "api.rst", HEAD, public)
    modules = [section(package, module_names(package, docs)) for package in PACKAGES]
    write(docs / "reference" / "modules.rst", MODULES, modules)


def write(path: Path, head: str, sections: list[str]) -> None:
    """Write a page, unless it is there with the same content."""
    text = "\n".join([head, *sections])
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
