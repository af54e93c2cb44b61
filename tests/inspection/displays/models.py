"""What the displays are of, and how each is drawn."""

from itertools import pairwise

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sksparse_nn import (
    ImagePatchCoder,
    RowScreener,
    ScreenedEstimator,
    SparseDictionaryCoder,
    SparseNetClassifier,
    TruncatedSVDReducer,
)
from sksparse_nn.inspection import (
    AtomCardDisplay,
    AttributionDisplay,
    CodeUsageDisplay,
    CompressionDisplay,
    DeletionCurvesDisplay,
    DictionaryDisplay,
    FeatureMapsDisplay,
    ReconstructionDisplay,
    ScreeningDisplay,
    SparsityPathDisplay,
    SpectrumDisplay,
)

HOSTILE = ["$x_1$ and $y", "<script>alert('$')</script>", "long " * 40, r"\frac{$", ""]
SHAPE = {"image_shape": (8, 8)}


class RidgeScaler(StandardScaler):
    """A scaler with a parameter that coders have too."""

    def __init__(self, alpha=1, *, copy=True, with_mean=False, with_std=False):
        super().__init__(copy=copy, with_mean=with_mean, with_std=with_std)
        self.alpha = alpha


def fit_screeners(X, y):
    """Return screeners that have excluded rows, one of columns with hostile names."""
    X, y = X.copy(), y.astype(float)
    X[0], X[1, 20], X[2, 30:40], X[3, 4] = np.nan, 40, 1e300, np.inf
    X[5], X[7], y[8] = X[4], 0.5, np.nan
    y[9] = 11
    screened = ScreenedEstimator(
        RowScreener(min_class_size=2), LogisticRegression(max_iter=50, tol=0.1)
    ).fit(X, y)
    table = pd.DataFrame(X[:, 20:25]).set_axis(HOSTILE, axis=1)
    table.iloc[1:5] = [[50, 1, 2, 3, 4], *[[-700] * 5] * 3]
    return screened, RowScreener(["range", "missing"]).fit(table)


class Models:
    """What the displays are of, fitted once."""

    def __init__(self):
        X, y = load_digits(return_X_y=True)
        self.X, self.y = X[:300] / 16, y[:300]
        coder = SparseDictionaryCoder(
            16, algorithm="omp", n_nonzero_coefs=4, max_epochs=1
        )
        coder.set_params(random_state=0)
        net = SparseNetClassifier((), max_epochs=3, random_state=0)
        self.screened, self.screened_texts = fit_screeners(self.X, self.y)
        self.net = make_pipeline(coder, clone(net)).fit(self.X, self.y)
        self.coder = self.net[0]
        self.svd = TruncatedSVDReducer(5, center=True, whiten=True).fit(self.X)
        self.groups = TruncatedSVDReducer(2, groups=16).fit(self.X)
        patches = ImagePatchCoder(8, image_shape=(8, 8), patch_size=4, max_epochs=1)
        patches.set_params(n_patches=500, random_state=0)
        self.patches = patches.fit(self.X)
        names = [*HOSTILE[:3], "space", "orbit", "hockey", "team"]
        rng = np.random.default_rng(0)
        self.texts = [" ".join(rng.choice(names, 5)) for _ in range(60)]
        self.groups_of_texts = np.array(HOSTILE)[np.arange(60) % 5]
        vectorizer = TfidfVectorizer(tokenizer=lambda text: text.split(" "))
        vectorizer.set_params(token_pattern=None, lowercase=False)
        words = SparseDictionaryCoder(
            6, algorithm="omp", n_nonzero_coefs=2, max_epochs=1
        )
        self.text = make_pipeline(
            vectorizer, words.set_params(random_state=0), net
        ).fit(self.texts, self.groups_of_texts)
        self.search = GridSearchCV(
            make_pipeline(coder, LogisticRegression(max_iter=50, tol=0.1)),
            {"sparsedictionarycoder__n_nonzero_coefs": [4, 1]}
            | {"logisticregression__C": [0.1, 10]},
            cv=2,
            scoring="accuracy",
        ).fit(self.X, self.y)


