"""The rules that a screener has learnt, and rows held against them."""

from dataclasses import dataclass

import numpy as np

from sksparse_nn.screening._cells import screen_cells
from sksparse_nn.screening._chance import expect_constants, expect_duplicates
from sksparse_nn.screening._columns import list_runs
from sksparse_nn.screening._exclusions import Exclusions
from sksparse_nn.screening._limits import Limits, learn_limits
from sksparse_nn.screening._texts import (
    find_categories,
    measure_equal_share,
    screen_texts,
)
from sksparse_nn.screening._whole_rows import find_constants

#: Names of the rules.
RULES = (
    "missing",
    "infinite",
    "type",
    "category",
    "range",
    "constant",
    "duplicate",
    "label",
)

# Expected number of equal rows, or of constant ones, up to which they are faults.
_FEW = 0.01


@dataclass(frozen=True)
class Rules:
    """Rules in force, and what they allow.

    Attributes
    ----------
    names : list of str
        Names of the rules in force.

    limits : Limits
        Limits of the columns of numbers.

    categories : dict of int to list of str
        Known categories by the index of the feature.
    """

    names: list
    limits: Limits
    categories: dict

    def screen(self, samples):
        """Hold rows against the rules that need no other rows and no labels.

        Parameters
        ----------
        samples : Samples
            Rows.

        Returns
        -------
        ratios : ndarray of shape (n_samples,)
            Distance from the middle relative to the limits: above one for exactly those
            rows that break a rule.

        exclusions : Exclusions
            What they break.
        """
        exclusions = Exclusions(len(samples))
        screen_texts(samples, self.categories, self.names, exclusions)
        if "type" in self.names:
            samples = samples.replace_unreadable(self.limits.middle)
        if "constant" in self.names:
            rows, values = find_constants(samples)
            exclusions.add("constant", rows, values=values)
        has_no_limit = exclusions.excluded.copy()
        ratios = screen_cells(samples, self.limits, self.names, exclusions)
        ratios[has_no_limit] = np.inf
        return ratios, exclusions


def learn_rules(state, rules, quantile_range, margin):
    """Learn rules from what is known of rows.

    Parameters
    ----------
    state : ScreeningState
        What is known.

    rules : "auto" or list of str
        Names of the rules; "auto" for all that make sense on these rows.

    quantile_range : tuple of float
        Quantiles of the rule "range", in percent.

    margin : float
        Its margin.

    Returns
    -------
    rules : Rules
        The rules.
    """
    runs = list_runs(state.sample, state.counts)
    names = _choose(state, runs) if isinstance(rules, str) else list(rules)
    limits = learn_limits(runs, quantile_range, margin)
    if "range" not in names:
        limits = limits.lift()
    texts = {at: kept for at, kept in state.texts.items() if state.kinds[at] == "t"}
    return Rules(names, limits, find_categories(texts) if "category" in names else {})


def _choose(state, runs):
    """Leave out what chance alone is likely to bring."""
    shares = [measure_equal_share(counted) for counted in state.texts.values()]
    expected = {
        "constant": expect_constants(runs, state.weight),
        "duplicate": expect_duplicates(runs, shares, state.weight),
    }
    return [name for name in RULES if expected.get(name, 0) <= _FEW]
