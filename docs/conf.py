"""Sphinx configuration."""

import inspect
import re
from collections import defaultdict
from importlib import import_module
from pathlib import Path

from threadpoolctl import threadpool_limits

import sksparse_nn
import sksparse_nn.inspection
import sksparse_nn.modules
import sksparse_nn.neural.augmentation
import sksparse_nn.onnx
import sksparse_nn.parallel
import sksparse_nn.persistence

HERE = Path(__file__).resolve().parent

project = "sksparse_nn"
author = "The sksparse_nn developers"
copyright = author
version = release = sksparse_nn.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.doctest",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "_templates", "auto_examples/*.ipynb"]
templates_path = ["_templates"]
default_role = "literal"
nitpicky = False
add_module_names = False
python_maximum_signature_line_length = 88
toc_object_entries_show_parents = "hide"
modindex_common_prefix = ["sksparse_nn."]

# Pages

PUBLIC = sksparse_nn.__all__
# Names that are imported from a subpackage.
APART = {
    home: [name for name in package.__all__ if name not in PUBLIC]
    for home, package in (
        ("inspection", sksparse_nn.inspection),
        ("modules", sksparse_nn.modules),
        ("neural.augmentation", sksparse_nn.neural.augmentation),
        ("onnx", sksparse_nn.onnx),
        ("parallel", sksparse_nn.parallel),
        ("persistence", sksparse_nn.persistence),
    )
}


def own_methods():
    """Return, for each public class, the public methods that this package wrote."""
    public = {f"sksparse_nn.{name}": getattr(sksparse_nn, name) for name in PUBLIC}
    for home, names in APART.items():
        package = import_module(f"sksparse_nn.{home}")
        public |= {f"sksparse_nn.{home}.{x}": getattr(package, x) for x in names}
    return {
        path: list(methods_of(value))
        for path, value in public.items()
        if isinstance(value, type)
    }


def methods_of(cls):
    """List the names of methods written here, those of parents first."""
    ours = {}
    for parent in reversed(cls.__mro__):
        for name, value in vars(parent).items():
            if is_method(value, parent):
                home = getattr(value, "__module__", None) or parent.__module__
                ours[name] = home.startswith("sksparse_nn")
    hidden = re.compile("_|set_.*_request$")
    return [name for name in ours if ours[name] and not hidden.match(name)]


def is_method(value, cls):
    """Return whether what stands in a class is a method, and no attribute."""
    if not hasattr(value, "__get__") or inspect.isdatadescriptor(value):
        return False
    return callable(value) or value.__get__(None, cls) is not value


def write_api():
    """Write the page of all public names, a section for each subpackage.

    It comes from `__all__` and the first line of each subpackage's docstring, so a new
    public name needs no line here.
    """
    homes = defaultdict(list)
    for name in PUBLIC:
        homes[sksparse_nn._HOMES[name]].append(name)
    for home, names in APART.items():
        homes[home] += [f"{home}.{name}" for name in names]
    order = sorted(homes, key=lambda home: (home == "datasets", home))
    sections = "".join(api_section(home, homes[home]) for home in order)
    page = HERE / "generated" / "api.rst"
    page.parent.mkdir(exist_ok=True)
    for former in page.parent.glob("*.rst"):  # of names that are gone, perhaps
        former.unlink()
    page.write_text(API_HEAD + sections)


def api_section(home, names):
    """Return the listing of one subpackage."""
    about = import_module(f"sksparse_nn.{home}").__doc__.splitlines()[0]
    listing = "".join(f"   {name}\n" for name in names)
    head = f"{home}\n{'-' * len(home)}\n\n{about}\n\n"
    return f"{head}.. autosummary::\n   :toctree: .\n   :nosignatures:\n\n{listing}\n"


API_HEAD = """\
API reference
=============

Names are imported from ``sksparse_nn`` itself, as in
``from sksparse_nn import SparseDictionaryCoder``; what reads a fitted model, from
``sksparse_nn.inspection``, layers for networks in torch from ``sksparse_nn.modules``,
changes of training samples from ``sksparse_nn.neural.augmentation``, what files need
from ``sksparse_nn.persistence``, models of ONNX from ``sksparse_nn.onnx``, and fits on
clusters from ``sksparse_nn.parallel``.

.. currentmodule:: sksparse_nn

"""

write_api()

autosummary_generate = True
autosummary_imported_members = True
autosummary_context = {"own_methods": own_methods()}
autodoc_typehints = "none"
autodoc_member_order = "bysource"
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False


MARKUP = re.compile(r"\||(?<=\w)_(?=\W|$)")
LITERAL = re.compile("(``?[^`]+``?)")


def escape(app, what, name, obj, options, lines):  # noqa: PLR0917 (as Sphinx calls)
    """Let n_components_ and |x| stand in docstrings as a terminal shows them."""
    for at, line in enumerate(lines):
        if not line.lstrip().startswith((">>>", "...")):
            attribute, colon, text = line.rpartition(" : ")
            parts = LITERAL.split(text)
            parts[::2] = [MARKUP.sub(r"\\\g<0>", part) for part in parts[::2]]
            lines[at] = attribute + colon + "".join(parts)


def setup(app):
    """Run before numpydoc, which parses docstrings at the default priority of 500."""
    app.connect("autodoc-process-docstring", escape, priority=400)


# Examples

# They are small: where other work runs beside, threads of BLAS that wait for each other
# make them many times slower.
threadpool_limits(1, user_api="blas")

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"/plot_",
    "within_subsection_order": "FileNameSortKey",
    "backreferences_dir": "generated/backreferences",
    "doc_module": ("sksparse_nn",),
    "download_all_examples": False,
    "remove_config_comments": True,
    "show_signature": False,
    "write_computation_times": False,
    "min_reported_time": 1,
    "plot_gallery": True,
}

# Appearance

html_theme = "pydata_sphinx_theme"
html_title = "sksparse_nn"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False
html_sidebars = {"index": []}
html_theme_options = {
    "logo": {"text": "sksparse_nn"},
    "header_links_before_dropdown": 4,
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "navbar_end": ["theme-switcher"],
}
