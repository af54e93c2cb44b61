"""Our estimators made known to skl2onnx."""

from __future__ import annotations

import numpy as np
from sklearn.pipeline import FeatureUnion

from sksparse_nn import (
    ImagePatchCoder,
    LayerActivations,
    NetFactorizer,
    NetPruner,
    NetQuantizer,
    SparseAttentionCoder,
    SparseDictionaryCoder,
    SparseNetClassifier,
    SparseNetRegressor,
    SparsitySearchCV,
    TopKAutoencoder,
    TruncatedSVDReducer,
)
from sksparse_nn._pipelines import list_steps
from sksparse_nn.neural._targets import Classes
from sksparse_nn.onnx._activations import emit_activations
from sksparse_nn.onnx._attention import emit_attention_codes
from sksparse_nn.onnx._autoencoder import emit_latents
from sksparse_nn.onnx._coders import emit_dictionary_codes
from sksparse_nn.onnx._graph import Graph
from sksparse_nn.onnx._inputs import (
    Columns,
    count_columns,
    emit_columns,
    float_type,
    is_text,
    read_rows,
)
from sksparse_nn.onnx._networks import emit_classes, emit_numbers, name_classes
from sksparse_nn.onnx._patches import emit_patch_codes
from sksparse_nn.onnx._reducers import emit_coordinates
from sksparse_nn.onnx._refusals import check_installed, refuse

_TRANSFORMERS = {
    ImagePatchCoder: emit_patch_codes,
    SparseAttentionCoder: emit_attention_codes,
    SparseDictionaryCoder: emit_dictionary_codes,
    TopKAutoencoder: emit_latents,
    TruncatedSVDReducer: emit_coordinates,
}

# Estimators that are as what they hold.
_FRAMES = {
    NetFactorizer: "estimator_",
    NetPruner: "estimator_",
    NetQuantizer: "estimator_",
    SparsitySearchCV: "best_estimator_",
}

# Those that skl2onnx asks for in classifiers, and the values that are heeded.
_OPTIONS = {
    "zipmap": [True, False, "columns"],
    "nocl": [False],
    "output_class_labels": [False, True],
    "raw_scores": [False],
}


def register() -> None:
    """Make the estimators of this package known to skl2onnx.

    After that ``skl2onnx.to_onnx`` converts them, alone and in pipelines and
    ColumnTransformers with estimators that it knows. Codes of sparse matrices come out
    dense. Classifiers give labels and probabilities, and heed the option `zipmap`.
    Several inputs are put side by side.

    Raises
    ------
    ImportError
        If onnx, skl2onnx or onnxruntime is not installed.

    See Also
    --------
    to_onnx : Converts and checks the result.

    Examples
    --------
    >>> import skl2onnx
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sksparse_nn import TruncatedSVDReducer
    >>> from sksparse_nn.onnx import register
    >>> X, y = load_digits(return_X_y=True)
    >>> pipeline = make_pipeline(StandardScaler(), TruncatedSVDReducer(8)).fit(X)
    >>> register()
    >>> model = skl2onnx.to_onnx(pipeline, X[:1])
    >>> [output.name for output in model.graph.output]
    ['variable']
    """
    check_installed()
    _register(Columns, _shape_columns, _converter_of(emit_columns))
    for kind, emit in _TRANSFORMERS.items():
        _register(kind, _shape_codes, _converter_of(emit))
    how = {"parser": _parse_activations}
    _register(LayerActivations, _shape_codes, _converter_of(emit_activations), **how)
    parse = {"parser": _parse_network}
    _register(
        SparseNetClassifier, _shape_classes, _convert_classes, options=_OPTIONS, **parse
    )
    _register(SparseNetRegressor, _shape_numbers, _convert_numbers, **parse)
    for kind, name in _FRAMES.items():
        how = {"parser": _parser_of(name), "options": _OPTIONS}
        _register_refused(kind, f"export its {name}", **how)


def _register(kind, shape, convert, **how):
    from skl2onnx import update_registered_converter

    alias = f"Sksparse{kind.__name__}"
    update_registered_converter(kind, alias, shape, convert, **how)


def _register_refused(kind, instead, **how):
    def shape(operator):
        refuse(kind.__name__, instead)

    def convert(scope, operator, container):
        refuse(kind.__name__, instead)

    _register(kind, shape, convert, **how)


