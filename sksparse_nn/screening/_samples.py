"""Samples as a user hands them in: columns of numbers, and columns of text."""

from dataclasses import dataclass, field, replace
from numbers import Number

import numpy as np
from scipy import sparse
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from sksparse_nn._kinds import check_kind
from sksparse_nn._structure import check_structure

# Cells of one block of rows.
_BLOCK_SIZE = 2**16

# Beginnings of the names of types.
_TIMES = ("date", "time", "duration", "period", "interval")
_NUMBERS = ("int", "uint", "float", "bool", "double", "decimal")


@dataclass(frozen=True)
class Samples:
    """Rows, with the columns of numbers apart from those of text.

    Attributes
    ----------
    numbers : ndarray or CSR matrix of shape (n_samples, n_numbers)
        Columns of numbers in the type that they came in; what is missing is NaN. A
        CSR matrix is canonical and has no stored zeros.

    kinds : str
        A letter per feature: "n" for numbers, "t" for text, "d" for dates and times.

    texts : dict of int to ndarray of object
        Cells of each column of text or dates as texts, by the index of the feature;
        None if missing.

    unreadable : dict of int to dict
        Cells that are no numbers where the column has numbers: value by row, by the
        index of the feature.
    """

    numbers: object
    kinds: str
    texts: dict = field(default_factory=dict)
    unreadable: dict = field(default_factory=dict)

    def __len__(self):
        return self.numbers.shape[0]

    @property
    def columns(self):
        """Index of the feature of each column of numbers."""  # numpydoc ignore=RT01
        return np.flatnonzero(np.array(list(self.kinds)) == "n")

    def take(self, rows):
        """Select the numbers of some rows.

        Parameters
        ----------
        rows : ndarray of int
            Their indices.

        Returns
        -------
        numbers : ndarray or CSR matrix
            In a float type.
        """
        numbers = self.numbers if len(rows) == len(self) else self.numbers[rows]
        is_float = numbers.dtype in (np.float32, np.float64)
        return numbers if is_float else numbers.astype(np.float64)

    def replace_unreadable(self, middle):
        """Put numbers in place of cells that are none.

        Parameters
        ----------
        middle : ndarray of shape (n_numbers,)
            The number for each column.

        Returns
        -------
        samples : Samples
            The same, or a copy.
        """
        if not self.unreadable:
            return self
        numbers = self.numbers.copy()
        for at, wrong in self.unreadable.items():
            column = np.searchsorted(self.columns, at)
            numbers[list(wrong), column] = middle[column]
        return replace(self, numbers=numbers)

    def blocks(self):
        """Yield blocks of rows, so that copies stay small.

        Yields
        ------
        start : int
            Index of the first row.

        block : ndarray or CSR matrix of shape (n_block, n_numbers)
            Numbers in float64.
        """
        for start, stop in list_blocks(self.numbers):
            yield start, self.numbers[start:stop].astype(np.float64, copy=False)


