"""What a user's type checker knows: read by mypy in `make lint`, and never called.

A line marked as an error must be one.
"""

from typing import assert_type

import numpy as np
from numpy.typing import NDArray

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
    sparse_encode,
)
from sksparse_nn.inspection import DictionaryDisplay, mean_l0, mutual_coherence
from sksparse_nn.modules import PatchNet, PlainConvNet
from sksparse_nn.onnx import to_onnx

X = np.zeros((20, 4))
y = [0, 1] * 10
coder = SparseDictionaryCoder(8, algorithm="omp", n_nonzero_coefs=2, random_state=0)
net = SparseNetClassifier((16,), coder=coder, class_weight="balanced", callbacks=None)


def use_transformers() -> None:
    assert_type(coder.fit(X), SparseDictionaryCoder)
    assert_type(coder.fit(X, sample_weight=y).partial_fit(X), SparseDictionaryCoder)
    assert_type(coder.inverse_transform(coder.transform(X)), NDArray)
    assert_type(SparseAttentionCoder(4, n_active=3).fit(X), SparseAttentionCoder)
    assert_type(TopKAutoencoder(8, n_nonzero_coefs=2).fit(X), TopKAutoencoder)
    assert_type(ImagePatchCoder(8, image_shape=(2, 2)).fit(X), ImagePatchCoder)
    assert_type(
        TruncatedSVDReducer(0.9, groups=[0, 0, 1, 1]).fit(X), TruncatedSVDReducer
    )
    assert_type(TruncatedSVDReducer(2).fit_transform(X), NDArray)


def use_networks() -> None:
    assert_type(net.fit(X, y, X_val=X, y_val=y), SparseNetClassifier)
    assert_type(net.predict_proba(X), NDArray)
    assert_type(net.score(X, y), float)
    assert_type(SparseNetRegressor(16, module=None).fit(X, y).predict(X), NDArray)
    assert_type(NetPruner(net, amount=0.5).fit(X, y), NetPruner)
    assert_type(NetQuantizer(NetFactorizer(net, rank=2)).fit(X, y).score(X, y), float)
    assert_type(
        SparsitySearchCV(net, {"coder__alpha": [1]}).fit(X, y), SparsitySearchCV
    )
    assert_type(LayerActivations(net, layer=0).fit(X, y).transform(X), NDArray)


def use_functions() -> None:
    assert_type(mean_l0(sparse_encode(X, np.eye(4))), float)
    assert_type(mutual_coherence(np.eye(4)), float)
    assert_type(DictionaryDisplay.from_estimator(coder), DictionaryDisplay)
    assert_type(PatchNet.from_coder(coder, 10), PatchNet)
    to_onnx(net, "net.onnx", X=X)


def misuse() -> None:
    SparseDictionaryCoder(8, n_nonzero=2)  # type: ignore[call-arg]
    SparseDictionaryCoder(8, "omp")  # type: ignore[call-arg]
    SparseDictionaryCoder("eight")  # type: ignore[arg-type]
    SparseNetClassifier(max_epochs=0.5)  # type: ignore[arg-type]
    TruncatedSVDReducer(2).fit()  # type: ignore[call-arg]
    NetPruner()  # type: ignore[call-arg]
    PlainConvNet(4, 10)  # type: ignore[call-arg]
