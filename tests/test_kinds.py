"""What is no number is refused or told of, and sparse tables are sparse matrices."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from sksparse_nn import RowScreener
from tests.estimators import ESTIMATORS, SEEDED, TRANSFORMERS, name_of
from tests.neural.instances import AUTOENCODERS


def begins_with_ours(estimator):
    """Tell whether it hands samples to the package before anything else."""
    while hasattr(estimator, "estimator") and estimator.estimator is not None:
        estimator = estimator.estimator
    if isinstance(estimator, Pipeline):
        estimator = estimator[0]
    return type(estimator).__module__.startswith("sksparse_nn")


OURS = [estimator for estimator in ESTIMATORS if begins_with_ours(estimator)]
# A screener of rows has rules for columns of all kinds in a table.
OF_NUMBERS = [estimator for estimator in OURS if not isinstance(estimator, RowScreener)]
OTHERS = [estimator for estimator in ESTIMATORS if estimator not in SEEDED]
SAMPLES = np.random.default_rng(0).integers(0, 9, (60, 12)).astype(np.float64)
TARGET = (SAMPLES[:, 0] > SAMPLES[:, 1]).astype(int)


def table(**columns):
    names = [f"f{i}" for i in range(SAMPLES.shape[1])]
    return pd.DataFrame(SAMPLES, columns=names).assign(**columns)


DATES = pd.date_range("2026", periods=len(SAMPLES))
REFUSED = {
    "dates": (table(f3=DATES), r"Columns \[f3\] are of dates"),
    "dates of a zone": (table(f3=DATES.tz_localize("UTC")), r"Columns \[f3\]"),
    "periods": (table(f3=DATES.to_period("D")), r"Columns \[f3\]"),
    "durations": (table(f3=DATES - DATES[0]), r"Columns \[f3\] are of dates or times"),
    "dates alone": (table()[[]].assign(a=DATES, b=DATES), r"Columns \[a, b\]"),
    "array of dates": (SAMPLES.astype("datetime64[s]"), r"Got dates or times"),
    "array of durations": (SAMPLES.astype("timedelta64[s]"), r"Got dates or times"),
    "array of text": (SAMPLES.astype(str), r"Got text"),
    "masked": (np.ma.masked_array(SAMPLES, SAMPLES == 3), r"no masked entries. Got"),
    "masked bytes": (
        np.ma.masked_array(SAMPLES.astype(np.uint8), SAMPLES == 3),
        r"no masked entries. Got",
    ),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_number_is_refused(kind):
    X, message = REFUSED[kind]
    for estimator in OF_NUMBERS if hasattr(X, "columns") else OURS:
        with pytest.raises(ValueError, match=message):
            clone(estimator).fit(X, TARGET)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (table(f3=SAMPLES[:, 3].astype(str)), r"Columns \[f3\] are of text"),
        (table(f3=pd.Categorical(SAMPLES[:, 3].astype(str))), r"Columns \[f3\]"),
        (SAMPLES.astype(str).astype(object), r"X holds text"),
    ],
    ids=["column", "categories", "objects"],
)
def test_numbers_as_text_are_told_of(X, message):
    estimator = clone(SEEDED[0])
    with pytest.warns(UserWarning, match=message):
        estimator.fit(X)
    with pytest.warns(UserWarning, match=message):
        estimator.transform(X)


@pytest.mark.parametrize(
    "X",
    [
        SAMPLES.astype(object),
        table().astype(object),
        table().convert_dtypes(),
        table(f3=pd.Categorical(SAMPLES[:, 3])),
        np.ma.masked_array(SAMPLES, mask=False),
    ],
    ids=["objects", "columns of objects", "nullable", "categories", "nothing masked"],
)
def test_numbers_of_any_kind_are_taken_in_silence(X):
    estimator = clone(SEEDED[0]).fit(SAMPLES)
    expected = np.asarray(estimator.transform(SAMPLES))
    got = np.asarray(clone(SEEDED[0]).fit(X).transform(X))
    assert np.allclose(got, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
@pytest.mark.parametrize("estimator", OTHERS, ids=name_of)
def test_a_table_of_sparse_columns_is_a_sparse_matrix(estimator):
    matrix = sparse.csr_array(np.where(SAMPLES > 4, SAMPLES, 0))
    frame = pd.DataFrame.sparse.from_spmatrix(matrix, columns=table().columns)
    method = "predict" if hasattr(estimator, "predict") else "transform"
    expected, got = (
        getattr(clone(estimator).fit(X, TARGET), method)(X) for X in (matrix, frame)
    )
    np.testing.assert_array_equal(got, expected)


def test_sparse_columns_that_are_not_finite_are_refused():
    matrix = sparse.csr_array(np.where(SAMPLES > 4, np.inf, 0))
    frame = pd.DataFrame.sparse.from_spmatrix(matrix)
    with pytest.raises(ValueError, match="contains infinity"):
        clone(SEEDED[0]).fit(frame)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("estimator", [*TRANSFORMERS, *AUTOENCODERS], ids=name_of)
def test_codes_that_are_no_numbers_are_refused(estimator):
    fitted = clone(estimator).set_params(random_state=0).fit(SAMPLES)
    if not hasattr(fitted, "inverse_transform"):
        return
    codes = fitted.transform(SAMPLES)
    codes = codes.toarray() if sparse.issparse(codes) else codes
    with pytest.raises(ValueError, match="no masked entries"):
        fitted.inverse_transform(np.ma.masked_array(codes, codes == codes.max()))
    with pytest.raises(ValueError, match="Got dates or times"):
        fitted.inverse_transform(codes.astype("datetime64[s]"))


@pytest.mark.parametrize("estimator", OF_NUMBERS, ids=name_of)
def test_a_row_of_a_table_is_no_table(estimator):
    with pytest.raises(ValueError, match=r"(?i)expected .*(2-dimensional|2D)"):
        clone(estimator).fit(table().iloc[0], TARGET[:12])
