"""The page about a model: valid, self-contained, harmless."""

import re
import tarfile

import html5lib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import sklearn
from imblearn.pipeline import make_pipeline as make_resampling_pipeline
from scipy import sparse
from sklearn.datasets import load_digits
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.utils.fixes import parse_version

from sksparse_nn import (
    ImagePatchCoder,
    NetQuantizer,
    RowScreener,
    ScreenedEstimator,
    SparseDictionaryCoder,
    SparseNetClassifier,
    SparseNetRegressor,
    TruncatedSVDReducer,
)
from sksparse_nn.inspection import attribute, report

# Up to 1.7, scikit-learn leaves a tag of diagrams with estimators side by side open.
CLOSES_UNIONS = parse_version(sklearn.__version__) >= parse_version("1.8")

EVIL = "<script>alert('x')</script> & \"quoted\" $\\frac{"


@pytest.fixture(scope="module", name="digits")
def some_digits():
    X, y = load_digits(return_X_y=True)
    return (X[:500] / 16).astype(np.float32), y[:500]


def coder(n_atoms=16):
    return SparseDictionaryCoder(
        n_atoms, algorithm="omp", n_nonzero_coefs=3, max_epochs=1, random_state=0
    )


def head():
    return SparseNetClassifier((), max_epochs=5, random_state=0)


def written(model, X, y, folder, **parameters):
    parameters = {"n_atoms": 2, "n_samples": 2, "random_state": 0} | parameters
    report(model, X, y, folder / "page.html", **parameters)
    return (folder / "page.html").read_text(encoding="utf-8")


def text_of(page):
    root = html5lib.parse(page, namespaceHTMLElements=False)
    return " ".join(root.find("body").itertext())


@pytest.fixture(scope="module", name="page")
def digits_page(digits, tmp_path_factory):
    model = make_pipeline(coder(), head()).fit(*digits)
    folder = tmp_path_factory.mktemp("page")
    return written(model, *digits, folder, image_shape=(8, 8), title=EVIL)


def test_the_page_is_valid(page):
    html5lib.HTMLParser(strict=True).parse(page)


def test_the_page_needs_nothing_else(page):
    root = html5lib.parse(page, namespaceHTMLElements=False)
    sources = [element.get("src") for element in root.iter() if element.get("src")]
    assert all(source.startswith("data:") for source in sources)
    assert not list(root.iter("link"))
    assert not re.search(r"@import|url\((?!data:)", page)
    assert plt.get_fignums() == []


def test_every_picture_has_a_text(page):
    root = html5lib.parse(page, namespaceHTMLElements=False)
    pictures = list(root.iter("img"))
    assert len(pictures) > 8
    assert all(len(picture.get("alt")) > 20 for picture in pictures)


def test_every_atom_stands_in_the_table(page):
    root = html5lib.parse(page, namespaceHTMLElements=False)
    table = root.find(".//table[@class='numbers']")
    assert len(list(table.find("tbody"))) == 16


def test_links_lead_to_sections(page):
    root = html5lib.parse(page, namespaceHTMLElements=False)
    links = {a.get("href")[1:] for a in root.find(".//nav").iter("a")}
    assert links == {section.get("id") for section in root.iter("section")}


def test_names_are_shown_and_not_run(digits, tmp_path):
    X, y = digits
    frame = pd.DataFrame(X, columns=[f"{EVIL}{i}" for i in range(64)])
    labels = np.array([f"{EVIL}{label}" for label in y])
    model = make_pipeline(StandardScaler(), TruncatedSVDReducer(4), head())
    page = written(model.fit(frame, labels), frame, labels, tmp_path, title=EVIL)
    assert "<script>alert" not in page
    assert EVIL in text_of(page)
    html5lib.HTMLParser(strict=True).parse(page)


def test_a_thousand_atoms_stay_below_five_megabytes(digits, tmp_path):
    rng = np.random.default_rng(0)
    atoms = SparseDictionaryCoder(
        1000,
        algorithm="omp",
        n_nonzero_coefs=3,
        learner=None,
        init=rng.standard_normal((1000, 64)),
    )
    model = make_pipeline(atoms, head()).fit(*digits)
    page = written(model, *digits, tmp_path, image_shape=(8, 8), n_atoms=8, n_samples=6)
    assert len(page.encode()) < 5e6


def test_words_of_atoms_and_predictions_are_named(tmp_path):
    texts = ["good nice film", "bad dull film", "nice good plot", "dull bad plot"] * 10
    y = np.array(["up", "down", "up", "down"] * 10)
    network = SparseNetClassifier((), learning_rate=0.05, random_state=0)
    model = make_pipeline(TfidfVectorizer(), TruncatedSVDReducer(3), network)
    text = text_of(written(model.fit(texts, y), texts, y, tmp_path))
    assert "good" in text
    assert "dull" in text


