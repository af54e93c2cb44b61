"""Names, bars and pictures."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sksparse_nn.drawing._canvas import lettered, signed_bars, strongest
from sksparse_nn.drawing._pictures import as_pictures, signed, tiled
from tests.inspection.displays.models import HOSTILE


def test_names_are_drawn_letter_by_letter():
    _, ax = plt.subplots()
    signed_bars(ax, HOSTILE, np.arange(-2, 3))
    ax.figure.canvas.draw()
    assert lettered("$x_1$") == r"\$x_1\$"
    assert lettered("a  b\nc") == "a b c"
    assert lettered("x" * 200, 10) == "x" * 9 + "…"
    assert lettered(3) == "3"
    plt.close(ax.figure)


def test_the_strongest_have_the_largest_magnitudes():
    assert_array_equal(strongest(np.array([1, 0, -3, 2, 0]), 4), [2, 3, 0])
    assert_array_equal(strongest(np.array([1, 0, -3, 2, 0]), 2), [2, 3])


def test_rows_are_pictures_with_channels_first_or_last():
    rows = np.arange(24).reshape(2, 12)
    assert_array_equal(as_pictures(rows, (3, 4)), rows.reshape(2, 3, 4))
    last = as_pictures(rows, (2, 2, 3), channel_axis=2)
    assert_array_equal(last, rows.reshape(2, 2, 2, 3))
    first = as_pictures(rows, (3, 2, 2), channel_axis=0)
    assert_array_equal(first, rows.reshape(2, 3, 2, 2).transpose(0, 2, 3, 1))
    with pytest.raises(ValueError, match="Got rows of 12"):
        as_pictures(rows, (5, 5))
    with pytest.raises(ValueError, match="which has 2"):
        as_pictures(rows, (3, 2, 2), channel_axis=2)


def test_tiles_stand_in_their_order_a_pixel_apart():
    pictures = np.arange(1, 13.0).reshape(3, 2, 2)
    grid = tiled(pictures, 2)
    assert grid.shape == (5, 5)
    assert_array_equal(grid[:2, :2], pictures[0])
    assert_array_equal(grid[:2, 3:], pictures[1])
    assert_array_equal(grid[3:, :2], pictures[2])
    assert np.isnan(grid[2]).all()
    assert np.isnan(grid[3:, 3:]).all()
    assert tiled(np.zeros((3, 2, 2, 3)), 2).max() == 1


def test_zero_is_in_the_middle_of_what_is_drawn():
    pictures = np.array([[[0.0, -4], [2, 1]], [[0, 0], [0, 0]]])
    assert_allclose(signed(pictures)[0], [[0, -1], [0.5, 0.25]])
    assert_allclose(signed(pictures)[1], 0)
    colours = signed(np.array([[[[-2.0, 0, 1]]]]))
    assert_allclose(colours[0, 0, 0], [0, 0.5, 0.75])
