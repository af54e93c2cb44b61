"""Instances of the search for the checks that every estimator passes."""

from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline

from sksparse_nn import SparseDictionaryCoder, SparsitySearchCV

_GRID = {"sparsedictionarycoder__n_nonzero_coefs": [1, 2]}

SEARCHES = [
    SparsitySearchCV(
        make_pipeline(
            SparseDictionaryCoder(4, algorithm="omp", max_epochs=1, random_state=0),
            head,
        ),
        _GRID,
        cv=2,
        error_score="raise",
    )
    for head in (LogisticRegression(), Ridge())
]
