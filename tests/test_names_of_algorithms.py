"""What an algorithm is called is known in its folder alone: it describes itself."""

import ast
from pathlib import Path

import pytest

import sksparse_nn
from sksparse_nn.solvers import coding, dictionary, patches, simplex, svd

ROOT = Path(sksparse_nn.__file__).parent
REGISTRIES = {
    "coding": coding.CODERS,
    "dictionary": dictionary.LEARNERS,
    "patches": {**patches.ENCODERS, **patches.LEARNERS},
    "simplex": {**simplex.MAPPINGS, **simplex.KEYS},
    "svd": svd.SOLVERS,
}


def described(tree):
    """Return the strings of a module that are docstrings or defaults."""
    strings = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):
            strings.add(node.value)
        elif isinstance(node, ast.FunctionDef | ast.Lambda):
            strings.update([*node.args.defaults, *node.args.kw_defaults])
    return strings


def names_in(path, names):
    tree = ast.parse(path.read_text())
    allowed = described(tree)
    return [
        (node.value, node.lineno)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value in names
        and node not in allowed
    ]


@pytest.mark.parametrize("folder", REGISTRIES)
def test_no_name_of_an_algorithm_stands_in_code_outside_its_folder(folder):
    names, home = set(REGISTRIES[folder]), ROOT / "solvers" / folder
    own = {p for p in ROOT.rglob("*.py") if home in p.parents}
    found = {
        str(path.relative_to(ROOT)): names_in(path, names)
        for path in set(ROOT.rglob("*.py")) - own
    }
    assert {path: where for path, where in found.items() if where} == {}
