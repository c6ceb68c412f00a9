"""Sphinx configuration: ``make docs``."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from rapidvision import __version__

project = "RapidVision"
author = copyright = "The RapidVision developers"  # noqa: A001
release = version = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.viewcode", "numpydoc"]
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
templates_path = ["_templates"]
exclude_patterns = ["_build", "_templates"]
html_theme = "furo"
html_title = "RapidVision"
autosummary_generate = True
autodoc_typehints = "none"
autodoc_mock_imports = ["psychopy", "psychtoolbox"]
numpydoc_show_class_members = False
nitpicky = False
suppress_warnings = ["myst.xref_missing"]
