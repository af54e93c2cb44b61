"""Tables: each column is an input of its own, and the first step gets them all."""

import numpy as np
import onnxruntime
import pandas as pd
import pytest
import skl2onnx
from numpy.testing import assert_allclose, assert_array_equal
from skl2onnx.common.data_types import (
    DoubleTensorType,
    FloatTensorType,
    Int64TensorType,
)
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sksparse_nn import (
    ImagePatchCoder,
    LayerActivations,
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
from sksparse_nn.onnx import register, to_onnx
from tests.estimators import NETS, TRANSFORMERS, name_of
from tests.onnx.test_every_estimator import EXPORTED, UNSEEN, X, check, y

pytestmark = pytest.mark.filterwarnings("ignore")

# Not all of them may be names of inputs, and skl2onnx changes those.
NAMES = ["width", "a b", "a_b", *(f"column {i}" for i in range(9))]


def table(rows):
    return pd.DataFrame(rows, columns=NAMES)


def run(model, frame):
    """Return the outputs for a table, whose columns are given one by one."""
    session = onnxruntime.InferenceSession(model.SerializeToString())
    names = [one.name for one in session.get_inputs()]
    columns = [frame.iloc[:, [i]].to_numpy() for i in range(frame.shape[1])]
    return session.run(None, dict(zip(names, columns, strict=True)))


def seeded(estimator):
    estimator = clone(estimator)
    if "random_state" in estimator.get_params():
        estimator.set_params(random_state=0)
    return estimator


@pytest.mark.parametrize("estimator", EXPORTED, ids=name_of)
def test_outputs_of_tables_are_those_of_the_estimator(estimator):
    estimator, unseen = seeded(estimator).fit(table(X), y), table(UNSEEN)
    model = to_onnx(estimator, X=unseen[:20])
    assert len(model.graph.input) == 12
    check(estimator, unseen, run(model, unseen))
    check(estimator, unseen[:1], run(model, unseen[:1]))


FIRST = [coder for coder in TRANSFORMERS if coder in EXPORTED]


@pytest.mark.parametrize("coder", FIRST[::3], ids=name_of)
@pytest.mark.parametrize("net", NETS[2::9], ids=name_of)
def test_two_steps_of_ours_on_a_table_give_the_same(coder, net):
    pipeline = make_pipeline(seeded(coder), seeded(net)).fit(table(X), y)
    model = to_onnx(pipeline, X=table(UNSEEN[:20]))
    found, wanted = run(model, table(UNSEEN[:200]))[-1], table(UNSEEN[:200])
    method = "predict_proba" if hasattr(net, "predict_proba") else "predict"
    wanted = getattr(pipeline, method)(wanted).reshape(found.shape)
    assert_allclose(found, wanted, atol=1e-3 * np.abs(wanted).max())


rng = np.random.default_rng(0)
ROWS = (3 * rng.standard_normal((80, 4))).round(1).astype(np.float32)
LABELS = (ROWS[:, 0] > 0).astype(int)
FLOATS = pd.DataFrame(ROWS, columns=list("abcd"))
WHOLE = (10 * FLOATS).round().astype(np.int64)

# Tables, and the type that their numbers have in ONNX.
TABLES = {
    "float32": (FLOATS, np.float32),
    "float64": (FLOATS.astype(np.float64), np.float64),
    "int64": (WHOLE, np.float32),
    "int32": (WHOLE.astype(np.int32), np.float32),
    "int16": (WHOLE.astype(np.int16), np.float32),
    "uint8": (WHOLE.abs().clip(0, 255).astype(np.uint8), np.float32),
    "uint32": (WHOLE.abs().astype(np.uint32), np.float32),
    "float16": (FLOATS.astype(np.float16), np.float32),
    "bool": (FLOATS > 0, np.float32),
    "Int64": (WHOLE.astype("Int64"), np.float32),
    "Float64": (FLOATS.astype("Float64"), np.float32),
    "categories": (WHOLE.astype("category"), np.float32),
    "first of float64": (FLOATS.astype({"a": np.float64}), np.float64),
    "last of float64": (FLOATS.astype({"d": np.float64}), np.float64),
    "first of int64": (FLOATS.assign(a=WHOLE.a), np.float32),
    "int64 and float64": (WHOLE.assign(b=FLOATS.b.astype(np.float64)), np.float64),
    "bool and float32": (FLOATS.assign(b=FLOATS.b > 0), np.float32),
    "all": (
        FLOATS.astype({"d": np.float64}).assign(a=FLOATS.a > 0, b=WHOLE.b),
        np.float64,
    ),
    "numbers for names": (FLOATS.set_axis(range(4), axis=1), np.float32),
    "two columns": (FLOATS[["a", "c"]], np.float32),
}


def net(*sizes, kind=SparseNetClassifier, **parameters):
    return kind(sizes, max_epochs=2, random_state=0, **parameters)


def dictionary(n_atoms=6, **parameters):
    return SparseDictionaryCoder(
        n_atoms, algorithm="omp", max_epochs=1, random_state=0, **parameters
    )


STEPS = {
    "reducer": TruncatedSVDReducer(1),
    "dictionary": dictionary(),
    "attention": SparseAttentionCoder(3, random_state=0),
    "autoencoder": TopKAutoencoder(4, n_nonzero_coefs=1, max_epochs=2, random_state=0),
    "union": make_union(TruncatedSVDReducer(1), dictionary()),
    "classifier": net(4),
    "regressor": net(4, kind=SparseNetRegressor),
    "tuned": net(coder=TruncatedSVDReducer(1)),
    "coder of scikit-learn": net(coder=PCA(1), tune_coder=False),
    "scaler": NetPruner(net(4, coder=StandardScaler(), tune_coder=False)),
    "integers": NetQuantizer(net(4), scheme="weight_only"),
    "activations": LayerActivations(net(4, coder=PCA(1), tune_coder=False)),
}


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
@pytest.mark.parametrize(("frame", "dtype"), TABLES.values(), ids=TABLES)
def test_columns_of_all_types_of_numbers_are_read(step, frame, dtype):
    estimator = clone(step).fit(frame, LABELS)
    model = to_onnx(estimator, X=frame, tol=1e-4)
    assert len(model.graph.input) == frame.shape[1]
    kind = model.graph.output[-1].type.tensor_type.elem_type
    is_double = dtype == np.float64 and not hasattr(step, "predict_proba")
    assert kind == (11 if is_double else 1)


def test_columns_after_registering_need_not_be_one_wide():
    register()
    X = np.hstack([ROWS, WHOLE.to_numpy()])
    coder = TopKAutoencoder(4, n_nonzero_coefs=1, max_epochs=2, random_state=0).fit(X)
    types = {
        "a": FloatTensorType([None, 1]),
        "b": DoubleTensorType([None, 3]),
        "c": Int64TensorType([None, 4]),
    }
    model = skl2onnx.convert_sklearn(coder, initial_types=list(types.items()))
    session = onnxruntime.InferenceSession(model.SerializeToString())
    inputs = {"a": ROWS[:, :1], "b": ROWS[:, 1:].astype(float), "c": WHOLE.to_numpy()}
    [found] = session.run(None, inputs)
    assert found.dtype == np.float64
    assert_allclose(found, coder.transform(X).toarray(), atol=1e-5)


def test_columns_of_any_width_are_put_together():
    register()
    reducer = make_pipeline(TruncatedSVDReducer(2), net(3)).fit(ROWS, LABELS)
    types = [(name, FloatTensorType([None, None])) for name in "ab"]
    model = skl2onnx.convert_sklearn(reducer, initial_types=types)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    labels, _ = session.run(None, {"a": ROWS[:, :3], "b": ROWS[:, 3:]})
    assert_array_equal(labels, reducer.predict(ROWS))


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
def test_text_is_refused_in_words(step):
    frame = FLOATS.assign(b=FLOATS.b.astype(str))
    estimator = clone(step).fit(frame, LABELS)
    with pytest.raises(
        (TypeError, RuntimeError),
        match=r"of text \('b'\)|input\(s\) (is|are)|wrong type",
    ):
        to_onnx(estimator, X=frame)


def test_a_first_step_that_picks_columns_by_name_gets_them_one_by_one():
    frame = FLOATS.assign(b=np.where(FLOATS.b > 0, "up", "down"), e=WHOLE.a // 20)
    columns = make_column_transformer(
        (TruncatedSVDReducer(2), ["a", "c", "d"]),
        (OneHotEncoder(sparse_output=False), ["b", "e"]),
    )
    for names in (list(frame), ["a", "c", "d", "e"]):
        some = frame[names]
        if "b" not in names:
            columns = make_union(
                make_column_transformer((StandardScaler(), ["a", "d"])),
                make_column_transformer(
                    (OneHotEncoder(sparse_output=False), ["e"]),
                    (TruncatedSVDReducer(1), ["c", "a"]),
                ),
            )
        for wrap in (lambda pipeline: pipeline, NetPruner, NetQuantizer):
            estimator = wrap(make_pipeline(columns, net(4))).fit(some, LABELS)
            to_onnx(estimator, X=some)


def test_a_search_may_begin_with_a_step_that_takes_one_input():
    steps = make_pipeline(PCA(3), dictionary(4), net(4))
    grid = {"sparsedictionarycoder__n_nonzero_coefs": [1, 2]}
    search = SparsitySearchCV(steps, grid, cv=2).fit(FLOATS, LABELS)
    to_onnx(search, X=FLOATS)


PIXELS = rng.integers(0, 256, (80, 36)).astype(np.uint8)
IMAGES = {
    "resnet8": net(module="resnet8", image_shape=(1, 6, 6)),
    "plain_conv_net": net(module="plain_conv_net", image_shape=(1, 6, 6)),
    "channels": NetPruner(
        net(module="plain_conv_net", image_shape=(1, 6, 6)),
        structure="channel",
        fine_tune_epochs=0,
    ),
    "patches": ImagePatchCoder(
        4, image_shape=(6, 6), patch_size=3, max_epochs=1, random_state=0
    ),
    "patches and a network": make_pipeline(
        ImagePatchCoder(
            4, image_shape=(6, 6), patch_size=3, max_epochs=1, random_state=0
        ),
        net(4),
    ),
    "tuned patches": net(
        image_shape=(1, 6, 6),
        coder=ImagePatchCoder(
            4,
            image_shape=(1, 6, 6),
            channel_axis=0,
            patch_size=3,
            algorithm="soft_threshold",
            max_epochs=1,
        ),
    ),
}


@pytest.mark.parametrize("estimator", IMAGES.values(), ids=IMAGES)
@pytest.mark.parametrize("dtype", [np.uint8, np.float64, np.int64])
def test_pixels_may_be_columns(estimator, dtype):
    frame = pd.DataFrame(PIXELS.astype(dtype)).add_prefix("pixel ")
    estimator = clone(estimator).fit(frame, LABELS)
    model = to_onnx(estimator, X=frame)
    assert len(model.graph.input) == 36
    check(estimator, frame, run(model, frame))
