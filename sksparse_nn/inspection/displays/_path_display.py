"""Error, and accuracy, against the nonzeros of a code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils import gen_batches

from sksparse_nn._pipelines import split_steps
from sksparse_nn._structure import check_structure
from sksparse_nn._typing import MatrixLike
from sksparse_nn.decomposition import SparseDictionaryCoder, sparsity_path
from sksparse_nn.decomposition._sparse_encode import (
    coding_parameters,
    takes_alpha_of_rows,
)
from sksparse_nn.drawing._canvas import BLUE, ORANGE, take_axes
from sksparse_nn.solvers.coding import CODERS
from sksparse_nn.solvers.dictionary import normalise_atoms

# Samples that are rebuilt at a time.
_BATCH = 512


class SparsityPathDisplay:
    """Draw what is lost with few atoms per sample.

    Parameters
    ----------
    n_nonzero : ndarray of shape (n_values,)
        Mean number of atoms per sample, rising.

    errors : ndarray of shape (n_values,)
        Share of the energy of the samples that the sums of atoms leave.

    scores, score_stds : ndarray of shape (n_values,), default=None
        Mean scores of a search, and how much they differ between folds.

    score_name : str, default="score"
        What they are.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        Where it was drawn: errors, and scores if there are any.

    figure_ : matplotlib Figure
        Of the axes.

    See Also
    --------
    sksparse_nn.sparsity_path : Codes for several sparsities.
    sksparse_nn.SparsitySearchCV : Scores for several sparsities.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sksparse_nn import SparseDictionaryCoder
    >>> from sksparse_nn.inspection import SparsityPathDisplay
    >>> X, _ = load_digits(return_X_y=True)
    >>> coder = SparseDictionaryCoder(16, algorithm="omp", random_state=0).fit(X)
    >>> display = SparsityPathDisplay.from_estimator(coder, X, values=[1, 2, 4])
    >>> bool(display.errors[0] > display.errors[2])
    True
    """

    def __init__(
        self,
        n_nonzero: NDArray,
        errors: NDArray,
        *,
        scores: NDArray | None = None,
        score_stds: NDArray | None = None,
        score_name: str = "score",
    ) -> None:
        self.n_nonzero = n_nonzero
        self.errors = errors
        self.scores = scores
        self.score_stds = score_stds
        self.score_name = score_name

    @classmethod
    def from_estimator(
        cls,
        estimator: SparseDictionaryCoder | Pipeline | BaseEstimator,
        X: MatrixLike | Sequence[str],
        *,
        values: Sequence | None = None,
        axes: Sequence | None = None,
    ) -> Self:
        """Code samples at several sparsities and draw what is lost.

        Parameters
        ----------
        estimator : SparseDictionaryCoder, Pipeline or search
            Fitted. Of a pipeline the coder in it is taken. Of a `SparsitySearchCV` or
            `GridSearchCV` over the sparsity of such a coder, the one in the best
            pipeline; scores are then drawn too, at each sparsity the best one.

        X : {array-like, sparse matrix} of shape (n_samples, n_features), or texts
            Samples to be rebuilt.

        values : sequence, default=None
            Values of `n_nonzero_coefs`, or of `alpha`. None for those of the search,
            or for doublings.

        axes : sequence of matplotlib Axes, default=None
            Where to draw.

        Returns
        -------
        display : SparsityPathDisplay
            Drawn.

        Raises
        ------
        TypeError
            If there is no coder whose sums of atoms approximate rows.

        ValueError
            If there are values for a search, or its grid has no sparsity.
        """
        is_search, found = hasattr(estimator, "cv_results_"), {}
        fitted = _best(estimator) if is_search else estimator
        coder, rows = _coder_and_rows(fitted, X)
        sparsity = CODERS.look_up(coder.algorithm).sparsity
        if is_search:
            name = CODERS.full_name(coder.algorithm, sparsity.parameter)
            values, found = _scores_at(estimator, name, values)
        elif values is None:
            values = _doublings(coder, sparsity)
        n_nonzero, errors = _path(coder, rows, values)
        order = np.argsort(n_nonzero, kind="stable")
        found = {key: part[order] for key, part in found.items()}
        if is_search and isinstance(estimator.scoring, str):
            found["score_name"] = estimator.scoring
        return cls(n_nonzero[order], errors[order], **found).plot(axes=axes)

    def plot(self, *, axes: Sequence | None = None) -> Self:
        """Draw errors, and scores beside them.

        Parameters
        ----------
        axes : sequence of matplotlib Axes, default=None
            Where to draw, two if there are scores, or else one; None for a new figure.

        Returns
        -------
        display : SparsityPathDisplay
            This one.
        """
        n_axes = 1 if self.scores is None else 2
        self.axes_ = take_axes(axes, n_axes, figsize=(1.5 + 2.75 * n_axes, 3.5))
        self.figure_ = self.axes_[0].figure
        errors = 100 * np.asarray(self.errors)
        self.axes_[0].plot(self.n_nonzero, errors, "o-", color=BLUE, markersize=4)
        self.axes_[0].set_ylabel("% of the energy left over")
        self.axes_[0].set_ylim(0, 1.05 * max(100 * np.max(self.errors), 1e-9))
        if n_axes == 2:
            style = {"fmt": "s--", "color": ORANGE, "capsize": 3, "markersize": 4}
            self.axes_[1].errorbar(
                self.n_nonzero, self.scores, self.score_stds, **style
            )
            self.axes_[1].set_ylabel(self.score_name)
        for ax in self.axes_:
            ax.set_xlabel("mean number of atoms a sample")
            ax.grid(alpha=0.3)
            if np.min(self.n_nonzero) > 0:
                ax.set_xscale("log", base=2)
                ax.xaxis.set_major_formatter("{x:g}")
        return self

    def describe(self) -> str:
        """Return a text that can stand for the drawing.

        Returns
        -------
        text : str
            A sentence or two.
        """
        n_nonzero, errors = self.n_nonzero, self.errors
        text = (
            f"From {n_nonzero[0]:.3g} to {n_nonzero[-1]:.3g} atoms a sample, what is "
            f"left over falls from {errors[0]:.1%} to {errors[-1]:.1%} of the energy."
        )
        if self.scores is not None:
            best = np.nanargmax(self.scores)
            text += (
                f" The best {self.score_name}, {self.scores[best]:.3f}, comes with "
                f"{n_nonzero[best]:.3g} atoms."
            )
        return text


def _best(search):
    if hasattr(search, "best_estimator_"):
        return search.best_estimator_
    raise ValueError(
        "A search must have a best pipeline (best_estimator_), which codes X. Got "
        f"refit={search.refit!r}; set it."
    )


def _coder_and_rows(estimator, X):
    """Return the coder among the steps, and what it is given."""
    check_structure(X)
    for step in split_steps(estimator):
        if isinstance(step, SparseDictionaryCoder):
            if hasattr(step, "inverse_transform") and has_sparsity(step):
                return step, sparse.csr_array(X) if sparse.issparse(X) else X
            break
        X = step.transform(X) if hasattr(step, "transform") else X
    able = [name for name in CODERS if CODERS[name].approximates]
    raise TypeError(
        f"estimator must be, or have, a SparseDictionaryCoder of algorithm {able}, "
        f"or of an object with a sparsity, whose sums of atoms approximate rows. Got "
        f"{estimator!r}."
    )


def _scores_at(search, name, values):
    """Return the values on the grid of a search, and the best scores there."""
    results = search.cv_results_
    steps = search.best_estimator_.get_params()
    columns = [
        f"param_{step}__{name}"
        for step in steps
        if isinstance(steps[step], SparseDictionaryCoder)
        and f"param_{step}__{name}" in results
    ]
    if not columns or values is not None:
        raise ValueError(
            f"The values of a search are those of {name} on its grid. Got {values!r}, "
            f"and a grid of {sorted(results['params'][0])}."
        )
    metric = search.refit if isinstance(search.refit, str) else "score"
    tried = np.array(results[columns[0]].tolist())
    means = np.nan_to_num(results[f"mean_test_{metric}"], nan=-np.inf)
    values = np.unique(tried)
    best = [np.argmax(np.where(tried == value, means, -np.inf)) for value in values]
    return values, {
        "scores": results[f"mean_test_{metric}"][best],
        "score_stds": results[f"std_test_{metric}"][best],
    }


def has_sparsity(coder):
    """Tell whether a coder has codes of several sparsities.

    Parameters
    ----------
    coder : SparseDictionaryCoder
        The coder.

    Returns
    -------
    has_sparsity : bool
        Whether its algorithm has a parameter of sparsity.
    """
    return CODERS.look_up(coder.algorithm).sparsity is not None


def _doublings(coder, sparsity):
    value = CODERS.value_of(coder, sparsity.parameter)
    value = coder.alpha_ if value is None else value
    return sparsity.doublings(value, coder.components_.shape)


def _path(coder, X, values):
    """Return the mean number of nonzeros, and the share left over, at each value."""
    parameters = coding_parameters(coder)
    atoms = coder.components_
    if takes_alpha_of_rows(coder):
        # What it stands for is in the scale of unit atoms.
        atoms = normalise_atoms(atoms)
    path = sparsity_path(X, atoms, values, **parameters)
    X = X if sparse.issparse(X) else np.asarray(X)
    n_nonzero = np.array([codes.nnz / codes.shape[0] for codes in path])
    return n_nonzero, np.array([_share_left(X, codes, atoms) for codes in path])


def _share_left(X, codes, atoms):
    left = total = 0.0
    for part in gen_batches(codes.shape[0], _BATCH):
        rows = X[part].toarray() if sparse.issparse(X) else X[part]
        rows = rows.astype(np.float64)
        left += np.nansum((rows - codes[part] @ atoms) ** 2)
        total += np.nansum(rows**2)
    return left / total if total else 0.0
