"""A layer of sparse codes, whose dictionary is trained with the network."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from torch import nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

from sksparse_nn.modules._coding import CodingLayer
from sksparse_nn.modules._dictionary import (
    PositiveNumber,
    check_dictionary,
    check_samples,
)
from sksparse_nn.modules._facts import count_multiply_adds
from sksparse_nn.modules._modes import in_full_precision
from sksparse_nn.modules._sparse_input import SparseBatch
from sksparse_nn.solvers._rows import (
    DenseRows,
    SparseRows,
    block_slices,
    read_rows,
)
from sksparse_nn.solvers._threads import map_in_order, single_threaded_blas
from sksparse_nn.solvers.coding import (
    CODERS,
    AbstractCoder,
    Atoms,
    Codes,
    alpha_gradient,
    atom_gradients,
)

# Samples that one thread codes at a time.
_BLOCK_SIZE = 64

# Parameters that some algorithms read and others do not, and their defaults.
_OF_ALGORITHMS = {
    "alpha": None,
    "l1_ratio": 0.5,
    "n_nonzero_coefs": None,
    "positive_code": False,
}


class SparseCodingLayer(CodingLayer):
    """Sparse codes of samples in a dictionary, differentiable in all of its parts.

    The codes are those of :class:`~sksparse_nn.SparseDictionaryCoder` in atoms of unit
    norm. The backward pass differentiates them implicitly on their support, so that the
    dictionary, the samples and, if wanted, `alpha` can be trained with a loss.

    Parameters
    ----------
    dictionary : array-like of shape (n_components, n_features)
        Atoms to start from, of any norm above zero: a fitted coder's `components_`.

    algorithm : str or AbstractCoder, default="lasso"
        How codes are found: "lasso", "elastic_net", "omp", "ols", "soft_threshold",
        "threshold" or "top_k", or an object of the same contract.

    alpha : float, default=None
        Penalty of "lasso" and "elastic_net", or level of the thresholds. These need
        one, in the units of the samples; others take none.

    l1_ratio : float, default=0.5
        Share of the l1 norm in the penalty of "elastic_net".

    n_nonzero_coefs : int, default=None
        Nonzero codes per sample of "omp", "ols" and "top_k", at most. None stands for a
        tenth of the features, five at least.

    positive_code : bool, default=False
        Whether codes must not be negative, for "lasso", "elastic_net" and
        "soft_threshold".

    learn_alpha : bool, default=False
        Whether `alpha` is trained too. It stays above zero.

    n_jobs : int, default=None
        Number of threads. The codes and the gradients do not depend on it.

    Attributes
    ----------
    dictionary : torch.nn.Parameter of shape (n_components, n_features)
        The atoms as they are trained; codes are in terms of `components`.

    n_active : float
        Mean number of nonzero codes per sample, of those coded last.

    See Also
    --------
    AttentionLayer : Shares of keys instead of coefficients of atoms.

    Notes
    -----
    Where a code is about to gain or to lose an atom it has a kink; the derivative is
    that of the support as it is. Of atoms that depend on each other on a support, the
    later ones get no gradient. Codes are computed on the CPU, wherever the samples lie.

    References
    ----------
    J. Mairal, F. Bach, J. Ponce (2012), Task-driven dictionary learning. IEEE TPAMI
    34(4).

    Examples
    --------
    >>> import torch
    >>> from sksparse_nn.modules import SparseCodingLayer
    >>> generator = torch.Generator().manual_seed(0)
    >>> atoms = torch.randn(16, 8, generator=generator)
    >>> net = torch.nn.Sequential(
    ...     SparseCodingLayer(atoms, alpha=0.5), torch.nn.Linear(16, 3)
    ... )
    >>> net(torch.randn(5, 8, generator=generator)).sum().backward()
    >>> net[0].dictionary.grad.shape
    torch.Size([16, 8])
    """

    takes_sparse = True

    def __init__(
        self,
        dictionary: ArrayLike,
        algorithm: str | AbstractCoder = "lasso",
        *,
        alpha: float | None = None,
        l1_ratio: float = 0.5,
        n_nonzero_coefs: int | None = None,
        positive_code: bool = False,
        learn_alpha: bool = False,
        n_jobs: int | None = None,
    ) -> None:
        super().__init__()
        self.dictionary = nn.Parameter(check_dictionary(dictionary))
        self.n_jobs = n_jobs
        parameters = {
            "alpha": alpha,
            "l1_ratio": l1_ratio,
            "n_nonzero_coefs": n_nonzero_coefs,
            "positive_code": positive_code,
        }
        self.coder = _coder(algorithm, parameters)
        _check_alpha(self.coder, learn_alpha)
        number = PositiveNumber(self.coder.alpha, "alpha") if learn_alpha else None
        self.learnt_alpha = number
        self.register_buffer("alpha_factor", torch.ones(()))
        self.n_active, self._prepared = 0.0, None

    def keep_atoms(self, kept: NDArray) -> Self:
        """Return a twin of this layer with some of its atoms, and their weights.

        Parameters
        ----------
        kept : ndarray of int
            Indices of the atoms.

        Returns
        -------
        twin : SparseCodingLayer
            A layer of the same kind.
        """
        twin = super().keep_atoms(kept)
        twin.coder = self.coder.keep_atoms(kept)
        return twin

    @property
    def out_features(self) -> int:
        """Number of codes per sample.

        Returns
        -------
        n_components : int
            One per atom.
        """
        return len(self.dictionary)

    @property
    def components(self) -> torch.Tensor:
        """The atoms of unit norm.

        Returns
        -------
        components : Tensor of shape (n_components, n_features)
            A function of `dictionary`, through which gradients flow.
        """
        return functional.normalize(self.dictionary, dim=1)

    @property
    def alpha(self) -> torch.Tensor | None:
        """The penalty as it stands.

        Returns
        -------
        alpha : Tensor of shape () or None
            None for an algorithm without it.
        """
        if self.learnt_alpha is not None:
            return self.learnt_alpha()
        alpha = getattr(self.coder, "alpha", None)
        if alpha is None:
            return None
        return torch.tensor(alpha * float(self.alpha_factor), dtype=torch.float64)

    def sparsify(self, factor: float) -> None:
        """Multiply the penalty.

        Parameters
        ----------
        factor : float
            Above one for fewer nonzeros, below one for more.
        """
        self.alpha_factor *= factor

    def reconstruct(self, codes: torch.Tensor) -> torch.Tensor:
        """Return the samples that codes stand for.

        Parameters
        ----------
        codes : Tensor of shape (n_samples, n_components)
            Result of `forward`.

        Returns
        -------
        X : Tensor of shape (n_samples, n_features)
            Sums of atoms.
        """
        return codes @ self.components

    @in_full_precision
    def forward(self, X: torch.Tensor | SparseBatch) -> torch.Tensor:
        """Code samples.

        Parameters
        ----------
        X : Tensor of shape (n_samples, n_features) or SparseBatch
            Samples.

        Returns
        -------
        codes : Tensor of shape (n_samples, n_components)
            In terms of `components`, in the float type of the dictionary.

        Raises
        ------
        ValueError
            If samples have another width, or numbers that are not finite.
        """
        check_samples(X, self.dictionary)
        coder = self.current_coder
        with single_threaded_blas():
            coded = code_samples(coder, self._prepare(coder), X, self.n_jobs)
        # Without the search of torch through parameters and modules.
        vars(self)["n_active"] = coded.n_active
        if torch.is_grad_enabled():
            return _SparseCodes.apply(X, self.components, self.alpha, coded)
        return coded.to(self.dictionary.device)

    @property
    def current_coder(self) -> AbstractCoder:
        """The algorithm with the penalty as it stands.

        Returns
        -------
        coder : AbstractCoder
            `coder` itself where the penalty has not changed.
        """
        if self.learnt_alpha is None and self.alpha_factor.item() == 1:
            return self.coder
        return replace(self.coder, alpha=float(self.alpha.detach()))

    def extra_repr(self) -> str:
        """Describe the layer, as torch prints it.

        Returns
        -------
        text : str
            Its shape and its algorithm.
        """
        n_atoms, n_features = self.dictionary.shape
        return f"{n_features}, {n_atoms}, algorithm={self.coder!r}"

    def __getstate__(self):
        return super().__getstate__() | {"_prepared": None}

    def _prepare(self, coder):
        """Return what the coder needs of the atoms, kept while they do not change."""
        given = self.dictionary.detach().cpu().numpy()
        kept = self._prepared
        if kept is None or not np.array_equal(kept[0], given):
            unit = self.components.detach().cpu().numpy()
            atoms = coder.prepare(unit, gram=coder.fits_support)
            kept = self._prepared = given.copy(), atoms
        return kept[1]


@count_multiply_adds.register
def _(layer: SparseCodingLayer, shape):
    return round(shape[0] * layer.coder.work(*layer.dictionary.shape, layer.n_active))


class Coded(NamedTuple):
    """Samples, their codes, and what they were coded by."""

    coder: AbstractCoder
    atoms: Atoms
    rows: DenseRows | SparseRows
    codes: Codes

    @property
    def n_active(self):
        """Return the mean number of nonzeros per sample.

        Returns
        -------
        n_active : float
            Zero without samples.
        """
        counts = self.codes.counts
        return int(counts.sum()) / max(len(counts), 1)

    def to(self, device):
        """Return the codes as a dense tensor.

        Parameters
        ----------
        device : torch.device
            Where it is to lie.

        Returns
        -------
        codes : Tensor of shape (n_samples, n_components)
            In the float type of the atoms.
        """
        codes = self.codes.dense(len(self.atoms.norms))
        return torch.from_numpy(codes).to(device)


def code_samples(coder, atoms, X, n_jobs):
    """Code samples, block by block on threads.

    Parameters
    ----------
    coder : AbstractCoder
        The algorithm.

    atoms : Atoms
        What it has prepared.

    X : Tensor of shape (n_samples, n_features) or SparseBatch
        Samples.

    n_jobs : int or None
        Number of threads.

    Returns
    -------
    coded : Coded
        All that the gradients need.

    Raises
    ------
    ValueError
        If samples have numbers that are not finite.
    """
    X = _as_matrix(X, atoms.dtype)
    rows = read_rows(X, slice(None))
    _check_finite(rows)
    if X.shape[0] <= _BLOCK_SIZE:
        return Coded(coder, atoms, rows, coder.encode(atoms, rows))

    def encode_block(which):
        return coder.encode(atoms, read_rows(X, which))

    slices = block_slices(X.shape[0], _BLOCK_SIZE)
    blocks = list(map_in_order(encode_block, slices, n_jobs))
    codes = Codes(*map(np.concatenate, zip(*blocks, strict=True)))
    return Coded(coder, atoms, rows, codes)


class _SparseCodes(torch.autograd.Function):
    """Codes of samples, and the gradients of the three things that they depend on."""

    @staticmethod
    def forward(ctx, X, components, alpha, coded):
        ctx.coded = coded
        return coded.to(components.device)

    @staticmethod
    @once_differentiable
    def backward(ctx, gradients):
        (coder, atoms, rows, codes), device = ctx.coded, gradients.device
        by_sample, by_atom, by_alpha, _ = ctx.needs_input_grad
        of_samples = of_atoms = of_alpha = None
        with single_threaded_blas():
            numbers = np.ascontiguousarray(gradients.cpu().numpy())
            adjoint = coder.adjoint(atoms, codes, numbers)
            if by_sample:
                dense = codes._replace(values=adjoint).dense(len(atoms.norms))
                of_samples = torch.from_numpy(dense @ atoms.unit).to(device)
            if by_atom:
                found = atom_gradients(coder, atoms, rows, codes, adjoint)
                of_atoms = torch.from_numpy(found).to(device)
            if by_alpha:
                found = alpha_gradient(coder, codes, adjoint)
                of_alpha = torch.tensor(found, dtype=torch.float64)
        return of_samples, of_atoms, of_alpha, None


def _as_matrix(X, dtype):
    if isinstance(X, SparseBatch):
        arrays = X.data.astype(dtype, copy=False), X.indices, X.indptr
        return sparse.csr_matrix(arrays, shape=(len(X), X.n_features), copy=False)
    return X.detach().cpu().numpy().astype(dtype, copy=False)


def _check_finite(rows):
    finite = np.isfinite(rows.norms)
    if not finite.all():
        wrong = np.flatnonzero(~finite)
        raise ValueError(
            f"X must be finite, to be coded. Got sample {wrong[0]} of norm "
            f"{rows.norms[wrong[0]]}."
        )


def _coder(algorithm, parameters):
    known = [name for name in CODERS if _has_adjoint(CODERS[name])]
    if isinstance(algorithm, str) and algorithm not in known:
        raise ValueError(
            f"algorithm must be one of {known}, or an object. Got {algorithm!r}; "
            "TriangleLayer is a layer of its own."
        )
    coder = CODERS.resolve(algorithm, parameters, _OF_ALGORITHMS)
    if not _has_adjoint(type(coder)):
        raise TypeError(
            "algorithm must have a method adjoint, to be trained through. Got "
            f"{coder!r}, which has none."
        )
    return coder


def _has_adjoint(coder_class):
    return coder_class.adjoint is not AbstractCoder.adjoint


def _check_alpha(coder, learn_alpha):
    reads_alpha = hasattr(coder, "alpha")
    if reads_alpha and coder.alpha is None:
        raise ValueError(
            f"alpha must be given for {type(coder).__name__}. Got None; a fitted coder "
            "has one that suits its samples, alpha_."
        )
    if learn_alpha and not reads_alpha:
        raise ValueError(
            f"learn_alpha=True needs an algorithm with an alpha. Got {coder!r}."
        )
