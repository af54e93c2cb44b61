"""Rows that are chosen of a matrix."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sksparse_nn import NetFactorizer, NetPruner, NetQuantizer
from sksparse_nn._picked_rows import spread_rows
from sksparse_nn.compression._samples import MOST_SAMPLES, choose_samples


@pytest.mark.parametrize("n_rows", [1, 9, 10, 11, 19, 20, 1001])
def test_rows_are_spread_over_all(n_rows):
    chosen = spread_rows(n_rows, 10)
    assert len(chosen) == min(n_rows, 10)
    assert (chosen[0], chosen[-1]) == (0, n_rows - 1)
    assert np.diff(chosen).min(initial=1) >= 1


def test_compression_reads_samples_of_all_labels():
    labels = np.repeat(np.arange(10), MOST_SAMPLES)
    X, weight = choose_samples(labels[:, None], labels + 1.0)
    assert_array_equal(np.bincount(X[:, 0]), MOST_SAMPLES // 10)
    assert_array_equal(weight, (X[:, 0] + 1) / 10)


@pytest.mark.parametrize("compressor", [NetFactorizer, NetPruner, NetQuantizer])
def test_compressors_say_how_many_samples_they_read(compressor):
    assert f"{MOST_SAMPLES} training samples" in " ".join(compressor.__doc__.split())
