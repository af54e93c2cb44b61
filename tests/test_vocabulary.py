"""One word has one meaning, in all public estimators."""

from inspect import cleandoc, signature

import pytest
from numpydoc.docscrape import NumpyDocString

import sksparse_nn
from sksparse_nn.decomposition import (
    _attention_learning,
    _coder_algorithms,
    _truncated_svd_reducer,
)
from sksparse_nn.feature_extraction import _image_patch_coder, _patch_learning

# Names whose first paragraphs differ, and why.
DIFFERENT = {
    "components_": "a reducer has singular vectors instead of atoms",
    "algorithm": "rows and patches are coded by other algorithms",
    "alpha": "None follows the rows; whitened patches have a scale of their own",
    "image_shape": "networks take channels first, as torch has them",
    "image_shape_": "networks take channels first, as torch has them",
    "learner": "patches have one more",
    "n_components": "a reducer takes a share or a number of components too",
    "n_jobs": "a search runs processes",
    "refit": "a search fits its best estimator again",
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


# What only some algorithms read, and its default.
READ_BY_SOME = {
    "SparseDictionaryCoder": _coder_algorithms.OF_ALGORITHMS
    | _coder_algorithms.OF_LEARNERS
    | _coder_algorithms.OF_LEARNING,
    "SparseAttentionCoder": _attention_learning._OF_KEYS,
    "TruncatedSVDReducer": _truncated_svd_reducer._OF_SOLVERS,
    "ImagePatchCoder": _image_patch_coder._OF_ENCODERS
    | {"max_epochs": _patch_learning._MAX_EPOCHS},
}


@pytest.mark.parametrize("name", READ_BY_SOME)
def test_what_only_some_algorithms_read_has_the_default_of_the_estimator(name):
    parameters = signature(getattr(sksparse_nn, name)).parameters
    found = {key: parameters[key].default for key in READ_BY_SOME[name]}
    assert found == READ_BY_SOME[name]
