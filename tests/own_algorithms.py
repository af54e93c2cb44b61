"""Algorithms as a user would write them, one for each parameter that takes one."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import sparse

from sksparse_nn.solvers.coding import AbstractCoder, Codes, Level, Sparsity
from sksparse_nn.solvers.dictionary import (
    AbstractLearner,
    StreamingLearner,
    code_rows,
    normalise_atoms,
    update_dictionary,
)
from sksparse_nn.solvers.patches import PatchEncoder
from sksparse_nn.solvers.simplex import (
    AbstractKeys,
    AbstractMapping,
    Learnt,
    Sparsemax,
    StreamingKeys,
)
from sksparse_nn.solvers.svd import Factors, SVDSolver


@dataclass
class Nearest(AbstractCoder):
    """The atom that correlates most, where its coefficient is above a floor."""

    floor: float = 0.0

    sparsity: ClassVar[Sparsity] = Level("floor")

    def encode(self, atoms, rows, start=None):
        products = rows.times(atoms.columns)
        best = np.abs(products).argmax(axis=1)[:, None]
        values = np.take_along_axis(products, best, axis=1)
        values *= rows.norms[:, None].astype(values.dtype)
        counts = (np.abs(values[:, 0]) > self.floor).astype(np.int32)
        return Codes(counts, best.astype(np.int32), values, np.zeros(len(best)))

    def slopes(self, atoms, chosen, row):
        return atoms.in_terms_of_given(chosen, atoms.unit[chosen])


@dataclass
class Descent(AbstractLearner):
    """Code all rows, then move each atom once."""

    heeds_penalty: ClassVar[bool] = True

    def epoch(self, coder, progress, samples, rng=None):
        progress.start_epoch()
        progress.statistics.forget(0)
        code_rows(coder, progress, samples.X, samples.weights)
        update_dictionary(progress.dictionary, progress.statistics)


@dataclass
class Steps(StreamingLearner):
    """Code a mini-batch, then move each atom once."""

    heeds_penalty: ClassVar[bool] = True

    def step(self, coder, progress, X, weights, *, start=None, n_batches=None):
        code_rows(coder, progress, X, weights)
        update_dictionary(progress.dictionary, progress.statistics)


@dataclass(frozen=True)
class Plain(SVDSolver):
    """NumPy's decomposition of each group."""

    def prepare(self, rows):
        X = rows.X.toarray() if sparse.issparse(rows.X) else rows.X
        weight = np.ones(len(X)) if rows.weight is None else rows.weight
        groups = range(len(rows.partition.widths))
        columns = [rows.partition.features(group) for group in groups]
        return [(X[:, which].astype(np.float64), weight) for which in columns]

    def leading(self, state, n_components):
        return [self._of_group(*group) for group in state]

    def _of_group(self, X, weight):
        mean = np.average(X, axis=0, weights=weight) if self.center else 0 * X[0]
        A = np.sqrt(weight)[:, None] * (X - mean)
        _, s, Vt = np.linalg.svd(A, full_matrices=False)
        kept = s > 1e-6 * s[0]
        return Factors(
            components=Vt[kept],
            singular_values=s[kept],
            residuals=np.zeros(kept.sum()),
            mean=mean,
            energy=float((A**2).sum()),
            noise=1e-6 * s[0],
            weight=float(weight.sum()),
            is_complete=True,
        )

    def moments(self, rows, state):
        return None


@dataclass
class Projection(AbstractMapping):
    """Sparsemax under another name."""

    projects: ClassVar[bool] = True

    def encode(self, block, offsets, sharpness, codes):
        Sparsemax().encode(block, offsets, sharpness, codes)

    def jacobian(self, shares):
        return np.eye(len(shares)) - 1 / len(shares)

    def joining_temperatures(self, depths):
        return Sparsemax().joining_temperatures(depths)


@dataclass
class FarRows(AbstractKeys):
    """The rows that others start from."""

    def learn(self, problem):
        return Learnt(problem.first_keys(), indices=problem.start)


@dataclass
class LatestRows(StreamingKeys):
    """The rows that others start from, then the last ones that came."""

    def learn(self, problem):
        return Learnt(problem.first_keys())

    def move(self, problem, learnt):
        last = np.arange(problem.X.shape[0])[-len(learnt.keys) :]
        keys = np.vstack([learnt.keys[len(last) :], problem.take(last)])
        problem.record_pass(learnt, 0.0)
        return Learnt(keys, learnt.history, counts=learnt.counts)


@dataclass
class Magnitudes(PatchEncoder):
    """Magnitudes of the products of whitened patches and unit atoms."""

    signed: ClassVar[bool] = False

    def prepare(self, dictionary, whitening):
        return normalise_atoms(dictionary), whitening

    def values(self, state, patches, out=None):
        atoms, whitening = state
        return np.abs(whitening.apply(patches) @ atoms.T)

    def slopes(self, state, whitened, values, attributions):
        atoms, whitening = state
        signs = np.sign(whitened @ atoms.T)
        return (attributions * signs) @ atoms @ whitening.matrix
