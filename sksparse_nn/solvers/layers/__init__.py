"""Smaller weight matrices: pruned, quantized, factorized. Arrays in, arrays out."""

from sksparse_nn.solvers.layers._factorize import (
    LowRank,
    factorized,
    factorized_for,
)
from sksparse_nn.solvers.layers._prune import CRITERIA, kept_neurons, kept_weights
from sksparse_nn.solvers.layers._quantize import (
    ZERO_BYTES,
    Quantized,
    dequantized,
    quantized,
)
from sksparse_nn.solvers.layers._storage import with_zeros, without_zeros

__all__ = [
    "CRITERIA",
    "ZERO_BYTES",
    "LowRank",
    "Quantized",
    "dequantized",
    "factorized",
    "factorized_for",
    "kept_neurons",
    "kept_weights",
    "quantized",
    "with_zeros",
    "without_zeros",
]
