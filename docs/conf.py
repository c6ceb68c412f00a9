"""Sphinx configuration: ``make docs``."""

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1]))

import public_names
from sphinx.util import logging
from sphinx.util.nodes import make_refnode

from rapidvision import __version__

project = "RapidVision"
author = copyright = "The RapidVision developers"  # noqa: A001
release = version = __version__
language = "en"
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
]
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
templates_path = ["_templates"]
exclude_patterns = ["_build", "_templates", "gallery/*.ipynb", "gallery/*.py"]
html_theme = "furo"
html_title = "RapidVision"
html_static_path = ["_static"]
html_css_files = ["style.css"]
autosummary_generate = True
autodoc_typehints = "none"
autodoc_mock_imports = ["psychopy", "psychtoolbox"]
numpydoc_show_class_members = False
nitpicky = False
suppress_warnings = ["myst.xref_missing"]

sphinx_gallery_conf = {
    "examples_dirs": "../examples/gallery",
    "gallery_dirs": "gallery",
    "image_scrapers": ("matplotlib", "drawings.scraped"),
    "capture_repr": ("_repr_html_", "__repr__"),
    "ignore_repr_types": r"rapidvision\.analysis\.(curve_fits|figures|reporting).*(Fig2b|CurveFits|Drawing)",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_signature": False,
    "remove_config_comments": True,
    "min_reported_time": 1e9,
    "write_computation_times": False,
    "within_subsection_order": "FileNameSortKey",
    "thumbnail_size": (560, 400),
}

public_names.write_pages(Path(__file__).parent)


def skip_unexplained_fields(_app: Any, _what: str, _name: str, member: Any, skip: bool, _options: Any) -> bool | None:
    """Leave out the fields of named tuples: their class explains them, their own docstrings say "Alias for field number"."""
    return True if str(getattr(member, "__doc__", "")).startswith("Alias for field number") else skip or None


def resolve_field(app: Any, env: Any, node: Any, contnode: Any) -> Any:
    """Lead from a field of a record to its class, whose docstring explains it; warn of any other name that leads nowhere."""
    target = str(node.get("reftarget", ""))
    owner = target.rpartition(".")[0]
    if not target.startswith("rapidvision.") or node.get("refdomain") != "py":
        return None
    found = env.domains["py"].objects.get(owner)
    if found is not None and node.get("reftype") == "attr":
        return make_refnode(app.builder, node["refdoc"], found.docname, found.node_id, contnode, target)
    if "generated" not in node.get("refdoc", ""):
        logging.getLogger(__name__).warning("no page has %s", target, location=node)
    return None


def setup(app: Any) -> None:
    """Connect the filters."""
    app.connect("autodoc-skip-member", skip_unexplained_fields)
    app.connect("missing-reference", resolve_field)
