"""The page of the public names: one section per package, one reference page per object, read from the ``.pyi`` stubs."""

import importlib
import inspect
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
HEAD = """\
.. meta::
   :description: Public functions and classes of RapidVision: reveal stimuli, plans, permutation tests per level, GALA networks.
   :keywords: API, reference, reveal stimuli, permutation test, GALA, rapid categorization

Public API
==========

Every public name, with its parameters, units, errors and an example.
"""


def public_names(package: str) -> list[str]:
    """Return the dotted names of a package's public objects, packages left out."""
    stub = Path(str(importlib.import_module(package).__file__)).with_suffix(".pyi")
    if not stub.exists():
        return []
    module = importlib.import_module(package)
    return [f"{package}.{name}" for name in sorted(read_stub(stub)) if not inspect.ismodule(getattr(module, name))]


def write_page(path: Path) -> None:
    """Write the page, unless it is there with the same content."""
    sections = [HEAD]
    for package, (title, purpose) in PACKAGES.items():
        names = public_names(package)
        if names:
            listed = "\n".join(f"   {name}" for name in names)
            head = f"{title}\n{'-' * len(title)}\n\n{purpose}"
            sections.append(f"{head}\n\n.. autosummary::\n   :toctree: generated\n   :nosignatures:\n\n{listed}\n")
    text = "\n".join(sections)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
