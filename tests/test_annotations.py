"""Signatures of what is public have types, for editors and type checkers."""

import inspect
from importlib import import_module

import pytest

import sksparse_nn

pytest.importorskip("dask", reason="fits to collections are public")
pytest.importorskip("torch", reason="networks are public")
pytest.importorskip("skops", reason="model cards are public")
pytest.importorskip("skl2onnx", reason="models of ONNX are public")

PACKAGES = [
    "compression",
    "datasets",
    "decomposition",
    "feature_extraction",
    "inspection",
    "model_selection",
    "modules",
    "neural",
    "onnx",
    "parallel",
    "persistence",
    "screening",
]


def list_public():
    """Yield the name and the object of each public class and function."""
    modules = [import_module(f"sksparse_nn.{name}") for name in PACKAGES]
    for module in [sksparse_nn, *modules]:
        for name in module.__all__:
            found = getattr(module, name)
            if inspect.isclass(found) or inspect.isfunction(found):
                yield name, found


def list_functions(public):
    """Yield a public function, or the methods of a class that are written here."""
    if inspect.isfunction(public):
        yield public
        return
    for name, member in inspect.getmembers(public):
        function = member.fget if isinstance(member, property) else member
        if _is_private(name) or not (
            inspect.isfunction(function) or inspect.ismethod(function)
        ):
            continue
        function = inspect.unwrap(function)
        if (getattr(function, "__module__", None) or "").startswith("sksparse_nn"):
            yield function


@pytest.mark.parametrize(
    "public", dict(list_public()).values(), ids=dict(list_public())
)
def test_each_argument_and_result_has_a_type(public):
    for function in list_functions(public):
        signature = inspect.signature(function)
        assert signature.return_annotation is not signature.empty, function
        for name, parameter in signature.parameters.items():
            if name not in {"self", "cls"}:
                assert parameter.annotation is not parameter.empty, (function, name)


def _is_private(name):
    return name.startswith("_") and name != "__init__"
