"""Models to be drawn, and no figure left open."""

import matplotlib.pyplot as plt
import pytest

from tests.inspection.displays.models import Models


@pytest.fixture(autouse=True)
def _figures():
    plt.close("all")
    yield
    plt.close("all")


@pytest.fixture(scope="module", name="models")
def fitted_models():
    return Models()