def list_blocks(numbers):
    """List the bounds of blocks of rows.

    Parameters
    ----------
    numbers : ndarray or CSR matrix of shape (n_samples, n_numbers)
        All rows.

    Returns
    -------
    bounds : list of tuple of int
        Start and stop of each block, of 65,536 stored cells or one row.
    """
    n_rows, width = numbers.shape
    if sparse.issparse(numbers):
        width = numbers.nnz // max(n_rows, 1)
    size = max(1, _BLOCK_SIZE // max(width, 1))
    return [(start, min(start + size, n_rows)) for start in range(0, n_rows, size)]


def read_samples(estimator, X, kinds=None):
    """Validate the samples of a screener, whatever is wrong with single cells.

    Parameters
    ----------
    estimator : estimator instance
        Gets ``n_features_in_`` and ``feature_names_in_`` when `kinds` is None.

    X : array, sparse matrix or table of shape (n_samples, n_features)
        Samples.

    kinds : str or None, default=None
        Kinds of the features that were learnt; None to learn them.

    Returns
    -------
    samples : Samples
        The samples.

    Raises
    ------
    ValueError
        If there is no row, the width differs, or an array holds no numbers.
    """
    check_structure(X)
    if not (sparse.issparse(X) or hasattr(X, "dtype") or hasattr(X, "dtypes")):
        X = np.asarray(X)
    is_table = hasattr(X, "columns") and hasattr(X, "dtypes")
    if not is_table:
        X = check_array(
            check_kind(X),
            accept_sparse="csr",
            dtype="numeric",
            ensure_all_finite=False,
            estimator=estimator,
        )
    validate_data(estimator, X, reset=kinds is None, skip_check_array=True)
    if is_table:
        return _read_table(X, kinds)
    return Samples(_clean(X), "n" * X.shape[1])


def _clean(X):
    """Return a CSR matrix in canonical form without stored zeros."""
    if not sparse.issparse(X):
        return X
    if not X.has_canonical_format or not np.all(X.data):
        X = X.copy()
        X.sum_duplicates()
        X.eliminate_zeros()
    return X


def _read_table(table, kinds):
    """Read a table, column by column."""
    if len(table) == 0 or table.shape[1] == 0:
        raise ValueError(
            f"Found array with {len(table)} sample(s) (shape={table.shape}) while a "
            "minimum of 1 is required, and of 1 feature."
        )
    if _is_sparse(table):
        X = table.sparse.to_coo().tocsr()
        return Samples(_clean(X), "n" * X.shape[1])
    columns = [_column(table, at) for at in range(table.shape[1])]
    if kinds is None:
        kinds = "".join(map(_kind_of, columns))
    numbers, texts, unreadable = [], {}, {}
    for at, kind in enumerate(kinds):
        if kind == "n":
            values, wrong = _to_numbers(columns[at])
            numbers.append(values)
            if wrong:
                unreadable[at] = wrong
        else:
            texts[at] = _to_texts(columns[at])
    stacked = np.column_stack(numbers) if numbers else np.empty((len(table), 0))
    return Samples(stacked, kinds, texts, unreadable)


def _is_sparse(table):
    return hasattr(table, "sparse") and all(
        hasattr(d, "fill_value") for d in table.dtypes
    )


def _column(table, at):
    return table.iloc[:, at] if hasattr(table, "iloc") else table[table.columns[at]]


def _kind_of(column):
    """Return the letter of a column: what most of its cells are."""
    name = str(column.dtype).lower().removeprefix("sparse[")
    if name.startswith(_TIMES):
        return "d"
    if name.startswith(_NUMBERS):
        return "n"
    if name.startswith("object"):
        cells = [
            cell for cell in np.asarray(column, object) if not is_missing_cell(cell)
        ]
        n_numbers = sum(_parse(cell) is not None for cell in cells)
        return "n" if 2 * n_numbers > len(cells) or not cells else "t"
    return "t"


def _to_numbers(column):
    """Return the numbers of a column, and the cells that are none by their rows."""
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "biuf":
        return np.asarray(column), {}
    cells = np.asarray(column, dtype=object)
    values, wrong = np.full(len(cells), np.nan), {}
    for row, cell in enumerate(cells):
        if not is_missing_cell(cell):
            number = _parse(cell)
            if number is None:
                wrong[row] = str(cell)
            else:
                values[row] = number
    return values, wrong


def _to_texts(column):
    cells = np.asarray(column, dtype=object)
    return np.array([_to_text(cell) for cell in cells], dtype=object)


def _to_text(cell):
    """Return a cell as a text, whole numbers alike in all types; None if missing."""
    if is_missing_cell(cell):
        return None
    is_whole = isinstance(cell, float) and cell.is_integer()
    return str(int(cell)) if is_whole else str(cell)


def _parse(cell):
    """Return a cell as a number, or None if it is none."""
    if isinstance(cell, Number) and not isinstance(cell, complex):
        return float(cell)
    try:
        return float(cell) if isinstance(cell, str) else None
    except ValueError:
        return None


def is_missing_cell(cell):
    """Return whether a cell is None, NaN, NaT or NA.

    Parameters
    ----------
    cell : object
        Any.

    Returns
    -------
    is_missing : bool
        Whether it is.
    """
    if cell is None or type(cell).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(cell, float | np.floating) and bool(np.isnan(cell))