# Each draws from an estimator, with what is handed on.
DISPLAYS = {
    "dictionary": lambda m, **k: DictionaryDisplay.from_estimator(
        m.coder, **SHAPE, **k
    ),
    "dictionary of patches": lambda m, **k: DictionaryDisplay.from_estimator(
        m.patches, **k
    ),
    "dictionary of words": lambda m, **k: DictionaryDisplay.from_estimator(
        m.text[:-1], **k
    ),
    "maps": lambda m, **k: FeatureMapsDisplay.from_estimator(m.patches, m.X, **k),
    "usage": lambda m, **k: CodeUsageDisplay.from_estimator(m.coder, m.X, **k),
    "usage of words": lambda m, **k: CodeUsageDisplay.from_estimator(
        m.text[:-1], m.texts, **k
    ),
    "path": lambda m, **k: SparsityPathDisplay.from_estimator(m.coder, m.X, **k),
    "path of words": lambda m, **k: SparsityPathDisplay.from_estimator(
        m.text, m.texts, **k
    ),
    "path of a search": lambda m, **k: SparsityPathDisplay.from_estimator(
        m.search, m.X, **k
    ),
    "spectrum": lambda m, **k: SpectrumDisplay.from_estimator(m.svd, **k),
    "spectrum of groups": lambda m, **k: SpectrumDisplay.from_estimator(m.groups, **k),
    "reconstruction": lambda m, **k: ReconstructionDisplay.from_estimator(
        m.coder, m.X, row=3, **SHAPE, **k
    ),
    "reconstruction with a mean": lambda m, **k: ReconstructionDisplay.from_estimator(
        m.svd, m.X, **SHAPE, **k
    ),
    "reconstruction of words": lambda m, **k: ReconstructionDisplay.from_estimator(
        m.text[:-1], m.texts, **k
    ),
    "attribution": lambda m, **k: AttributionDisplay.from_estimator(
        m.net, m.X, row=2, **SHAPE, **k
    ),
    "attribution to words": lambda m, **k: AttributionDisplay.from_estimator(
        m.text, m.texts, **k
    ),
    "attribution to atoms": lambda m, **k: AttributionDisplay.from_estimator(
        m.net, m.X, features=False, **k
    ),
    "card": lambda m, **k: AtomCardDisplay.from_estimator(
        m.coder, m.X, m.y, **SHAPE, random_state=0, **k
    ),
    "card of a patch": lambda m, **k: AtomCardDisplay.from_estimator(
        m.patches, m.X, m.y, **k
    ),
    "card of words": lambda m, **k: AtomCardDisplay.from_estimator(
        m.text[:-1], m.texts, m.groups_of_texts, **k
    ),
    "card without classes": lambda m, **k: AtomCardDisplay.from_estimator(
        m.coder, m.X, **k
    ),
    "screening": lambda m, **k: ScreeningDisplay.from_estimator(m.screened, **k),
    "screening of nothing": lambda m, **k: ScreeningDisplay.from_estimator(
        m.screened, m.X[30:40], **k
    ),
    "screening of hostile names": lambda m, **k: ScreeningDisplay.from_estimator(
        m.screened_texts, **k
    ),
    "deletion": lambda m, **k: DeletionCurvesDisplay.from_estimator(
        m.net, m.X[:50], m.y[:50], n_points=4, n_random=2, random_state=0, **k
    ),
    "compression": lambda m, **k: CompressionDisplay.from_estimators(
        {"float": m.net, "text": m.net}, m.X[:50], m.y[:50], **k
    ),
}


def assert_texts_fit(display):
    display.figure_.canvas.draw()
    width, height = display.figure_.canvas.get_width_height()
    for ax in display.axes_:
        for text in (ax.title, ax.xaxis.label):
            box = text.get_window_extent()
            assert box.x0 >= -1
            assert box.x1 <= width + 1
        for axis in (ax.xaxis, ax.yaxis):
            boxes = [
                label.get_window_extent()
                for label in axis.get_ticklabels()
                if label.get_text() and not label.get_rotation()
            ]
            low, high = axis.get_view_interval()
            places = axis.get_majorticklocs()
            is_seen = (places >= min(low, high)) & (places <= max(low, high))
            boxes = [box for box, seen in zip(boxes, is_seen, strict=False) if seen]
            for one, two in pairwise(boxes):
                shared = min(one.x1, two.x1) - max(one.x0, two.x0)
                above = min(one.y1, two.y1) - max(one.y0, two.y0)
                assert min(shared, above) <= 1
            for box in boxes:
                assert box.x0 >= -1
                assert box.x1 <= width + 1
                assert box.y0 >= -1
                assert box.y1 <= height + 1
