"""Codes under an l1 penalty, by accelerated gradient steps in a loop.

The steps are those of FISTA, with a restart of each row whose momentum points uphill,
until the duality gap of every row of a batch is small.

References
----------
A. Beck, M. Teboulle, "A Fast Iterative Shrinkage-Thresholding Algorithm for Linear
Inverse Problems", SIAM Journal on Imaging Sciences 2, 2009.
B. O'Donoghue, E. Candes, "Adaptive Restart for Accelerated Gradient Schemes",
Foundations of Computational Mathematics 15, 2015.
"""

from dataclasses import dataclass

import numpy as np

from sksparse_nn.onnx._refusals import refuse
from sksparse_nn.solvers.coding import ElasticNet, Lasso

#: Relative duality gap of every row at which the loop ends, and its most steps.
GAP = 1e-10
MOST_STEPS = 20_000


def _emit_penalised(coder, graph, products):
    """Minimise the error and the penalty, of unit atoms, in double precision."""
    if not coder.alpha > 0:
        refuse("A penalty of alpha=0", "set alpha above zero, or use a pursuit")
    problem = _Problem.of(coder, graph, products)
    zeros = graph("Sub", products.correlations, products.correlations)
    ones = graph("Add", graph.sum(zeros), np.array(1.0))
    # Codes, points ahead of them, products of both with the Gram matrix, momenta.
    start = zeros, zeros, zeros, zeros, ones
    codes = graph.loop(MOST_STEPS, problem.step, *start)[0]
    return graph("Mul", codes, products.norms)


@dataclass(frozen=True)
class _Problem:
    correlations: str
    gram: np.ndarray  # with the quadratic penalty on its diagonal
    curvature: float
    levels: str  # of unit rows, (n_rows, n_atoms)
    positive: bool

    @classmethod
    def of(cls, coder, graph, products):
        """Take the penalties of a coder for the norms of rows."""
        linear, quadratic = coder.penalties(products.atoms.norms)
        gram = products.atoms.gram + np.diag(quadratic)
        is_row = graph("Greater", products.norms, np.array(0.0))
        norms = graph("Where", is_row, products.norms, np.array(1.0))
        levels = graph("Div", linear[None], norms)
        curvature = float(np.linalg.eigvalsh(gram)[-1]) or 1.0
        positive = coder.positive_code
        return cls(products.correlations, gram, curvature, levels, positive)

    def step(self, g, *carried):
        """Make a step of all rows.

        Parameters
        ----------
        g : Graph
            Takes the nodes.

        *carried : str
            Codes, the point ahead of them, the products of both with the Gram matrix,
            and momenta.

        Returns
        -------
        goes_on : str
            Whether to make another step.

        carried : tuple of str
            The new values.
        """
        codes, point, known, ahead, momentum = carried
        slope = g("Sub", ahead, self.correlations)
        moved = g("Sub", point, g("Div", slope, np.array(self.curvature)))
        new = self._shrink(g, moved)
        products = g("MatMul", new, self.gram)
        change = g("Sub", new, codes)
        uphill = g.sum(g("Mul", g("Sub", point, new), change))
        momentum = g(
            "Where", g("Greater", uphill, np.array(0.0)), np.array(1.0), momentum
        )
        root = g("Sqrt", g("Add", g("Mul", g("Mul", momentum, momentum), _FOUR), _ONE))
        after = g("Mul", g("Add", root, _ONE), np.array(0.5))
        share = g("Div", g("Sub", momentum, _ONE), after)
        point = g("Add", new, g("Mul", share, change))
        ahead = g("Add", products, g("Mul", share, g("Sub", products, known)))
        goes_on = self._goes_on(g, new, products)
        return goes_on, (new, point, products, ahead, after)

    def _shrink(self, g, moved):
        least = g("Div", self.levels, np.array(self.curvature))
        zero = np.array(0.0)
        above = g("Max", g("Sub", moved, least), zero)
        if self.positive:
            return above
        below = g("Max", g("Sub", g("Neg", moved), least), zero)
        return g("Sub", above, below)

    def _goes_on(self, g, codes, products):
        """Return whether the duality gap of a row is large, as a share of its goal."""
        left = g("Sub", self.correlations, products)
        sizes = left if self.positive else g("Abs", left)
        excess = g.largest(g("Div", sizes, self.levels))
        shrink = g("Reciprocal", g("Max", excess, _ONE))
        fit = g.sum(g("Mul", codes, self.correlations))
        squares = g("Add", self.correlations, left)
        squares = g("Sub", _ONE, g.sum(g("Mul", codes, squares)))
        half = g("Mul", squares, np.array(0.5))
        penalty = g.sum(g("Mul", self.levels, g("Abs", codes)))
        primal = g("Add", half, penalty)
        dual = g("Mul", shrink, g("Sub", _ONE, fit))
        dual = g("Sub", dual, g("Mul", g("Mul", shrink, shrink), half))
        least = g("Mul", g("Abs", primal), np.array(GAP))
        is_large = g("Greater", g("Sub", primal, dual), least)
        any_large = g("ReduceMax", g.cast(is_large, np.float64), keepdims=0)
        return g("Greater", any_large, np.array(0.5))


_ONE, _FOUR = np.array(1.0), np.array(4.0)

PENALTIES = {Lasso: _emit_penalised, ElasticNet: _emit_penalised}
