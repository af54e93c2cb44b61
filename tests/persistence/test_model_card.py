"""Model cards say what an estimator is and what it takes."""

import pytest
from sklearn.datasets import load_digits
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler

from sksparse_nn import (
    NetPruner,
    SparseNetClassifier,
    SparseNetRegressor,
    TruncatedSVDReducer,
    compression_report,
)
from sksparse_nn.persistence import model_card

SIZE = "Model description/Size"


def rows():
    X, y = load_digits(return_X_y=True)
    return X[:200] / 16, y[:200]


def net(kind=SparseNetClassifier):
    return kind((8,), max_epochs=2, random_state=0)


def test_a_card_has_the_sizes_of_the_report(tmp_path):
    X, y = rows()
    model = make_pipeline(MaxAbsScaler(), NetPruner(net(), fine_tune_epochs=1))
    card = model_card(model.fit(X, y), X, y)
    report = compression_report({"model": model}, X, y).loc["model"]
    text = card.select(SIZE).format()
    for column in ("parameters", "nonzero", "bytes_disk", "multiply_adds"):
        assert f"{int(report[column]):,}" in text
    results = card.select("Model description/Evaluation Results").format()
    assert "accuracy" in results
    assert f"{report['accuracy']:.4g}" in results
    card.save(tmp_path / "card.md")
    written = (tmp_path / "card.md").read_text()
    assert "TRUSTED_TYPES" in written
    assert "fine_tune_epochs" in written
    assert "sk-container-id" in written, "the diagram"


def test_the_score_of_a_regressor_is_its_own():
    X, y = rows()
    card = model_card(net(SparseNetRegressor).fit(X, y), X, y)
    assert "r2" in card.select("Model description/Evaluation Results").format()


@pytest.mark.parametrize("model", [TruncatedSVDReducer(), net()])
def test_a_card_needs_neither_samples_nor_a_fit(model):
    card = model_card(model)
    assert "TRUSTED_TYPES" in card.render()
    with pytest.raises(KeyError):
        card.select(SIZE)


@pytest.mark.parametrize("given", [{"X": [[0.0]]}, {"y": [0]}])
def test_samples_without_targets_are_refused(given):
    with pytest.raises(ValueError, match="together"):
        model_card(net(), **given)
