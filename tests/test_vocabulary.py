"""One word has one meaning, in all public estimators."""

from inspect import cleandoc

import pytest
from numpydoc.docscrape import NumpyDocString

import sksparse_nn

# Names whose first paragraphs differ, and why.
DIFFERENT = {
    "components_": "a reducer has singular vectors instead of atoms",
    "algorithm": "rows and patches are coded by other algorithms",
    "alpha": "None follows the rows; whitened patches have a scale of their own",
    "learner": "patches have one more",
    "n_components": "a reducer takes a share or a number of components too",
    "n_jobs": "a search runs processes",
}


def names_of(estimator):
    """Return the first paragraph of each parameter and fitted attribute."""
    doc = NumpyDocString(cleandoc(getattr(sksparse_nn, estimator).__doc__))
    return {
        entry.name: " ".join("\n".join(entry.desc).split("\n\n")[0].split())
        for entry in [*doc["Parameters"], *doc["Attributes"]]
    }


ESTIMATORS = {
    name: names_of(name)
    for name in sksparse_nn.__all__
    if isinstance(getattr(sksparse_nn, name), type)
}
SHARED = sorted(
    name
    for name in set().union(*ESTIMATORS.values())
    if sum(name in parameters for parameters in ESTIMATORS.values()) > 1
)


@pytest.mark.parametrize("name", [name for name in SHARED if name not in DIFFERENT])
def test_what_has_one_name_has_one_meaning(name):
    told = {
        estimator: parameters[name]
        for estimator, parameters in ESTIMATORS.items()
        if name in parameters
    }
    assert len(set(told.values())) == 1, told


def test_every_difference_is_needed():
    for name in DIFFERENT:
        told = {e[name] for e in ESTIMATORS.values() if name in e}
        assert len(told) > 1
