"""Orthogonal pursuits, one atom after the other, without a loop."""

from dataclasses import dataclass

import numpy as np

from sksparse_nn.onnx._refusals import refuse
from sksparse_nn.solvers.coding import OLS, OMP

MOST_ATOMS = 64

# As in `solvers.coding`: the least squared norm of an atom outside the span of others,
# and what a residual of single precision ends at.
_DEPENDENT = 1e-10
_LARGEST_SIZE = 2.0


def _emit_pursuit(coder, graph, products):
    """Choose atoms and fit their coefficients, of unit atoms, in double precision.

    Row s of V holds the products of basis vector s with all atoms, row s of M its
    coefficients in terms of the atoms. Rows that have ended take vectors of zero.
    """
    most = coder.count_most(*products.atoms.shape)
    if most > MOST_ATOMS:
        refuse(
            f"A pursuit of up to {most} atoms per sample",
            f"set n_nonzero_coefs to at most {MOST_ATOMS}",
        )
    search = _Search.begin(coder, graph, products)
    for number in range(most):
        search.step(is_last=number + 1 == most)
    return search.finish()


@dataclass
class _Search:
    graph: object
    by_error: bool
    gram: np.ndarray
    rounding: float
    floor: float
    limits: str
    a: str
    free: str
    alive: str
    residual: str
    size: str
    code: str
    norms: str
    chosen: str
    V: str | None = None
    M: str | None = None

    @classmethod
    def begin(cls, coder, graph, products):
        norms, a = products.norms, products.correlations
        zero = graph("Sub", norms, norms)
        one = graph("Add", zero, np.array(1.0))
        zeros = graph("Sub", a, a)
        single = products.given == np.float32
        free = graph("Add", zeros, np.diag(products.atoms.gram).copy())
        return cls(
            graph=graph,
            by_error=coder.by_error,
            gram=products.atoms.gram,
            rounding=float(np.finfo(np.float32).eps) ** 2 if single else 0.0,
            floor=32 * float(np.finfo(np.float64).eps),
            limits=_limits(coder, graph, norms, zero),
            a=a,
            free=free,
            alive=graph("Greater", norms, np.array(0.0)),
            residual=one,
            size=one,
            code=zeros,
            norms=norms,
            chosen=zeros,
        )

    def step(self, *, is_last):
        """Add the best atom to each row that goes on."""
        g = self.graph
        scores = self._scores()
        best = g("ArgMax", scores, axis=1, keepdims=1)
        is_any = g("Greater", g.largest(scores), np.array(0.0))
        self.alive = g("And", self.alive, is_any)
        found = g("GatherElements", self.a, best, axis=1)
        outside = g("GatherElements", self.free, best, axis=1)
        self.alive = g("And", self.alive, self._goes_on(found))
        on = g.cast(self.alive, np.float64)
        norm = g("Sqrt", g("Where", self.alive, outside, np.array(1.0)))
        b = g("Mul", on, g("Div", found, norm))
        hot = g.cast(g("Equal", best, np.arange(len(self.gram))), np.float64)
        self.chosen = g("Add", self.chosen, g("Mul", on, hot))
        v, m = self._basis_vector(hot, best, g("Div", on, norm))
        self.code = g("Add", self.code, g("Mul", b, m))
        self.size = g("Add", self.size, g("Div", g("Abs", b), norm))
        self.residual = g("Sub", self.residual, g("Mul", b, b))
        if not is_last:
            self.a = g("Sub", self.a, g("Mul", b, v))
            self.free = g("Sub", self.free, g("Mul", v, v))
            self.V, self.M = self._append(self.V, v), self._append(self.M, m)

    def finish(self):
        """Return the codes, without coefficients that are rounding."""
        g = self.graph
        sizes = g("Abs", self.code)
        needless = max(self.floor, np.sqrt(self.rounding) / 4)
        least = g("Mul", g("Add", g.sum(sizes), np.array(1.0)), np.array(needless))
        kept = g.keep(g("Greater", sizes, least), self.code)
        return g("Mul", kept, self.norms)

    def _scores(self):
        g = self.graph
        scores = g("Abs", self.a)
        is_free = g("Greater", self.free, np.array(_DEPENDENT))
        if self.by_error:
            safe = g("Where", is_free, self.free, np.array(1.0))
            scores = g("Div", g("Mul", scores, scores), safe)
        untried = g("Less", self.chosen, np.array(0.5))
        return g.keep(g("And", is_free, untried), scores)

    def _goes_on(self, found):
        g = self.graph
        seen = g("Greater", g("Abs", found), g("Mul", self.size, np.array(self.floor)))
        size = g("Min", self.size, np.array(_LARGEST_SIZE))
        rounding = g("Mul", g("Mul", size, size), np.array(self.rounding))
        enough = g("Max", self.limits, rounding)
        left = g("Greater", self.residual, enough)
        return g("And", seen, g("Or", left, g("LessOrEqual", enough, np.array(0.0))))

    def _basis_vector(self, hot, best, inverse):
        """Return the products of the new basis vector, and its coefficients."""
        g = self.graph
        row = g("Gather", self.gram, g("Squeeze", best, np.array([1])), axis=0)
        if self.V is None:
            return g("Mul", row, inverse), g("Mul", hot, inverse)
        factors = g("MatMul", self.V, g("Unsqueeze", hot, np.array([2])))
        factors = g("Transpose", factors, perm=[0, 2, 1])
        parts = []
        for start, known in ((row, self.V), (hot, self.M)):
            inside = g("Squeeze", g("MatMul", factors, known), np.array([1]))
            parts.append(g("Mul", g("Sub", start, inside), inverse))
        return parts

    def _append(self, known, new):
        new = self.graph("Unsqueeze", new, np.array([1]))
        return new if known is None else self.graph("Concat", known, new, axis=1)


def _limits(coder, graph, norms, zero):
    limits = graph("Add", zero, np.array(coder.residual_tol or 0.0))
    if coder.abs_residual_tol is None:
        return limits
    is_row = graph("Greater", norms, np.array(0.0))
    safe = graph("Where", is_row, norms, np.array(1.0))
    share = graph("Div", graph("Div", np.array(coder.abs_residual_tol), safe), safe)
    return graph("Max", limits, share)


PURSUITS = {OMP: _emit_pursuit, OLS: _emit_pursuit}