def _parser_of(name):
    """Return the parser of an estimator that is as what it holds."""

    def parse(scope, model, inputs, custom_parsers=None):
        steps = [getattr(model, name)]
        return _parse_inner(scope, model, steps, inputs, custom_parsers)

    return parse


def _parse_network(scope, model, inputs, custom_parsers=None):
    """Parse a network; a coder ahead of it that is not tuned is a step of its own."""
    from skl2onnx._parse import _parse_sklearn_classifier, _parse_sklearn_simple_model

    if model._codes_first:
        steps = model._split_steps()
        return _parse_inner(scope, model, steps, inputs, custom_parsers)
    if isinstance(model, SparseNetClassifier):
        return _parse_sklearn_classifier(scope, model, inputs, custom_parsers)
    return _parse_sklearn_simple_model(scope, model, inputs, custom_parsers)


def _parse_activations(scope, model, inputs, custom_parsers=None):
    """Parse what stands ahead of the network, and then the network to the layer."""
    from skl2onnx._parse import _parse_sklearn_simple_model

    steps = list_steps(model.estimator_)[:-1]
    inputs = _parse_inner(scope, model, steps, inputs, custom_parsers)
    return _parse_sklearn_simple_model(scope, model, inputs, custom_parsers)


def _parse_inner(scope, model, steps, inputs, custom_parsers):
    from skl2onnx._parse import _parse_sklearn

    options = (scope.options or {}).get(id(model))
    if _take_a_matrix(steps, inputs):
        steps = [Columns(), *steps]
    for step in steps:
        if options and step is steps[-1] and hasattr(step, "classes_"):
            _hand_on(scope, step, options)
        inputs = _parse_sklearn(scope, step, inputs, custom_parsers=custom_parsers)
    return inputs


def _take_a_matrix(steps, inputs):
    """Return whether several inputs become one ahead of the first step.

    Some converters of skl2onnx take one input only. Those that take columns are on a
    list of it, and may be in a FeatureUnion.
    """
    from skl2onnx._parse import do_not_merge_columns

    if len(inputs) == 1 or not steps or any(map(is_text, inputs)):
        return False
    first, *_ = list_steps(steps[0])
    return not isinstance(first, (*do_not_merge_columns, FeatureUnion))


def _hand_on(scope, step, options):
    """Give options to an inner estimator, and in a pipeline to its last step."""
    scope.add_options(id(step), options)
    if hasattr(step, "steps"):
        _hand_on(scope, step.steps[-1][1], options)


def _shape_columns(operator):
    _set_type(operator, 0, count_columns(operator))


def _shape_codes(operator):
    _set_type(operator, 0, operator.raw_operator._n_features_out)


def _shape_numbers(operator):
    _set_type(operator, 0, operator.raw_operator.n_outputs_)


def _shape_classes(operator):
    from skl2onnx.common.data_types import (
        FloatTensorType,
        Int64TensorType,
        StringTensorType,
    )

    model = operator.raw_operator
    n_rows = operator.inputs[0].get_first_dimension()
    is_text = name_classes(model).dtype == object
    label = StringTensorType if is_text else Int64TensorType
    is_single = isinstance(model._targets, Classes)
    shape = [n_rows] if is_single else [n_rows, model.n_outputs_]
    operator.outputs[0].type = label(shape)
    operator.outputs[1].type = FloatTensorType([n_rows, model.n_outputs_])


def _set_type(operator, number, width):
    from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType

    kind = DoubleTensorType if float_type(operator) == np.float64 else FloatTensorType
    n_rows = operator.inputs[0].get_first_dimension()
    operator.outputs[number].type = kind([n_rows, width])


def _converter_of(emit):
    """Return the converter of a transformer."""

    def convert(scope, operator, container):
        graph = Graph(scope, container)
        x, dtype = read_rows(operator, graph)
        codes = emit(operator.raw_operator, graph, x, dtype)
        graph.put_out(codes, operator.outputs[0])

    return convert


def _convert_classes(scope, operator, container):
    graph = Graph(scope, container)
    x, _ = read_rows(operator, graph)
    found = emit_classes(operator.raw_operator, graph, x)
    for name, output in zip(found, operator.outputs, strict=True):
        graph.put_out(name, output)


def _convert_numbers(scope, operator, container):
    graph = Graph(scope, container)
    x, dtype = read_rows(operator, graph)
    numbers = emit_numbers(operator.raw_operator, graph, x, dtype)
    graph.put_out(numbers, operator.outputs[0])
