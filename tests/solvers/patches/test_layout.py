"""Where pixels, patches and regions are, against slicing an image."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sksparse_nn.solvers.patches import read_layout

DEFAULTS = {"channel_axis": None, "patch_size": 2, "stride": 1, "pooled_shape": 2}


def layout_of(n_features, image_shape, **parameters):
    parameters = DEFAULTS | parameters
    return read_layout(n_features, image_shape=image_shape, **parameters)


SHAPES = {
    "grey": ((6, 5), None, (6, 5, 1), False),
    "channels last": ((6, 5, 3), None, (6, 5, 3), False),
    "channels first": ((3, 6, 5), None, (6, 5, 3), True),
    "first, told so": ((4, 6, 4), 0, (6, 4, 4), True),
    "last, told so": ((2, 6, 4), -1, (2, 6, 4), False),
}


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("patch", [1, 2, (2, 3)])
@pytest.mark.parametrize("stride", [1, 2])
def test_patches_are_slices(name, patch, stride):
    shape, axis, sides, first = SHAPES[name]
    n_features = int(np.prod(shape))
    layout = layout_of(
        n_features,
        shape,
        channel_axis=axis,
        patch_size=patch,
        stride=stride,
        pooled_shape=1,
    )
    assert (layout.height, layout.width, layout.n_channels) == sides
    flat = np.arange(n_features)
    image = flat.reshape(shape)
    image = image.transpose(1, 2, 0) if first else image.reshape(sides)
    height, width = layout.patch
    expected = [
        image[y : y + height, x : x + width].ravel()
        for y in range(0, sides[0] - height + 1, stride)
        for x in range(0, sides[1] - width + 1, stride)
    ]
    by_pixel = layout.to_pixel_order(flat[None])
    assert_array_equal(layout.to_given_order(by_pixel)[0], flat)
    found = by_pixel[0, layout.corners[:, None] + layout.pixels[None, :]]
    assert_array_equal(found, expected)
    assert layout.n_positions == len(expected)


def test_regions_part_the_positions_evenly():
    layout = layout_of(32 * 32 * 3, (32, 32, 3), patch_size=6)
    regions = layout.regions.reshape(27, 27)
    assert_array_equal(np.bincount(layout.regions), [14 * 14, 14 * 13, 13 * 14, 169])
    assert_array_equal(regions[:14, :14], 0)
    assert_array_equal(regions[14:, :14], 2)


def test_rows_of_pixels_are_cut_down_to_what_they_have():
    assert layout_of(1, (1, -1), patch_size=6).n_positions == 1
    assert layout_of(7, (1, -1), patch_size=6).grid == (1, 2)
    assert layout_of(6, (1, -1), patch_size=6).grid == (1, 1)


@pytest.mark.parametrize(
    ("n_features", "shape", "parameters", "message"),
    [
        (30, (6, 6), {}, "of 36 numbers. Got rows of 30"),
        (30, (6, 5), {"patch_size": 6}, "must fit in images of 6 x 5"),
        (30, (6, 5), {"patch_size": (2, 6)}, "must fit in images of 6 x 5"),
        (
            30,
            (6, 5),
            {"pooled_shape": 5},
            "more regions than there are patches: 5 below",
        ),
        (30, (-6, -5), {}, "image_shape must be 2 or 3 integers > 0"),
        (30, (30,), {}, "image_shape must be 2 or 3 integers"),
        (30, (6, 5), {"patch_size": (2, 2, 1)}, "patch_size must be 2 integers"),
        (30, None, {"pooled_shape": (1, 0)}, "pooled_shape must be 2 integers > 0"),
        (30, (6, 5), {"stride": 4}, "2 below each other and 1 side by side"),
        (30, (1, -1), {"patch_size": (3, 3)}, "so patch_size must be an integer or"),
        (
            30,
            (1, -1),
            {"pooled_shape": (2, 2)},
            "so pooled_shape must be an integer or",
        ),
        (30, None, {}, "a square number or three times one. Got 30"),
        (12, None, {"patch_size": 3}, "must fit in images of 2 x 2 pixels. Got rows"),
    ],
)
def test_what_does_not_fit_is_told(n_features, shape, parameters, message):
    with pytest.raises(ValueError, match=message):
        layout_of(n_features, shape, **parameters)


@pytest.mark.parametrize("name", SHAPES)
def test_a_pickle_holds_settings_alone(name):
    shape, axis, _, _ = SHAPES[name]
    sizes = {"channel_axis": axis, "pooled_shape": 1}
    layout = layout_of(int(np.prod(shape)), shape, **sizes)
    expected = layout.corners, layout.regions, layout.runs
    twin = pickle.loads(pickle.dumps(layout))
    assert twin == layout
    for part, other in zip(
        expected, (twin.corners, twin.regions, twin.runs), strict=True
    ):
        assert_array_equal(other, part)
    assert len(pickle.dumps(layout)) < 400
