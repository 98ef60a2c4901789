"""How Sphinx builds these pages: ``python -m sphinx docs docs/_build``."""

import os
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from _ext import api, borders, commands, formats, kernels, notebooks  # noqa: E402
from sphinx.application import Sphinx  # noqa: E402

from convtool import __version__  # noqa: E402

for part in (api, borders, commands, formats, kernels, notebooks):
    part.write(HERE / "reference" / "generated")

# Notebooks call the command of this interpreter's environment.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])

project = "convtool"
version = release = __version__
smartquotes = False  # two dashes begin an option
extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "sphinx_click",
    "myst_nb",
    "sphinx_gallery.gen_gallery",
]
templates_path = ["_templates"]
exclude_patterns = [
    "_build",
    "examples",
    "gallery/*.ipynb",
    "jupyter_execute",
    "reference/generated/*.md",
]

html_theme = "pydata_sphinx_theme"
html_static_path = ["_static"]
html_css_files = ["pages.css"]
html_title = f"convtool {version}"
html_show_sourcelink = False
html_context = {"default_mode": "auto"}
html_theme_options = {
    "show_prev_next": True,
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": [],
    "footer_end": [],
}

autosummary_generate = True
autodoc_typehints = "none"
numpydoc_show_class_members = False
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
nb_execution_mode = "cache"  # a notebook is run again where it has changed; tests run all of them
nb_execution_cache_path = str(HERE / "_build" / ".notebooks")
nb_execution_timeout = 180
nb_execution_raise_on_error = True
sphinx_gallery_conf = {
    "examples_dirs": "examples",
    "gallery_dirs": "gallery",
    "capture_repr": (),
    "show_memory": False,
    "min_reported_time": 60,
    "download_all_examples": False,
    "write_computation_times": False,
}


def setup(app: Sphinx) -> None:
    """Connect what changes pages as they are read."""
    commands.connect(app)
