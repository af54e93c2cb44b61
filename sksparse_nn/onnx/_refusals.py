"""What cannot be exported, in words."""

import sys
from importlib.util import find_spec


def refuse(what, instead):
    """Raise for something that has no converter.

    Parameters
    ----------
    what : str
        What it is.

    instead : str
        What to do.

    Raises
    ------
    TypeError
        Always.
    """
    raise TypeError(f"{what} cannot be exported to ONNX; {instead}.")


def check_installed():
    """Check that the libraries for ONNX are there.

    Raises
    ------
    ImportError
        If one is not.
    """
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
        import skl2onnx  # noqa: F401

        if find_spec("onnxscript") is None:  # which takes a second to import
            raise ImportError("No module named 'onnxscript'")
    except ImportError as error:
        raise ImportError(
            "sksparse_nn.onnx needs onnx, skl2onnx, onnxscript and onnxruntime. Got "
            f"{error} with Python at {sys.executable}; "
            'pip install "sksparse-nn[onnx]".'
        ) from error
