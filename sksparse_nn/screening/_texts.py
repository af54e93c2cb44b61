"""Rules of columns of text: missing cells, and categories that were never seen."""

import numpy as np

# The estimated share of rows with an unseen category above which it is no fault.
_LARGEST_SHARE = 0.01


def find_categories(texts):
    """Find the columns of text whose categories are known.

    The share of rows whose category was never seen is about that of the categories
    which were seen once (Good and Turing's estimate).

    Parameters
    ----------
    texts : dict of int to dict or None
        Rows per text, by the index of the feature; None for free text.

    Returns
    -------
    categories : dict of int to list of str
        Categories by the index of the feature, of the columns where an unseen one is
        unlikely.
    """
    return {
        at: sorted(counted)
        for at, counted in texts.items()
        if counted and _share_seen_once(counted) <= _LARGEST_SHARE
    }


def _share_seen_once(counted):
    counts = np.array(list(counted.values()))
    return np.sum(counts == 1) / counts.sum()


def measure_equal_share(counted):
    """Return the probability that two cells of a column of text are equal.

    Parameters
    ----------
    counted : dict or None
        Rows per text; None for free text.

    Returns
    -------
    share : float
        Zero for free text.
    """
    counts = np.array(list((counted or {}).values()), dtype=np.float64)
    total = counts.sum()
    return float(np.sum(counts * (counts - 1)) / max(total * (total - 1), 1))


def screen_texts(samples, categories, rules, exclusions):
    """Find cells of text that break a rule, and cells that should be numbers.

    Parameters
    ----------
    samples : Samples
        Rows.

    categories : dict of int to list of str
        Known categories by the index of the feature.

    rules : collection of str
        Names of the rules in force.

    exclusions : Exclusions
        Takes the lines.
    """
    for at, wrong in samples.unreadable.items() if "type" in rules else ():
        rows = np.fromiter(wrong, np.int64)
        _add(exclusions, "type", rows, at, list(wrong.values()))
    for at, cells in samples.texts.items():
        is_missing = np.array([cell is None for cell in cells], dtype=bool)
        if "missing" in rules:
            _add(exclusions, "missing", np.flatnonzero(is_missing), at)
        if "category" in rules and at in categories:
            known = set(categories[at])
            is_unseen = np.array([cell not in known for cell in cells], dtype=bool)
            rows = np.flatnonzero(is_unseen & ~is_missing)
            _add(exclusions, "category", rows, at, cells[rows])


def _add(exclusions, rule, rows, at, values=None):
    columns = np.full(len(rows), at)
    exclusions.add(rule, rows, columns=columns, values=values)
