"""Names of classes, samples, features and models in displays."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.datasets import load_digits
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sksparse_nn import (
    SparseDictionaryCoder,
    TruncatedSVDReducer,
)
from sksparse_nn.inspection import (
    AtomCardDisplay,
    CompressionDisplay,
    DictionaryDisplay,
    ReconstructionDisplay,
)
from tests.inspection.displays.models import DISPLAYS, SHAPE, assert_texts_fit


def test_twenty_classes_with_long_names_are_all_named(models):
    classes = np.array([f"talk.politics.{i}.miscellaneous" for i in range(20)])
    y = classes[np.arange(len(models.X)) % 20]
    display = AtomCardDisplay.from_estimator(models.coder, models.X, y, **SHAPE)
    assert_texts_fit(display)
    assert len(display.axes_[2].get_yticklabels()) == 20


def test_samples_are_named_by_their_texts_places_or_given_names(models):
    texts = np.array(models.texts, dtype=object)
    display = AtomCardDisplay.from_estimator(models.text[:-1], texts)
    assert (
        display.samples["names"][0][:20]
        == " ".join(texts[display.samples["rows"][0]].split())[:20]
    )
    given = [f"sample {i}" for i in range(60)]
    display = AtomCardDisplay.from_estimator(
        models.text[:-1], models.texts, sample_names=given
    )
    assert display.samples["names"][0] == f"sample {display.samples['rows'][0]}"
    display = DISPLAYS["card without classes"](models)
    assert display.samples["names"][0] == f"row {display.samples['rows'][0]}"


def test_names_come_from_the_steps_ahead(models):
    model = make_pipeline(StandardScaler(), models.coder).fit(models.X)
    display = DictionaryDisplay.from_estimator(model)
    assert display.feature_names[3] == "x3"
    words = DictionaryDisplay.from_estimator(models.text[:-1]).feature_names
    assert_array_equal(words, models.text[0].get_feature_names_out())


def test_bytes_do_not_overflow_in_the_error_of_a_reconstruction():
    X = (255 * load_digits().data[:200] / 16).astype(np.uint8)
    coder = SparseDictionaryCoder(
        16, algorithm="omp", n_nonzero_coefs=4, max_epochs=1, random_state=0
    )
    coder.fit(X)
    one, two = (
        ReconstructionDisplay.from_estimator(coder, rows).error
        for rows in (X, X.astype(float))
    )
    plt.close("all")
    assert one == pytest.approx(two, rel=1e-3)


def test_frozen_pipelines_send_rows_through_their_steps():
    X = load_digits().data[:200]
    model = make_pipeline(StandardScaler(), TruncatedSVDReducer(5)).fit(X)
    one, two = (
        ReconstructionDisplay.from_estimator(m, X).error
        for m in (model, FrozenEstimator(model))
    )
    plt.close("all")
    assert one == two


def test_names_in_a_series_are_taken_in_their_order():
    names = pd.Series(["a", "b", "c"], index=[2, 1, 0])
    display = DictionaryDisplay(np.array([[3.0, 2.0, 1.0]]), feature_names=names)
    assert "a, b, c" in display.describe()


def test_a_crowded_picture_names_what_nothing_else_beats():
    n = 30
    costs = np.arange(1.0, n + 1)
    scores = np.where(np.arange(n) < 5, np.arange(n), 0) / 10
    report = pd.DataFrame(
        {"accuracy": scores, "bytes_disk": costs, "latency_1": costs},
        index=[f"model {i}" for i in range(n)],
    )
    for display in (CompressionDisplay(report), CompressionDisplay(report[:8])):
        texts = [text.get_text() for text in display.plot().axes_[0].texts]
        assert texts == [
            f"model {i}" for i in range(5 if len(display.report) > 8 else 8)
        ]