def test_patches_and_targets_have_pages_too(digits, tmp_path):
    X, y = digits
    patches = ImagePatchCoder(
        8,
        image_shape=(8, 8),
        patch_size=4,
        n_patches=1000,
        max_epochs=1,
        random_state=0,
    )
    model = make_pipeline(patches, StandardScaler(), head()).fit(X, y)
    page = written(model, X[:100], y[:100], tmp_path, image_shape=(8, 8))
    assert "8 atoms of ImagePatchCoder" in page
    assert "4 images and the codes of their patches at 5 by 5 places" in page
    network = SparseNetRegressor((), max_epochs=5, random_state=0)
    model = make_pipeline(TruncatedSVDReducer(4), network).fit(X, y)
    assert "r2" in written(model, X[:100], y[:100], tmp_path)


def test_what_has_no_atoms_or_other_lengths_is_refused(digits, tmp_path):
    X, y = digits
    model = make_pipeline(StandardScaler(), head()).fit(X, y)
    with pytest.raises(TypeError, match=r"Got the steps \['StandardScaler'\]"):
        report(model, X, y, tmp_path / "page.html")
    with pytest.raises(ValueError, match="inconsistent"):
        report(model, X, y[:-1], tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()
    model = make_pipeline(TruncatedSVDReducer(4), head()).fit(X, y)
    with pytest.raises(FileNotFoundError, match="existing folder"):
        report(model, X, y, tmp_path / "nowhere" / "page.html")


@pytest.mark.parametrize(
    "algorithm",
    [
        "lasso",
        "top_k",
        pytest.param("threshold", marks=pytest.mark.slow),
        pytest.param("soft_threshold", marks=pytest.mark.slow),
    ],
)
def test_coders_of_all_kinds_have_pages(digits, tmp_path, algorithm):
    X, y = digits
    atoms = SparseDictionaryCoder(16, algorithm=algorithm, max_epochs=1, random_state=0)
    model = make_pipeline(atoms, head()).fit(X, y)
    assert "16 atoms" in written(model, X[:60], y[:60], tmp_path, image_shape=(8, 8))
    assert plt.get_fignums() == []


def test_what_cannot_be_followed_to_features_is_read_by_atoms(digits, tmp_path):
    X, y = digits
    roots = FunctionTransformer(np.sqrt)
    model = make_pipeline(roots, TruncatedSVDReducer(4), head()).fit(X, y)
    page = written(model, X[:60], y[:60], tmp_path)
    assert "Strongest atoms" in text_of(page)
    small = NetQuantizer(FrozenEstimator(model)).fit(X, y)
    assert "as it is" in text_of(written(small, X[:60], y[:60], tmp_path))


def screened_page(model, digits, folder):
    X, y = digits[0].copy(), digits[1].astype(float)
    X[3], X[4, 20], y[5] = np.nan, 700, np.nan
    model.fit(X, y)
    return written(model, X[:60], y[:60], folder, image_shape=(8, 8))


def test_excluded_rows_are_listed_and_left_out(digits, tmp_path):
    reduced = make_pipeline(TruncatedSVDReducer(4), head())
    for model in (
        ScreenedEstimator(RowScreener(), reduced),
        make_pipeline(StandardScaler(), ScreenedEstimator(RowScreener(), reduced)),
        make_resampling_pipeline(RowScreener(), TruncatedSVDReducer(4), head()),
    ):
        page = screened_page(model, digits, tmp_path)
        html5lib.HTMLParser(strict=CLOSES_UNIONS).parse(page)
        text = text_of(page)
        assert "Of the 60 rows of this page 3 are excluded" in text
        assert "on 57 samples" in text
        assert "Excluded rows of the training data" in text
        assert "missing_label" in text
        assert "50 % pruned" in text
    assert plt.get_fignums() == []
    with pytest.raises(ValueError, match="rows that the screener keeps"):
        report(model, np.full((3, 64), np.nan), np.zeros(3), tmp_path / "page.html")


def test_sparse_samples_of_any_format_have_pages(digits, tmp_path):
    X, y = digits
    model = make_pipeline(TruncatedSVDReducer(4), head()).fit(X, y)
    written(model, sparse.coo_array(X[:60]), y[:60], tmp_path, image_shape=(8, 8))


@pytest.mark.slow
def test_posts_of_newsgroups_are_told_apart_by_words_that_mean_something(
    data_dir, tmp_path
):
    texts, groups = [], []
    wanted = {"rec.motorcycles", "sci.space", "rec.sport.hockey"}
    with tarfile.open(data_dir / "20newsgroups.tar.xz") as archive:
        for member in archive:
            group = member.name.split("/")[-2] if member.isfile() else None
            if group in wanted and groups.count(group) < 150:
                text = archive.extractfile(member).read().decode("latin-1")
                texts.append(text.split("\n\n", 1)[-1])
                groups.append(group)
    network = SparseNetClassifier((), learning_rate=0.02, random_state=0)
    model = make_pipeline(
        TfidfVectorizer(max_features=2000, stop_words="english", sublinear_tf=True),
        TruncatedSVDReducer(8, random_state=0),
        network,
    ).fit(texts, groups)
    found = attribute(model, texts, outputs=["rec.motorcycles"])
    of_word = dict(
        zip(found.feature_names, found.features[:, 0].mean(axis=0), strict=True)
    )
    best = sorted(of_word, key=of_word.get)[-5:]
    assert "bike" in best
    page = written(model, texts, groups, tmp_path)
    assert "bike" in text_of(page)
    assert "rec.sport.hockey" in text_of(page)
    assert len(page.encode()) < 5e6
