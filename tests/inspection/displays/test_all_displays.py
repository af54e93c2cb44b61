"""Laws that all displays keep."""

import inspect
import subprocess
import sys

import matplotlib.pyplot as plt
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from tests.inspection.displays.models import DISPLAYS, assert_texts_fit


@pytest.fixture(name="display", scope="module", params=DISPLAYS)
def drawn_display(request, models):
    return DISPLAYS[request.param](models)


def stored(display):
    return inspect.signature(type(display)).parameters


def test_numbers_alone_open_no_figure(display):
    plt.close("all")
    twin = type(display)(**{name: getattr(display, name) for name in stored(display)})
    for name in stored(display):
        assert getattr(twin, name) is getattr(display, name)
    assert twin.describe() == display.describe()
    assert not plt.get_fignums()


def test_displays_draw_again_and_on_given_axes(display):
    first = display.figure_
    assert display.plot() is display
    assert display.figure_ is not first
    assert all(ax.figure is display.figure_ for ax in display.axes_)
    figure, axes = plt.subplots(len(display.axes_), squeeze=False)
    n_figures = len(plt.get_fignums())
    assert display.plot(axes=axes.ravel()) is display
    assert display.figure_ is figure
    assert_array_equal(display.axes_, axes.ravel())
    assert len(plt.get_fignums()) == n_figures
    with pytest.raises(ValueError, match=f"Got {len(display.axes_) + 1}; leave"):
        display.plot(axes=[*axes.ravel(), axes[0, 0]])


def test_estimators_are_drawn_on_given_axes(display, models, request):
    draw = DISPLAYS[request.node.callspec.params["display"]]
    _, axes = plt.subplots(1, len(display.axes_))
    assert_array_equal(draw(models, axes=axes).axes_, np.ravel(axes))


def test_texts_fit_in_the_figure_and_next_to_each_other(display):
    assert_texts_fit(display.plot())


def test_descriptions_are_a_few_short_sentences(display):
    text = display.describe()
    assert text.endswith(".")
    assert 20 < len(text) < 900
    assert "nan" not in text.replace("nance", "")


def test_importing_loads_no_matplotlib():
    code = "import sys, sksparse_nn.inspection; print('matplotlib' in sys.modules)"
    shown = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    assert shown.stdout.strip() == "False"
