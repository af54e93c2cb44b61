"""The table of what was excluded: a line for each exclusion."""

import numpy as np

# Cells of a row that one rule lists, the first ones.
_MOST_CELLS = 10

#: What a line says, in order.
COLUMNS = "row", "column", "rule", "value", "limit"


class Exclusions:
    """Lines of a table, collected rule by rule.

    Parameters
    ----------
    n_rows : int
        Number of rows that are screened.
    """

    def __init__(self, n_rows):
        self._lines = []
        self.excluded = np.zeros(n_rows, dtype=bool)

    def add(self, rule, rows, *, columns=None, values=None, limits=None):
        """Add lines of one rule.

        Parameters
        ----------
        rule : str
            Name of the rule.

        rows : ndarray of int of shape (n_lines,)
            Rows.

        columns : ndarray of int of shape (n_lines,), default=None
            Index of the feature; None for a rule of whole rows.

        values : sequence of shape (n_lines,), default=None
            What was found, a number or a text; None for nothing.

        limits : ndarray of shape (n_lines,), default=None
            What was allowed; None for nothing.
        """
        if not len(rows):
            return
        columns = np.full(len(rows), -1) if columns is None else columns
        values = np.full(len(rows), np.nan) if values is None else values
        limits = np.full(len(rows), np.nan) if limits is None else limits
        self.excluded[rows] = True
        values = np.array(values, dtype=object)
        limits = np.asarray(limits, dtype=np.float64)
        self._lines.append((np.asarray(rows), columns, rule, values, limits))

    def table(self, names):
        """Return the table.

        Parameters
        ----------
        names : ndarray of str of shape (n_features,)
            Names of the features.

        Returns
        -------
        table : dict
            Arrays of one length by the names of `COLUMNS`, sorted by row. For a rule of
            cells a row has ten lines at most.
        """
        lines = [_first_cells(*line) for line in self._lines]
        rules = [np.full(len(line[0]), line[2]) for line in lines]
        empty = np.empty(0, np.int64), np.empty(0, np.int64)
        rows, columns = (
            np.concatenate([part, *(line[at] for line in lines)])
            for at, part in enumerate(empty)
        )
        order = np.argsort(rows, kind="stable")
        known = np.append(np.asarray(names, dtype=str), "")  # -1 is the last
        return {
            "row": rows[order],
            "column": known[columns[order]],
            "rule": np.concatenate([np.empty(0, "U1"), *rules])[order],
            "value": _join([line[3] for line in lines], object)[order],
            "limit": _join([line[4] for line in lines], np.float64)[order],
        }


def _join(parts, dtype):
    return np.concatenate([np.empty(0, dtype), *parts])


def _first_cells(rows, columns, rule, values, limits):
    """Keep ten cells of each row."""
    order = np.lexsort((columns, rows))
    rows, columns, values, limits = (
        part[order] for part in (rows, columns, values, limits)
    )
    starts = np.searchsorted(rows, rows, side="left")
    kept = np.arange(len(rows)) - starts < _MOST_CELLS
    return rows[kept], columns[kept], rule, values[kept], limits[kept]


def count_rules(table):
    """Count the rows that each rule excluded.

    Parameters
    ----------
    table : dict
        A table of exclusions.

    Returns
    -------
    counts : dict of str to int
        Rows by rule, the most frequent first.
    """
    names, inverse = np.unique(table["rule"], return_inverse=True)
    pairs = np.unique(np.column_stack([inverse, table["row"]]), axis=0)
    counts = np.bincount(pairs[:, 0], minlength=len(names))
    order = np.argsort(-counts, kind="stable")
    return {str(names[at]): int(counts[at]) for at in order}


def describe_counts(table):
    """Describe how many rows each rule excluded.

    Parameters
    ----------
    table : dict
        A table of exclusions.

    Returns
    -------
    text : str
        Rules with numbers of rows, and for cells the commonest column.
    """
    parts = []
    for rule, n_rows in count_rules(table).items():
        columns = table["column"][table["rule"] == rule]
        columns = columns[columns != ""]
        if len(columns):
            names, counts = np.unique(columns, return_counts=True)
            where = f", mostly in column {str(names[counts.argmax()])!r}"
        else:
            where = ""
        parts.append(f"{rule!r} ({n_rows}{where})")
    return "; ".join(parts)
