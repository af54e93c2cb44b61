"""What an estimator is given: one matrix, or columns that become one."""

import numpy as np

from sksparse_nn.onnx._refusals import refuse


class Columns:
    """A step that puts its inputs side by side."""


def emit_columns(step, graph, x, dtype):
    """Write no nodes, as the inputs are one matrix by now.

    Parameters
    ----------
    step : Columns
        The step.

    graph : Graph
        Takes the nodes.

    x : str
        Rows, of `dtype`.

    dtype : dtype
        Float type of the rows.

    Returns
    -------
    rows : str
        The same.
    """
    return x


def read_rows(operator, graph):
    """Put the inputs of an operator side by side, as numbers of one float type.

    Parameters
    ----------
    operator : skl2onnx.common._topology.Operator
        With one input or several.

    graph : Graph
        Takes the nodes.

    Returns
    -------
    rows : str
        Their name.

    dtype : dtype
        Their type.
    """
    dtype = float_type(operator)
    parts = [graph.cast(given.full_name, dtype) for given in operator.inputs]
    rows = parts[0] if len(parts) == 1 else graph("Concat", *parts, axis=1)
    return rows, dtype


def float_type(operator):
    """Return the float type in which the inputs of an operator are read.

    Parameters
    ----------
    operator : skl2onnx.common._topology.Operator
        With one input or several.

    Returns
    -------
    dtype : dtype
        That of double precision if an input has it, else of single precision.

    Raises
    ------
    TypeError
        If an input is text.
    """
    from skl2onnx.common.data_types import guess_numpy_type, guess_tensor_type

    for given in operator.inputs:
        if is_text(given):
            refuse(
                f"{type(operator.raw_operator).__name__} of text ({given.raw_name!r})",
                "make it numbers first, as OneHotEncoder in a ColumnTransformer does",
            )
    types = [guess_tensor_type(given.type) for given in operator.inputs]
    return np.result_type(*map(guess_numpy_type, types))


def is_text(given):
    """Return whether an input is text.

    Parameters
    ----------
    given : skl2onnx.common._topology.Variable
        The input.

    Returns
    -------
    is_text : bool
        Whether it is.
    """
    from skl2onnx.common.data_types import StringTensorType

    return isinstance(given.type, StringTensorType)


def count_columns(operator):
    """Count the columns of all inputs.

    Parameters
    ----------
    operator : skl2onnx.common._topology.Operator
        With one input or several.

    Returns
    -------
    n_columns : int or None
        None if an input has any number.
    """
    widths = [given.get_second_dimension() for given in operator.inputs]
    return None if None in widths else sum(widths)
