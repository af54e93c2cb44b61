"""The record of a fit."""

import numpy as np
from numpy.testing import assert_array_equal

from sksparse_nn._history import add_epochs, first_epochs


def test_epochs_are_added_to_each_column():
    history = add_epochs({}, [{"epoch": 1, "loss": 0.5}])
    history = add_epochs(history, [{"epoch": 2, "loss": 0.25}])
    assert list(history) == ["epoch", "loss"]
    assert history["epoch"].dtype == int
    assert_array_equal(history["epoch"], [1, 2])
    assert_array_equal(history["loss"], [0.5, 0.25])


def test_what_an_epoch_lacks_is_nan():
    history = add_epochs({}, [{"loss": 0.5}, {"loss": 0.25, "score": 1.0}])
    history = add_epochs(history, [{"note": "late", "score": 2.0}])
    assert_array_equal(history["loss"], [0.5, 0.25, np.nan])
    assert_array_equal(history["score"], [np.nan, 1.0, 2.0])
    assert history["note"][-1] == "late"


def test_the_first_epochs_are_cut_from_each_column():
    history = add_epochs({}, [{"loss": 0.5}, {"loss": 0.25}])
    assert_array_equal(first_epochs(history, 1)["loss"], [0.5])
    assert first_epochs({}, 3) == {}
