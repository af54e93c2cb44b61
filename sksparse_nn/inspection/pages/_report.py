"""A report on a fitted pipeline, on one page."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, partial
from os import PathLike
from pathlib import Path

import numpy as np
from markupsafe import Markup
from scipy import sparse
from sklearn.base import BaseEstimator, is_classifier
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.utils import check_random_state, estimator_html_repr
from sklearn.utils.validation import check_consistent_length

from sksparse_nn._progress import ProgressLines
from sksparse_nn._structure import check_structure
from sksparse_nn._typing import MatrixLike, Seed
from sksparse_nn.compression import (
    NetPruner,
    NetQuantizer,
    compression_report,
)
from sksparse_nn.decomposition import SparseDictionaryCoder
from sksparse_nn.feature_extraction import ImagePatchCoder
from sksparse_nn.inspection.atoms._atoms import atom_table
from sksparse_nn.inspection.atoms._labels import describe_labels
from sksparse_nn.inspection.attribution._attribution import attribute_stages
from sksparse_nn.inspection.attribution._faithfulness import compute_curves
from sksparse_nn.inspection.attribution._stages import read_stages
from sksparse_nn.inspection.displays._atom_card_display import AtomCardDisplay
from sksparse_nn.inspection.displays._attribution_display import attribute_row
from sksparse_nn.inspection.displays._compression_display import CompressionDisplay
from sksparse_nn.inspection.displays._deletion_display import DeletionCurvesDisplay
from sksparse_nn.inspection.displays._dictionary_display import DictionaryDisplay
from sksparse_nn.inspection.displays._feature_maps_display import FeatureMapsDisplay
from sksparse_nn.inspection.displays._path_display import (
    SparsityPathDisplay,
    has_sparsity,
)
from sksparse_nn.inspection.displays._reconstruction_display import (
    ReconstructionDisplay,
)
from sksparse_nn.inspection.displays._spectrum_display import SpectrumDisplay
from sksparse_nn.inspection.displays._usage_display import CodeUsageDisplay
from sksparse_nn.inspection.pages._page import Section, picture, table, write_page
from sksparse_nn.inspection.pages._screening import (
    drop_screening,
    read_screening,
    take_kept,
)
from sksparse_nn.neural._nesting import NETWORKS

_MAPPED = 4  # images whose maps of codes are drawn

# Number of samples that rank the atoms, and the tolerance of their attribution.
_READ, _TOLERANCE = 500, 1e-2


def report(
    estimator: BaseEstimator,
    X: MatrixLike | Sequence[str],
    y: MatrixLike,
    path: str | PathLike,
    *,
    image_shape: tuple[int, ...] | None = None,
    title: str = "A sparse model, read",
    n_atoms: int = 8,
    n_samples: int = 6,
    random_state: Seed = None,
    verbose: int = 0,
) -> None:
    """Write a report on a fitted pipeline as one HTML page.

    The file embeds its pictures and opens from disk without a network connection. A
    click on the name of a column sorts a table. Requires the extra ``report``.

    Parameters
    ----------
    estimator : estimator
        A fitted pipeline of transformers, one of which has atoms, and a
        `SparseNetClassifier` or `SparseNetRegressor`, or a linear model or MLP of
        scikit-learn. With a `RowScreener`, in a `ScreenedEstimator` or in a pipeline of
        imbalanced-learn, it gets a section about excluded rows, and the other sections
        leave them out.

    X : {array-like, sparse matrix} of shape (n_samples, n_features), or texts
        Samples not used in `fit`, some hundreds.

    y : {array-like, sparse matrix} of shape (n_samples,) or (n_samples, n_outputs)
        Their classes, an indicator of several labels, or targets.

    path : str or path-like
        The file. An existing one is replaced.

    image_shape : tuple of int, default=None
        Height and width, and the number of channels, of samples that are images.

    title : str, default="A sparse model, read"
        Title of the page.

    n_atoms : int, default=8
        Number of atoms with a card: those that contribute most to predictions.

    n_samples : int, default=6
        Number of explained predictions, from as many classes as possible.

    random_state : int, RandomState instance or None, default=None
        Source of shuffled labels and random orders.

    verbose : int, default=0
        Whether to print one line per section.

    Raises
    ------
    TypeError
        If the estimator ends neither in a network of this package nor in a linear model
        or MLP of scikit-learn, or no step ahead has atoms.

    ValueError
        If `X` and `y` differ in length, the estimator cannot take `X`, or its screener
        excludes all rows.

    FileNotFoundError
        If the folder does not exist.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.pipeline import make_pipeline
    >>> from sksparse_nn import SparseNetClassifier, TruncatedSVDReducer
    >>> from sksparse_nn.inspection import report
    >>> X, y = load_digits(return_X_y=True)
    >>> model = make_pipeline(TruncatedSVDReducer(8), SparseNetClassifier(()))
    >>> page = pathlib.Path(tempfile.mkdtemp()) / "digits.html"
    >>> report(model.fit(X / 16, y), X[:99] / 16, y[:99], page, image_shape=(8, 8))
    >>> "<h1>A sparse model, read</h1>" in page.read_text()
    True
    """
    check_structure(X)
    check_structure(y, "y")
    check_consistent_length(X, y)
    folder = Path(path).parent
    if not folder.is_dir():
        raise FileNotFoundError(f"path must be in an existing folder. Got {path!s}.")
    X = X.tocsr() if sparse.issparse(X) else X
    seed = check_random_state(random_state).randint(np.iinfo(np.int32).max)
    y = y.toarray() if sparse.issparse(y) else np.asarray(y)
    screening = read_screening(estimator, X, y)
    X, y = take_kept(X, y, screening)
    subject = _Subject(drop_screening(estimator), X, y, image_shape, seed)
    makers = [
        lambda subject: _show_pipeline(estimator),
        *([] if screening is None else [lambda subject: screening.make_section()]),
        _show_dictionary,
        partial(_explain_predictions, n_samples=n_samples),
        partial(_show_atoms, n_atoms=n_atoms),
        _show_faithfulness,
        _make_smaller,
    ]
    sections, report_line = [], ProgressLines("report", verbose)
    for make in makers:
        sections.append(make(subject))
        report_line(f"section {sections[-1].heading!r}")
    write_page(path, title=title, summary=subject.summary, sections=sections)


@dataclass(frozen=True)
class _Subject:
    """Subject of a report."""

    estimator: object
    X: object
    y: np.ndarray
    image_shape: tuple
    seed: int

    @cached_property
    def stages(self):
        stages = read_stages(self.estimator, self.X)
        if not any(hasattr(step, "components_") for step in stages.transformers):
            names = [type(step).__name__ for step in stages.transformers]
            raise TypeError(
                "report needs a step with atoms (components_) ahead of the network, "
                f"such as SparseDictionaryCoder. Got the steps {names}."
            )
        return stages

    @cached_property
    def transformer(self):
        steps = make_pipeline(*self.stages.transformers[: self.stages.atoms]).steps
        return _Coded(steps).remember(self.X, self.stages.rows[self.stages.atoms])

    @property
    def coder(self):
        return self.stages.transformers[self.stages.atoms - 1]

    @property
    def labels(self):
        return self.y if is_classifier(self.estimator) else None

    @property
    def summary(self):
        kind = "accuracy" if self.labels is not None else "r2"
        score = self.estimator.score(self.X, self.y)
        n_atoms = self.coder.components_.shape[0]
        return (
            f"{n_atoms} atoms of {type(self.coder).__name__} ahead of a "
            f"{type(self.stages.network).__name__}; {kind} {score:.3f} on "
            f"{len(self.y)} samples."
        )


class _Coded(Pipeline):
    """A pipeline of transformers that caches the codes of one matrix."""

    def remember(self, X, codes):
        self._X, self._codes = X, codes
        return self

    def transform(self, X):
        return self._codes if X is self._X else super().transform(X)


def _show_pipeline(estimator):
    # The diagram comes as a page of its own.
    diagram = estimator_html_repr(estimator)
    for tag in ("<body>", "</body>"):
        diagram = diagram.replace(tag, "")
    return Section(
        "pipeline",
        "Pipeline",
        "The steps; open one for its parameters.",
        diagram=Markup(diagram),
    )


def _show_dictionary(subject):
    transformer, coder = subject.transformer, subject.coder
    X, shape = subject.X, {"image_shape": subject.image_shape}
    pictures = [
        picture(DictionaryDisplay.from_estimator(transformer, **shape)),
        picture(CodeUsageDisplay.from_estimator(transformer, X)),
    ]
    if hasattr(coder, "singular_values_"):
        pictures.append(picture(SpectrumDisplay.from_estimator(transformer)))
    if isinstance(coder, ImagePatchCoder):
        rows = _pick_samples(subject.labels, len(subject.y), _MAPPED)
        pictures.append(
            picture(FeatureMapsDisplay.from_estimator(transformer, X, rows=rows))
        )
    if hasattr(coder, "inverse_transform"):
        if isinstance(coder, SparseDictionaryCoder) and has_sparsity(coder):
            pictures.append(picture(SparsityPathDisplay.from_estimator(transformer, X)))
        pictures.append(
            picture(ReconstructionDisplay.from_estimator(transformer, X, **shape))
        )
    return Section(
        "dictionary",
        "Dictionary",
        "The atoms, how often they are used, and how well they reconstruct samples.",
        pictures=pictures,
    )


def _explain_predictions(subject, n_samples):
    pictures, features = [], _reaches_features(subject)
    for row in _pick_samples(subject.labels, len(subject.y), n_samples):
        display = attribute_row(
            subject.stages.take([row]),
            features=features,
            image_shape=subject.image_shape if features else None,
            tol=1e-3,
        )
        drawn = picture(display.plot())
        true = f"Sample {row}, in truth {describe_labels(subject.y, [row])[0]}. "
        pictures.append(type(drawn)(drawn.data, true + drawn.alt))
    return Section(
        "predictions",
        "Predictions, explained",
        "Contributions of features and atoms to the output, for samples of different "
        "classes. "
        "The rest of the output is the bias.",
        pictures=pictures,
    )


def _reaches_features(subject):
    """Return whether predictions can be attributed to features, on one sample."""
    try:
        attribute_stages(subject.stages.take([0]))
    except (TypeError, ValueError):
        return False
    return True


def _show_atoms(subject, n_atoms):
    names = {"y": subject.labels, "image_shape": subject.image_shape}
    pictures = [
        picture(
            AtomCardDisplay.from_estimator(
                subject.transformer,
                subject.X,
                atom=int(atom),
                random_state=subject.seed,
                **names,
            )
        )
        for atom in _rank_atoms(subject)[:n_atoms]
    ]
    numbers = atom_table(
        subject.transformer, subject.X, subject.labels, random_state=subject.seed
    )
    return Section(
        "atoms",
        "Atoms",
        "Cards of the atoms that contribute most to predictions, then a table of all. "
        "The chance share is that of shuffled labels; the class score is the number of "
        "standard deviations above it.",
        pictures=pictures,
        tables=[table(numbers, "All atoms; click on a name to sort.")],
    )


def _show_faithfulness(subject):
    curves = compute_curves(subject.stages, subject.y, random_state=subject.seed)
    display = DeletionCurvesDisplay(curves).plot()
    return Section(
        "faithfulness",
        "Is it true?",
        "If attributions are faithful, the score falls faster when important atoms are "
        "removed than when random ones are, and rises faster when they are inserted.",
        pictures=[picture(display)],
    )


def _make_smaller(subject):
    frozen = FrozenEstimator(subject.estimator)
    can_shrink = isinstance(subject.stages.network, NETWORKS)
    ways = {
        "int8": NetQuantizer(frozen, scheme="weight_only"),
        "50 % pruned": NetPruner(frozen, amount=0.5, fine_tune_epochs=0),
        "80 % pruned": NetPruner(frozen, amount=0.8, fine_tune_epochs=0),
    }
    models = {"as it is": subject.estimator}
    for name, way in ways.items() if can_shrink else ():
        with suppress(ValueError):  # an already quantized network stays as it is
            models[name] = way.fit(subject.X, subject.y)
    numbers = compression_report(models, subject.X, subject.y)
    return Section(
        "smaller",
        "Smaller",
        "The same pipeline with fewer or coarser weights, not trained on."
        if can_shrink
        else "Cost of the pipeline. Networks of this package can be made smaller.",
        pictures=[picture(CompressionDisplay(numbers).plot(costs=["bytes_disk"]))],
        tables=[table(numbers.rename_axis("model"), "Accuracy, size and speed.")],
    )


def _pick_samples(labels, n_rows, n_samples):
    """Return one sample per class first, then others."""
    if labels is None:
        return list(range(min(n_rows, n_samples)))
    _, kinds = np.unique(labels, return_inverse=True)
    firsts = np.unique(kinds.reshape(labels.shape), axis=0, return_index=True)[1]
    others = np.setdiff1d(np.arange(n_rows), firsts)
    return [int(row) for row in np.concatenate([firsts, others])[:n_samples]]


def _rank_atoms(subject):
    """Return the atoms by decreasing magnitude of their contributions."""
    is_one = subject.labels is not None and subject.labels.ndim == 1
    wanted = "predicted" if is_one else None
    found = attribute_stages(
        subject.stages.take(slice(0, _READ)),
        outputs=wanted,
        features=False,
        tol=_TOLERANCE,
    )
    added = np.abs(found.atoms).sum(axis=(0, 1))
    by_atom = added.reshape(-1, subject.coder.components_.shape[0]).sum(axis=0)
    return np.argsort(-by_atom, kind="stable")
