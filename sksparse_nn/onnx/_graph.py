"""Nodes of a graph of ONNX, written one after the other."""

import numpy as np

# From here on axes of sums are inputs, as they are written below.
_OLDEST_OPSET = 18


class Graph:
    """The part of a model of skl2onnx that one estimator becomes.

    Parameters
    ----------
    scope : skl2onnx.common._topology.Scope
        Gives names.

    container : skl2onnx.common._container.ModelComponentContainer
        Takes nodes and constants.

    Raises
    ------
    ValueError
        If the operators of the model are too old.
    """

    def __init__(self, scope, container):
        self._scope, self._container = scope, container
        self._known = {}
        if container.target_opset < _OLDEST_OPSET:
            raise ValueError(
                f"target_opset must be {_OLDEST_OPSET} or newer for estimators of "
                f"sksparse_nn. Got {container.target_opset}; raise it, or leave it out."
            )

    def __call__(self, kind, *inputs, n_outputs=1, **attributes):
        """Add a node and name its outputs.

        Parameters
        ----------
        kind : str
            Operator.

        *inputs : str or ndarray
            Names of values, or constants.

        n_outputs : int, default=1
            Number of outputs.

        **attributes : dict
            Of the operator.

        Returns
        -------
        output : str or list of str
            Names, of several outputs as a list.
        """
        outputs = [self.name(kind) for _ in range(n_outputs)]
        inputs = [x if isinstance(x, str) else self.constant(x) for x in inputs]
        self._put(kind, inputs, outputs, attributes)
        return outputs[0] if n_outputs == 1 else outputs

    def name(self, kind):
        """Return a name that is not taken."""
        return self._scope.get_unique_variable_name(kind)

    def constant(self, values):
        """Store an array and return its name; equal ones are stored once."""
        from onnx import numpy_helper

        values = np.asarray(values)
        key = values.dtype.str, values.shape, _bytes_of(values)
        if key not in self._known:
            name = self.name("constant")
            tensor = numpy_helper.from_array(values, name)
            self._container.initializers.append(tensor)
            self._known[key] = name
        return self._known[key]

    def cast(self, x, dtype):
        """Convert a value to a type of NumPy."""
        from onnx.helper import np_dtype_to_tensor_dtype

        return self("Cast", x, to=np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def sum(self, x, axis=1):
        """Sum over an axis, which stays."""
        return self("ReduceSum", x, np.array([axis]), keepdims=1)

    def largest(self, x):
        """Return the largest value of each row, of shape (n_rows, 1)."""
        return self("ReduceMax", x, np.array([1]), keepdims=1)

    def keep(self, condition, x):
        """Return a value where a condition holds, and zero elsewhere."""
        zero = self("CastLike", np.array(0.0), x)
        return self("Where", condition, x, zero)

    def loop(self, n_most, body, *start):
        """Repeat some nodes.

        Parameters
        ----------
        n_most : int
            Most repetitions.

        body : callable
            Takes a graph and the names of the values that are carried on. Returns the
            name of whether to go on, and their new names.

        *start : str
            Names of the values at first, in double precision.

        Returns
        -------
        values : list of str
            Names of the values at last.
        """
        from onnx import TensorProto, helper

        inner = _Body(self)
        names = [self.name("carried") for _ in start]
        goes_on, after = body(inner, *names)
        number, before = self.name("number"), self.name("goes_on")

        def declare(name):
            return helper.make_tensor_value_info(name, TensorProto.DOUBLE, None)

        graph = helper.make_graph(
            inner.nodes,
            self.name("body"),
            [
                helper.make_tensor_value_info(number, TensorProto.INT64, []),
                helper.make_tensor_value_info(before, TensorProto.BOOL, []),
                *map(declare, names),
            ],
            [
                helper.make_tensor_value_info(goes_on, TensorProto.BOOL, []),
                *map(declare, after),
            ],
        )
        inputs = np.array(n_most), np.array(True), *start
        return self("Loop", *inputs, n_outputs=len(start), body=graph)

    @property
    def opset(self):
        """The version of the operators."""
        return self._container.target_opset

    def inline(self, model, x):
        """Add the nodes of a model of one input and one output.

        Parameters
        ----------
        model : onnx.ModelProto
            Of the same version.

        x : str
            Name of its input.

        Returns
        -------
        output : str
            Name of its output.
        """
        from onnx.compose import add_prefix

        model = add_prefix(model, f"{self.name('traced')}_")
        (given,), (output,) = model.graph.input, model.graph.output
        self._container.initializers.extend(model.graph.initializer)
        self._container.nodes.append(_rename(x, given.name))
        self._container.nodes.extend(model.graph.node)
        return output.name

    def put_out(self, x, operator_output):
        """Give a value the name under which skl2onnx knows it."""
        self._put("Identity", [x], [operator_output.full_name], {})

    def _put(self, kind, inputs, outputs, attributes):
        self._container.add_node(
            kind,
            inputs,
            outputs,
            op_version=self._container.target_opset,
            name=self._scope.get_unique_operator_name(kind),
            **attributes,
        )


class _Body(Graph):
    """The nodes that a loop repeats; constants lie outside."""

    def __init__(self, outer):
        self._outer, self.nodes = outer, []

    def name(self, kind):
        return self._outer.name(kind)

    def constant(self, values):
        return self._outer.constant(values)

    def _put(self, kind, inputs, outputs, attributes):
        from onnx import helper

        self.nodes.append(helper.make_node(kind, inputs, outputs, **attributes))


def _rename(old, new):
    from onnx import helper

    return helper.make_node("Identity", [old], [new], name=f"{new}_identity")


def _bytes_of(values):
    return tuple(values.ravel()) if values.dtype.kind in "OU" else values.tobytes()
